"""How well predicted profiles agree with the truth, by pairs of ids that are counted but never listed.

Only ids of the truth count: void values and bots aren't in it. Ids of several people (a kiosk, a family's
tablet) are left out of every figure, wherever they were put. An id without a profile, because it is absent or
quarantined, is together with no other one, which costs recall and never precision.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import cast

import duckdb
import numpy as np
import pyarrow as pa
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

ID_TYPES = ("user_id", "email", "device_id", "anonymous_id")
NODES = """
    CREATE TEMP TABLE node AS
    SELECT row_number() OVER (ORDER BY id_type, value) - 1 AS node,
        id_type, value, any_value(person) AS person
    FROM read_csv($path, header = true, all_varchar = true)
    GROUP BY id_type, value HAVING NOT bool_or(shared::BOOLEAN)"""
EDGES = """
    WITH link AS (
        SELECT row_number() OVER () AS link, * FROM read_csv($path, header = true, all_varchar = true)),
    named AS (UNPIVOT (SELECT link, user_id, email, device_id, anonymous_id FROM link)
        ON user_id, email, device_id, anonymous_id INTO NAME id_type VALUE value),
    member AS (SELECT link, node FROM named JOIN node USING (id_type, value))
    SELECT min(node) OVER (PARTITION BY link) AS a, node AS b FROM member"""
SCORED = """
    CREATE TEMP TABLE scored AS
    SELECT node, person, component, profile FROM node
    JOIN component USING (node)
    LEFT JOIN (SELECT id_type, value, any_value(profile_id)::VARCHAR AS profile
        FROM predicted WHERE profile_id IS NOT NULL GROUP BY id_type, value) USING (id_type, value)"""
PAIRS = "SELECT coalesce(sum(n * (n - 1) / 2), 0)::BIGINT FROM (SELECT count(*) AS n FROM scored {})"


@dataclass(frozen=True)
class PairScore:
    """Shares of pairs of ids, and how many pairs there were.

    `precision`: of the pairs put into one profile, those of one person. `recall_raw`: of the pairs of one
    person, those put into one profile. `recall_connected`: the same among the pairs that evidence connects
    without passing through a shared id.
    """

    precision: float
    recall_connected: float
    recall_raw: float
    predicted_pairs: int
    connected_pairs: int
    true_pairs: int


def _components(con: duckdb.DuckDBPyConnection, links: Path) -> pa.Table:
    """The component of every node when only ids of one person link."""
    edges = con.execute(EDGES, {"path": str(links)}).fetchnumpy()
    row = con.execute("SELECT count(*) FROM node").fetchone()
    count = row[0] if row else 0
    a, b = np.asarray(edges["a"], np.int64), np.asarray(edges["b"], np.int64)
    graph = coo_array((np.ones(len(a), np.int8), (a, b)), shape=(count, count))
    labels = connected_components(graph, directed=False)[1]
    return pa.table({"node": np.arange(count), "component": np.asarray(labels, np.int64)})


def _pairs(con: duckdb.DuckDBPyConnection, *keys: str) -> int:
    """The pairs of ids that agree in all these keys, ids without a profile left out where it is one."""
    known = "WHERE profile IS NOT NULL" if "profile" in keys else ""
    row = con.execute(PAIRS.format(f"{known} GROUP BY {', '.join(keys)}")).fetchone()
    return cast(int, row[0]) if row else 0


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 1.0


def score_pairs(predicted: duckdb.DuckDBPyRelation | pa.Table, truth_dir: Path) -> PairScore:
    """Compare profiles (id_type, value, profile_id), one row per id, with a folder of truth files."""
    table = predicted if isinstance(predicted, pa.Table) else predicted.to_arrow_table()
    with duckdb.connect() as con:
        con.execute(NODES, {"path": str(truth_dir / "identities.csv")})
        con.register("component", _components(con, truth_dir / "links.csv"))
        con.register("predicted", table)
        con.execute(SCORED)
        together, true, connected = _pairs(con, "profile"), _pairs(con, "person"), _pairs(con, "component")
        found = _pairs(con, "profile", "person")
        return PairScore(
            precision=_share(found, together),
            recall_connected=_share(_pairs(con, "profile", "component"), connected),
            recall_raw=_share(found, true),
            predicted_pairs=together,
            connected_pairs=connected,
            true_pairs=true,
        )
