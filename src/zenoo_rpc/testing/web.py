"""The web client's session of 19: log in with a password, and call methods with a cookie."""

import json
import secrets
import threading
from collections.abc import Mapping
from typing import Any

from attrs import define, field
from werkzeug import Request, Response

from .env import ADMIN, Session
from .errors import OdooError, access_denied, access_error
from .jsonrpc import refusal, size_of
from .service import Call, Service
from .signatures import Call as MethodCall
from .signatures import method

AUTHENTICATE = "/web/session/authenticate"
DESTROY = "/web/session/destroy"
CALL = "/web/dataset/call_kw"
COOKIE = "session_id"
_LOGIN = method("authenticate", "db, login, password, base_location=None")
_CALL = method("call_kw", "model, method, args, kwargs, path=None")
_EXPIRED = OdooError("odoo.http.SessionExpiredException", "Session expired")


def is_path(path: str) -> bool:
    """Return whether a path is one of the web client's."""
    return path in (AUTHENTICATE, DESTROY, CALL) or path.startswith(f"{CALL}/")


@define
class Web:
    """The sessions of the server; they end with its database."""

    service: Service
    _sessions: dict[str, Session] = field(factory=dict, init=False)
    _lock: threading.Lock = field(factory=threading.Lock, init=False)

    def answer(self, request: Request) -> tuple[Response, Call | None]:
        """Return the answer to one request of JSON-RPC, and the call that was made."""
        body = request.get_json(silent=True)
        body = body if isinstance(body, dict) else {}
        params = body.get("params") or {}
        path = request.path
        number = body.get("id")
        cookie = request.cookies.get(COOKIE, "")
        try:
            if path == AUTHENTICATE:
                return self._log_in(number, params, cookie), None
            with self._lock:
                session = self._sessions.get(cookie)
                if session is not None and path == DESTROY:
                    del self._sessions[cookie]
            if session is None or session.uid not in self.service.db.tables["res.users"].rows:
                return _envelope(None, error=_expired()), None
            if path == DESTROY:
                return _envelope(number), None
            return self._run(session, number, params)
        except OdooError as error:
            return _envelope(number, error=refusal(error, self.service.series)), None

    def forget(self) -> None:
        """End every session."""
        with self._lock:
            self._sessions.clear()

    def _log_in(self, number: Any, params: Mapping[str, Any], before: str) -> Response:
        given = _LOGIN.bind("Session.", [], params)
        service = self.service
        if given["db"] != service.database:
            raise access_error("Database not found.")
        uid = service.login(given["db"], given["login"], given["password"], by_key=False)
        if not uid:
            raise access_denied()
        cookie = secrets.token_urlsafe(63)
        with self._lock:
            old = self._sessions.pop(before, None)  # what it remembers goes on
            self._sessions[cookie] = Session(uid, old.checked if old else None)
        response = _envelope(number, self._about(uid))
        response.set_cookie(COOKIE, cookie, max_age=604800, httponly=True)
        return response

    def _about(self, uid: int) -> dict[str, Any]:
        tables = self.service.db.tables
        user = tables["res.users"].rows[uid]
        partner = tables["res.partner"].rows[user["partner_id"]]
        admin = uid == ADMIN
        about = {name: partner.get(name) or False for name in ("lang", "tz")}
        return {
            "uid": uid,
            "is_system": admin,
            "is_admin": admin,
            "is_public": False,
            "is_internal_user": True,
            "user_context": {**about, "uid": uid},
            "db": self.service.database,
            "server_version": f"{self.service.series}.0",
            "server_version_info": [self.service.series, 0, 0, "final", 0, ""],
            "name": partner.get("name") or False,
            "username": user["login"],
            "partner_id": user["partner_id"],
        }

    def _run(
        self, session: Session, number: Any, params: Mapping[str, Any]
    ) -> tuple[Response, Call | None]:
        if params.get("model") not in self.service.db.models:
            return _envelope(None, error=_not_found()), None
        given = _CALL.bind("DataSet.", [], params)
        name, args = str(given["method"]), given["args"]
        call = self.service.log(given["model"], name, size_of(self.service, name, args))
        request = MethodCall(given["model"], name, args, given["kwargs"])
        try:
            result = self.service.run(session.uid, request, session)
        except OdooError as error:
            return _envelope(number, error=refusal(error, self.service.series)), call
        return _envelope(number, result), call


def _expired() -> dict[str, Any]:
    return {**refusal(_EXPIRED, 19), "code": 100, "message": "Odoo Session Expired"}


def _not_found() -> dict[str, Any]:
    text = (
        "404 Not Found: The requested URL was not found on the server. If you entered the URL"
        " manually please check your spelling and try again."
    )
    error = refusal(OdooError("werkzeug.exceptions.NotFound", text, []), 19)
    return {**error, "code": 404, "message": "404: Not Found"}


def _envelope(number: Any, result: Any = None, error: dict[str, Any] | None = None) -> Response:
    body: dict[str, Any] = {"jsonrpc": "2.0", "id": number}
    if error is not None:
        body["error"] = error
    elif result is not None:
        body["result"] = result
    return Response(json.dumps(body).encode(), content_type="application/json; charset=utf-8")
