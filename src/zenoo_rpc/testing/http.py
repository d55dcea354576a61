"""HTTP as the server speaks it: which requests reach a dialect, and what the others are told."""

import json
from html import escape as _escape
from typing import Any

from attrs import frozen
from werkzeug import Request, Response

from .jsonrpc import JsonRpc
from .service import Call

JSON = frozenset({"application/json", "application/json-rpc"})
MAX_BODY = 128 * 1024 * 1024
_OVERLOADED = (
    "The server encountered an internal error and was unable to complete your request. Either the"
    " server is overloaded or there is an error in the application."
)
_NOT_FOUND = (
    "The requested URL was not found on the server. If you entered the URL manually please check"
    " your spelling and try again."
)


def escape(text: str, *, quote: bool = True) -> str:
    """Return *text* as HTML, an apostrophe in the way of markupsafe."""
    return _escape(text, quote=quote).replace("&#x27;", "&#39;")


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
    """

    rpc: JsonRpc
    max_body: int = MAX_BODY

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
            return Answer(self._plain_json(self._short_version()))
        if request.path != "/jsonrpc":
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
                return Answer(_html(400, "Invalid JSON data"))
            return Answer(self._page(400, "Bad Request", f"Invalid JSON data: {text!r}"))
        if not isinstance(body, dict):
            if self.new:
                return Answer(_html(400, "Invalid JSON-RPC data"))
            return Answer(self._page(500, "Internal Server Error", _OVERLOADED))
        answer, call = self.rpc.answer(body)
        return Answer(self._plain_json(answer), call)

    def _plain_json(self, body: bytes) -> Response:
        kind = "application/json; charset=utf-8" if self.new else "application/json"
        return Response(body, headers={"Content-Type": kind})

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
            return self._page(404, "Not Found", _NOT_FOUND)
        return self._werkzeug_error(
            404, "404: Not Found", "NotFound", f"404 Not Found: {_NOT_FOUND}"
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

    def _wrong_type(self, request: Request) -> Response:
        if self.new:
            kinds = ["http"] if request.method == "POST" else ["http", "json2"]
            text = f"Request inferred type is compatible with {kinds}"
            text += " but '/jsonrpc' is type='jsonrpc'."
            again = "Please verify the Content-Type request header and try again."
            body = f"{escape(text)}<br><br>{again}"
            response = self._page(415, "Unsupported Media Type", body, quote=False)
            response.headers["Accept"] = "application/json, application/json-rpc"
            return response
        if request.method == "POST":
            return self._page(400, "Bad Request", "Session expired (invalid CSRF token)")
        text = (
            "<function RPC.jsonrpc>, /jsonrpc: Function declared as capable of handling request of"
            " type 'json' but called with a request of type 'http'"
        )
        return self._page(400, "Bad Request", text)

    def _page(self, status: int, title: str, text: str, *, quote: bool = True) -> Response:
        doctype = '<!DOCTYPE HTML PUBLIC "-//W3C//DTD HTML 3.2 Final//EN">'
        if self.new:
            doctype = "<!doctype html>\n<html lang=en>"
        shown = escape(text, quote=False) if quote else text
        return _html(
            status,
            f"{doctype}\n<title>{status} {title}</title>\n<h1>{title}</h1>\n<p>{shown}</p>\n",
        )


def _html(status: int, body: str) -> Response:
    return Response(body, status=status, content_type="text/html; charset=utf-8")
