"""A call -> a request; a reply -> a value or a fault: JSON-RPC. JSON-2: see test_json2.py."""

import json
from urllib.parse import urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zenoo_rpc import Status, errors
from zenoo_rpc._core.dialect.base import Login, major
from zenoo_rpc._core.dialect.json2 import JSON2, json_version
from zenoo_rpc._core.dialect.jsonrpc import JSONRPC, needs_session, session_cookie, session_path
from zenoo_rpc._core.exchange import Answer, Request, value_of
from zenoo_rpc._core.faults import Fault, Kind, Proof, transport_fault
from zenoo_rpc._core.foreign import Reply
from zenoo_rpc.wire.encoding import array, encode

ADDRESS = "http://localhost:8069"
JSON = {"content-type": "application/json; charset=utf-8"}
HTML = {"content-type": "text/html; charset=utf-8"}

# As 19 and 14 say it (recorded): the code and the order of the keys differ.
REFUSAL_19 = (
    b'{"jsonrpc": "2.0", "id": 7, "error": {"code": 0, "message": "Odoo Server Error", "data": '
    b'{"name": "odoo.exceptions.ValidationError", "message": "The operation cannot be completed: '
    b'Contacts require a name", "arguments": ["The operation cannot be completed: Contacts require '
    b'a name"], "context": {}, "debug": "Traceback (most recent call last):\\n  ..."}}}'
)
REFUSAL_14 = (
    b'{"jsonrpc": "2.0", "id": 7, "error": {"code": 200, "message": "Odoo Server Error", "data": '
    b'{"name": "odoo.exceptions.ValidationError", "debug": "Traceback (most recent call last):\\n  '
    b'...", "message": "res_partner_check_name", "arguments": ["res_partner_check_name"], '
    b'"context": {}}}}'
)
TOO_LARGE_19 = (
    b'{"jsonrpc": "2.0", "id": null, "error": {"code": 0, "message": "Odoo Server Error", "data": '
    b'{"name": "werkzeug.exceptions.RequestEntityTooLarge", "message": "413 Request Entity Too '
    b'Large: The data value transmitted exceeds the capacity limit.", "arguments": [], '
    b'"context": {}, "debug": "Traceback (most recent call last):\\n  ..."}}}'
)
NO_PAGE_14 = (
    b'{"jsonrpc": "2.0", "id": null, "error": {"code": 404, "message": "404: Not Found", "data": '
    b'{"name": "werkzeug.exceptions.NotFound", "message": "404 Not Found", "arguments": [], '
    b'"debug": "Traceback (most recent call last):\\n  ..."}}}'
)
ERROR_PAGE = b"<!doctype html>\n<html lang=en>\n<title>500 Internal Server Error</title>"


def read(content, status=200, headers=JSON, number=7):
    return JSONRPC.read(number, None, Reply(status, headers, content), ADDRESS)


def reply_with(**body):
    return json.dumps({"jsonrpc": "2.0", "id": 7, **body}).encode()


# -- requests --------------------------------------------------------------------------------------

TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | TEXTS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text('äb"\\'), inner, max_size=3)
    ),
    max_leaves=6,
)


@given(st.integers(1, 2**53), st.text('äb"\\%'), st.text('äb"\\%'), st.lists(JSON_VALUES))
def test_service_request(number, service, method, args):
    """The body is the JSON-RPC that Odoo documents, with the arguments as they were given."""
    expected = {
        "jsonrpc": "2.0",
        "method": "call",
        "id": number,
        "params": {"service": service, "method": method, "args": args},
    }

    wire = JSONRPC.service(number, service, method, encode(args))

    assert ("/jsonrpc", {}) == (wire.path, wire.headers)
    assert expected == json.loads(wire.body)


@given(
    st.builds(
        Login,
        st.text('dä"%', min_size=1),
        st.integers(1, 99),
        st.text('pä"\\%'),
        st.just(JSONRPC),
    ),
    st.lists(JSON_VALUES, max_size=3),
    st.dictionaries(st.text("ab"), JSON_VALUES, max_size=3),
)
def test_model_request(login, args, kwargs):
    """A call of a model's method says who calls, then what."""
    context = {"lang": "en_US"}
    request = Request(
        "res.partner", "create", [encode(arg) for arg in args], kwargs, context, False
    )

    wire = JSONRPC.request(7, login, request)

    assert ("/jsonrpc", {}) == (wire.path, wire.headers)
    params = json.loads(wire.body)["params"]
    who = [login.database, login.uid, login.password, "res.partner", "create"]
    assert {
        "service": "object",
        "method": "execute_kw",
        "args": [*who, args, {**kwargs, "context": context}],
    } == params


