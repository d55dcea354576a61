"""HTTP as the server speaks it: which request is which call, and how its answer looks."""

import json
import re
import secrets
from collections.abc import Callable, Mapping
from typing import Any

from attrs import frozen
from werkzeug import Request, Response

from . import calls, keys
from .env import ServedSession
from .refusals import RefusalError, told
from .service import ServedCall, Service

JSON = frozenset({"application/json", "application/json-rpc"})
MAX_BODY = 128 * 1024 * 1024
AUTHENTICATE = "/web/session/authenticate"
DESTROY = "/web/session/destroy"
CALL = "/web/dataset/call_kw"
COOKIE = "session_id"
Served = tuple[Response, ServedCall | None]  # and the call that it answers when there was one
Task = tuple[ServedCall | None, Callable[[], Any]]  # a call, and what carries it out
_JSON2 = re.compile(r"/json/2(?:/([^/]+)/([^/]+)/?|/.*)?")
_BEARER = re.compile(r"bearer\s+(.+)", re.IGNORECASE)
_ANYWHERE = ("/jsonrpc", "/web/version", "/json/version", AUTHENTICATE)  # they need no database


@frozen
class Front:
    """The way from a request to an answer.

    Args:
        max_body: the largest body in bytes; 14 knows no limit.
        jsonrpc: whether `/jsonrpc` is there.
    """

    service: Service
    max_body: int = MAX_BODY
    jsonrpc: bool = True

    def answer(self, request: Request) -> Served:
        """Return the answer to one request."""
        path, new = request.path, self.service.words.new
        if path == "/jsonrpc" and self.jsonrpc:
            return self._rpc(request, self._of_service)
        if not new:
            return self._page(404, "Not Found")
        database = request.headers.get("X-Odoo-Database", self.service.database)
        if path not in _ANYWHERE and database != self.service.database:
            return self._page(404, "No database is selected")
        if path in ("/web/version", "/json/version"):
            version = self.service.version
            about = {"version": version["server_version"]}
            return self._json({**about, "version_info": version["server_version_info"]}), None
        json2 = _JSON2.fullmatch(path)
        if json2 is not None:
            return self._json2(request, json2[1] or "", json2[2] or "")
        if path in (AUTHENTICATE, DESTROY) or path.startswith(CALL):
            return self._rpc(request, self._of_session)
        return self._page(404, "Not Found")

    def _rpc(self, request: Request, task: Callable[[Request, Mapping[str, Any]], Task]) -> Served:
        """Served a call in the envelope that `/jsonrpc` and the web client's paths share."""
        words, call = self.service.words, None
        if request.mimetype not in JSON or request.method != "POST":
            return self._wrong_type()
        body = request.get_json(silent=True)
        if not isinstance(body, dict):
            return self._page(400, "Invalid JSON-RPC data")
        envelope: dict[str, Any] = {"jsonrpc": "2.0", "id": body.get("id")}
        response = self._json(None)
        try:
            with told():
                if words.new and (request.content_length or 0) > self.max_body:
                    raise words("too large")
                call, run = task(request, body.get("params") or {})
                result = run()
            if request.path == AUTHENTICATE:
                response.set_cookie(COOKIE, result.pop(COOKIE), max_age=604800, httponly=True)
            if result is not None:
                envelope["result"] = result
        except RefusalError as error:
            about = {"code": 0 if words.new else 200, "message": "Odoo Server Error"}
            if error.kind == "SessionExpiredException":
                about, envelope["id"] = {"code": 100, "message": "Odoo Session Expired"}, None
            envelope["error"] = {**about, "data": error.body}
        response.data = json.dumps(envelope)
        return response, call

    def _of_service(self, request: Request, params: Mapping[str, Any]) -> Task:
        """Return the call of `/jsonrpc`: of one of the services `common`, `db` and `object`."""
        service = self.service
        name, method, args = params["service"], params["method"], params["args"]
        if (name, method) == ("object", "execute_kw"):
            database, uid, password, *rest = args
            return self._of_model(lambda: service.authenticate(database, uid, password), *rest)
        served: dict[str, Callable[..., Any]] = {
            "common.version": lambda: service.version,
            "common.login": service.login,
            "common.authenticate": lambda *given: service.login(*given[:3]),
            "db.list": lambda: [service.database],
        }
        call = service.log(name, method)
        if f"{name}.{method}" not in served:
            raise service.words("lacks", what=f"no method '{name}.{method}'")
        return call, lambda: served[f"{name}.{method}"](*args)

    def _of_session(self, request: Request, params: Mapping[str, Any]) -> Task:
        """Return the call of the web client: to log in or out, or of a method, with a cookie."""
        sessions, cookie = self.service.sessions, request.cookies.get(COOKIE, "")
        if request.path == AUTHENTICATE:
            return None, lambda: self._log_in(cookie, **params)
        if cookie not in sessions:
            raise self.service.words("session")
        if request.path == DESTROY:
            return None, lambda: self._log_out(cookie)
        rest = (params[name] for name in ("model", "method", "args", "kwargs"))
        return self._of_model(lambda: sessions[cookie], *rest)

    def _of_model(
        self,
        session: Callable[[], ServedSession],
        model: str,
        method: str,
        args: list[Any],
        kwargs: Mapping[str, Any] | None = None,
    ) -> Task:
        """Return the call of a model's method with positional arguments."""

        def run() -> Any:
            rest = dict(kwargs or {})
            with self.service.transaction(session(), rest.pop("context", None)) as env:
                return calls.run(env, model, method, args, rest)

        return self.service.log(model, method, args[0] if args else None), run

    def _log_in(self, before: str, db: str, login: str, password: str) -> dict[str, Any]:
        service = self.service
        if db != service.database:
            raise service.words("no such database")
        uid = service.login(db, login, password, by_key=False)
        if not uid:
            raise service.words("denied")
        old = service.sessions.pop(before, ServedSession(uid))  # what it remembers goes on
        cookie = secrets.token_urlsafe(63)
        service.sessions[cookie] = ServedSession(uid, old.checked)
        return {"uid": uid, "db": db, "username": login, COOKIE: cookie}

    def _log_out(self, cookie: str) -> None:
        del self.service.sessions[cookie]

    def _json2(self, request: Request, model: str, method: str) -> Served:
        """Served `POST /json/2/<model>/<method>`: named arguments, a bearer key, a status."""
        words, service = self.service.words, self.service
        if not method or request.method != "POST":
            text = "Did you mean POST /json/2/<model>/<method>?"
            return self._refused(words("not found", text=text)), None
        if request.content_length and request.mimetype != "application/json":
            return self._wrong_type()
        given, wrong = self._arguments(request)
        about = given.get("vals_list" if method == "create" else "ids")
        call = service.log(model, method, about or None)
        try:
            with told():
                session = self._session(request.headers.get("Authorization", ""))
                if wrong is not None:
                    raise wrong
                ids, context = given.pop("ids", ()), given.pop("context", None)
                with service.transaction(session, context) as env:
                    result = calls.run_named(env, model, method, ids, given)
        except RefusalError as error:
            return self._refused(error), call
        return self._json(result), call

    def _arguments(self, request: Request) -> tuple[dict[str, Any], RefusalError | None]:
        """Return what the body names; a body without a length is not looked at."""
        length, words = request.content_length or 0, self.service.words
        if length > self.max_body:
            return {}, words("too large")
        try:
            body = json.loads(request.get_data()) if length else None
        except ValueError as error:
            return {}, words("bad request", text=f"could not parse the body as json: {error}")
        return body if isinstance(body, dict) else {}, None

    def _session(self, header: str) -> ServedSession:
        """Return the session of a call with a key: nothing is remembered until the next one."""
        found = _BEARER.fullmatch(header)
        if found is None:
            raise self.service.words("no key")
        uid = keys.owner(self.service.db, found[1])
        if uid is None:
            raise self.service.words("bad key")
        return ServedSession(uid)

    def _refused(self, error: RefusalError) -> Response:
        response = self._json(error.body, error.status)
        if error.status == 401:
            response.headers["WWW-Authenticate"] = "Bearer "
        return response

    def _json(self, body: Any, status: int = 200) -> Response:
        kind = "application/json" + ("; charset=utf-8" if self.service.words.new else "")
        return Response(json.dumps(body), status, headers={"Content-Type": kind})

    def _wrong_type(self) -> Served:
        status = 415 if self.service.words.new else 400
        return self._page(status, "Please verify the Content-Type request header")

    def _page(self, status: int, text: str) -> Served:
        page = f"<!doctype html>\n<title>{status}</title>\n<p>{text}</p>\n"
        return Response(page, status, content_type="text/html; charset=utf-8"), None
