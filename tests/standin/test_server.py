"""What a test can ask of the stand-in itself, beside what real Odoo would answer."""

import doctest
import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from zenoo_rpc import testing
from zenoo_rpc.testing import OdooStandIn, ServedCall
from zenoo_rpc.testing.plugin import _odoo_standin_server, odoo_standin

from .conversation import Talk, post, rpc

JSON = {"Content-Type": "application/json"}
__all__ = ["_odoo_standin_server", "odoo_standin"]


@pytest.fixture(params=["19.0", "14.0"])
def odoo(request: pytest.FixtureRequest) -> Iterator[OdooStandIn]:
    """Return a running stand-in of each release."""
    with OdooStandIn(request.param) as server:
        yield server


@pytest.fixture
def talk(odoo: OdooStandIn) -> Talk:
    """Return the administrator's way to the stand-in."""
    return Talk(odoo.url, odoo.database, odoo.version)


def test_example() -> None:
    """The example in the docstring runs."""
    assert 0 == doctest.testmod(sys.modules[OdooStandIn.__module__]).failed


def test_unknown_version() -> None:
    """A release that it cannot play is refused with those that it can."""
    with pytest.raises(ValueError, match=r"'17\.0'.*14\.0 and 19\.0"):
        OdooStandIn("17.0")


def test_unknown_attribute() -> None:
    """The package has the two public names and no others."""
    with pytest.raises(AttributeError, match="nothing"):
        testing.nothing  # noqa: B018


def test_records_shows_what_is_in_the_database(odoo: OdooStandIn, talk: Talk) -> None:
    """Archived records and their stored values are there; the caller gets copies."""
    row = talk.quiet("res.partner", "create", {"name": "x", "active": False, "country_id": 43})
    [record] = [one for one in odoo.records("res.partner") if one["id"] == row]
    found = {name: record[name] for name in ("name", "active", "country_id", "email", "child_ids")}
    expected = {"name": "x", "active": False, "country_id": 43, "email": False, "child_ids": []}
    assert expected == found
    record["name"] = "changed"
    assert "changed" not in {one["name"] for one in odoo.records("res.partner")}


def test_records_of_no_model(odoo: OdooStandIn) -> None:
    """A model that is not there is a mistake of the test."""
    with pytest.raises(KeyError, match=r"no\.model"):
        odoo.records("no.model")


def test_new_database(odoo: OdooStandIn) -> None:
    """The company, OdooBot and the administrator are contacts 1 to 3, and CH is a country."""
    names = {row["id"]: (row["name"], row["active"]) for row in odoo.records("res.partner")}
    assert ("My Company", True) == names[1]
    assert ("OdooBot", False) == names[2]
    assert ("Administrator", True) == names[3]
    codes = {row["code"]: row["id"] for row in odoo.records("res.country")}
    assert (43, 20, 233) == (codes["CH"], codes["BE"], codes["US"])


def test_hidden_records(odoo: OdooStandIn, talk: Talk) -> None:
    """What a record rule hides is not found, and who asks for it by its id is refused."""
    ids = talk.quiet("res.partner", "create", [{"name": "x"}, {"name": "y", "ref": "secret"}])
    odoo.hide("res.partner", ref="secret")

    def refused(method: str, *args: object, model: str = "res.partner") -> str | None:
        params = [odoo.database, 2, "admin", model, method, list(args)]
        answer = rpc(odoo.url, "object", "execute_kw", params)
        return answer["error"]["data"]["name"] if "error" in answer else None

    access, missing = "odoo.exceptions.AccessError", "odoo.exceptions.MissingError"
    found = talk.quiet("res.partner", "search", [["id", "in", ids]])
    assert ids[:1] == found
    assert access == refused("read", ids, ["name"])
    assert access == refused("write", ids, {"name": "z"})
    assert access == refused("unlink", ids)
    assert access == refused("read", [ids[1], 99999], ["name"])
    assert missing == refused("unlink", [ids[1], 99999])
    assert None is refused("read", [ids[0], 99999], ["name"])
    assert None is refused("unlink", ids[:1])
    assert [ids[1]] == [row["id"] for row in odoo.records("res.partner") if row["id"] in ids]

    odoo.reset()
    odoo.hide("res.partner.category", name="secret")
    tag = talk.quiet("res.partner.category", "create", {"name": "secret"})
    assert access == refused("unlink", [tag], model="res.partner.category")
    assert missing == refused("unlink", [tag, 99999], model="res.partner.category")


