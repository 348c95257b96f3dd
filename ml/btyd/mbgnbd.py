"""MBG/NBD: BG/NBD in which customers may leave right after their first purchase too.

Batislam, Denizel & Filiztekin (2007), "Empirical validation and comparison of models for customer base analysis",
and Hoppe & Wagner (2007): all formulas are those of BG/NBD with one more chance to stay, b + x + 1 for b + x, and
with the term of having left for one-time buyers as well.
"""

from typing import ClassVar

from ml.btyd.bgnbd import BGNBD, log_density
from ml.btyd.fitting import Vector


class MBGNBD(BGNBD):
    """Modified beta-geometric / negative binomial; alpha is a time, r, a and b are plain numbers."""

    first_chance: ClassVar[int] = 1

    @staticmethod
    def log_density(parameters: Vector, x: Vector, tx: Vector, T: Vector) -> Vector:
        """Return the log-density of each history, shape (n,): Batislam et al. (2007), equation 4."""
        return log_density(parameters, x, tx, T, first_chance=1)
