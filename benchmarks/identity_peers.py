"""Others that find connected components, from the same string ids in the lake to (id, cluster) rows in the lake."""

import logging

import numpy as np
import pyarrow as pa

from benchmarks.identity_graph import TABLE, TYPES
from resources.lake import Con

PRESENT = ", ".join(f"id_{name}" for name in TYPES)
EDGES = f"SELECT list_filter([{PRESENT}], lambda i: i IS NOT NULL) AS ids FROM {TABLE}"


def splink(con: Con) -> None:
    """Splink's clustering, on strings."""
    from splink import DuckDBAPI
    from splink.clustering import cluster_pairwise_predictions_at_threshold

    logging.getLogger("splink").setLevel(logging.ERROR)
    _read_edges(con)
    con.execute("CREATE OR REPLACE TEMP TABLE ids AS SELECT a AS id FROM edges UNION SELECT b FROM edges")
    found = cluster_pairwise_predictions_at_threshold(
        "ids", "edges", DuckDBAPI(con), "id", edge_id_column_name_left="a", edge_id_column_name_right="b"
    )
    _write(con, f"SELECT id, cluster_id AS cluster FROM {found.physical_name}")


def networkx(con: Con) -> None:
    """Connected components of networkx."""
    import networkx as nx

    _read_edges(con)
    edges = con.sql("FROM edges").to_arrow_table()
    graph = nx.Graph(zip(edges["a"].to_pylist(), edges["b"].to_pylist(), strict=True))
    found = list(nx.connected_components(graph))
    ids, sizes = [i for ids in found for i in ids], [len(ids) for ids in found]
    con.register("clusters", pa.table({"id": ids, "cluster": np.repeat(np.arange(len(found)), sizes)}))
    _write(con, "FROM clusters")
    con.unregister("clusters")


def label_propagation(con: Con) -> None:
    """The smallest id among neighbours, again and again, in SQL."""
    _read_edges(con)
    con.execute("CREATE OR REPLACE TEMP TABLE links AS FROM edges UNION ALL SELECT b, a FROM edges")
    con.execute("CREATE OR REPLACE TEMP TABLE labels AS SELECT DISTINCT a AS n, a AS label FROM links")
    while _propagate(con):
        pass
    _write(con, "SELECT n AS id, label AS cluster FROM labels")


def numbered_label_propagation(con: Con) -> None:
    """The same on numbers that stand for the ids."""
    _read_edges(con)
    con.execute("""CREATE OR REPLACE TEMP TABLE ids AS SELECT id, row_number() OVER () AS n
        FROM (SELECT a AS id FROM edges UNION SELECT b FROM edges)""")
    con.execute("""CREATE OR REPLACE TEMP TABLE numbered AS SELECT x.n AS a, y.n AS b FROM edges
        JOIN ids x ON x.id = edges.a JOIN ids y ON y.id = edges.b""")
    con.execute("CREATE OR REPLACE TEMP TABLE links AS FROM numbered UNION ALL SELECT b, a FROM numbered")
    con.execute("CREATE OR REPLACE TEMP TABLE labels AS SELECT n, n AS label FROM ids")
    while _propagate(con):
        pass
    _write(con, "SELECT id, label AS cluster FROM ids JOIN labels USING (n)")


def _propagate(con: Con) -> bool:
    con.execute("""CREATE OR REPLACE TEMP TABLE next AS SELECT n, least(l.label, found.label) AS label
        FROM labels l JOIN (SELECT a AS n, min(label) AS label FROM links JOIN labels ON labels.n = links.b
            GROUP BY a) found USING (n)""")
    moved = con.execute("SELECT count(*) FROM next JOIN labels USING (n) WHERE next.label < labels.label").fetchone()
    con.execute("CREATE OR REPLACE TEMP TABLE labels AS FROM next")
    return bool(moved and moved[0])


def _read_edges(con: Con) -> None:
    con.execute(f"CREATE OR REPLACE TEMP TABLE edges AS SELECT ids[1] AS a, ids[2] AS b FROM ({EDGES})")


def _write(con: Con, rows: str) -> None:
    con.execute(f"CREATE OR REPLACE TABLE identity.clusters AS {rows}")
