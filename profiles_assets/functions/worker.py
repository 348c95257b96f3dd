"""The process in which functions run: `python -m profiles_assets.functions.worker PROGRESS_FILE`.

It reads a job and then chunks from standard input, and writes an answer to each to what was standard output; the
number of the person under way stands in the progress file, for when it is killed.
"""

import mmap
import os
import signal
import sys
from itertools import count
from pathlib import Path
from typing import Any, BinaryIO

import orjson

from profiles_assets.events.masks import last_lines, masked
from profiles_assets.functions.context import Printed
from profiles_assets.functions.evaluate import Evaluation
from profiles_assets.functions.evaluate_batch import BatchEvaluation
from profiles_assets.functions.frames import PLACE, Job, read_frame, write_frame
from profiles_assets.functions.people_rows import from_message
from resources.limits import limit_memory


def main() -> None:
    """Serve until standard input ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # an interrupted run closes our input
    answers, questions = os.fdopen(os.dup(1), "wb"), sys.stdin.buffer
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    told = read_frame(questions)
    if told is None:
        return
    job = Job(**orjson.loads(told))
    with Path(sys.argv[1]).open("r+b") as file, mmap.mmap(file.fileno(), PLACE.size) as place:
        try:
            evaluation = load(job, place)
        except BaseException as error:
            text = masked(last_lines(error, job.file), job.secrets)
            write_frame(answers, orjson.dumps({"broken": text}))
            return
        write_frame(answers, orjson.dumps({"ready": True}))
        serve(evaluation, questions, answers)


def load(job: Job, place: mmap.mmap) -> Evaluation:
    """The function, with its prints led into its log."""

    beats = count(1)

    def on_person(number: int) -> None:
        PLACE.pack_into(place, 0, number, next(beats))

    made = (BatchEvaluation if job.batch else Evaluation)(job, on_person)
    sys.stdout = Printed(lambda: made.log)
    limit_memory(job.memory_mb)
    if "warehouse" in job.code:
        made.warehouse.opened()  # not in the time of the first person who asks
    return made


def serve(evaluation: Evaluation, questions: BinaryIO, answers: BinaryIO) -> None:
    """Answer chunks until there are none, or until memory ran out and a fresh process is better."""
    while (message := read_frame(questions)) is not None:
        evaluation.lines, evaluation.dropped = [], 0
        found = [vars(answer) for answer in evaluation.chunk(from_message(message))]
        said: dict[str, Any] = {"answers": found, "lines": evaluation.lines, "dropped": evaluation.dropped}
        write_frame(answers, orjson.dumps(said))
        if evaluation.out_of_memory:
            return


if __name__ == "__main__":
    main()
