"""A real Postgres server as a source: inserted, changed and late rows, and a restart in the middle."""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pytest

from profiles_assets.events import table_source
from profiles_assets.events.table_database import TableError
from resources.extensions import load_extension
from resources.lake import Lake
from tests.events.conftest import empty
from tests.events.warehouse import Warehouse

PLACES = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
INITDB = shutil.which("initdb") or (str(PLACES[-1]) if PLACES else "")
COLUMNS = "id text, ordered timestamptz, changed timestamptz, customer uuid, total numeric(10, 2), details jsonb"
CREATE = f"CREATE TABLE public.orders ({COLUMNS})"
DETAILS = '{"shop": {"town": "Ulm"}}'
WHO = "00000000-0000-0000-0000-00000000000{}"

pytestmark = pytest.mark.skipif(not INITDB, reason="no Postgres server is installed; see CONTRIBUTING.md")


@dataclass(frozen=True)
class Server:
    """A server that listens on a socket in its folder."""

    folder: Path

    @property
    def dsn(self) -> str:
        return f"host={self.folder} dbname=postgres user=postgres"

    def start(self) -> None:
        options = f"-c listen_addresses= -c unix_socket_directories={self.folder} -c fsync=off"
        self.run("pg_ctl", "-D", "data", "-w", "-l", "log", "-o", options, "start")

    def stop(self) -> None:
        self.run("pg_ctl", "-D", "data", "-w", "-m", "immediate", "stop")

    def run(self, name: str, *words: str) -> None:
        """A program of the server; it refuses to run as root."""
        user = "postgres" if os.geteuid() == 0 else None
        program = str(Path(INITDB).with_name(name))
        subprocess.run(
            [program, *words], cwd=self.folder, user=user, check=True, stdout=subprocess.DEVNULL, timeout=120
        )

    def execute(self, *statements: str) -> None:
        with closing(duckdb.connect()) as con:
            load_extension(con, "postgres_scanner")
            con.execute(f"ATTACH '{self.dsn}' AS pg (TYPE postgres)")
            for statement in statements:
                con.execute("CALL postgres_execute('pg', ?)", [statement])

    def add(self, number: int, changed: str) -> None:
        row = f"'o{number}', '{changed}+00', '{changed}+00', '{WHO.format(number)}', 2.50, '{DETAILS}'"
        self.execute(f"INSERT INTO public.orders VALUES ({row})")


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    folder = Path(tempfile.mkdtemp(prefix="pg-"))  # the path of a socket must be short
    if os.geteuid() == 0:
        account = pwd.getpwnam("postgres")
        os.chown(folder, account.pw_uid, account.pw_gid)
    made = Server(folder)
    try:
        made.run("initdb", "-D", "data", "-U", "postgres", "-A", "trust", "--no-sync", "-E", "UTF8")
        made.start()
        yield made
    finally:
        subprocess.run([str(Path(INITDB).with_name("pg_ctl")), "-D", f"{folder}/data", "-m", "immediate", "stop"],
                       user="postgres" if os.geteuid() == 0 else None, check=False, cwd="/",
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # fmt: skip
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def orders(server: Server, tmp_path: Path, lake: Lake) -> Iterator[Warehouse]:
    server.execute("DROP TABLE IF EXISTS public.orders", CREATE)
    yield Warehouse.make(tmp_path, lake, table="public.orders", database=server.dsn)
    lake.write(empty)
    lake.write(lambda con: [con.execute(f"DROP TABLE IF EXISTS {name}") for name in table_source.COLUMNS])


def test_rows_come_with_all_their_types(server: Server, orders: Warehouse) -> None:
    server.add(1, "2024-01-01 10:00:00")
    assert orders.load().loaded == 1
    paths = "payload::JSON->>'total', payload::JSON->'details'->'shop'->>'town'"
    assert orders.rows(f"time::VARCHAR, id_user_id, {paths}") == [("2024-01-01 10:00:00", WHO.format(1), "2.5", "Ulm")]


def test_nothing_is_lost_and_nothing_twice_though_the_server_restarts(server: Server, orders: Warehouse) -> None:
    server.add(1, "2024-01-01 10:00:00")
    server.add(2, "2024-01-01 10:10:00")
    assert orders.load().loaded == 2
    server.add(3, "2024-01-01 10:20:00")
    server.stop()
    with pytest.raises(TableError, match="cannot be read"):
        orders.load()
    assert orders.rows() == [("o1",), ("o2",)]
    server.start()
    server.add(4, "2024-01-01 09:30:00")  # late, within the overlap
    server.execute("UPDATE public.orders SET changed = '2024-01-01 11:00:00+00', total = 9 WHERE id = 'o1'")
    report = orders.load()
    assert (report.loaded, report.duplicates) == (3, 1)
    assert orders.rows() == [("o1",), ("o2",), ("o3",), ("o4",)]
    server.stop()
    server.start()
    assert orders.load().records == 0
