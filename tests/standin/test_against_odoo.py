"""The stand-in and real Odoo answer the same programs alike.

Without a server the answers are compared with those recorded from one
(``recorded/*/programs.json``). With ``ZENOO_TEST_ODOO_19`` or ``ZENOO_TEST_ODOO_14`` set to
``"<url> <database>"`` (administrator ``admin``/``admin``) the programs run there too; with
``ZENOO_TEST_RECORD=1`` besides, that run becomes the record.
"""

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from zenoo_rpc.testing import OdooStandIn

from . import imports, programs
from .conversation import Talk, post, rpc

RECORDED = Path(__file__).parent / "recorded"
VERSIONS = ("19.0", "14.0")
LIMITED = [*programs.LIMITED, *imports.LIMITED]
PROGRAMS = [*programs.ADMIN, *imports.ADMIN, *LIMITED]
USER = {"19.0": 5, "14.0": 6}


@pytest.fixture(scope="module", params=VERSIONS)
def standin(request: pytest.FixtureRequest) -> Iterator[OdooStandIn]:
    """Return a stand-in of each release, with ids beyond those that a program names."""
    with OdooStandIn(request.param) as odoo:
        for model, vals in (
            ("res.partner", {"name": "x"}),
            ("res.partner.category", {"name": "x"}),
            ("product.product", {"name": "x"}),
        ):
            whole = ["demo", 2, "admin", model, "create", [[vals] * 200]]
            made = rpc(odoo.url, "object", "execute_kw", whole)["result"]
            rpc(odoo.url, "object", "execute_kw", ["demo", 2, "admin", model, "unlink", [made]])
        yield odoo


def here(odoo: OdooStandIn, program: Callable[[Talk], None]) -> Talk:
    """Return a way to the stand-in for the user a program is about."""
    if program in LIMITED:
        return Talk(odoo.url, odoo.database, odoo.version, USER[odoo.version], "limited")
    return Talk(odoo.url, odoo.database, odoo.version)


def there(version: str, program: Callable[[Talk], None]) -> Talk:
    """Return a way to the real server, or skip."""
    release = version.removesuffix(".0")
    known = os.environ.get(f"ZENOO_TEST_ODOO_{release}")
    if not known:
        pytest.skip(f"ZENOO_TEST_ODOO_{release} is not set: no real Odoo to compare with")
    url, database = known.split()
    admin = Talk(url, database, version)
    if admin.series < 19:
        admin.cookie = session(url, database)
    if program not in LIMITED:
        return admin
    groups = "group_ids" if admin.series >= 19 else "groups_id"
    name = [["module", "=", "base"], ["name", "=", "group_user"]]
    [group] = admin.quiet("ir.model.data", "search_read", name, ["res_id"])
    vals = {"name": admin.tag, "login": admin.tag, "password": "limited"}
    vals |= {groups: [[6, 0, [group["res_id"]]]]}
    [uid] = admin.quiet("res.users", "create", [vals])
    limited = Talk(url, database, version, uid, "limited")
    limited.cookie = admin.cookie
    return limited


def session(url: str, database: str) -> str:
    """Return the cookie without which 14 answers errors as pages when it has several databases."""
    _, headers, _ = post(url, f"/web?db={database}", None, {}, "GET")
    return headers.get("set-cookie", "").partition(";")[0]


def answers(talk: Talk, program: Callable[[Talk], None]) -> list[Any]:
    """Return what a program was told, its user named alike on every server."""
    program(talk)
    found = json.dumps(talk.answers).replace(f"User: {talk.uid})", "User: ME)")
    return list(json.loads(found))


def record_of(version: str) -> dict[str, Any]:
    """Return the recorded answers of a release, by program."""
    path = RECORDED / version.removesuffix(".0") / "programs.json"
    return dict(json.loads(path.read_text())) if path.exists() else {}


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.__name__)
def test_as_recorded(standin: OdooStandIn, program: Callable[[Talk], None]) -> None:
    """A program is told what a real server of the release told it when it was recorded."""
    expected = record_of(standin.version)[program.__name__]
    assert expected == answers(here(standin, program), program)


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.__name__)
def test_as_live(standin: OdooStandIn, program: Callable[[Talk], None]) -> None:
    """A program is told the same by the stand-in and by a real server."""
    expected = answers(there(standin.version, program), program)
    if os.environ.get("ZENOO_TEST_RECORD"):
        path = RECORDED / standin.version.removesuffix(".0") / "programs.json"
        record = {**record_of(standin.version), program.__name__: expected}
        path.write_text(json.dumps(record, indent=1, ensure_ascii=False, sort_keys=True) + "\n")
    assert expected == answers(here(standin, program), program)
