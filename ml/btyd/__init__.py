"""Buy-till-you-die models: when customers buy again and what they spend, from three numbers each."""

from ml.btyd.bgnbd import BGNBD
from ml.btyd.gammagamma import GammaGamma
from ml.btyd.mbgnbd import MBGNBD
from ml.btyd.paretonbd import ParetoNBD

__all__ = ["BGNBD", "MBGNBD", "GammaGamma", "ParetoNBD"]
