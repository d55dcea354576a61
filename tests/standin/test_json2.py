"""What only the stand-in has about JSON-2: its log, its keys, limits, and 14 that knows nothing."""

import http.client
import inspect
import itertools
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from zenoo_rpc.testing import OdooStandIn
from zenoo_rpc.testing.calls import is_on_ids, method_of
from zenoo_rpc.testing.methods import BaseModel

from .conversation import Json2Talk, WebTalk, post, rpc

PARTNER = "res.partner"
KEYS = "res.users.apikeys"
KEY_MODELS = ["res.users", KEYS, f"{KEYS}.description", "res.users.identitycheck"]
RECORDED = Path(__file__).parent / "recorded"


@pytest.fixture
def odoo() -> Iterator[OdooStandIn]:
    """Return a stand-in for 19."""
    with OdooStandIn() as server:
        yield server


def ask(odoo: OdooStandIn, key: str, path: str = f"{PARTNER}/search_count") -> tuple[int, Any]:
    """Count the partner 1 with a key."""
    headers = {"Authorization": f"bearer {key}", "Content-Type": "application/json"}
    status, _, answer = post(odoo.url, f"/json/2/{path}", {"domain": [["id", "=", 1]]}, headers)
    return status, answer


def test_key_of_the_stand_in(odoo: OdooStandIn) -> None:
    """The key that the stand-in brings along is good, and still is after a reset."""
    assert (200, 1) == ask(odoo, odoo.api_key)
    odoo.reset()
    assert (200, 1) == ask(odoo, odoo.api_key)


def test_keys_of_users(odoo: OdooStandIn) -> None:
    """A key of any user opens both dialects, until it is revoked, expired or its user archived."""
    now = datetime.now(UTC).replace(tzinfo=None)
    key = odoo.make_key("limited", expiration_date=now + timedelta(hours=1))
    assert (200, 1) == ask(odoo, key)
    assert 5 == rpc(odoo.url, "common", "login", ["demo", "limited", key])["result"]
    assert not rpc(odoo.url, "common", "login", ["demo", "admin", key])["result"]
    expired = odoo.make_key("limited", expiration_date=now - timedelta(seconds=1))
    assert 401 == ask(odoo, expired)[0]
    assert not rpc(odoo.url, "common", "login", ["demo", "limited", expired])["result"]
    revoked = odoo.make_key("limited")
    odoo.revoke_key(revoked)
    odoo.revoke_key(revoked)
    status, answer = ask(odoo, revoked)
    assert (401, "Invalid apikey") == (status, answer["message"])
    admin = Json2Talk(odoo.url, "demo", "19.0")
    admin.quiet("res.users", "write", [5], {"active": False})
    assert 401 == ask(odoo, key)[0]
    odoo.reset()
    assert 401 == ask(odoo, key)[0]
    with pytest.raises(KeyError):
        odoo.make_key("nobody")


def test_keys_of_14() -> None:
    """14 has keys as well, in the password's place; JSON-2 it has not."""
    with OdooStandIn("14.0") as odoo:
        key = odoo.make_key("limited")
        assert 6 == rpc(odoo.url, "common", "login", ["demo", "limited", key])["result"]
        assert 404 == ask(odoo, key)[0]
        assert 404 == post(odoo.url, "/web/session/authenticate", None, {}, "GET")[0]


def test_a_key_dies_with_its_user(odoo: OdooStandIn) -> None:
    """Deleting a user deletes the keys."""
    admin = Json2Talk(odoo.url, "demo", "19.0")
    [uid] = admin.quiet("res.users", "create", [{"name": "New", "login": "new"}])
    key = odoo.make_key("new")
    assert (200, 1) == ask(odoo, key)
    assert admin.quiet("res.users", "unlink", [uid]) is True
    assert 401 == ask(odoo, key)[0]
    assert "new" not in {row["name"] for row in odoo.records("res.users.apikeys")}


def test_calls_are_noted(odoo: OdooStandIn) -> None:
    """The log has model, method and size of each call, refused or not; latency applies."""
    waited = []
    odoo.latency = lambda call: waited.append(call) or 0.0  # type: ignore[func-returns-value]
    key = {"Authorization": f"bearer {odoo.api_key}", "Content-Type": "application/json"}
    for method, body in (
        ("create", {"vals_list": [{"name": "a"}, {"name": "b"}]}),
        ("create", {"vals_list": {"name": "c"}}),
        ("write", {"ids": [1, 2, 3], "vals": {}}),
        ("write", {"ids": 1, "vals": {}}),
        ("search", {"domain": []}),
        ("search", "{"),
    ):
        post(odoo.url, f"/json/2/{PARTNER}/{method}", body, key)
    post(odoo.url, "/json/2", None, {}, "GET")
    found = [(call.model, call.method, call.size) for call in odoo.calls]
    sizes = [("create", 2), ("create", 1), ("write", 3), ("write", 1), ("search", 0), ("search", 0)]
    assert [(PARTNER, name, size) for name, size in sizes] == found
    assert odoo.calls == waited


