"""The web pages: read the store, show it; mounted on the application of the API."""

from pgadvisor.web.mount import mount

__all__ = ["mount"]
