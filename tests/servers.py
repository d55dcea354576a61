"""The servers that wire tests run against, and an independent look into their databases.

A test that wants a server takes the fixture `server` (see conftest.py) and gets a `Server`: where
to connect, as whom and in which dialect, and `rows()` / `count()`, which read what is stored
without going through our client: over SQL for the real Odoos, from the stand-in's own memory
otherwise.
"""

import base64
import datetime
import decimal
import fcntl
import hashlib
import os
import re
import secrets
import signal
import socket
import struct
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import IO, Any, Literal, Protocol, get_args
from urllib.parse import urlsplit

import attrs

BASELINE = Path(__file__).parent / "lab" / "baseline.sql"
SCRIPTS = Path(__file__).parent.parent / "scripts" / "odoo"
REAL = {"odoo19": "19", "odoo14": "14", "odoo19-json2": "19"}  # name -> version
NAMES = ("standin", "standin-json2", *REAL)

Outage = Literal["workers killed", "server restarted", "database restarted"]
OUTAGES: tuple[Outage, ...] = get_args(Outage)

Row = dict[str, Any]


class Store(Protocol):
    """What a server keeps, seen from outside the API under test."""

    @property
    def limited_key(self) -> str:
        """An API key of the limited user."""

    def rows(self, model: str, ids: Iterable[int] | None) -> list[Row]:
        """Return the records *ids*, or all that are newer than the baseline, archived ones too."""

    def reset(self) -> None:
        """Bring everything back to the baseline."""

    def suffer(self, outage: Outage) -> None:
        """Let it happen to the running server; it is over, or nearly, at the return."""


@attrs.frozen
class Server:
    """One running server: its address, its accounts, its content."""

    name: str
    url: str
    database: str
    version: str
    api_key: str = attrs.field(repr=False)
    store: Store = attrs.field(repr=False)
    login: str = "admin"
    password: str = attrs.field(default="admin", repr=False)
    limited_login: str = "limited"
    limited_password: str = attrs.field(default="limited", repr=False)

    @property
    def is_real(self) -> bool:
        """Whether this is Odoo itself, not the stand-in."""
        return self.name in REAL

    @property
    def protocol(self) -> str:
        """The dialect in which tests talk to it, `jsonrpc` or `json2`."""
        return "json2" if self.name.endswith("-json2") else "jsonrpc"

    @property
    def limited_key(self) -> str:
        """An API key of the limited user."""
        return self.store.limited_key

    @property
    def host(self) -> str:
        """The host part of the URL."""
        host = urlsplit(self.url).hostname
        assert host is not None
        return host

    @property
    def port(self) -> int:
        """The port part of the URL."""
        port = urlsplit(self.url).port
        assert port is not None
        return port

    def rows(self, model: str, ids: Iterable[int] | None = None, **where: Any) -> list[Row]:
        """Return stored records as dicts of stored columns, ordered by id, archived ones included.

        Without *ids*: those made since the test began. With *ids*: exactly these, as far as they
        exist. *where* keeps the rows whose columns equal the given values. Values look as `read`
        gives them with `load=None`: an empty one is False, a many2one an id, a datetime a string.
        """
        rows = self.store.rows(model, None if ids is None else list(ids))
        return [row for row in rows if all(row[column] == value for column, value in where.items())]

    def count(self, model: str, **where: Any) -> int:
        """Return how many records were made since the test began (and equal *where*)."""
        return len(self.rows(model, **where))


@contextmanager
def running(name: str) -> Iterator[Server]:
    """Run the server *name* with a database of its own."""
    with _running_odoo(name) if name in REAL else _running_standin(name) as server:
        yield server


@contextmanager
def running_threaded(server: Server, mode: str = "threaded") -> Iterator[Server]:
    """Run a server without workers beside a real one, for the same database.

    One that has `few` connections to the database shares them among all tests.
    """
    version = f"{REAL[server.name]}-{mode}"
    with _shared_odoo(version, server.database):
        yield attrs.evolve(server, url=_settings(version)["ODOO_URL"])


