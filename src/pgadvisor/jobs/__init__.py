"""Work that goes on by itself: collecting and analyzing on a schedule."""

from pgadvisor.jobs.observer import Observer, Progress
from pgadvisor.jobs.worker import POOL_SECONDS, Worker

__all__ = ["POOL_SECONDS", "Observer", "Progress", "Worker"]