def test_encode_is_compact_utf8():
    """Bytes on the wire are few: no blanks, no escapes for what UTF-8 can say."""
    assert '{"name":"Zürich","ids":[1,2]}'.encode() == encode({"name": "Zürich", "ids": [1, 2]})


@given(st.lists(JSON_VALUES, max_size=4))
def test_array(items):
    """An array of encoded items is the encoded list."""
    assert encode(items) == array(map(encode, items))


# -- replies ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b'{"jsonrpc": "2.0", "id": 7, "result": [6, 7, 8]}', [6, 7, 8]),
        (b'{"jsonrpc": "2.0", "id": 7, "result": true}', True),
        (b'{"jsonrpc": "2.0", "id": 7, "result": false}', False),
        (b'{"jsonrpc": "2.0", "id": 7, "result": null}', None),
        (b'{"jsonrpc": "2.0", "id": 7}', None),
        (b'{"jsonrpc": "2.0", "id": 7, "result": 1, "error": null}', 1),
        ('{"jsonrpc": "2.0", "id": 7, "result": "Zürich"}'.encode(), "Zürich"),
    ],
)
def test_answer(content, expected):
    """A result is the answer; a method that returned None sends no result at all."""
    assert Answer(expected) == read(content)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (REFUSAL_19, "The operation cannot be completed: Contacts require a name"),
        (REFUSAL_14, "res_partner_check_name"),
    ],
    ids=["19", "14"],
)
def test_refusal(content, message):
    """Odoo's error answer is a fault that ran and was rolled back, with all the server said."""
    fault = read(content)

    assert Proof.ROLLED_BACK is fault.proof
    assert errors.ValidationError is type(fault.error)
    assert message == str(fault.error)
    assert "odoo.exceptions.ValidationError" == fault.error.name
    assert (message,) == fault.error.arguments
    assert fault.error.debug.startswith("Traceback (most recent call last)")


def test_refusal_without_id():
    """Only of a body that was too large can 19 not tell the id; any other error has ours."""
    fault = read(TOO_LARGE_19)

    assert Proof.ROLLED_BACK is fault.proof
    assert "werkzeug.exceptions.RequestEntityTooLarge" == fault.error.name
    assert fault.may_isolate
    assert Proof.UNKNOWN is read(TOO_LARGE_19.replace(b": null", b": 8")).proof


DATA = {
    "name": "odoo.exceptions.ValidationError",
    "message": "No.",
    "arguments": ["No."],
    "context": {},
    "debug": "Traceback (most recent call last):\n  ...",
}
TEXTS_OF_IT = ("name", "message", "debug")


def without(*names):
    return {name: each for name, each in DATA.items() if name not in names}


@pytest.mark.parametrize(
    "data",
    [
        {},
        *(without(name) for name in TEXTS_OF_IT),
        *({**DATA, name: other} for name in TEXTS_OF_IT for other in (None, 7, ["x"])),
        {**DATA, "name": ""},
        {**DATA, "debug": ""},
    ],
    ids=repr,
)
def test_an_error_counts_only_when_it_is_whole(data):
    """Without a name, a message and a traceback, each a text, it proves no rollback."""
    fault = read(reply_with(error={"code": 0, "message": "Odoo Server Error", "data": data}))

    assert Proof.UNKNOWN is fault.proof
    assert errors.NotOdooError is type(fault.error)


@pytest.mark.parametrize(
    "data",
    [without("arguments", "context"), {**DATA, "arguments": "no list"}, {**DATA, "message": ""}],
    ids=repr,
)
def test_what_an_error_may_lack(data):
    """An exception may have been made without words; what it was made of proves nothing."""
    fault = read(reply_with(error={"data": data}))

    assert Proof.ROLLED_BACK is fault.proof
    assert errors.ValidationError is type(fault.error)