class StandInStore:
    """The stand-in's memory."""

    def __init__(self, standin: Any, pristine: Any) -> None:
        self._standin = standin
        self._pristine = pristine
        self._port = urlsplit(standin.url).port or 0
        self.limited_key: str = standin.make_key("limited")

    def rows(self, model: str, ids: Iterable[int] | None) -> list[Row]:
        records: list[Row] = self._standin.records(model)
        if ids is not None:
            return [record for record in records if record["id"] in ids]
        top = max((record["id"] for record in self._pristine.records(model)), default=0)
        return [record for record in records if record["id"] > top]

    def reset(self) -> None:
        # A call whose client gave up may still run, and would write later.
        _wait_for(lambda: not abandoned_connections(self._port))
        self._standin.reset()
        self.limited_key = self._standin.make_key("limited")

    def hide(self, model: str, **values: object) -> None:
        """Let a record rule hide the records with these values from everybody."""
        self._standin.hide(model, **values)

    def suffer(self, outage: Outage) -> None:
        # It has one process and no database: whatever it is, nobody listens for a while.
        self._standin.stop()
        time.sleep(0.2)
        self._standin.start()


@contextmanager
def _running_standin(name: str) -> Iterator[Server]:
    from zenoo_rpc.testing import OdooStandIn

    with OdooStandIn() as standin:
        store = StandInStore(standin, OdooStandIn())
        yield Server(name, standin.url, standin.database, standin.version, standin.api_key, store)


