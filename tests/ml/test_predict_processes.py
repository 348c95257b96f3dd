"""Models and scores are the same in every process."""

import os
import subprocess
import sys

SCRIPT = """
import hashlib
from ml.candidates import fitted_models
from ml.drift import shapes
from ml.promotion import choose
from ml.backtest import trials
from tests.ml.predicting import calendar, forecast, training_set
asked, dates = forecast(), calendar(3)
data = training_set(asked, dates, 200)
models = fitted_models(asked, data.rows, data.histories_at(dates.as_of))
told = [(name, model.predict(data.rows).tobytes()) for name, model in models.items()]
told += [choose(asked, list(trials(asked, dates, data))), shapes(data.rows, [])]
print(hashlib.md5(repr(told).encode()).hexdigest())
"""


def answer(seed: str, threads: str) -> str:
    env = os.environ | {"PYTHONHASHSEED": seed, "OMP_NUM_THREADS": threads, "OPENBLAS_NUM_THREADS": threads}
    done = subprocess.run([sys.executable, "-c", SCRIPT], env=env, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_scores_do_not_depend_on_the_process_its_hashes_or_its_threads() -> None:
    assert answer("1", "1") == answer("2", "2") != ""
