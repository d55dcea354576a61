"""HTTP as the server speaks it: which requests reach a dialect, and what the others are told."""

import json
import re
from typing import Any

from attrs import frozen
from werkzeug import Request, Response

from . import pages, web
from .http_errors import HttpError
from .json2 import Json2, refusal
from .jsonrpc import JsonRpc
from .service import Call
from .web import Web

JSON = frozenset({"application/json", "application/json-rpc"})
MAX_BODY = 128 * 1024 * 1024
_JSON2 = re.compile(r"/json/2(?:/(?P<model>[^/]+)/(?P<method>[^/]+)/?|/.*)?")
_ANYWHERE = frozenset(  # paths that need no database
    {"/jsonrpc", "/web/version", "/json/version", "/web/webclient/version_info", web.AUTHENTICATE}
)
_NO_TOKEN = "Session expired (invalid CSRF token)"


@frozen
class Answer:
    """A response, and the call that it answers when there was one."""

    response: Response
    call: Call | None = None


@frozen
class Gate:
    """The way from a request to an answer.

    Args:
        max_body: the largest body in bytes; 14 knows no limit.
        jsonrpc: whether `/jsonrpc` is there.
    """

    rpc: JsonRpc
    json2: Json2
    web: Web
    max_body: int = MAX_BODY
    jsonrpc: bool = True

    @property
    def new(self) -> bool:
        """Return whether this is 19."""
        return self.rpc.service.series >= 19

    def answer(self, request: Request) -> Answer:
        """Return the answer to one request."""
        is_json = request.mimetype in JSON
        if request.path == "/web/webclient/version_info" and is_json:
            return Answer(self._result(request, self.rpc.version()))
        if self.new and request.path in ("/web/version", "/json/version"):
            if request.method == "POST":
                return Answer(self._page(400, "Bad Request", _NO_TOKEN))
            return Answer(self._plain_json(self._short_version()))
        if self.new and request.path not in _ANYWHERE:
            named = request.headers.get("X-Odoo-Database")
            if named and named != self.rpc.service.database:
                return Answer(pages.no_database())
        json2 = _JSON2.fullmatch(request.path) if self.new else None
        if json2 is not None:
            return self._json2(request, json2["model"], json2["method"])
        if self.new and web.is_path(request.path):
            if not is_json or request.method != "POST":
                return Answer(self._wrong_type(request, request.path))
            return Answer(*self.web.answer(request))
        if request.path != "/jsonrpc" or not self.jsonrpc:
            return Answer(self._not_found(request, is_json))
        if not is_json or request.method != "POST":
            return Answer(self._wrong_type(request))
        if self.new and (request.content_length or 0) > self.max_body:
            return Answer(self._too_large())
        return self._json(request)

    def _json(self, request: Request) -> Answer:
        text = request.get_data(as_text=True)
        try:
            body = json.loads(text)
        except ValueError:
            if self.new:
                return Answer(pages.html(400, "Invalid JSON data"))
            return Answer(self._page(400, "Bad Request", f"Invalid JSON data: {text!r}"))
        if not isinstance(body, dict):
            if self.new:
                return Answer(pages.html(400, "Invalid JSON-RPC data"))
            return Answer(self._page(500, "Internal Server Error", pages.OVERLOADED))
        answer, call = self.rpc.answer(body)
        return Answer(self._plain_json(answer), call)

    def _json2(self, request: Request, model: str | None, method: str | None) -> Answer:
        if model is None or method is None or request.method != "POST":
            error = HttpError(404, "Did you mean POST /json/2/<model>/<method>?")
            return Answer(self._plain_json(refusal(error), 404))
        if request.content_length and request.mimetype != "application/json":
            path = "/json/2/<__model__>/<__method__>"
            return Answer(self._wrong_type(request, path, "json2"))
        status, body, call = self.json2.answer(model, method, request)
        response = self._plain_json(body, status)
        if status == 401:
            response.headers["WWW-Authenticate"] = "Bearer "
        return Answer(response, call)

    def _plain_json(self, body: bytes, status: int = 200) -> Response:
        kind = "application/json; charset=utf-8" if self.new else "application/json"
        return Response(body, status, headers={"Content-Type": kind})

    def _result(self, request: Request, result: Any) -> Response:
        given = request.get_json(silent=True)
        number = given.get("id") if isinstance(given, dict) else None
        return self._plain_json(
            json.dumps({"jsonrpc": "2.0", "id": number, "result": result}).encode()
        )

    def _short_version(self) -> bytes:
        version = self.rpc.version()
        return json.dumps(
            {"version_info": version["server_version_info"], "version": version["server_version"]}
        ).encode()

    def _not_found(self, request: Request, is_json: bool) -> Response:
        if self.new or not is_json:
            return self._page(404, "Not Found", pages.NOT_FOUND)
        return self._werkzeug_error(
            404, "404: Not Found", "NotFound", f"404 Not Found: {pages.NOT_FOUND}"
        )

    def _too_large(self) -> Response:
        text = "The data value transmitted exceeds the capacity limit."
        text = f"413 Request Entity Too Large: {text}"
        return self._werkzeug_error(0, "Odoo Server Error", "RequestEntityTooLarge", text)

    def _werkzeug_error(self, code: int, message: str, kind: str, text: str) -> Response:
        name = f"werkzeug.exceptions.{kind}"
        data = {
            "name": name,
            "message": text,
            "arguments": [],
            "context": {},
            "debug": f"Traceback (most recent call last):\n  ...\n{name}: {text}\n",
        }
        error: dict[str, Any] = {"code": code, "message": message, "data": data}
        if code:
            error["http_status"] = code
        response = self._plain_json(
            json.dumps({"jsonrpc": "2.0", "id": None, "error": error}).encode()
        )
        response.status_code = code or 200
        return response

    def _wrong_type(
        self, request: Request, path: str = "/jsonrpc", kind: str = "jsonrpc"
    ) -> Response:
        if self.new:
            return pages.wrong_type(request, path, kind)
        if request.method == "POST":
            return self._page(400, "Bad Request", _NO_TOKEN)
        text = (
            "<function RPC.jsonrpc>, /jsonrpc: Function declared as capable of handling request of"
            " type 'json' but called with a request of type 'http'"
        )
        return self._page(400, "Bad Request", text)

    def _page(self, status: int, title: str, text: str) -> Response:
        return pages.page(status, title, text, new=self.new)
