"""The REST API: parse the request, call a read of the store, render records as JSON."""

from pgadvisor.api.app import create_app

__all__ = ["create_app"]
