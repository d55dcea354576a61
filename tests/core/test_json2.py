"""A call -> a request; a reply -> a value or a fault: JSON-2, which takes names only."""

import json

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zenoo_rpc import errors
from zenoo_rpc._core.dialect.base import Login
from zenoo_rpc._core.dialect.json2 import JSON2, under_other_names
from zenoo_rpc._core.dialect.shapes import ANSWERS
from zenoo_rpc._core.exchange import Answer, Request
from zenoo_rpc._core.faults import Fault, Proof, Repeat
from zenoo_rpc._core.foreign import Reply
from zenoo_rpc.batch.status import Status
from zenoo_rpc.wire.encoding import encode

ADDRESS = "http://localhost:8069"
JSON = {"content-type": "application/json; charset=utf-8"}
HTML = {"content-type": "text/html; charset=utf-8"}
LOGIN = Login("demo", 2, "KEY", JSON2)
CONTEXT = {"lang": "en_US"}

TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)

REJECTED = Proof.NOT_RUN, Status.REFUSED
SHUT_OUT = Proof.NOT_RUN, Status.NOT_SENT
ROLLED_BACK = Proof.ROLLED_BACK, Status.REFUSED
TURNED_AWAY = Proof.NOT_RUN, Status.NOT_SENT
CONFLICT = Proof.ROLLED_BACK, Status.NOT_SENT
UNKNOWN = Proof.UNKNOWN, Status.UNKNOWN

GOOD = {  # for each method what it answers
    "check_access_rights": [True, False],
    "context_get": [{"lang": "en_US", "tz": False, "uid": 2}],
    "create": [[], [7], [7, 8]],
    "fields_get": [{}, {"name": {"type": "char"}}],
    "load": [{"ids": [7], "messages": [], "nextrow": 0}, {"ids": False, "messages": [{}]}],
    "read": [[], [{"id": 7, "name": "Ann"}]],
    "search": [[], [7, 8]],
    "search_count": [0, 7],
    "search_read": [[], [{"id": 7}]],
    "unlink": [True, None],
    "web_save_multi": [[], [{"id": 7}]],
    "write": [True, None],
}
STRANGE = {"status": "ok"}, {"uid": "2"}, {"ids": [7]}, "Ann", 1.5, [[7]], ["Ann"], [True]


def call(method, *args, **kwargs):
    """Return a call of a partner's method."""
    return Request("res.partner", method, [encode(arg) for arg in args], kwargs, CONTEXT, False)


def read(content, status=200, headers=JSON, request=None):
    """Return what a reply to a request says."""
    return JSON2.read(7, request or call("my_method"), Reply(status, headers, content), ADDRESS)


def refusal(name, message="No.", **more):
    """Return the body of Odoo's error."""
    body = {"name": name, "message": message, "arguments": [message], "context": {}, "debug": "..."}
    return encode({**body, **more})


# -- requests --------------------------------------------------------------------------------------


def test_path_headers_and_body():
    """The path says what is called, the headers who calls and where, the body with what."""
    wire = JSON2.request(7, LOGIN, call("write", [1, 2], {"name": "Zürich"}))

    assert "/json/2/res.partner/write" == wire.path
    assert {"Authorization": "bearer KEY", "X-Odoo-Database": "demo"} == wire.headers
    expected = '{"ids":[1,2],"vals":{"name":"Zürich"},"context":{"lang":"en_US"}}'
    assert expected.encode() == wire.body


def test_no_database():
    """A server that has just one needs no name of it."""
    wire = JSON2.request(7, attrs.evolve(LOGIN, database=""), call("search", []))

    assert {"Authorization": "bearer KEY"} == wire.headers


@given(st.dictionaries(TEXTS, JSON_VALUES, max_size=4), st.dictionaries(TEXTS, JSON_VALUES))
def test_names_go_as_they_are(kwargs, context):
    """Named arguments are the body's, whatever they are called; the context goes beside them."""
    request = attrs.evolve(call("my_method", **kwargs), context=context)

    assert {**kwargs, "context": context} == json.loads(JSON2.request(7, LOGIN, request).body)