def test_a_rule_for_no_model(odoo: OdooStandIn) -> None:
    """A model that is not there is a mistake of the test."""
    with pytest.raises(KeyError, match=r"no\.model"):
        odoo.hide("no.model", name="x")


def test_reset(odoo: OdooStandIn, talk: Talk) -> None:
    """After a reset the database is new, the log empty and the latency gone."""
    before = odoo.records("res.partner")
    talk.quiet("res.partner", "create", [{"name": "x"}] * 3)
    odoo.latency = 0.01
    odoo.reset()
    # Only the times differ.
    for rows in (before, after := odoo.records("res.partner")):
        for row in rows:
            del row["create_date"], row["write_date"]
    assert before == after
    assert ([], 0.0, 0) == (odoo.calls, odoo.latency, odoo.peak)


def test_calls(odoo: OdooStandIn, talk: Talk) -> None:
    """The log has each call once, refused ones too, with the number of records it was about."""
    started = time.monotonic()
    rpc(odoo.url, "common", "login", ["demo", "admin", "admin"])
    talk.quiet("res.partner", "create", [{"name": "x"}, {"name": "y"}])
    talk.quiet("res.partner", "create", {"name": "x"})
    talk.quiet("res.partner", "write", [1, 2, 3], {"nofield": 1})
    talk.quiet("res.partner", "search", [])
    rpc(odoo.url, "object", "execute_kw", ["demo", 2, "admin", "res.partner", "unlink", [[99]]])
    rpc(odoo.url, "object", "execute_kw", ["demo", 2, "admin", "res.partner", "unlink", []])
    expected = [
        ("common", "login", 0),
        ("res.partner", "create", 2),
        ("res.partner", "create", 1),
        ("res.partner", "write", 3),
        ("res.partner", "search", 0),
        ("res.partner", "unlink", 1),
        ("res.partner", "unlink", 0),
    ]
    assert expected == [(call.model, call.method, call.size) for call in odoo.calls]
    times = [call.at for call in odoo.calls]
    assert [started, *times] == sorted([started, *times])
    odoo.clear_calls()
    assert [] == odoo.calls


def test_latency_is_outside_of_the_lock(odoo: OdooStandIn, talk: Talk) -> None:
    """Four calls that wait for one another are served at once."""
    together = threading.Barrier(4)

    def latency(_: ServedCall) -> float:
        together.wait(30)
        return 0.0

    odoo.latency = latency
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda n: talk.quiet("res.partner", "create", {"name": str(n)}), range(4)))
    assert not together.broken
    assert 4 == odoo.peak


def test_latency_comes_after_the_commit(odoo: OdooStandIn, talk: Talk) -> None:
    """While a call waits for its answer, its records are there already."""
    waiting = threading.Event()
    go_on = threading.Event()

    def latency(call: ServedCall) -> float:
        waiting.set()
        assert go_on.wait(10)
        return 0.0

    odoo.latency = latency
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(talk.quiet, "res.partner", "create", {"name": "early"})
        assert waiting.wait(10)
        assert "early" in {row["name"] for row in odoo.records("res.partner")}
        go_on.set()
        assert isinstance(answer.result(), int)


def test_parallel_creates_lose_nothing(odoo: OdooStandIn, talk: Talk) -> None:
    """Eight clients that create at once get ids of their own, and every record is there."""

    def create(n: int) -> list[int]:
        made = talk.quiet("res.partner", "create", [{"name": f"{n}-{m}"} for m in range(25)])
        assert isinstance(made, list)
        return made

    with ThreadPoolExecutor(8) as pool:
        ids = [row for made in pool.map(create, range(16)) for row in made]
    assert 400 == len(set(ids))
    names = {row["id"]: row["name"] for row in odoo.records("res.partner")}
    assert [f"{n}-{m}" for n in range(16) for m in range(25)] == [names[row] for row in ids]


