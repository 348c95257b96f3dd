"""A seeded shop: event files with everything that goes wrong in real ones, and the truth about them."""

from profiles_assets.simulator.run import Summary, simulate, simulate_day
from profiles_assets.simulator.score import PairScore, score_pairs
from profiles_assets.simulator.settings import Settings, load_settings

__all__ = ["PairScore", "Settings", "Summary", "load_settings", "score_pairs", "simulate", "simulate_day"]