@given(JSON_VALUES, JSON_VALUES)
def test_positions_become_names(domain, fields):
    """Positional arguments are given the names that they have on the server."""
    body = json.loads(JSON2.request(7, LOGIN, call("search_read", domain, fields, limit=5)).body)

    assert {"domain": domain, "fields": fields, "limit": 5, "context": CONTEXT} == body


@given(st.text("a./?#%é "), st.text("a./?#%é "))
def test_the_path_is_one_step_for_each(model, method):
    """Whatever is asked for, it names a model and a method, no other place of the server."""
    request = attrs.evolve(call("x"), model=model, method=method)
    path = JSON2.request(7, LOGIN, request).path

    assert path.isascii()
    assert not set("?#") & set(path)
    assert 4 == path.count("/")


@pytest.mark.parametrize("positional", [[], [1]])
def test_unknown_methods_need_names(positional):
    """Where the names are not known it is told to give them; without arguments there are none."""
    request = call("my_method", *positional)
    if positional:
        with pytest.raises(errors.UsageError, match=r"res\.partner\.my_method.*by name only"):
            JSON2.request(7, LOGIN, request)
    else:
        assert b'{"context":{"lang":"en_US"}}' == JSON2.request(7, LOGIN, request).body


# -- other names -----------------------------------------------------------------------------------


def unbound(name):
    """Return the fault of a call whose argument of this name was missing."""
    message = f"missing a required argument: '{name}'"
    return read(refusal("werkzeug.exceptions.UnprocessableEntity", message), 422)


@pytest.mark.parametrize(
    ("request_", "missing", "body"),
    [
        (call("write", [1], {"ref": "x"}), "values", {"ids": [1], "values": {"ref": "x"}}),
        (call("create", [{"ref": "x"}]), "values", {"values": [{"ref": "x"}]}),
    ],
)
def test_other_names_are_tried_once(request_, missing, body):
    """The server names what it misses, and did not run; it goes again so, and no third time."""
    other = under_other_names(request_, unbound(missing))

    assert {**body, "context": CONTEXT} == json.loads(JSON2.request(7, LOGIN, other).body)
    assert None is under_other_names(other, unbound(missing))


@pytest.mark.parametrize(
    "reply",
    [
        Answer(True),
        unbound("vals"),
        unbound("specification"),
        read(refusal("odoo.exceptions.UserError", "missing a required argument: 'values'"), 422),
        read(refusal("werkzeug.exceptions.UnprocessableEntity", "cannot call it with ids"), 422),
        read(b"", 502, HTML),
    ],
)
def test_no_other_names(reply):
    """Any other end of the call may have come after it ran, or is no matter of names."""
    assert None is under_other_names(call("write", [1], {}), reply)


# -- replies ---------------------------------------------------------------------------------------


def test_every_answer_is_tried_here():
    """The table of what methods answer is that of the next tests."""
    assert set(ANSWERS) == set(GOOD)


@pytest.mark.parametrize(("method", "value"), [(m, v) for m in GOOD for v in GOOD[m]])
def test_answer(method, value):
    """The body is the value."""
    assert Answer(value) == read(encode(value), request=call(method))


@pytest.mark.parametrize(("method", "value"), [(m, v) for m in GOOD for v in STRANGE])
def test_the_answer_of_somebody_else(method, value):
    """JSON that the method never returns proves nothing, though the status is 200."""
    if method == "web_save_multi" and isinstance(value, list):
        return  # any list: what it returns depends on what is asked for
    fault = read(encode(value), request=call(method))

    assert UNKNOWN == (fault.proof, fault.status)
    assert errors.NotOdooError is type(fault.error)


@pytest.mark.parametrize("value", [True, None, "Ann", [1, 2], {"a": None}])
def test_a_method_that_is_not_known_answers_anything(value):
    """What it returns cannot be told from what another returns."""
    assert Answer(value) == read(encode(value))


def test_one_record_has_one_id():
    """A create of a mapping gives an id, as JSON-RPC does; of a list, though it be one, a list."""
    one, many = call("create", {"name": "Ann"}), call("create", [{"name": "Ann"}])
    by_name = call("create", vals_list={"name": "Ann"})

    assert Answer(7) == read(b"[7]", request=one) == read(b"[7]", request=by_name)
    assert Answer([7]) == read(b"[7]", request=many)
    assert Answer([7]) == read(b"[7]", request=call("create", vals_list=[{"name": "Ann"}]))


