"""Positional arguments -> named ones, as Odoo 19 names them."""

import json
import re
import subprocess
from pathlib import Path

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zenoo_rpc._core.dialect.base import Login
from zenoo_rpc._core.dialect.json2 import JSON2, under_other_names
from zenoo_rpc._core.dialect.jsonrpc import WEB
from zenoo_rpc._core.dialect.named import ON_MODELS, ON_RECORDS, OTHER_NAMES, named, placed
from zenoo_rpc._core.exchange import Answer, Request
from zenoo_rpc._core.foreign import Reply
from zenoo_rpc.errors import NotOdooError, UsageError
from zenoo_rpc.wire.encoding import encode

ROOT = Path(__file__).parent.parent
RECORDED = json.loads((ROOT / "standin" / "recorded" / "19" / "signatures.json").read_text())
SCRIPTS = ROOT.parent / "scripts" / "odoo"
TABLES = {**{name: ("ids", *rest) for name, rest in ON_RECORDS.items()}, **ON_MODELS}
LOGIN = Login("demo", 2, "secret", JSON2)
ADDRESS = "http://localhost:8069"
JSON = {"content-type": "application/json; charset=utf-8"}

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text("aä"),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text("ab"), inner, max_size=2),
    max_leaves=4,
)


def expected(signatures):
    """Return the tables that signatures call for."""
    return {
        name: (*(["ids"] if about["on_records"] else []), *about["arguments"])
        for name, about in signatures.items()
    }


def test_the_tables_are_those_of_odoo_19():
    """Every method that was asked for, its names and their order; and no method besides."""
    assert expected(RECORDED) == {name: tuple(names) for name, names in TABLES.items()}
    assert not ON_RECORDS.keys() & ON_MODELS.keys()


@pytest.mark.real_odoo
def test_odoo_19_still_says_so(server):
    """The server, asked for the signatures of its methods, gives what is kept."""
    if server.version != "19.0":
        return
    with (SCRIPTS / "signatures.py").open() as script:
        command = [SCRIPTS / "serve.sh", "shell", "19", server.database]
        done = subprocess.run(
            command, stdin=script, capture_output=True, text=True, check=True, timeout=120
        )

    assert json.loads(done.stdout) == RECORDED


@given(st.sampled_from(sorted(TABLES)), st.lists(VALUES, max_size=7))
def test_arguments_get_the_names_in_their_order(method, values):
    """As many as there are names; one more is an error."""
    names = TABLES[method]
    parts = [encode(value) for value in values]
    if len(parts) > len(names):
        with pytest.raises(UsageError, match=f"res.partner.{method}: .*by name"):
            named("res.partner", method, parts)
        return

    found = named("res.partner", method, parts)

    assert list(names[: len(parts)]) == list(found)
    for name, value in zip(names, values, strict=False):
        single = name == "ids" and type(value) is int and value >= 0
        single = single or (name == "vals_list" and isinstance(value, dict))
        assert ([value] if single else value) == json.loads(found[name])


@given(st.sampled_from(sorted(TABLES)), st.data())
def test_named_arguments_have_their_places(method, data):
    """In whatever order they were given; what is no argument of the method comes last."""
    names = data.draw(st.lists(st.sampled_from([*TABLES[method], "y", "x"]), unique=True))

    found = placed(method, {name: name for name in names})

    known = [name for name in TABLES[method] if name in names]
    assert [*known, *(name for name in names if name not in known)] == found
    assert ["y", "x"] == placed("message_post", {"y": "y", "x": "x"})


def test_methods_that_are_not_in_the_tables():
    """Without positional arguments every method may be called; with them only the known ones."""
    assert {} == named("res.partner", "message_post", [])
    with pytest.raises(UsageError, match="in kwargs, the ids of the records as `ids`"):
        named("res.partner", "message_post", [b"[1]"])


def wire(method, args, kwargs, *, renamed=False):
    """Return what is sent for a call."""
    parts = [encode(arg) for arg in args]
    request = Request("res.partner", method, parts, kwargs, {"lang": "en_US"}, False)
    return JSON2.request(1, LOGIN, attrs.evolve(request, renamed=renamed))


def test_named_arguments_stand_beside_positional_ones():
    """The body holds both, and the context; the path names model and method."""
    sent = wire("search_read", [[], ["name"]], {"limit": 5})

    assert "/json/2/res.partner/search_read" == sent.path
    context = {"lang": "en_US"}
    body = {"domain": [], "fields": ["name"], "limit": 5, "context": context}
    assert body == json.loads(sent.body)
    assert {"Authorization": "bearer secret", "X-Odoo-Database": "demo"} == sent.headers


@pytest.mark.parametrize("database", ["n\u00f6n", "a\nb"])
def test_a_database_that_no_header_can_carry(database):
    """It is refused before anything is sent."""
    request = Request("res.partner", "search", [], {}, {}, True)
    with pytest.raises(UsageError, match="ASCII"):
        JSON2.request(1, attrs.evolve(LOGIN, database=database), request)
    sent = JSON2.request(1, attrs.evolve(LOGIN, database=""), request)
    assert {"Authorization": "bearer secret"} == sent.headers


