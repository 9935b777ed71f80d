"""Work that goes on by itself: collecting and analyzing on a schedule."""

from pgadvisor.jobs.observer import Observer, Progress
from pgadvisor.jobs.worker import Worker

__all__ = ["Observer", "Progress", "Worker"]
