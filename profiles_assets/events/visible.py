"""Which stored rows count: not repeated, arrived and happened by a day, and not superseded by then."""

from profiles_assets.project.sources import Source


def counts_sql(source: Source, as_of: str, alias: str) -> str:
    """Condition that a row of a source, under an alias, counts at `as_of` (a SQL date)."""
    seen = f"NOT {alias}.duplicate AND {alias}.day <= {as_of} AND {alias}.event_day <= {as_of}"
    if source.kind != "records":
        return seen
    return f"{seen} AND ({alias}.superseded IS NULL OR {alias}.superseded > {as_of})"


def ever_counts_sql(source: Source, alias: str) -> str:
    """Condition that a row of a source, under an alias, counts at some as_of."""
    if source.kind != "records":
        return f"NOT {alias}.duplicate"
    visible = f"greatest({alias}.day, {alias}.event_day)"
    return f"NOT {alias}.duplicate AND ({alias}.superseded IS NULL OR {alias}.superseded > {visible})"
