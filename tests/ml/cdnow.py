"""Reads the CDNOW log: the purchases of everybody whose first one was in the first quarter of 1997."""

from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd

CALIBRATION_END = pd.Timestamp("1997-09-30")


@dataclass(frozen=True)
class Customers:
    """Histories in weeks at the end of calibration, and the purchases of the 39 weeks after it."""

    frequency: np.ndarray
    recency: np.ndarray
    T: np.ndarray
    monetary: np.ndarray
    later: np.ndarray


def _dataset(name: str) -> Path:
    spec = find_spec("lifetimes")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent / "datasets" / name


@cache
def purchases() -> pd.DataFrame:
    """Every purchase of the full log as it stands there: customer, day, discs, dollars."""
    names = ["customer", "day", "discs", "dollars"]
    log = pd.read_csv(_dataset("CDNOW_master.txt"), sep=r"\s+", names=names, skiprows=1)
    return log.assign(day=pd.to_datetime(log["day"].astype(str), format="%Y%m%d"))


@cache
def sampled() -> pd.Index:
    """The customers of the published 1/10 systematic sample."""
    names = ["customer", "sample", "day", "discs", "dollars"]
    return pd.Index(pd.read_csv(_dataset("CDNOW_sample.txt"), sep=r"\s+", names=names)["customer"].unique())


def customers(log: pd.DataFrame) -> Customers:
    """Summarise a log: purchases of one customer on one day are one purchase."""
    days = log.groupby(["customer", "day"], as_index=False)["dollars"].sum()
    days["birth"] = days.groupby("customer")["day"].transform("min")
    days["late"] = days["day"] > CALIBRATION_END
    days["repeat"] = ~days["late"] & (days["day"] > days["birth"])
    days["last"] = days["day"].where(~days["late"])
    days["spent"] = days["dollars"].where(days["repeat"])
    people = days.groupby("customer").agg(
        birth=("birth", "first"), frequency=("repeat", "sum"), last=("last", "max"),
        monetary=("spent", "mean"), later=("late", "sum"),
    )  # fmt: skip
    return Customers(
        frequency=people["frequency"].to_numpy(float),
        recency=(people["last"] - people["birth"]).dt.days.to_numpy() / 7,
        T=(CALIBRATION_END - people["birth"]).dt.days.to_numpy() / 7,
        monetary=people["monetary"].fillna(0).to_numpy(float),
        later=people["later"].to_numpy(float),
    )


@cache
def sample() -> Customers:
    """The 2,357 customers on whom the published figures are."""
    log = purchases()
    return customers(log[log["customer"].isin(sampled())])
