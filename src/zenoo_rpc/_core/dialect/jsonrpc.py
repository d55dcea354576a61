"""JSON-RPC: what every release speaks, and the web client with a session."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from ...wire.encoding import array, encode
from ..exchange import Answer, Request, Wire
from ..faults import ODOO, Fault
from ..foreign import Reply, foreign
from .base import Login, is_error, json_object, major, odoo_error

PATH = "/jsonrpc"
WEB_LOGIN = "/web/session/authenticate"
WEB_LOGOUT = "/web/session/destroy"
WEB_CALL = "/web/dataset/call_kw"


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
        body = json_object(reply.content)
        if body is not None and body.get("jsonrpc") == "2.0":
            error = body.get("error")
            data = error.get("data") if isinstance(error, dict) else None
            if reply.status == 200 and is_error(data) and "result" not in body:
                if _is_ours(body, number) or _is_without_id(body, data):
                    return odoo_error(data, ODOO)
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


JSONRPC, WEB = JsonRpc(), WebSession()


def needs_session(version: Mapping[str, Any]) -> bool:
    """Return whether calls need a session that names the database, by what `version` answered.

    Before 16, a server that shows several databases answers every *error* of a call without one
    by an HTML page with status 500 (`odoo/http.py` of 14, `_dispatch_nodb`; seen on 14).
    """
    return major(version) < 16


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


def _is_ours(body: Mapping[str, Any], number: int) -> bool:
    """Whether an answer has the number that we asked with; `true` would be equal to 1."""
    return type(body.get("id")) is int and body["id"] == number


# 19 measures a body before it reads it, and so cannot know its `id`.
TOO_LARGE = "werkzeug.exceptions.RequestEntityTooLarge"


def _is_without_id(body: Mapping[str, Any], data: Mapping[str, Any]) -> bool:
    return body.get("id") is None and data["name"] == TOO_LARGE
