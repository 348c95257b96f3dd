import signal
import subprocess
import sys
from pathlib import Path

from tests.shop import copy_shop, environment

STARTS_A_SLEEPER = """
import signal, subprocess, sys
from dagster._utils.interrupts import setup_interrupt_handlers
from profiles_assets.definitions import build_defs
build_defs(sys.argv[1])
setup_interrupt_handlers()
sleeper = subprocess.Popen(["sleep", "60"])
sleeper.terminate()
print(sleeper.wait(timeout=20))
"""


def test_a_background_process_can_end_what_it_starts(tmp_path: Path) -> None:
    def ignore() -> None:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)

    root = copy_shop(tmp_path / "shop")
    done = subprocess.run(
        [sys.executable, "-c", STARTS_A_SLEEPER, str(root)],
        env=environment(root),
        preexec_fn=ignore,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == str(-signal.SIGTERM)
