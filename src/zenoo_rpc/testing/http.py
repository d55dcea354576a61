"""HTTP as the server speaks it: which requests reach a dialect, and what the others are told."""

import json
import re
from typing import Any

from attrs import frozen
from werkzeug import Request, Response

from . import calls, jsonrpc
from .env import ServedSession
from .jsonrpc import RpcServices, WebServices
from .refusals import RefusalError
from .service import ServedCall, Service, told

JSON = frozenset({"application/json", "application/json-rpc"})
MAX_BODY = 128 * 1024 * 1024
Answer = tuple[Response, ServedCall | None]  # and the call that it answers when there was one
_JSON2 = re.compile(r"/json/2(?:/([^/]+)/([^/]+)/?|/.*)?")
_BEARER = re.compile(r"bearer\s+(.+)", re.IGNORECASE)
_ANYWHERE = ("/jsonrpc", "/web/version", "/json/version", jsonrpc.AUTHENTICATE)  # of any database


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

    def answer(self, request: Request) -> Answer:
        """Return the answer to one request."""
        path, new = request.path, self.service.words.new
        is_json = request.mimetype in JSON and request.method == "POST"
        if path == "/jsonrpc" and self.jsonrpc:
            return self._jsonrpc(request) if is_json else self._wrong_type()
        if not new:
            return self._page(404, "Not Found"), None
        if path not in _ANYWHERE and self.service.database != request.headers.get(
            "X-Odoo-Database", self.service.database
        ):
            return self._page(404, "No database is selected"), None
        if path in ("/web/version", "/json/version"):
            about = self.service.version
            names = {"version_info": "server_version_info", "version": "server_version"}
            return self._json({short: about[name] for short, name in names.items()}), None
        json2 = _JSON2.fullmatch(path)
        if json2 is not None:
            return self._json2(request, json2[1] or "", json2[2] or "")
        if path in (jsonrpc.AUTHENTICATE, jsonrpc.DESTROY) or path.startswith(jsonrpc.CALL):
            return WebServices(self.service).serve(request) if is_json else self._wrong_type()
        return self._page(404, "Not Found"), None

    def _jsonrpc(self, request: Request) -> Answer:
        words = self.service.words
        if words.new and (request.content_length or 0) > self.max_body:
            error = {"code": 0, "message": "Odoo Server Error", "data": words("too large").body}
            return self._json({"jsonrpc": "2.0", "id": None, "error": error}), None
        body = request.get_json(force=True, silent=True)
        if not isinstance(body, dict):
            return self._page(400, "Invalid JSON-RPC data"), None
        answer, call = RpcServices(self.service).answer(body)
        return self._json(answer), call

    def _json2(self, request: Request, model: str, method: str) -> Answer:
        words = self.service.words
        if not method or request.method != "POST":
            text = "Did you mean POST /json/2/<model>/<method>?"
            return self._refused(words("not found", text=text)), None
        if request.content_length and request.mimetype != "application/json":
            return self._wrong_type()
        wrong, given = self._arguments(request)
        about = given.get("vals_list" if method == "create" else "ids")
        call = self.service.log(model, method, about or None)
        try:
            with told(words):
                uid = self._user(request.headers.get("Authorization", ""))
                if wrong is not None:
                    raise wrong
                ids, context = given.pop("ids", ()), given.pop("context", None)
                result = self.service.run(
                    uid,
                    context,
                    lambda env: calls.run_named(env, model, method, ids, given),
                    ServedSession(uid),  # nothing is remembered until the next call
                )
        except RefusalError as error:
            return self._refused(error), call
        return self._json(result), call

    def _arguments(self, request: Request) -> tuple[RefusalError | None, dict[str, Any]]:
        """Return what the body names; a body without a length is not looked at."""
        length, words = request.content_length or 0, self.service.words
        if length > self.max_body:
            return words("too large"), {}
        try:
            body = json.loads(request.get_data()) if length else None
        except ValueError as error:
            return words("bad request", text=f"could not parse the body as json: {error}"), {}
        return None, body if isinstance(body, dict) else {}

    def _user(self, header: str) -> int:
        found = _BEARER.fullmatch(header)
        if found is None:
            raise self.service.words("no key")
        uid = self.service.owner(found[1])
        if uid is None:
            raise self.service.words("bad key")
        return uid

    def _refused(self, error: RefusalError) -> Response:
        response = self._json(error.body, error.status)
        if error.status == 401:
            response.headers["WWW-Authenticate"] = "Bearer "
        return response

    def _json(self, body: Any, status: int = 200) -> Response:
        kind = "application/json" + ("; charset=utf-8" if self.service.words.new else "")
        return Response(json.dumps(body), status, headers={"Content-Type": kind})

    def _wrong_type(self) -> Answer:
        status = 415 if self.service.words.new else 400
        return self._page(status, "Please verify the Content-Type request header"), None

    def _page(self, status: int, text: str) -> Response:
        page = f"<!doctype html>\n<title>{status}</title>\n<p>{text}</p>\n"
        return Response(page, status, content_type="text/html; charset=utf-8")
