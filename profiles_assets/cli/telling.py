"""The facts of a demo run as lines of text."""

from profiles_assets.cli.story import Facts

INDENT = 12


def tell(facts: Facts, day_after: bool) -> list[str]:
    """The story of a run; after one more day it starts with how little was rewritten."""
    parts = [_events(facts["events"]), _people(facts["people"]), _predictions(facts["predictions"])]
    checks = [_line("Checks", "; ".join(facts["warnings"]) or "all hold")]
    first = [_changes(facts["changes"])] if day_after else []
    return [line for part in (*first, *parts, checks, _next(facts["someone"])) for line in part]


def _events(e: Facts) -> list[str]:
    told = f"{e['loaded']:,} loaded ({e['duplicates']:,} of them duplicates), {e['rejected']:,} rejected"
    planted = "as many of each as were planted" if e["as_planted"] else "[red]NOT as many as were planted[/red]"
    return [
        _line("Events", f"{e['records']:,} records: {told};"),
        _line("", f"every record is accounted for, {planted}"),
        *(_line("", f"rejected {count:,} × {reason}") for reason, count in e["reasons"].items()),
    ]


def _people(p: Facts) -> list[str]:
    return [
        _line(
            "People", f"{p['profiles']:,} profiles from {p['ids']:,} ids; {p['quarantined']:,} shared ids link nobody"
        ),
        _line("", f"pairwise precision {p['precision']:.5f}, recall {p['recall_connected']:.5f}"),
        _line("", f"(over ids that evidence connects without a shared device; raw recall {p['recall_raw']:.5f})"),
    ]


def _predictions(predictions: Facts) -> list[str]:
    return [
        _line(name, f"{p['champion']}; backtest " + ", ".join(f"{m} {v:,.4g}" for m, v in p["metrics"].items()))
        for name, p in predictions.items()
    ]


def _changes(changes: Facts) -> list[str]:
    rows = [f"{name:<30}{c['written']:>9,} of {c['rows']:>9,}" for name, c in changes.items()]
    return [_line("One day", "rows written, of all rows there are:"), *(_line("", row) for row in rows)]


def _next(someone: str) -> list[str]:
    return [
        "",
        _line("Look next", "make ui"),
        _line("", f".venv/bin/profiles show email:{someone}"),
    ]


def _line(title: str, text: str) -> str:
    return f"[bold]{title:<{INDENT}}[/bold] {text}"
