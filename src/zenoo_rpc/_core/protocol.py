"""A call -> a request; a reply -> a value or a fault: JSON-RPC, and JSON-2, which Odoo 19 brought.

Each dialect is one class; nothing else knows which one is spoken.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any, TypeGuard
from urllib.parse import quote

import attrs

from ..batch.results import Status
from ..errors import OdooError, ServerError, UsageError, ZenooError
from ..wire.encoding import array, decode, encode, is_header
from .faults import ODOO, ODOO_JSON2, UNPROCESSABLE, Fault, Proof, Rule, odoo_fault
from .foreign import Reply, foreign
from .named import OTHER_NAMES, named

PATH = "/jsonrpc"
WEB_LOGIN = "/web/session/authenticate"
WEB_LOGOUT = "/web/session/destroy"
WEB_CALL = "/web/dataset/call_kw"
VERSION_PATH = "/json/version"  # asks for no login, and leaves no line in the server's log (19)
CONTENT_TYPE = "application/json"
JSON2_SINCE = 19


@attrs.frozen
class Answer:
    """The value that a call brought; *maybe_applied* as in `Fault`.

    *after_conflict* says that somebody else was at work on the same records in an earlier try.
    """

    value: Any
    maybe_applied: bool = False
    after_conflict: bool = False

    def seen_after(self, unknown: Fault | None, *, conflict: bool = False) -> Answer:
        """Return the same value, when earlier tries ended as *unknown*, or in a *conflict*."""
        if unknown is None and not conflict:
            return self
        return attrs.evolve(self, maybe_applied=unknown is not None, after_conflict=conflict)


Ending = tuple[Status, ZenooError | None]
Listener = Callable[[Sequence[Ending]], None]  # hears what became of a call's records, in order


@attrs.frozen
class HeldBack(Answer):
    """The answer to a call that waits for the end of its transaction; *listeners* hear of it."""

    listeners: list[Listener] = attrs.field(factory=list, kw_only=True, eq=False, repr=False)


@attrs.frozen
class Request:
    """A call of a model's method: each of *args* is JSON already, *kwargs* and *context* are not.

    An *idempotent* one may be carried out twice without harm; *places* are those of its records in
    a batch. One that is *renamed* gives its arguments their other names (see `named`).
    """

    model: str
    method: str
    args: Sequence[bytes] = attrs.field(repr=False)
    kwargs: Mapping[str, object] = attrs.field(repr=False)
    context: Mapping[str, object] = attrs.field(repr=False)
    idempotent: bool
    places: Sequence[int] = attrs.field(default=(), repr=False)
    renamed: bool = False


@attrs.frozen
class Wire:
    """What is sent: a *path*, a *body*, and *headers* beside the usual ones."""

    path: str
    body: bytes = attrs.field(repr=False)
    headers: Mapping[str, str] = attrs.field(factory=dict, repr=False)


class JsonRpc:
    """JSON-RPC: one path, positional arguments, the login in each call.

    Source: Odoo answers `/jsonrpc` with 200, the same `id`, and `error.data` in case of an error;
    `result` is absent when the method returned None (14 and 19).
    """

    name = "jsonrpc"

    def request(self, number: int, login: Login, request: Request) -> Wire:
        """Return what makes a call of a model's method."""
        who = (login.database, login.uid, login.password, request.model, request.method)
        kwargs = encode({**request.kwargs, "context": request.context})
        args = array([*map(encode, who), array(request.args), kwargs])
        return self.service(number, "object", "execute_kw", args)

    def service(self, number: int, service: str, method: str, args: bytes) -> Wire:
        """Return what calls a *service* (`common`, `object`, `db`); *args* is a JSON array."""
        params = b'{"service":%b,"method":%b,"args":%b}' % (encode(service), encode(method), args)
        return Wire(PATH, _envelope(number, params))

    def read(
        self, number: int, request: Request | None, reply: Reply, address: str
    ) -> Answer | Fault:
        """Return what the reply to request *number* says."""
        body = _json_object(reply.content)
        if body is not None and body.get("jsonrpc") == "2.0":
            error = body.get("error")
            data = error.get("data") if isinstance(error, dict) else None
            if reply.status == 200 and _is_error(data) and "result" not in body:
                if _is_ours(body, number) or _is_without_id(body, data):
                    return _odoo_error(data, ODOO)
            elif error is None and reply.status == 200 and _is_ours(body, number):
                return Answer(body.get("result"))
        return foreign(reply, address)