@pytest.mark.parametrize("content", [b"[]", b"[7,8]", b"7", b"true"])
def test_one_record_has_no_other_answer(content):
    """None or several ids for one record: it is not known what became of it."""
    assert Proof.UNKNOWN is read(content, request=call("create", {"name": "Ann"})).proof


@pytest.mark.parametrize(
    ("content", "headers"),
    [
        (b"", {}),
        (b"", JSON),
        (b"true", {}),
        (b"true", HTML),
        (b"<html>Log in</html>", HTML),
        (b"<html>Log in</html>", JSON),
        (b'[{"id": 7', JSON),
        (b"\xff\xfe", JSON),
        (b"[" * 100_000, JSON),
    ],
)
def test_200_without_json(content, headers):
    """A page, an answer cut off, no body: it may have run."""
    fault = read(content, headers=headers)

    assert UNKNOWN == (fault.proof, fault.status)
    assert 200 == fault.error.status


@pytest.mark.parametrize(
    ("status", "name", "proves", "error_class"),
    [
        (422, "odoo.exceptions.UserError", ROLLED_BACK, errors.UserError),
        (422, "odoo.exceptions.ValidationError", ROLLED_BACK, errors.ValidationError),
        (403, "odoo.exceptions.AccessError", ROLLED_BACK, errors.AccessError),
        (404, "odoo.exceptions.MissingError", ROLLED_BACK, errors.MissingError),
        (500, "builtins.ValueError", ROLLED_BACK, errors.ServerError),
        (500, "psycopg2.errors.SerializationFailure", CONFLICT, errors.ConflictError),
        (500, "psycopg2.pool.PoolError", TURNED_AWAY, errors.NotBegunError),
        (500, "psycopg2.OperationalError", UNKNOWN, errors.OutcomeUnknownError),
        (401, "werkzeug.exceptions.Unauthorized", SHUT_OUT, errors.AuthenticationError),
        (403, "odoo.exceptions.AccessDenied", TURNED_AWAY, errors.NotBegunError),
        (400, "werkzeug.exceptions.BadRequest", REJECTED, errors.ServerError),
        (422, "werkzeug.exceptions.UnprocessableEntity", REJECTED, errors.ServerError),
        (404, "werkzeug.exceptions.NotFound", ROLLED_BACK, errors.ServerError),
    ],
)
def test_refusal(status, name, proves, error_class):
    """The name in the body decides, as it does over JSON-RPC; all that was said is kept."""
    fault = read(refusal(name, "No.\n"), status)

    assert proves == (fault.proof, fault.status)
    assert error_class is type(fault.error)
    assert ("No.", name, ("No.\n",), "...") == fault.error.args


def test_a_conflict_may_be_sent_again():
    """A 500 by itself says nothing: the name says that the server gave up on a conflict."""
    fault = read(refusal("psycopg2.errors.SerializationFailure"), 500)

    assert Repeat.ALWAYS is fault.repeat
    assert Repeat.NEVER is read(refusal("builtins.ValueError"), 500).repeat


def test_a_model_that_does_not_exist():
    """It is a UserError, as over JSON-RPC; a method that does not exist is none."""
    words = "the model 'no.such' does not exist"

    fault = read(refusal("werkzeug.exceptions.NotFound", words), 404)

    assert errors.UserError is type(fault.error)
    assert words == str(fault.error)


@pytest.mark.parametrize("status", [502, 503, 504])
@pytest.mark.parametrize("content", [b"<h1>Bad Gateway</h1>", refusal("builtins.ValueError")])
def test_gateways(status, content):
    """What stands between may have given up on a call that runs, whatever it says."""
    fault = read(content, status, JSON if content.startswith(b"{") else HTML)

    assert UNKNOWN == (fault.proof, fault.status)
    assert status == fault.error.status


@pytest.mark.parametrize("content", [b"<h1>Error</h1>", b'{"name": "x"}', b'["name", "message"]'])
def test_500_that_is_not_in_the_form_of_odoo(content):
    """A page, or other JSON: unknown."""
    fault = read(content, 500, HTML if content.startswith(b"<") else JSON)

    assert UNKNOWN == (fault.proof, fault.status)


