"""What workers are told about a function."""

import os
from datetime import date

import duckdb

from profiles_assets.functions.frames import Job
from profiles_assets.functions.pool import BrokenFunctionError
from profiles_assets.project.functions import ProfileFunction
from resources.lake import Lake, snapshot_number

Con = duckdb.DuckDBPyConnection


def job_of(function: ProfileFunction, version: int, as_of: date, lake: Lake | None, con: Con) -> Job:
    """The job of a version of a function at a day. Raises BrokenFunctionError where a secret is missing.

    Without a lake there is no warehouse to query.
    """
    env, config = variables(function), function.config
    secrets = [value for name, value in env.items() if config.env[name].startswith("$")]
    return Job(
        name=function.name,
        version=version,
        file=function.file,
        code=function.code,
        batch=function.batch,
        as_of=as_of.isoformat(),
        files=dict(function.files),
        transforms=function.transforms,
        columns=list(config.columns),
        env=env,
        secrets=secrets,
        fetch=config.fetch,
        seconds=config.seconds,
        memory_mb=config.memory_mb,
        lake={} if lake is None else _place(lake, con),
    )


def _place(lake: Lake, con: Con) -> dict[str, str | int]:
    paths = {"root": lake.root, "catalog": lake.catalog, "data_path": lake.data_path}
    return {**paths, "snapshot": snapshot_number(con)}


def variables(function: ProfileFunction) -> dict[str, str]:
    """Variables of a function, secrets taken from the environment. Raises BrokenFunctionError."""
    found = {}
    for name, value in function.config.env.items():
        if value.startswith("$"):
            if value[1:] not in os.environ:
                raise BrokenFunctionError(f"the secret {value[1:]} is not in the environment of the run")
            value = os.environ[value[1:]]  # noqa: PLW2901
        found[name] = value
    return found