def test_a_path_is_two_words():
    """Whatever is in the names of model and method."""
    request = Request("a/b", "c?d/../e", [], {}, {}, True)
    assert "/json/2/a%2Fb/c%3Fd%2F..%2Fe" == JSON2.request(1, LOGIN, request).path


def test_other_names_are_given_when_asked_for():
    """The second try differs by the names of the values only."""
    for method, args in (("create", [[{"name": "x"}]]), ("write", [[1], {"name": "x"}])):
        once = json.loads(wire(method, args, {}).body)
        again = json.loads(wire(method, args, {}, renamed=True).body)
        assert {OTHER_NAMES.get(name, name): value for name, value in once.items()} == again
        assert "values" in again


def refused(
    method, message, *, name="werkzeug.exceptions.UnprocessableEntity", status=422, debug="..."
):
    """Return a call, and what the server says to it."""
    request = Request("res.partner", method, [b"[1]", b"{}"], {}, {}, False)
    body = {"name": name, "message": message, "arguments": [message, status], "debug": debug}
    reply = Reply(status, JSON, json.dumps(body).encode())
    return request, JSON2.read(1, request, reply, ADDRESS)


def test_the_other_name_is_tried_where_the_method_has_it():
    """The server names the argument that it misses."""
    request, fault = refused("write", "missing a required argument: 'values'")

    again = under_other_names(request, fault)

    assert attrs.evolve(request, renamed=True) == again
    assert under_other_names(again, fault) is None


@pytest.mark.parametrize(
    ("message", "name"),
    [
        ("missing a required argument: 'vals'", "werkzeug.exceptions.UnprocessableEntity"),
        ("got an unexpected keyword argument 'x'", "werkzeug.exceptions.UnprocessableEntity"),
        ("missing a required argument: 'values'", "builtins.TypeError"),
    ],
)
def test_no_other_name_is_tried_for_another_reason(message, name):
    """Another argument, or another error: the method may have run."""
    assert under_other_names(*refused("write", message, name=name)) is None


def test_answers_and_failures_of_the_network_have_no_other_names():
    """There is nothing to be tried again."""
    request, _ = refused("write", "")
    assert under_other_names(request, Answer(True)) is None
    lost = JSON2.read(1, request, Reply(502, {}, b""), ADDRESS)
    assert isinstance(lost.error, NotOdooError)
    assert under_other_names(request, lost) is None


def test_no_other_name_is_tried_after_a_commit():
    """The same words prove nothing where they were said at the commit: the method has run."""
    debug = "Traceback (most recent call last):\n  ..., in commit\n    self.postcommit.run()\n"
    words = "missing a required argument: 'values'"

    assert under_other_names(*refused("write", words)) is not None
    assert under_other_names(*refused("write", words, debug=debug)) is None


@pytest.mark.parametrize("body", [b"[]", b"[1, 2]"])
def test_a_create_of_one_is_answered_by_one_id(body):
    """Another number of ids is the answer to something else."""
    request = Request("res.partner", "create", [b'{"name":"x"}'], {}, {}, False)

    assert Answer(1) == JSON2.read(1, request, Reply(200, JSON, b"[1]"), ADDRESS)
    assert isinstance(JSON2.read(1, request, Reply(200, JSON, body), ADDRESS).error, NotOdooError)


@pytest.mark.parametrize("method", ["write", "unlink"])
def test_a_method_may_forget_to_return(method):
    """`stock.quant` of 19 has such a write: it was carried out, as over JSON-RPC."""
    request = Request("stock.quant", method, [b"[1]"], {}, {}, False)

    for body, value in ((b"null", None), (b"true", True)):
        assert Answer(value) == JSON2.read(1, request, Reply(200, JSON, body), ADDRESS)
    assert isinstance(JSON2.read(1, request, Reply(200, JSON, b"[]"), ADDRESS).error, NotOdooError)


def test_calls_of_a_web_session():
    """Its cookie is the login; positional arguments stay what they are."""
    login = Login("demo", 2, "session_id=abc", WEB)
    request = Request("res.users", "read", [b"[2]", b'["login"]'], {}, {"lang": "en_US"}, True)

    sent = WEB.request(7, login, request)

    params = {"model": "res.users", "method": "read", "args": [[2], ["login"]]}
    params["kwargs"] = {"context": {"lang": "en_US"}}
    body = {"jsonrpc": "2.0", "method": "call", "id": 7, "params": params}
    assert (body, {"Cookie": "session_id=abc"}) == (json.loads(sent.body), sent.headers)
    opened = json.loads(WEB.begin(8, "demo", "ann", "pw").body)
    assert {"db": "demo", "login": "ann", "password": "pw"} == opened["params"]
    assert {"Cookie": "session_id=abc"} == WEB.end(9, login).headers
    assert not re.search("pw|abc", repr((WEB.begin(8, "demo", "ann", "pw"), login, sent)))


def test_one_stands_for_a_list_of_one():
    """A single id, or the values of a single record, are listed: JSON-2 takes lists only."""
    assert {"ids": b"[7]", "fields": b"7"} == named("m", "read", [b"7", b"7"])
    assert {"vals_list": b'[{"x":1}]'} == named("m", "create", [b'{"x":1}'])
    assert {"ids": b"[7,8]"} == named("m", "unlink", [b"[7,8]"])