def test_a_true_id_is_not_the_first():
    """`true` equals 1 for Python, but Odoo sends back the number that it got."""
    reply = b'{"jsonrpc": "2.0", "id": true, "result": [7]}'

    assert Proof.UNKNOWN is read(reply, number=1).proof
    assert Answer([7]) == read(reply.replace(b"true", b"1"), number=1)


@pytest.mark.parametrize(
    ("content", "headers"),
    [
        pytest.param(b"", {}, id="empty"),
        pytest.param(b"", JSON, id="empty JSON"),
        pytest.param(b"<html>Log in</html>", HTML, id="page"),
        pytest.param(b'{"jsonrpc": "2.0", "id": 7, "result": [6, 7', JSON, id="cut off"),
        pytest.param(b"\xff\xfe", JSON, id="no text"),
        pytest.param(b"[" * 100_000, JSON, id="nested too deeply"),
        pytest.param(b"[1, 2]", JSON, id="list"),
        pytest.param(b'"ok"', JSON, id="text"),
        pytest.param(b"null", JSON, id="null"),
        pytest.param(b'{"status": "pass"}', JSON, id="no JSON-RPC"),
        pytest.param(b'{"jsonrpc": "1.0", "id": 7, "result": 1}', JSON, id="JSON-RPC 1"),
        pytest.param(b'{"jsonrpc": "2.0", "id": 8, "result": 1}', JSON, id="another's result"),
        pytest.param(b'{"jsonrpc": "2.0", "id": null, "result": 1}', JSON, id="nobody's result"),
        pytest.param(b'{"jsonrpc": "2.0", "result": 1}', JSON, id="result without id"),
        pytest.param(REFUSAL_19.replace(b": 7", b": 8"), JSON, id="another's error"),
        pytest.param(REFUSAL_19.replace(b": 7", b": null"), JSON, id="nobody's error"),
        pytest.param(REFUSAL_19.replace(b": 7", b': "7"'), JSON, id="error with a strange id"),
        pytest.param(REFUSAL_19.replace(b'"id": 7, ', b""), JSON, id="error without id"),
        pytest.param(
            REFUSAL_19.replace(b": 7", b': 7, "result": true'), JSON, id="error beside a result"
        ),
        pytest.param(
            REFUSAL_19.replace(b": 7", b': 7, "result": null'), JSON, id="error beside no result"
        ),
        pytest.param(reply_with(error="no"), JSON, id="error of text"),
        pytest.param(reply_with(error={"message": "no"}), JSON, id="error without data"),
        pytest.param(reply_with(error={"data": "no"}), JSON, id="error with other data"),
        pytest.param(reply_with(error={}), JSON, id="empty error"),
    ],
)
def test_well_formed_is_another_thing(content, headers):
    """HTTP 200 without a well-formed answer to this very call proves nothing."""
    fault = read(content, headers=headers)

    assert Proof.UNKNOWN is fault.proof
    assert errors.NotOdooError is type(fault.error)
    assert 200 == fault.error.status


@pytest.mark.parametrize("status", [500, 502, 504, 503, 520])
@pytest.mark.parametrize("content", [ERROR_PAGE, b"", REFUSAL_19], ids=["page", "empty", "error"])
def test_server_or_gateway_error(status, content):
    """A 5xx may have been answered while, or after, the call ran: unknown."""
    fault = read(content, status, HTML)

    assert Proof.UNKNOWN is fault.proof
    assert (errors.NotOdooError if status == 500 else errors.GatewayError) is type(fault.error)
    assert status == fault.error.status


@pytest.mark.parametrize(
    ("status", "content", "headers"),
    [
        pytest.param(400, b"Invalid JSON-RPC data", HTML, id="400"),
        pytest.param(401, b"", {}, id="401"),
        pytest.param(403, b"<html>Forbidden</html>", HTML, id="403"),
        pytest.param(404, b"<title>404 Not Found</title>", HTML, id="404"),
        pytest.param(404, NO_PAGE_14, JSON, id="404 of 14"),
        pytest.param(405, b"", {}, id="405"),
        pytest.param(408, b"<html>Request Time-out</html>", HTML, id="408"),
        pytest.param(415, b"<title>415 Unsupported Media Type</title>", HTML, id="415"),
    ],
)
def test_4xx_of_somebody_else(status, content, headers):
    """A firewall may say so of the answer, a router of a server that is gone: unknown."""
    special = {404: errors.NotThereError, 408: errors.GatewayError}

    fault = read(content, status, headers)

    assert (Proof.UNKNOWN, Status.UNKNOWN) == (fault.proof, fault.status)
    assert special.get(status, errors.NotOdooError) is type(fault.error)
    assert status == fault.error.status


