"""Limits of one person inside a worker: time by an alarm, memory by the size of the process."""

import resource
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

MEGABYTE = 2**20


class TimeLimitExceeded(BaseException):
    """A person took longer than allowed."""


def _ring(_number: int, _frame: FrameType | None) -> None:
    raise TimeLimitExceeded


@contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Raise TimeLimitExceeded inside when it takes longer, and again as long as it goes on."""
    signal.signal(signal.SIGALRM, _ring)
    signal.setitimer(signal.ITIMER_REAL, seconds, 1.0)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def limit_memory(megabytes: int) -> None:
    """Let this process grow by so much from what it has now; beyond that Python raises MemoryError."""
    status = Path("/proc/self/statm")
    if not status.exists():
        return
    pages = int(status.read_text().split()[0])
    size = pages * resource.getpagesize() + megabytes * MEGABYTE
    _, most = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (size, most))


def no_memory_limit() -> None:
    """Take the limit away again."""
    _, most = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
