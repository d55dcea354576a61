"""The stand-in itself: a server to start, look into and stop."""

import secrets
import threading
import time
from collections.abc import Callable
from datetime import datetime
from typing import Any, Self

from pytest_httpserver import HTTPServer
from werkzeug import Request, Response
from werkzeug.serving import WSGIRequestHandler

from . import keys, values
from .env import ADMIN, ServedSession
from .extending import Extensible
from .http import MAX_BODY, Front
from .refusals import Words
from .service import ServedCall, Service

Latency = float | Callable[[ServedCall], float]
_SERIES = {"14.0": 14, "19.0": 19}


class OdooStandIn(Extensible):
    """An Odoo-like server in this process, for tests and demonstrations.

    It speaks `/jsonrpc`, and for 19 JSON-2, and keeps its records in memory. Each call is one
    transaction, as on a real server: it is committed before its answer is sent, and an error
    undoes all of it. The texts and classes of its refusals are those recorded from real servers;
    where the two differ, the stand-in is wrong.

    There are two users: ``admin`` (password ``admin``, uid 2) may do everything; ``limited``
    (password ``limited``) may read contacts, countries and products but write none of them.

    Args:
        version: the release to play, ``"19.0"`` or ``"14.0"``.
        port: the port on 127.0.0.1; 0 takes a free one.
        latency: seconds to wait before each answer, or a function of the `ServedCall` that
            returns them. The call is already committed then, so a client that gives up early
            meets a change it was not told about.
        max_body: the largest body in bytes that 19 takes.
        jsonrpc: whether `/jsonrpc` is there; later releases will answer 404 instead.

    Raises:
        ValueError: a version that it cannot play.

    >>> import json, urllib.request
    >>> with OdooStandIn(version="19.0") as odoo:
    ...     args = [odoo.database, "admin", "admin"]
    ...     params = {"service": "common", "method": "login", "args": args}
    ...     body = json.dumps({"jsonrpc": "2.0", "id": 1, "params": params}).encode()
    ...     head = {"Content-Type": "application/json"}
    ...     request = urllib.request.Request(odoo.url + "/jsonrpc", body, head)
    ...     with urllib.request.urlopen(request) as answer:
    ...         json.load(answer)["result"]
    2
    """

    database = "demo"

    def __init__(
        self,
        version: str = "19.0",
        port: int = 0,
        *,
        latency: Latency = 0.0,
        max_body: int = MAX_BODY,
        jsonrpc: bool = True,
    ) -> None:
        series = _SERIES.get(version)
        if series is None:
            raise ValueError(f"version {version!r}: the stand-in plays {' and '.join(_SERIES)}")
        self.version = version
        self.api_key = secrets.token_hex(20)
        self.latency = latency
        self._service = Service(Words(series), self.database, self.api_key)
        self._front = Front(self._service, max_body, jsonrpc)
        self._http = _Server(self._serve, port)
        self._flight = threading.Lock()
        self._in_flight = 0
        self._peak = 0

    def start(self) -> Self:
        """Start serving."""
        self._http.start()
        return self

    def stop(self) -> None:
        """Stop serving; the records stay to be looked at."""
        if self._http.is_running():
            self._http.stop()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """Return the address of the server, without a path."""
        return f"http://127.0.0.1:{self._http.port}"

    @property
    def calls(self) -> list[ServedCall]:
        """Return the calls served so far, in the order of their arrival."""
        return list(self._service.calls)

    def clear_calls(self) -> None:
        """Forget the calls served so far."""
        self._service.calls.clear()

    @property
    def peak(self) -> int:
        """Return the greatest number of requests that were served at once."""
        return self._peak

    def reset(self) -> None:
        """Go back to a new database, an empty log, no latency and a peak of zero.

        What was added goes with the database: models, fields, constraints, rights, refusals.
        """
        self._service.reset()
        self.latency = 0.0
        with self._flight:
            self._peak = self._in_flight

    def make_key(
        self, login: str = "admin", *, name: str = "test", expiration_date: datetime | None = None
    ) -> str:
        """Give a user an API key and return it.

        Args:
            expiration_date: when it expires, in UTC and without a time zone; never by default.

        Raises:
            KeyError: no such user.
        """
        end = None if expiration_date is None else str(expiration_date)[:19]
        with self._service.transaction(ServedSession(self._service.user(login))) as env:
            return keys.insert(env, name, end)

    def revoke_key(self, key: str) -> None:
        """Take an API key back; nothing happens when it is not there."""
        with self._service.transaction(ServedSession(ADMIN)) as env:
            keys.revoke(env, key)

    def hide(self, model: str, **values: Any) -> None:
        """Let a record rule hide the records with these values, until `reset`.

        Nobody who calls finds them; whoever asks for one by its id, to read, write or delete it, is
        refused. One rule a model: another one takes its place. It is not asked what is created.

        Raises:
            KeyError: no such model.
        """
        db = self._service.db
        with db.lock:
            db.ruled_out[db.tables[model].model.name] = values

    def records(self, model: str) -> list[dict[str, Any]]:
        """Return every record of *model*, archived ones too, by id: what is in the database.

        Values are those of ``read`` with ``load=None``: a many2one is an id, an empty text False.

        Raises:
            KeyError: no such model.
        """
        with self._service.transaction(ServedSession(ADMIN)) as env:
            return values.whole(env, model, sorted(env.table(model).rows))

    def _serve(self, request: Request) -> Response:
        with self._flight:
            self._in_flight += 1
            self._peak = max(self._peak, self._in_flight)
        try:
            response, call = self._front.answer(request)
            if call is not None:
                latency = self.latency
                time.sleep(latency(call) if callable(latency) else latency)
            return response
        finally:
            with self._flight:
                self._in_flight -= 1


class _Handler(WSGIRequestHandler):
    """A handler that does not write a line to the log for each request."""

    protocol_version = "HTTP/1.1"

    def log(self, type: str, message: str, *args: Any) -> None:
        """Say nothing: `OdooStandIn.calls` is the log."""


class _Server(HTTPServer):
    """The HTTP server of pytest-httpserver, which would keep every request it has seen."""

    def __init__(self, serve: Callable[[Request], Response], port: int) -> None:
        super().__init__("127.0.0.1", port, threaded=True)
        self._serve = serve

    def thread_target(self) -> None:
        """Serve until told to stop, and look for that often: a test should not wait for it."""
        if self.server is not None:
            self.server.RequestHandlerClass = _Handler
            self.server.serve_forever(poll_interval=0.02)

    def application(self, request: Request) -> Response:
        """Answer one request and forget it."""
        return self._serve(request)