def test_too_large_may_be_halved():
    """A body that was too large (413) did not run and may go again in two; no other 4xx may."""
    fault = read(b"<html>Request Entity Too Large</html>", 413, HTML)

    assert (Proof.NOT_RUN, Status.REFUSED, True) == (fault.proof, fault.status, fault.may_isolate)
    assert errors.TooLargeError is type(fault.error)
    assert 413 == fault.error.status
    assert not read(b"", 404, HTML).may_isolate


@pytest.mark.parametrize(
    ("status", "headers", "seconds"),
    [
        (429, {}, None),
        (429, {"retry-after": "30"}, 30.0),
        (503, {}, None),
        (503, {"retry-after": "0"}, 0.0),
        (503, {"retry-after": "Wed, 21 Oct 2026 07:28:00 GMT"}, None),
        (429, {"retry-after": "-1"}, None),
    ],
)
def test_busy(status, headers, seconds):
    """429 turned the request away, 503 may have come afterwards; the wish in seconds is kept."""
    fault = read(b"<html>Slow down</html>", status, headers)

    busy = status == 429
    assert (Proof.NOT_RUN if busy else Proof.UNKNOWN) is fault.proof
    assert (errors.ServerBusyError if busy else errors.GatewayError) is type(fault.error)
    assert seconds == fault.error.retry_after
    assert f"HTTP {status}, no known content type" == fault.error.detail


@pytest.mark.parametrize(
    ("location", "where"),
    [
        (f"{ADDRESS.replace('http', 'https')}/web?token=hunter2", "https://"),
        ("/web/login/hunter2", "http://"),
        ("//hunter2.example.com/web", "another host"),
        ("https://hunter2.example.com", "another host"),
        ("http://[hunter2", "no address"),
        ("hunter2:secret", "another scheme"),
    ],
)
def test_redirect_says_where_to(location, where):
    """A redirect is not followed; the error tells where it leads, if that is a host of ours."""
    fault = read(b"", 301, {"location": location})

    where += urlsplit(ADDRESS).hostname if where.endswith("//") else ""
    assert f"HTTP 301, no known content type, moved to {where}" == fault.error.detail


@pytest.mark.parametrize("told", ["hunter2", "text/hunter2", "{}", "", "application/hunter2+json"])
def test_what_is_no_media_type_is_not_told(told):
    """An answer may echo what was sent, in its headers too."""
    fault = read(b"", 500, {"content-type": told})

    assert "HTTP 500, no known content type" == fault.error.detail


def test_redirect_to_nowhere():
    """A redirect without a target says what it is."""
    assert "HTTP 302, text/html" == read(b"", 302, HTML).error.detail


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirect_proves_nothing(status):
    """Where a redirect came from cannot be told, so it is not taken for `not run`."""
    assert Proof.UNKNOWN is read(b"", status, {"location": "https://localhost/"}).proof


@settings(max_examples=200)
@given(
    st.integers(100, 599),
    st.sampled_from([{}, JSON, HTML, {"retry-after": "5"}, {"location": "/web"}]),
    st.binary(max_size=30)
    | st.builds(reply_with, result=JSON_VALUES)
    | JSON_VALUES.map(encode)
    | st.fixed_dictionaries(
        {}, optional={"id": JSON_VALUES, "result": JSON_VALUES, "error": JSON_VALUES}
    ).map(lambda body: encode({"jsonrpc": "2.0", **body})),
)
def test_any_reply_is_read(status, headers, content):
    """Whatever a server sends is a value or a fault, never an exception; only 200 is a value."""
    outcome = read(content, status, headers)

    assert isinstance(outcome, Answer | Fault)
    assert 200 == status or isinstance(outcome, Fault)


def test_value_of_an_answer():
    """An answer's value is returned, a fault's exception raised."""
    fault = transport_fault(Kind.CLOSED, ADDRESS)

    assert [7] == value_of(Answer([7]))
    with pytest.raises(errors.NoAnswerError) as caught:
        value_of(fault)
    assert fault.error is caught.value


