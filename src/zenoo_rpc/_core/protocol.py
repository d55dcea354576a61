"""A call -> the body of a request; a reply -> a value or a fault. JSON-RPC."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import quote

import attrs

from .faults import Fault, Kind, odoo_fault, transport_fault

PATH = "/jsonrpc"
CONTENT_TYPE = "application/json"


@attrs.frozen
class Answer:
    """The value that a call brought; *after_unknown* as in `Fault`."""

    value: Any
    after_unknown: bool = False

    def seen_after(self, unknown: Fault | None) -> Answer:
        """Return the same value, when an earlier try ended as *unknown*."""
        return self if unknown is None else attrs.evolve(self, after_unknown=True)


@attrs.frozen
class Reply:
    """An HTTP answer as it came: *headers* with names in lower case."""

    status: int
    headers: Mapping[str, str]
    content: bytes = attrs.field(repr=False)


@attrs.frozen
class Login:
    """Who calls: the first three arguments of every call."""

    database: str
    uid: int
    password: str = attrs.field(repr=False)


@attrs.frozen
class Request:
    """A call of a model's method: each of *args* is JSON already, *kwargs* and *context* are not.

    An *idempotent* one may be carried out twice without harm.
    """

    model: str
    method: str
    args: Sequence[bytes] = attrs.field(repr=False)
    kwargs: Mapping[str, object] = attrs.field(repr=False)
    context: Mapping[str, object] = attrs.field(repr=False)
    idempotent: bool


def encode(value: object) -> bytes:
    """Return the JSON of a wire value (see `values.to_wire`)."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()


def array(items: Iterable[bytes]) -> bytes:
    """Return the JSON array of items that are JSON already."""
    return b"[%b]" % b",".join(items)


def service_request(number: int, service: str, method: str, args: bytes) -> bytes:
    """Return the body that calls a *service* (`common`, `object`, `db`); *args* is a JSON array."""
    return (
        b'{"jsonrpc":"2.0","method":"call","id":%d,"params":{"service":%b,"method":%b,"args":%b}}'
        % (number, encode(service), encode(method), args)
    )


def model_request(number: int, login: Login, request: Request) -> bytes:
    """Return the body that makes the call."""
    who = (login.database, login.uid, login.password, request.model, request.method)
    kwargs = encode({**request.kwargs, "context": request.context})
    args = array([*map(encode, who), array(request.args), kwargs])
    return service_request(number, "object", "execute_kw", args)


def read_reply(number: int, reply: Reply, address: str) -> Answer | Fault:
    """Return what the reply to request *number* says.

    Source: Odoo answers `/jsonrpc` with 200, the same `id`, and `error.data` in case of an error;
    `result` is absent when the method returned None (14 and 19).
    """
    body = _json_object(reply.content)
    if body is not None and body.get("jsonrpc") == "2.0":
        error = body.get("error")
        if isinstance(error, dict) and isinstance(error.get("data"), dict):
            if reply.status == 200 and body.get("id") in (number, None):
                return _odoo_error(error["data"])
        elif error is None and reply.status == 200 and body.get("id") == number:
            return Answer(body.get("result"))
    return _foreign(reply, address)


def value_of(answer: Answer | Fault) -> Any:
    """Return the value that a call brought, or raise the exception that tells why it did not."""
    if isinstance(answer, Fault):
        raise answer.error
    return answer.value


def given(**options: Iterable[str] | str | int | None) -> dict[str, object]:
    """Return the keyword arguments that were given, those that are not None."""
    wire = ((name, value) for name, value in options.items() if value is not None)
    return {name: value if isinstance(value, str | int) else list(value) for name, value in wire}


def id_list(ids: int | Iterable[int]) -> list[int]:
    """Return ids as Odoo's methods take them; a single one may stand for itself."""
    return [ids] if isinstance(ids, int) else list(ids)


def needs_session(version: Mapping[str, Any]) -> bool:
    """Return whether calls need a session that names the database, by what `version` answered.

    Before 16, a server that shows several databases answers every *error* of a call without one
    by an HTML page with status 500 (`odoo/http.py` of 14, `_dispatch_nodb`; seen on 14).
    """
    info = version.get("server_version_info") or [0]
    return isinstance(info[0], int) and info[0] < 16


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


def _json_object(content: bytes) -> dict[str, Any] | None:
    try:
        body = json.loads(content)
    except (ValueError, RecursionError):
        return None
    return body if isinstance(body, dict) else None


def _odoo_error(data: dict[str, Any]) -> Fault:
    arguments = data.get("arguments")
    return odoo_fault(
        str(data.get("name") or ""),
        str(data.get("message") or ""),
        tuple(arguments) if isinstance(arguments, list) else (),
        str(data.get("debug") or ""),
    )


def _foreign(reply: Reply, address: str) -> Fault:
    status = reply.status
    if status == 429 or (status == 503 and "retry-after" in reply.headers):
        seconds = _retry_after(reply.headers)
        return transport_fault(Kind.BUSY, address, f"HTTP {status}", retry_after=seconds)
    media_type = reply.headers.get("content-type", "no content type").partition(";")[0]
    detail = f"HTTP {status}, {media_type}"
    if 300 <= status < 400 and (location := reply.headers.get("location")):
        detail += f", moved to {location.partition('?')[0]}"
    kind = Kind.REJECTED if 400 <= status < 500 else Kind.NOT_ODOO
    return transport_fault(kind, address, detail, status=status)


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Return `Retry-After` in seconds; a date counts from the answer's own `Date`."""
    text = headers.get("retry-after", "")
    if text.isdecimal():
        return float(text)
    try:
        until, since = map(parsedate_to_datetime, (text, headers.get("date", "")))
        return max(0.0, (until - since).total_seconds())
    except (TypeError, ValueError):
        return None
