"""Who took over whose events since a snapshot: people who joined others whole, and those torn apart."""

import duckdb

from resources.feed import Feed
from resources.tables import literal

Con = duckdb.DuckDBPyConnection


def stage_transfers(con: Con, entity: str, feed: Feed) -> None:
    """Temporary tables `joined` (profile_key, new_key), `torn` (profile_key) and `owners` (tuple_key, profile_key).

    A person joined another when every tuple of theirs that is left belongs to the other now. Who lost or got only
    some tuples is torn: what was summed up about them can't be told apart. `owners` has all tuples there are or
    were, those that are gone with the one who has what is left of their owner.
    """
    mine = f"entity = {literal(entity)} "
    came, went = (f"(SELECT tuple_key, profile_key FROM {of('identity', 'tuple_owners')} WHERE {mine})"
                  for of in (feed.came, feed.went))  # fmt: skip
    now = f"(SELECT tuple_key, profile_key FROM identity.tuple_owners WHERE {mine})"
    con.execute(f"CREATE OR REPLACE TEMP TABLE tuples_came AS FROM {came} EXCEPT FROM {went}")
    con.execute(f"CREATE OR REPLACE TEMP TABLE tuples_went AS FROM {went} EXCEPT FROM {came}")
    con.execute(
        """CREATE OR REPLACE TEMP TABLE handed_on AS SELECT w.profile_key, c.profile_key AS new_key
        FROM tuples_went w JOIN tuples_came c USING (tuple_key)"""
    )
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE joined AS SELECT profile_key, any_value(new_key) AS new_key FROM handed_on
        WHERE profile_key IS NOT NULL GROUP BY profile_key
        HAVING count(DISTINCT new_key) = 1 AND count(*) = count(new_key) AND profile_key NOT IN (
            SELECT profile_key FROM {now} SEMI JOIN handed_on USING (profile_key)
            ANTI JOIN tuples_came USING (tuple_key))"""
    )
    con.execute(
        """CREATE OR REPLACE TEMP TABLE torn AS SELECT DISTINCT unnest([h.profile_key, h.new_key]) AS profile_key
        FROM handed_on h ANTI JOIN joined USING (profile_key, new_key)"""
    )
    con.execute("DELETE FROM torn WHERE profile_key IS NULL")
    con.execute(
        f"""CREATE OR REPLACE TEMP VIEW owners AS {now.strip("()")} AND profile_key IS NOT NULL UNION ALL
        SELECT tuple_key, coalesce(new_key, profile_key) FROM tuples_went ANTI JOIN tuples_came USING (tuple_key)
        LEFT JOIN joined USING (profile_key) WHERE profile_key IS NOT NULL"""
    )