class WebSession(JsonRpc):
    """JSON-RPC as the web client speaks it: a session's cookie is the login (19).

    Source: `addons/web/controllers/{session,dataset}.py`.
    """

    name = "web"

    def request(self, number: int, login: Login, request: Request) -> Wire:
        """Return what makes a call of a model's method."""
        kwargs = encode({**request.kwargs, "context": request.context})
        what = (encode(request.model), encode(request.method), array(request.args), kwargs)
        params = b'{"model":%b,"method":%b,"args":%b,"kwargs":%b}' % what
        return Wire(WEB_CALL, _envelope(number, params), {"Cookie": login.password})

    def begin(self, number: int, database: str, username: str, password: str) -> Wire:
        """Return what opens a session."""
        params = encode({"db": database, "login": username, "password": password})
        return Wire(WEB_LOGIN, _envelope(number, params))

    def end(self, number: int, login: Login) -> Wire:
        """Return what ends a session."""
        return Wire(WEB_LOGOUT, _envelope(number, b"{}"), {"Cookie": login.password})


class Json2:
    """JSON-2: a path for each method, named arguments, a key in a header, the bare value.

    Source: Odoo 19 answers an error by its status and a body with `name`, `message`, `arguments`
    and `debug`; `create` always answers a list.
    """

    name = "json2"

    def request(self, number: int, login: Login, request: Request) -> Wire:
        """Return what makes a call of a model's method; UsageError if its arguments have no names.

        *number* is not sent.
        """
        own = {name: encode(value) for name, value in request.kwargs.items()}
        arguments = {**named(request.model, request.method, request.args), **own}
        if request.renamed:
            arguments = {OTHER_NAMES.get(name, name): part for name, part in arguments.items()}
        arguments["context"] = encode(request.context)
        body = b"{%b}" % b",".join(b"%b:%b" % (encode(n), part) for n, part in arguments.items())
        headers = {"Authorization": f"bearer {login.password}"}
        if login.database:
            if not is_header(login.database):
                raise UsageError("JSON-2 takes names of databases in ASCII characters only")
            headers["X-Odoo-Database"] = login.database
        path = "/".join(quote(part, safe="") for part in (request.model, request.method))
        return Wire(f"/json/2/{path}", body, headers)

    def read(
        self, number: int, request: Request | None, reply: Reply, address: str
    ) -> Answer | Fault:
        """Return what the reply to a request says; an answer that is not the method's is none."""
        media_type = reply.headers.get("content-type", "").partition(";")[0]
        body: Any = _NOTHING
        if media_type == CONTENT_TYPE:
            with suppress(ValueError, RecursionError):
                body = decode(reply.content)
        if reply.status == 200 and request is not None and _is_answer(request.method, body):
            if not _is_single(request):
                return Answer(body)
            if len(body) == 1:
                return Answer(body[0])
        if 400 <= reply.status <= 500 and _is_error(body):
            return _odoo_error(body, ODOO_JSON2)
        return foreign(reply, address)


def under_other_names(request: Request, reply: Answer | Fault) -> Request | None:
    """Return the call with the other names of its arguments, if these did not bind.

    Such a call did not run. None where there are none, or they were tried.
    """
    if request.renamed or not isinstance(reply, Fault) or not isinstance(reply.error, OdooError):
        return None
    missing = NOT_BOUND.search(reply.error.message)
    if reply.proof is not Proof.NOT_RUN or reply.error.name != UNPROCESSABLE or missing is None:
        return None
    return attrs.evolve(request, renamed=True) if missing[1] in OTHER_NAMES.values() else None


NOT_BOUND = re.compile(r"^missing a required argument: '(\w+)'$")
_NOTHING = object()


def _is_ids(body: object) -> bool:
    return isinstance(body, list) and all(type(each) is int for each in body)


def _is_rows(body: object) -> bool:
    return isinstance(body, list) and all(isinstance(each, dict) for each in body)


def _is_description(body: object) -> bool:
    return isinstance(body, dict) and _is_rows(list(body.values()))


def _is_loaded(body: object) -> bool:
    return isinstance(body, dict) and {"ids", "messages"} <= body.keys()


def _is_context(body: object) -> bool:
    return isinstance(body, dict) and type(body.get("uid")) is int


def _is_done(body: object) -> bool:
    # An addon's own may forget to return (`stock.quant.write` of 19 does).
    return body is None or isinstance(body, bool)


# What these methods answer; anything else is the answer of somebody else.
ANSWERS: Mapping[str, Callable[[object], bool]] = {
    "check_access_rights": _is_done,
    "context_get": _is_context,
    "create": _is_ids,
    "fields_get": _is_description,
    "load": _is_loaded,
    "read": _is_rows,
    "search": _is_ids,
    "search_count": lambda body: type(body) is int,
    "search_read": _is_rows,
    "unlink": _is_done,
    "web_save_multi": lambda body: isinstance(body, list),
    "write": _is_done,
}


