"""`python -m benchmarks [AREA …] [--quick] [--strict]`."""

import argparse
import sys
from importlib import import_module

from benchmarks.measure import publish

AREAS = ("load", "traits", "identity", "incremental", "functions", "arrival", "ml")


def main() -> int:
    """Run the areas asked for; 1 when a goal is missed and --strict is given."""
    parser = argparse.ArgumentParser(prog="benchmarks", description=__doc__)
    parser.add_argument("areas", nargs="*", default=[], help="by default all")
    parser.add_argument("--quick", action="store_true", help="a size that ends in a minute")
    parser.add_argument("--strict", action="store_true", help="exit with 1 when a goal is missed")
    asked = parser.parse_args()
    held = [publish(area, import_module(f"benchmarks.{area}").figures(asked.quick)) for area in asked.areas or AREAS]
    return int(asked.strict and not all(held))


if __name__ == "__main__":
    sys.exit(main())
