"""JSON-RPC: `/jsonrpc`, and the session of the web client of 19, which has the same envelope."""

import json
import secrets
from collections.abc import Mapping
from typing import Any

from attrs import frozen
from werkzeug import Request, Response

from . import calls
from .env import ADMIN, ServedSession
from .refusals import RefusalError
from .service import ServedCall, Service, told

AUTHENTICATE = "/web/session/authenticate"
DESTROY = "/web/session/destroy"
CALL = "/web/dataset/call_kw"
COOKIE = "session_id"
Told = tuple[dict[str, Any], ServedCall | None]  # the envelope, and the call that was made


def envelope(number: Any, result: Any) -> dict[str, Any]:
    """Return the body of an answer; nothing has no key of its own."""
    return {"jsonrpc": "2.0", "id": number} | ({} if result is None else {"result": result})


@frozen
class RpcServices:
    """The dialect of `/jsonrpc`: the services `common`, `db` and `object`."""

    service: Service

    def answer(self, body: Mapping[str, Any]) -> Told:
        """Return the answer to a request."""
        number, logged = body.get("id"), None
        try:
            with told(self.service.words):
                params = body.get("params") or {}
                service, method, args = (params[name] for name in ("service", "method", "args"))
                if (service, method) == ("object", "execute_kw"):
                    logged = self.service.log(args[3], args[4], args[5][0] if args[5] else None)
                    return envelope(number, self._execute(*args)), logged
                logged = self.service.log(service, method)
                return envelope(number, self._of_no_model(f"{service}.{method}", args)), logged
        except RefusalError as error:
            return self._refused(number, error), logged

    def _of_no_model(self, name: str, args: list[Any]) -> Any:
        match name:
            case "common.version":
                return self.service.version
            case "common.login" | "common.authenticate":
                return self.service.login(*args[:3])
            case "db.list":
                return [self.service.database]
        raise self.service.words("lacks", what=f"no method '{name}'")

    def _execute(
        self,
        database: object,
        uid: object,
        password: object,
        model: str,
        method: str,
        args: list[Any],
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        user = self.service.authenticate(database, uid, password)
        # 14 has a session here too, 19 has none; either way nothing is remembered.
        session = None if self.service.words.new else ServedSession(user)
        return self._run(user, session, model, method, args, kwargs)

    def _run(
        self,
        uid: int,
        session: ServedSession | None,
        model: str,
        method: str,
        args: list[Any],
        kwargs: Mapping[str, Any] | None,
    ) -> Any:
        rest = dict(kwargs or {})
        context = rest.pop("context", None)
        return self.service.run(
            uid, context, lambda env: calls.run(env, model, method, args, rest), session
        )

    def _refused(self, number: Any, error: RefusalError) -> dict[str, Any]:
        about = {"code": 0 if self.service.words.new else 200, "message": "Odoo Server Error"}
        if error.kind == "SessionExpiredException":
            about = {"code": 100, "message": "Odoo Session Expired"}
        return {"jsonrpc": "2.0", "id": number, "error": {**about, "data": error.body}}


class WebServices(RpcServices):
    """The web client's session: log in with a password, and call methods with a cookie."""

    def serve(self, request: Request) -> tuple[Response, ServedCall | None]:
        """Return the answer to one request, and the call that was made."""
        body = request.get_json()
        number, params = body.get("id"), body.get("params") or {}
        cookie = request.cookies.get(COOKIE, "")
        response, call = Response(content_type="application/json; charset=utf-8"), None
        try:
            with told(self.service.words):
                if request.path == AUTHENTICATE:
                    new, result = self._log_in(cookie, **params)
                    response.set_cookie(COOKIE, new, max_age=604800, httponly=True)
                elif cookie not in self.service.sessions:
                    number = None
                    raise self.service.words("session")
                elif request.path == DESTROY:
                    del self.service.sessions[cookie]
                    result = None
                else:
                    model, method, args = (params[name] for name in ("model", "method", "args"))
                    call = self.service.log(model, method, args[0] if args else None)
                    session = self.service.sessions[cookie]
                    result = self._run(session.uid, session, model, method, args, params["kwargs"])
                answer = envelope(number, result)
        except RefusalError as error:
            answer = self._refused(number, error)
        response.data = json.dumps(answer)
        return response, call

    def _log_in(self, before: str, db: str, login: str, password: str) -> tuple[str, Any]:
        service = self.service
        if db != service.database:
            raise service.words("no such database")
        uid = service.login(db, login, password, by_key=False)
        if not uid:
            raise service.words("denied")
        old = service.sessions.pop(before, None)  # what it remembers goes on
        cookie = secrets.token_urlsafe(63)
        service.sessions[cookie] = ServedSession(uid, old.checked if old else None)
        about = {"uid": uid, "is_admin": uid == ADMIN, "db": db, "username": login}
        return cookie, {**about, "server_version": service.version["server_version"]}
