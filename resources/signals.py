"""Signals of a process that was started in the background."""

import signal
import threading


def heed_signals() -> None:
    """Let this process and those it starts be ended again, where a shell made it ignore interrupts.

    Dagster gives SIGTERM the handler of SIGINT, which a shell sets to "ignore" for a background job. Processes it
    starts inherit that, and its `tail`s of a run's output, ended by SIGTERM, would never end.
    """
    if threading.current_thread() is not threading.main_thread():
        return
    for number, handler in ((signal.SIGINT, signal.default_int_handler), (signal.SIGTERM, signal.SIG_DFL)):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, handler)