def test_rollback_of_everything_a_call_touched(odoo: OdooStandIn, talk: Talk) -> None:
    """A refused write takes back children, links, unique values and addresses along with it."""
    tag = talk.quiet("res.partner.category", "create", {"name": "t"})
    top = talk.quiet("res.partner", "create", {"name": "top", "is_company": True, "street": "S"})
    kid = talk.quiet("res.partner", "create", {"name": "kid", "parent_id": top})
    models = ("res.partner", "res.partner.category", "res.country", "res.users")
    before = {model: odoo.records(model) for model in models}
    bad = {"street": "T", "category_id": [[0, 0, {"name": "u"}], [2, tag, 0]]}
    bad["child_ids"] = [[2, kid, 0], [0, 0, {"name": "new"}], [0, 0, {"email": "nameless"}]]
    assert "refused" in talk.quiet("res.partner", "write", [top], bad)
    countries = [{"name": "One", "code": "9A"}, {"name": "Two", "code": "CH"}]
    assert "refused" in talk.quiet("res.country", "create", countries)
    assert before == {model: odoo.records(model) for model in models}
    # The unique values are free again.
    assert isinstance(talk.quiet("res.country", "create", countries[0]), int)


def test_ids_of_a_rolled_back_call_are_not_given_again(odoo: OdooStandIn, talk: Talk) -> None:
    """As with a sequence of PostgreSQL, a refused create leaves a gap."""
    first = talk.quiet("res.partner", "create", {"name": "a"})
    talk.quiet("res.partner", "create", [{"name": "b"}, {"name": "c", "country_id": 99_999_999}])
    assert first + 2 == talk.quiet("res.partner", "create", {"name": "d"})


def test_users(odoo: OdooStandIn, talk: Talk) -> None:
    """A new user has a partner of its own, logs in, and is gone when archived or deleted."""
    vals = {"name": "New", "login": "new@x.y", "password": "secret"}
    [uid] = talk.quiet("res.users", "create", [vals])

    def login(password: str) -> Any:
        return rpc(odoo.url, "common", "login", ["demo", "new@x.y", password])["result"]

    assert (uid, False) == (login("secret"), login("wrong"))
    [row] = talk.quiet("res.users", "read", [uid], ["name", "email", "password"])
    assert ("New", "new@x.y", "") == (row["name"], row["email"], row["password"])
    talk.quiet("res.users", "write", [uid], {"name": "Newer", "password": "other", "lang": "en_US"})
    assert (False, uid) == (login("secret"), login("other"))
    assert "Newer" in {row["name"] for row in odoo.records("res.partner")}
    again = talk.quiet("res.users", "create", [vals])
    assert "odoo.exceptions.ValidationError" == again["refused"]
    talk.quiet("res.users", "write", [uid], {"active": False})
    assert login("other") is False
    assert talk.quiet("res.users", "unlink", [uid]) is True
    assert login("other") is False


def test_credentials(odoo: OdooStandIn) -> None:
    """Password or key for the administrator; anything else is denied, each in its own way."""

    def name(*args: Any) -> Any:
        whole = [*args, "res.partner", "search_count", [[["id", "=", 1]]]]
        answer = rpc(odoo.url, "object", "execute_kw", whole)
        return answer.get("result", answer.get("error", {}).get("data", {}).get("name"))

    assert 1 == name("demo", 2, "admin") == name("demo", "2", odoo.api_key)
    assert "odoo.exceptions.AccessDenied" == name("demo", 2, "wrong") == name("demo", 2, None)
    assert "odoo.exceptions.AccessDenied" == name("demo", 0, "admin") == name("demo", 1, "admin")
    assert "odoo.exceptions.AccessDenied" == name("demo", 5, odoo.api_key)
    assert "odoo.exceptions.MissingError" == name("demo", 99_999, "admin")
    assert "builtins.ValueError" == name("demo", "x", "admin")
    assert "psycopg2.OperationalError" == name("nonesuch", 2, "admin")


SERVICES: list[tuple[str, str, list[Any], Any]] = [
    ("common", "about", [], "The stand-in has no method 'common.about'"),
    ("common", "authenticate", ["demo", "nobody", "x", {}], False),
    ("common", "login", ["demo", "admin", "admin"], 2),
    ("db", "drop", ["demo"], "The stand-in has no method 'db.drop'"),
    ("db", "list", [], ["demo"]),
    ("object", "execute", ["demo", 2, "admin"], "The stand-in has no method 'object.execute'"),
    ("object", "execute_kw", ["demo", 2, "admin", "res.country", "search_count", [[]]], 17),
]


@pytest.mark.parametrize(("service", "method", "args", "expected"), SERVICES)
def test_services(
    odoo: OdooStandIn, service: str, method: str, args: list[Any], expected: Any
) -> None:
    """What the library calls is served; the rest is told to be lacking."""
    answer = rpc(odoo.url, service, method, args)
    found = answer["error"]["data"]["message"] if "error" in answer else answer["result"]
    assert expected == found