@pytest.mark.parametrize("status", [400, 401, 403, 405, 415])
@pytest.mark.parametrize("content", [b"<h1>No</h1>", b'{"status": "no"}', b""])
def test_4xx_of_somebody_else(status, content):
    """Who says so may have seen the answer first, as a firewall does: it may have run."""
    fault = read(content, status, HTML if content.startswith(b"<") else JSON)

    assert UNKNOWN == (fault.proof, fault.status)
    assert errors.NotOdooError is type(fault.error)
    assert Repeat.NEVER is fault.repeat


@pytest.mark.parametrize("content", [b"<h1>No</h1>", b'{"status": "no"}', b""])
def test_too_large(content):
    """A proxy measures a call before it passes it on: it did not run, and may go in parts."""
    fault = read(content, 413, HTML if content.startswith(b"<") else JSON)

    assert REJECTED == (fault.proof, fault.status)
    assert errors.TooLargeError is type(fault.error)
    assert fault.may_isolate


@pytest.mark.parametrize("content", [b"<h1>No</h1>", b'{"status": "no"}', b""])
def test_nothing_is_there(content):
    """404 without Odoo's words: its database is away, or a proxy's servers are, by now."""
    fault = read(content, 404, HTML if content.startswith(b"<") else JSON)

    assert UNKNOWN == (fault.proof, fault.status)
    assert errors.NotThereError is type(fault.error)
    assert not fault.may_isolate


@pytest.mark.parametrize(("status", "proves"), [(429, TURNED_AWAY), (503, UNKNOWN)])
def test_busy(status, proves):
    """429 is said before a call is passed on; 503 after it as well, with Retry-After or without."""
    fault = read(b"", status, {"retry-after": "7"})

    assert proves == (fault.proof, fault.status)
    assert 7.0 == fault.error.retry_after


@pytest.mark.parametrize(
    "body",
    [
        *({name: other} for name in ("name", "message", "debug") for other in (None, 7, ["x"])),
        {"name": ""},
        {"debug": ""},
    ],
    ids=repr,
)
@pytest.mark.parametrize("status", [403, 404, 422, 500])
def test_an_error_counts_only_when_it_is_whole(status, body):
    """Without a name, a message and a traceback, each a text, it proves no rollback."""
    whole = refusal("odoo.exceptions.UserError")

    assert Proof.ROLLED_BACK is read(whole, status).proof
    assert Proof.UNKNOWN is read(encode({**json.loads(whole), **body}), status).proof


@pytest.mark.parametrize("name", ["name", "message", "debug"])
def test_an_error_that_lacks_something(name):
    """Nor does one that says less."""
    body = json.loads(refusal("odoo.exceptions.UserError"))
    del body[name]

    assert UNKNOWN == (read(encode(body), 422).proof, read(encode(body), 422).status)


def test_arguments_that_are_no_list():
    """What the exception was made of is kept where it is a list; it proves nothing."""
    fault = read(refusal("odoo.exceptions.UserError", arguments="no list"), 422)

    assert (Proof.ROLLED_BACK, ()) == (fault.proof, fault.error.arguments)


@settings(max_examples=300)
@given(
    st.integers(100, 599),
    st.sampled_from([{}, JSON, HTML, {"retry-after": "5"}, {"location": "/web"}]),
    st.binary(max_size=30)
    | JSON_VALUES.map(encode)
    | st.builds(refusal, JSON_VALUES, JSON_VALUES, arguments=JSON_VALUES),
    st.sampled_from([*ANSWERS, "my_method"]),
    st.booleans(),
)
def test_any_reply_is_read(status, headers, content, method, single):
    """Whatever a server sends is a value or a fault, never an exception; only 200 is a value."""
    values = {"name": "Ann"} if single else [{"name": "Ann"}]
    outcome = read(content, status, headers, call(method, values))

    assert isinstance(outcome, Answer | Fault)
    assert 200 == status or isinstance(outcome, Fault)


@given(st.sampled_from([400, 401, 403, 404, 422, 500]), st.sampled_from([*ANSWERS, "my_method"]))
def test_a_refusal_is_no_answer(status, method):
    """What has the form of an error is one for any method, and never repeated as it is."""
    fault = read(refusal("odoo.exceptions.UserError"), status, request=call(method))

    assert errors.UserError is type(fault.error)
    assert Repeat.NEVER is fault.repeat
