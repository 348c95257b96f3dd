"""Where a full stitch spends its CPU: the functions of its stages, each measured as it is called."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from types import ModuleType
from typing import Any
from unittest.mock import patch

from benchmarks.measure import timed
from profiles_assets.identity import evidence, resolve, stitch

STAGES: dict[str, tuple[tuple[ModuleType, str], ...]] = {
    "hashing ids, grouping tuples": ((evidence, "_stage_source"),),
    "writing evidence": ((evidence, "write_evidence"),),
    "encoding: texts to numbers": ((stitch, "load_whole"),),
    "guards": ((resolve, "judge"),),
    "components": ((resolve, "all_edges"), (resolve, "group")),
    "limits": ((resolve, "enforce_limits"),),
    "ids of people": ((resolve, "assign_ids"),),
    "relabelling": ((stitch, "stage_whole"), (stitch, "_stage")),
    "writing stitched ids": ((stitch, "write_merge"),),
}


@contextmanager
def measured() -> Iterator[dict[str, tuple[float, float]]]:
    """CPU and wall seconds that each stage takes meanwhile."""
    took = dict.fromkeys(STAGES, (0.0, 0.0))
    with ExitStack() as stack:
        for stage, functions in STAGES.items():
            for module, name in functions:
                stack.enter_context(patch.object(module, name, _counted(getattr(module, name), stage, took)))
        yield took


def _counted(work: Callable[..., Any], stage: str, took: dict[str, tuple[float, float]]) -> Callable[..., Any]:
    def counted(*args: Any, **kwargs: Any) -> Any:
        found: list[Any] = []
        cpu, wall = timed(lambda: found.append(work(*args, **kwargs)))
        took[stage] = (took[stage][0] + cpu, took[stage][1] + wall)
        return found[0]

    return counted