def test_malformed_calls(odoo: OdooStandIn) -> None:
    """A call that lacks its parts is an error of the server's, and the server goes on."""
    for args in ([], ["demo", 2, "admin"], ["demo", 2, "admin", "res.partner", "search", 5]):
        assert "builtins." in rpc(odoo.url, "object", "execute_kw", args)["error"]["data"]["name"]
    assert 400 == post(odoo.url, "/jsonrpc", [1], JSON)[0]


def test_one_request_per_connection(odoo: OdooStandIn) -> None:
    """The server closes the connection after each answer, as Odoo does."""
    body = {"jsonrpc": "2.0", "id": 1, "params": {"service": "db", "method": "list", "args": []}}
    _, headers, answer = post(odoo.url, "/jsonrpc", body, JSON)
    assert "close" == headers["connection"]
    assert {"jsonrpc": "2.0", "id": 1, "result": ["demo"]} == answer


def test_chunked_body(odoo: OdooStandIn) -> None:
    """A body without a length is read, as by real servers."""
    body = {"jsonrpc": "2.0", "id": 7, "params": {"service": "db", "method": "list", "args": []}}
    raw = json.dumps(body).encode()
    script = (
        "import http.client,sys\n"
        "c = http.client.HTTPConnection(sys.argv[1])\n"
        "c.request('POST', '/jsonrpc', iter([sys.argv[2].encode()]),"
        " {'Content-Type': 'application/json'}, encode_chunked=True)\n"
        "print(c.getresponse().read().decode())"
    )
    host = odoo.url.removeprefix("http://")
    done = subprocess.run(
        [sys.executable, "-c", script, host, raw], capture_output=True, text=True, check=True
    )
    assert ["demo"] == json.loads(done.stdout)["result"]


def test_too_large() -> None:
    """19 refuses a body beyond its limit with an error body, 14 takes it."""
    body = {"jsonrpc": "2.0", "id": 1, "params": {"service": "db", "method": "list", "args": []}}
    body["padding"] = "x" * 2000
    with OdooStandIn("19.0", max_body=1000) as new, OdooStandIn("14.0", max_body=1000) as old:
        status, _, answer = post(new.url, "/jsonrpc", body, JSON)
        assert (200, "werkzeug.exceptions.RequestEntityTooLarge") == (
            status,
            answer["error"]["data"]["name"],
        )
        assert ["demo"] == post(old.url, "/jsonrpc", body, JSON)[2]["result"]


def test_versions_without_a_log_line() -> None:
    """The paths that tell the version are new in 19."""
    with OdooStandIn("19.0") as new, OdooStandIn("14.0") as old:
        for path in ("/web/version", "/json/version"):
            assert 200 == post(new.url, path, None, {}, "GET")[0]
            assert 404 == post(old.url, path, None, {}, "GET")[0]


def test_stop_twice() -> None:
    """Stopping is harmless when it does not run, and the records stay to be looked at."""
    odoo = OdooStandIn().start()
    odoo.stop()
    odoo.stop()
    assert 6 == len(odoo.records("res.partner"))


def test_fixture_is_clean(odoo_standin: OdooStandIn) -> None:
    """The plugin's fixture gives a new database."""
    assert [] == odoo_standin.calls
    talk = Talk(odoo_standin.url, odoo_standin.database, odoo_standin.version)
    talk.quiet("res.partner", "create", [{"name": "left over"}])


def test_fixture_is_clean_again(odoo_standin: OdooStandIn) -> None:
    """What the test before left is gone."""
    assert "left over" not in {row["name"] for row in odoo_standin.records("res.partner")}


def test_plugin_imports_little() -> None:
    """The plugin brings neither the HTTP server nor the models along."""
    script = (
        "import sys, types, pathlib\n"
        "package = types.ModuleType('zenoo_rpc')\n"
        "package.__path__ = [sys.argv[1]]\n"
        "sys.modules['zenoo_rpc'] = package\n"
        "import zenoo_rpc.testing.plugin\n"
        "heavy = {'werkzeug', 'pytest_httpserver', 'zenoo_rpc.testing.server'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    home = testing.__path__[0].removesuffix("testing")
    done = subprocess.run(
        [sys.executable, "-c", script, home], capture_output=True, text=True, check=True
    )
    assert "[]" == done.stdout.strip()