def test_chunked_body_is_ignored(odoo: OdooStandIn) -> None:
    """A body without a length is not looked at, as by real 19."""
    connection = http.client.HTTPConnection(urlsplit(odoo.url).netloc, timeout=10)
    headers = {"Authorization": f"bearer {odoo.api_key}", "Content-Type": "application/json"}
    body = iter([b'{"domain"', b": []}"])
    path = f"/json/2/{PARTNER}/search_count"
    headers["Transfer-Encoding"] = "chunked"
    connection.request("POST", path, body, headers, encode_chunked=True)
    response = connection.getresponse()
    answer = json.loads(response.read())
    connection.close()
    assert (422, "missing a required argument: 'domain'") == (response.status, answer["message"])


def test_without_jsonrpc() -> None:
    """A server that has no `/jsonrpc` any more answers 404 there, and JSON-2 as ever."""
    with OdooStandIn(jsonrpc=False) as odoo:
        assert 404 == post(odoo.url, "/jsonrpc", {}, {"Content-Type": "application/json"})[0]
        assert (200, 1) == ask(odoo, odoo.api_key)


def test_too_large() -> None:
    """A body beyond the limit is refused with the status for that, the key first."""
    with OdooStandIn(max_body=100) as odoo:
        key = {"Authorization": f"bearer {odoo.api_key}", "Content-Type": "application/json"}
        path, body = f"/json/2/{PARTNER}/search_count", {"domain": [], "x": "x" * 100}
        status, _, answer = post(odoo.url, path, body, key)
        name = "werkzeug.exceptions.RequestEntityTooLarge"
        assert (413, name, 413) == (status, answer["name"], answer["arguments"][1])
        assert 401 == post(odoo.url, path, body, {"Content-Type": "application/json"})[0]


def test_who_is_asked_for(odoo: OdooStandIn) -> None:
    """A refusal for want of a key says how to bring one."""
    path = f"/json/2/{PARTNER}/search_count"
    status, headers, _ = post(odoo.url, path, None, {})
    assert (401, "Bearer") == (status, headers["www-authenticate"].strip())


def test_all_or_nothing(odoo: OdooStandIn) -> None:
    """A refused call leaves no trace, over JSON-2 as well."""
    talk = Json2Talk(odoo.url, "demo", "19.0")
    talk.ready()
    before = odoo.records(PARTNER)
    bad = [{"name": "good"}, {"name": "x", "country_id": 99_999_999}]
    assert "refused" in talk.quiet(PARTNER, "create", bad)
    assert before == odoo.records(PARTNER)


def test_sessions_end_with_a_reset(odoo: OdooStandIn) -> None:
    """After a reset nobody is logged in."""
    talk = WebTalk(odoo.url, "demo", "19.0")
    assert 1 == talk.quiet(PARTNER, "search_count", [["id", "=", 1]])
    odoo.reset()
    answer = talk.quiet(PARTNER, "search_count", [])
    assert (100, "odoo.http.SessionExpiredException") == (answer["code"], answer["refused"])


def test_keys_are_secret(odoo: OdooStandIn) -> None:
    """No call shows a key, and neither do the records."""
    shown = json.dumps(odoo.records("res.users.apikeys"), default=str)
    assert odoo.api_key not in shown
    talk = Json2Talk(odoo.url, "demo", "19.0")
    assert odoo.api_key not in json.dumps(talk.quiet("res.users.apikeys", "search_read", []))


def test_arguments_are_those_of_real_odoo() -> None:
    """Every method of the stand-in takes what its model takes on real 19, in the same order."""
    found = json.loads((RECORDED / "19" / "signatures.json").read_text())
    assert {name for name in dir(BaseModel) if name[0] != "_"} - {"exists", "name_get"} <= set(
        found
    )
    for model, (name, real) in itertools.product(KEY_MODELS, found.items()):
        served = method_of(model, name, 19)
        if served is None:
            continue
        given = list(inspect.signature(served).parameters.values())[1:]
        named = {
            one.name: None if one.default is one.empty else repr(one.default)
            for one in given
            if one.kind is not one.VAR_KEYWORD
        }
        assert (name, list(real["arguments"].items())) == (name, list(named.items()))
        assert (name, real["on_records"]) == (name, is_on_ids(served))
        assert (name, real["others"]) == (name, len(named) < len(given))


def test_recordings_name_no_machine() -> None:
    """No path, key or date of the machine on which it was recorded is in a recording."""
    for path in RECORDED.glob("*/*.json"):
        text = path.read_text()
        assert not re.search(r"/var/|/home/|bearer [0-9a-f]*[1-9a-f][0-9a-f]{30}", text), path
