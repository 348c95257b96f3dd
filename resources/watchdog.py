"""A limit of time for Python code in any thread, where signals cannot be used."""

import ctypes
import threading
import time
import weakref
from types import TracebackType

from resources.limits import TimeLimitExceeded

AGAIN_SECONDS = 1.0
LOOKS_PER_LIMIT = 4


class Watchdog:
    """Raises TimeLimitExceeded in the thread of a block that takes longer than some seconds, again and again.

    Only what runs Python is stopped; a call into C is when it returns.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._lock, self._thread = threading.Lock(), 0
        self._until: float | None = None
        self._barked = False
        threading.Thread(target=_watch, args=(weakref.ref(self),), daemon=True).start()

    def __enter__(self) -> None:
        with self._lock:
            self._thread, self._barked = threading.get_ident(), False
            self._until = time.monotonic() + self.seconds

    def __exit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self.rest()

    def rest(self) -> None:
        """Watch nothing, and take back what was not raised yet."""
        with self._lock:
            self._until = None
            if self._barked:
                _raise(self._thread, None)

    def look(self) -> None:
        """Raise where the time is over."""
        with self._lock:
            if self._until is not None and time.monotonic() > self._until:
                self._until, self._barked = time.monotonic() + AGAIN_SECONDS, True
                _raise(self._thread, TimeLimitExceeded)


def _watch(dog: "weakref.ref[Watchdog]") -> None:
    while (found := dog()) is not None:
        pause = min(found.seconds / LOOKS_PER_LIMIT, AGAIN_SECONDS)
        found.look()
        del found
        time.sleep(pause)


def _raise(thread: int, error: type[BaseException] | None) -> None:
    told = ctypes.py_object() if error is None else ctypes.py_object(error)
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), told)