def _is_answer(method: str, body: object) -> bool:
    is_answer = ANSWERS.get(method)
    return body is not _NOTHING and (is_answer is None or is_answer(body))


def _is_single(request: Request) -> bool:
    """Whether a create was given the values of one record, whose id is the answer."""
    first = request.args[0] if request.args else encode(request.kwargs.get("vals_list", []))
    return request.method == "create" and first.startswith(b"{")


Dialect = JsonRpc | Json2
JSONRPC, JSON2, WEB = JsonRpc(), Json2(), WebSession()


@attrs.frozen
class Login:
    """Who calls, and how: *password* may be a key, or the cookie of a session."""

    database: str
    uid: int
    password: str = attrs.field(repr=False)
    dialect: Dialect = attrs.field(default=JSONRPC, repr=lambda dialect: dialect.name)


def value_of(answer: Answer | Fault) -> Any:
    """Return the value that a call brought, or raise the exception that tells why it did not."""
    if isinstance(answer, Fault):
        raise answer.error
    return answer.value


def checked(method: str, value: Any, kind: type | None = None) -> Any:
    """Return what *method* answered; ServerError, which does not quote it, if it is no answer.

    It is one if it is of the *kind*, or else of the kind that all such answers are.
    """
    if isinstance(value, kind) if kind else _is_answer(method, value):
        return value
    raise ServerError(
        f"what came is no answer to {method}: is there something else that answers in Odoo's place?"
    )


def needs_session(version: Mapping[str, Any]) -> bool:
    """Return whether calls need a session that names the database, by what `version` answered.

    Before 16, a server that shows several databases answers every *error* of a call without one
    by an HTML page with status 500 (`odoo/http.py` of 14, `_dispatch_nodb`; seen on 14).
    """
    return major(version) < 16


def major(version: Mapping[str, Any]) -> int:
    """Return the number of the release, by what `version` answered; 0 if it is not told."""
    info = version.get("server_version_info") or [0]
    number = re.search(r"\d+", str(info[0]))  # "saas~18" is one too
    return int(number[0]) if number else 0


def json_version(reply: Reply | Fault) -> dict[str, Any]:
    """Return what `/json/version` told, as `common.version` would; empty if it told nothing."""
    body = _json_object(reply.content) if isinstance(reply, Reply) and reply.status == 200 else None
    if body is None or not isinstance(body.get("version_info"), list):
        return {}
    return {"server_version": body.get("version"), "server_version_info": body["version_info"]}


def session_path(database: str) -> str:
    """Return the path that answers with a session for *database*; it asks for no login."""
    return f"/web?db={quote(database, safe='')}"


def session_cookie(reply: Reply | Fault) -> str:
    """Return the session's cookie, empty when there is none to be had."""
    if isinstance(reply, Fault):
        return ""
    cookies = reply.headers.get("set-cookie", "")
    match = re.search(r"\bsession_id=[\w-]+", cookies)
    return match[0] if match else ""


def _envelope(number: int, params: bytes) -> bytes:
    return b'{"jsonrpc":"2.0","method":"call","id":%d,"params":%b}' % (number, params)


def _json_object(content: bytes) -> dict[str, Any] | None:
    try:
        body = decode(content)
    except (ValueError, RecursionError):
        return None
    return body if isinstance(body, dict) else None


def _is_ours(body: Mapping[str, Any], number: int) -> bool:
    """Whether an answer has the number that we asked with; `true` would be equal to 1."""
    return type(body.get("id")) is int and body["id"] == number


# 19 measures a body before it reads it, and so cannot know its `id`.
TOO_LARGE = "werkzeug.exceptions.RequestEntityTooLarge"


def _is_without_id(body: Mapping[str, Any], data: Mapping[str, Any]) -> bool:
    return body.get("id") is None and data["name"] == TOO_LARGE


def _is_error(data: object) -> TypeGuard[dict[str, Any]]:
    """Whether it is an error as Odoo tells it: whole, with a traceback (14 and 19, always)."""
    if not isinstance(data, dict) or not data.get("name") or not data.get("debug"):
        return False
    return all(isinstance(data.get(name), str) for name in ("name", "message", "debug"))


def _odoo_error(data: dict[str, Any], table: Mapping[str, Rule]) -> Fault:
    arguments = data.get("arguments")
    arguments = tuple(arguments) if isinstance(arguments, list) else ()
    return odoo_fault(data["name"], data["message"], arguments, data["debug"], table)
