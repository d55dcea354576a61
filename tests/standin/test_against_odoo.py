"""The stand-in and real Odoo answer the same programs alike.

Without a server the answers are compared with those recorded from one
(``recorded/*/programs*.json``, one for each dialect). With ``--servers=odoo19,odoo14`` the
programs run there too; with ``ZENOO_TEST_RECORD=1`` besides, that run becomes the record.
"""

import json
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from attrs import frozen

from zenoo_rpc.testing import OdooStandIn

from ..conftest import chosen_servers
from ..servers import REAL, Server, running
from . import imports, json2_programs, programs
from .conversation import Json2Talk, Talk, WebTalk, post

RECORDED = Path(__file__).parent / "recorded"
LIMITED = [*programs.LIMITED, *imports.LIMITED, *json2_programs.LIMITED]
SHARED = [*programs.ADMIN, *imports.ADMIN, *programs.LIMITED, *imports.LIMITED]
USER = {"19.0": 5, "14.0": 6}

Program = Callable[[Any], None]


@frozen
class Dialect:
    """One way to speak to a release, with the programs that are run in it."""

    name: str
    version: str
    talk: type[Talk]
    programs: Sequence[Program]


DIALECTS = [
    Dialect("jsonrpc", "19.0", Talk, [*SHARED, *json2_programs.JSON_RPC]),
    Dialect("jsonrpc", "14.0", Talk, [*SHARED, *json2_programs.JSON_RPC_14]),
    Dialect("json2", "19.0", Json2Talk, [*SHARED, *json2_programs.ADMIN, *json2_programs.LIMITED]),
    Dialect("web", "19.0", WebTalk, json2_programs.SESSION),
]
CASES = [
    pytest.param(dialect, program, id=f"{dialect.version}-{dialect.name}-{program.__name__}")
    for dialect in DIALECTS
    for program in dialect.programs
]


# Where the ids of new records begin: none is one of another model, or one that a country has.
FIRST_IDS = {"res.partner": 100_000, "res.partner.category": 200_000, "product.product": 300_000}


@pytest.fixture(scope="module")
def standins() -> Iterator[dict[str, OdooStandIn]]:
    """Return a stand-in of each release."""
    with OdooStandIn("19.0") as new, OdooStandIn("14.0") as old:
        for odoo in (new, old):
            for model, first in FIRST_IDS.items():
                odoo._service.db.tables[model].last_id = first
        yield {odoo.version: odoo for odoo in (new, old)}


def here(odoo: OdooStandIn, dialect: Dialect, program: Program) -> Talk:
    """Return a way to the stand-in for the user a program is about."""
    if program in LIMITED:
        uid = USER[odoo.version]
        return dialect.talk(odoo.url, odoo.database, odoo.version, uid, "limited", "limited")
    return dialect.talk(odoo.url, odoo.database, odoo.version)


@pytest.fixture(scope="session")
def live(request: pytest.FixtureRequest) -> Iterator[dict[str, Server]]:
    """Return the real servers that were chosen, by version, each with a database for this alone."""
    names = {REAL[name]: name for name in chosen_servers(request.config) if name in REAL}
    with ExitStack() as stack:
        servers = [stack.enter_context(running(name)) for name in names.values()]
        for server in servers:
            for model, first in FIRST_IDS.items():
                sequence = f"{model.replace('.', '_')}_id_seq"
                server.store.query(f"select setval('{sequence}', {first})")
        yield {server.version: server for server in servers}


def there(live: dict[str, Server], dialect: Dialect, program: Program) -> Talk:
    """Return a way to the real server, or skip."""
    version = dialect.version
    if version not in live:
        pytest.skip(f"Odoo {version} was not chosen: nothing to compare with")
    url, database = live[version].url, live[version].database
    admin = Talk(url, database, version)
    if admin.series < 19:
        admin.cookie = session(url, database)
    if program not in LIMITED:
        return admin if dialect.talk is Talk else dialect.talk(url, database, version)
    groups = "group_ids" if admin.series >= 19 else "groups_id"
    name = [["module", "=", "base"], ["name", "=", "group_user"]]
    [group] = admin.quiet("ir.model.data", "search_read", name, ["res_id"])
    vals = {"name": "Limited", "login": admin.tag, "password": "limited"}
    vals |= {groups: [[6, 0, [group["res_id"]]]]}
    [uid] = admin.quiet("res.users", "create", [vals])
    limited = dialect.talk(url, database, version, uid, "limited", admin.tag)
    limited.cookie = limited.cookie or admin.cookie
    return limited


def session(url: str, database: str) -> str:
    """Return the cookie without which 14 answers errors as pages when it has several databases."""
    _, headers, _ = post(url, f"/web?db={database}", None, {}, "GET")
    return headers.get("set-cookie", "").partition(";")[0]


def answers(talk: Talk, program: Program) -> list[Any]:
    """Return what a program was told, its user named alike on every server."""
    program(talk)
    found = json.dumps(talk.answers).replace(f"User: {talk.uid})", "User: ME)")
    return list(json.loads(found.replace(f"(id={talk.uid})", "(id=ME)")))


def path_of(dialect: Dialect) -> Path:
    """Return the file with the recorded answers of a dialect."""
    name = "programs" if dialect.name == "jsonrpc" else f"programs_{dialect.name}"
    return RECORDED / dialect.version.removesuffix(".0") / f"{name}.json"


def record_of(dialect: Dialect) -> dict[str, Any]:
    """Return the recorded answers, by program."""
    path = path_of(dialect)
    return dict(json.loads(path.read_text())) if path.exists() else {}


@pytest.mark.parametrize(("dialect", "program"), CASES)
def test_as_recorded(standins: dict[str, OdooStandIn], dialect: Dialect, program: Program) -> None:
    """A program is told what a real server of the release told it when it was recorded."""
    expected = record_of(dialect)[program.__name__]
    assert expected == answers(here(standins[dialect.version], dialect, program), program)


@pytest.mark.parametrize(("dialect", "program"), CASES)
def test_as_live(
    standins: dict[str, OdooStandIn], live: dict[str, Server], dialect: Dialect, program: Program
) -> None:
    """A program is told the same by the stand-in and by a real server."""
    expected = answers(there(live, dialect, program), program)
    if os.environ.get("ZENOO_TEST_RECORD"):
        record = {**record_of(dialect), program.__name__: expected}
        text = json.dumps(record, indent=1, ensure_ascii=False, sort_keys=True)
        path_of(dialect).write_text(text + "\n")
    assert expected == answers(here(standins[dialect.version], dialect, program), program)