def _script(script: str, *arguments: str) -> str:
    """Run one of the lab's scripts; what it prints to stderr becomes part of the failure."""
    done = subprocess.run(
        [SCRIPTS / script, *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"{script} {' '.join(arguments)} failed:\n{done.stderr.strip()}")
    return done.stdout


def _settings(version: str) -> dict[str, str]:
    lines = _script("serve.sh", "env", version).splitlines()
    return dict(line.split("=", 1) for line in lines)


@contextmanager
def _running_odoo(name: str) -> Iterator[Server]:
    version = REAL[name]
    database = f"zenoo_test_{os.getpid()}_{secrets.token_hex(3)}"
    with ExitStack() as stack:
        stack.enter_context(_shared_odoo(version, database))
        stack.callback(_script, "serve.sh", "drop", version, database)
        settings = _settings(version)
        url = settings["ODOO_URL"]
        store = OdooStore(version, database, settings)
        stack.callback(store.close)
        yield Server(name, url, database, f"{version}.0", settings["ODOO_API_KEY"], store)


@contextmanager
def _shared_odoo(version: str, database: str) -> Iterator[None]:
    """Use the lab's one Odoo of that name, side by side with other test runs.

    Each run holds a shared lock while it uses the server. Whoever is alone installs it, if need be
    (which starts and stops the database), and clears the databases that killed runs left behind;
    whoever leaves last stops the server, if a test run started it.
    """
    home = Path(_settings(version)["ODOO_HOME"])
    # "-threaded" or "-few": it shares the other one's databases
    mode = version.removeprefix(version[:2])

    with open(Path(tempfile.gettempdir()) / f"zenoo-odoo-{version}.lock", "w") as lock:
        if _alone(lock) and not mode:
            _script("provision.sh", version)
            _drop_leftovers(version)
        fcntl.flock(lock, fcntl.LOCK_SH)
        try:
            _script(
                *("serve.sh", "start", version, "--workers", "2", "--db", database, "--for-tests")
            )
            yield
        finally:
            if _alone(lock) and (home / f".for-tests{mode}").exists():
                _script("serve.sh", "stop", version)


def _alone(lock: IO[str]) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _drop_leftovers(version: str) -> None:
    names = "select datname from pg_database where datname like 'zenoo\\_test\\_%'"
    # `drop` starts PostgreSQL where it is down, which `psql` does not
    _script("serve.sh", "drop", version, "zenoo_test_none")
    for name in _script("serve.sh", "psql", version, "postgres", "-AtXc", names).split():
        _script("serve.sh", "drop", version, name)


# Odoo's workers keep answers of the database in memory, and tell one another when to forget them:
# by rows in tables (19) or by a sequence (14). We do the same, but only where it is needed, because
# it also makes them forget all else that they know.
READ_SIGNALS = {
    "19": """
        select (select max(id) from orm_signaling_stable),
            (select max(id) from orm_signaling_default), (select max(id) from orm_signaling_groups)
    """,
    "14": "select last_value from base_cache_signaling",
}
SEND_SIGNALS = {
    "19": """
        insert into orm_signaling_stable default values;
        insert into orm_signaling_groups default values
    """,
    "14": "select nextval('base_cache_signaling')",
}

# Nothing in memory depends on new rows of these: it is keyed by ids, which are given out once.
UNCACHED = re.compile(
    r"res_partner\w*|product_\w+|mail_(?!message_subtype)\w+|res_users_log|bus_\w+"
)

BUSY = """
select count(*) from pg_stat_activity
where datname = current_database() and usename = 'odoo' and state <> 'idle'
"""

# A boolean on 14, a text on 19, where the column then holds JSON.
TRANSLATED = """
select name from ir_model_fields where model = %s and translate::text not in ('false', '')
"""


MAKE_KEY = """
insert into res_users_apikeys (name, user_id, scope, key, index, create_date)
select 'test', id, 'rpc', %s, %s, now() at time zone 'UTC' from res_users where login = %s
"""


class OdooStore:
    """A real Odoo's database, read and restored by SQL as the cluster's superuser."""

    def __init__(self, version: str, database: str, settings: dict[str, str]) -> None:
        self._version = version
        self._database = database
        self._settings = settings
        self._port = int(settings["ODOO_URL"].rpartition(":")[2])
        self.log = Path(settings["ODOO_LOG"])
        self._connect()
        # to find a key, 19 asks first whether it is the password
        for login in ("admin", "limited"):
            quickly = [_hashed(login), login]
            self._cursor.execute("update res_users set password = %s where login = %s", quickly)
        self.limited_key = self._make_key("limited")
        self._cursor.execute(BASELINE.read_text())
        self._top = {
            row["name"]: row["top"]
            for row in self.query("select name, top from zenoo_lab.baseline")
        }
        self._translated: dict[str, frozenset[str]] = {}
        self._signals = self.query(READ_SIGNALS[version])

    def _connect(self) -> None:
        import psycopg
        from psycopg.rows import dict_row

        self._connection = psycopg.connect(
            host="127.0.0.1",
            port=int(self._settings["ODOO_PGPORT"]),
            user="zenoo-super",
            dbname=self._database,
            autocommit=True,
        )
        self._cursor = self._connection.cursor(row_factory=dict_row)
        self._cursor.execute("set session_replication_role = replica; set lock_timeout = '30s'")

    def close(self) -> None:
        """Close the connection to the database."""
        self._connection.close()

    def _make_key(self, login: str) -> str:
        """Give a user an API key, as `_generate` of `res.users.apikeys` does (14, 19)."""
        key = secrets.token_hex(20)
        self._cursor.execute(MAKE_KEY, [_hashed(key), key[:8], login])
        return key

    def suffer(self, outage: Outage) -> None:
        match outage:
            case "workers killed":
                for worker in _children(int(self.log.with_suffix(".pid").read_text())):
                    os.kill(worker, signal.SIGKILL)
            case "server restarted":
                _script("serve.sh", "restart", self._version, self._database)
            case "database restarted":
                self.close()
                _script("serve.sh", "restart-postgresql", self._version)
                self._connect()

    def rows(self, model: str, ids: Iterable[int] | None) -> list[Row]:
        table = model.replace(".", "_")
        if ids is None:
            rows = self.query(
                f'select * from "{table}" where id > %s order by id', [self._top[table]]
            )
        else:
            rows = self.query(
                f'select * from "{table}" where id = any(%s) order by id', [list(ids)]
            )
        translated = self._translated_columns(model)
        return [
            {column: _plain(value, column in translated) for column, value in row.items()}
            for row in rows
        ]

    def reset(self) -> None:
        self._wait_until_idle()
        with self._connection.transaction():
            [done] = self.query("select zenoo_lab.delete_new() || zenoo_lab.put_back() as touched")
            stale = self.query(READ_SIGNALS[self._version]) != self._signals
            if stale or not all(UNCACHED.fullmatch(table) for table in done["touched"]):
                self._cursor.execute(SEND_SIGNALS[self._version])
                self._signals = self.query(READ_SIGNALS[self._version])

    def _wait_until_idle(self) -> None:
        # A call whose client gave up still runs, or waits for a worker, and would write later.
        _wait_for(
            lambda: not self.query(BUSY)[0]["count"] and not abandoned_connections(self._port)
        )

    def _translated_columns(self, model: str) -> frozenset[str]:
        if model not in self._translated:
            rows = self.query(TRANSLATED, [model])
            self._translated[model] = frozenset(row["name"] for row in rows)
        return self._translated[model]

    def query(self, query: str, parameters: list[Any] | None = None) -> list[Row]:
        import psycopg

        try:
            self._cursor.execute(query, parameters)
        except psycopg.OperationalError:
            if not self._connection.closed:
                raise
            self._connect()  # another server's test has restarted the database
            self._cursor.execute(query, parameters)
        rows: list[Row] = self._cursor.fetchall()
        return rows


def _children(parent: int) -> list[int]:
    """Return the processes that another one has started."""
    found = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            _, _, after_the_name = status.read_text().rpartition(")")
            if int(after_the_name.split()[1]) == parent:
                found.append(int(status.parent.name))
    return found


# A question to the kernel (sock_diag(7)): the IPv4 TCP sockets that are in CLOSE-WAIT. Reading
# /proc/net/tcp instead takes 40 ms where thousands of connections were closed a moment ago.
NETLINK_SOCK_DIAG, SOCK_DIAG_BY_FAMILY, ROOT_AND_REQUEST = 4, 20, 0x301
NLMSG_DONE, CLOSE_WAIT = 3, 1 << 8
HEADER = struct.Struct("=IHHII")  # length, type, flags, sequence, port
QUESTION = struct.Struct("=BBBxI48x")  # family, protocol, extensions, states, any socket
ANSWER = struct.Struct("=4xH")  # a header apart: family, state, timer, retries; the source port
DIAGNOSIS = HEADER.pack(
    HEADER.size + QUESTION.size, SOCK_DIAG_BY_FAMILY, ROOT_AND_REQUEST, 1, 0
) + QUESTION.pack(socket.AF_INET, socket.IPPROTO_TCP, 0, CLOSE_WAIT)


def abandoned_connections(port: int) -> int:
    """Return how many clients of the local server at *port* hung up before the server did."""
    count = 0
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_SOCK_DIAG) as kernel:
        kernel.sendto(DIAGNOSIS, (0, 0))
        while True:
            received = kernel.recv(1 << 20)
            while received:
                length, kind, *_ = HEADER.unpack_from(received)
                if kind == NLMSG_DONE:
                    return count
                assert kind == SOCK_DIAG_BY_FAMILY, "the kernel does not tell its sockets"
                (network_order,) = ANSWER.unpack_from(received, HEADER.size)
                count += socket.ntohs(network_order) == port
                received = received[length:]


def _wait_for(idle: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not idle():
        if time.monotonic() > deadline:
            raise RuntimeError("the server still works on a call of the last test after 60 s")
        time.sleep(0.005)


def _hashed(secret: str) -> str:
    """Return what Odoo keeps of a password or key, hashed in one round, which is quick."""
    salt = secrets.token_bytes(16)
    digest = hashlib.pbkdf2_hmac("sha512", secret.encode(), salt, 1)
    return f"$pbkdf2-sha512$1${_adapted(salt)}${_adapted(digest)}"


def _adapted(raw: bytes) -> str:
    """Return bytes in base64 as passlib writes it."""
    return base64.b64encode(raw).decode().rstrip("=").replace("+", ".")


def _plain(value: object, translated: bool) -> object:
    match value:
        case None:
            return False
        case datetime.datetime():
            return value.strftime("%Y-%m-%d %H:%M:%S")
        case datetime.date():
            return value.isoformat()
        case decimal.Decimal():
            return float(value)
        case Mapping() if translated:
            return value.get("en_US", False)
    return value