# -- sessions: only what needs one asks for one ----------------------------------------------------


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        ({"server_version_info": [14, 0, 0, "final", 0, ""]}, True),
        ({"server_version_info": [15, 0, 0, "final", 0, ""]}, True),
        ({"server_version_info": [16, 0, 0, "final", 0, ""]}, False),
        ({"server_version_info": [19, 0, 0, "final", 0, "e"]}, False),
        ({"server_version_info": ["saas~18", 3, 0, "final", 0, "e"]}, False),
        ({"server_version_info": []}, True),
        ({}, True),
    ],
)
def test_needs_session(version, expected):
    """Servers before 16 need a session to tell their errors; one that says nothing may be such."""
    assert expected is needs_session(version)


def test_session_path():
    """The database is one value of the query, whatever its name is."""
    assert "/web?db=demo" == session_path("demo")
    assert "/web?db=a%26b%2Fc%3Dd%20e" == session_path("a&b/c=d e")


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"set-cookie": "session_id=3f0c-aB_9; Expires=Thu; Path=/"}, "session_id=3f0c-aB_9"),
        ({"set-cookie": "lang=de_CH; Path=/, session_id=3f0c; Path=/"}, "session_id=3f0c"),
        ({"set-cookie": "lang=de_CH; Path=/"}, ""),
        ({"set-cookie": "other_session_id=3f0c"}, ""),
        ({}, ""),
    ],
)
def test_session_cookie(headers, expected):
    """The session's cookie is taken from the others; there may be none."""
    assert expected == session_cookie(Reply(303, headers, b""))


def test_no_session_cookie_without_a_reply():
    """Where no reply came there is no cookie either."""
    assert "" == session_cookie(transport_fault(Kind.CLOSED, ADDRESS))


# -- versions --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("info", "expected"),
    [([14, 0, 0, "final", 0, ""], 14), (["saas~18", 3], 18), (["master"], 0), ([], 0)],
)
def test_major(info, expected):
    """The number of a release, also of one that Odoo Online has between two; 0 for none."""
    assert expected == major({"server_version_info": info})
    assert 0 == major({})


def test_json_version():
    """What `/json/version` tells has the form of what `common.version` tells."""
    content = b'{"version_info": [19, 0, 0, "final", 0, ""], "version": "19.0"}'

    version = json_version(Reply(200, JSON, content))

    assert {
        "server_version": "19.0",
        "server_version_info": [19, 0, 0, "final", 0, ""],
    } == version


@pytest.mark.parametrize(
    "reply",
    [
        Reply(404, HTML, b"<h1>Not Found</h1>"),
        Reply(404, JSON, b'{"version_info": [19]}'),
        Reply(200, HTML, b"<h1>Odoo</h1>"),
        Reply(200, JSON, b"[19]"),
        Reply(200, JSON, b'{"version_info": "19"}'),
        transport_fault(Kind.CLOSED, ADDRESS),
    ],
)
def test_no_json_version(reply):
    """A server before 19 has no such page, and answers with something else."""
    assert {} == json_version(reply)


# -- secrets ---------------------------------------------------------------------------------------


def test_login_hides_the_password():
    """A login's text does not show the password."""
    login = Login("demo", 2, "hunter2", JSONRPC)

    assert "Login(database='demo', uid=2, dialect=jsonrpc)" == repr(login)
    assert "hunter2" not in str(login)


@pytest.mark.parametrize("dialect", [JSONRPC, JSON2], ids=lambda dialect: dialect.name)
def test_what_is_sent_hides_login_and_values(dialect):
    """Neither a request nor what is made of it shows who calls, or with what."""
    values = [{"name": "Ann"}]
    request = Request("res.partner", "create", [encode(values)], {}, {"mark": "Ann"}, False)

    wire = dialect.request(7, Login("demo", 2, "hunter2", dialect), request)

    for text in (repr(request), repr(wire), str(wire)):
        assert "hunter2" not in text
        assert "Ann" not in text


def test_reply_hides_the_content():
    """A reply's text does not show what it holds."""
    assert "Ann" not in repr(Reply(200, JSON, b'{"result": [{"name": "Ann"}]}'))


def test_fault_hides_the_content():
    """The error about a foreign answer does not quote it."""
    fault = read(b"<html>Dear Ann</html>", 500, HTML)

    assert "Ann" not in str(fault.error)
    assert "Ann" not in repr(fault)
