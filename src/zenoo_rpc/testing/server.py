"""The stand-in itself: a server to start, look into and stop."""

import secrets
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Self

from attrs import evolve
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response
from werkzeug.serving import WSGIRequestHandler

from . import keys, models, values
from .database import Check, Database, NotUniqueError
from .env import ADMIN, VERBS, ServedSession
from .http import MAX_BODY, Front
from .refusals import Words
from .service import ServedCall, Service

Description = Mapping[str, Any]
Latency = float | Callable[[ServedCall], float]
_SERIES = {"14.0": 14, "19.0": 19}


class OdooStandIn:
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
        db = self._db
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

    @property
    def _db(self) -> Database:
        return self._service.db

    def add_model(
        self,
        name: str,
        fields: Mapping[str, Description],
        *,
        label: str = "",
        order: str = "id",
    ) -> None:
        """Add a model. Everyone may read its records, and only the administrator write them.

        Sales orders and journal entries, which the stand-in has, give way while they are not used.

        Args:
            name: the model, such as ``x.asset``.
            fields: by name what `fields_get` answers of each field, such as ``{"type": "char"}``.
                ``default``, ``ondelete`` and ``copy`` are understood besides, other attributes are
                ignored. The fields that every model has (``id``, ``create_date`` ...) come by
                themselves. A relation may lead to a model that is added later.
            label: what refusals call it.
            order: the order of its records when a caller names none.

        Raises:
            ValueError: the model is there already, or a description cannot be followed.
        """
        db = self._db
        with db.lock:
            if name in db.tables or (name in db.models and not db.models[name].is_open):
                raise ValueError(f"there is a model {name!r} already: add_field adds to it")
            words = self._service.words
            made = models.described(words, name, fields, label, order=order, is_open=True)
            db.define(made, {})

    def add_field(self, model: str, name: str, description: Description) -> None:
        """Add a field to a model; in records that are there it is empty or has its default.

        Args:
            description: as for `add_model`.

        Raises:
            KeyError: no such model.
            ValueError: the field is there already, the description cannot be followed, or records
                would lack a field that is required.
        """
        db, words = self._db, self._service.words
        with db.lock:
            table = db.tables[model]
            if name in table.model.fields:
                raise ValueError(f"there is a field {model}.{name} already")
            field = models.field_of(words, model, name, description)
            lacking = field.required and field.store and field.default is None
            if lacking and table.rows:
                raise ValueError(f"{model}.{name}: records are there: give them a default")
            filled = {} if field.default is None else {name: field.default}
            db.define(table.model.with_field(field), filled)

    def add_unique(self, model: str, fields: Sequence[str], text: str) -> None:
        """Let no two records share the values of fields; records that lack one do not count.

        Args:
            text: what 19 answers. 14 answers the name of the constraint (``x_asset_code_uniq``).

        Raises:
            KeyError: no such model.
            ValueError: a field that is no column, or records that share the values already.
        """
        db = self._db
        with db.lock:
            found = db.tables[model].model
            for name in fields:
                if not found.has_column(name):
                    raise ValueError(f"{model}.{name} is no field that can be unique")
            constraint = f"{model.replace('.', '_')}_{'_'.join(fields)}_uniq"
            unique = (*found.unique, (",".join(fields), constraint, text))
            try:
                db.define(evolve(found, unique=unique), {})
            except NotUniqueError as clash:
                raise ValueError(f"{model}: two records share their {clash.name}") from None

    def add_constraint(self, model: str, check: Check) -> None:
        """Let a function look at each record of a model that is created or changed.

        Args:
            check: gets the record as it would be, as `records` shows it, and returns the text of
                the `ValidationError` that refuses it, or None. It runs inside of the call, so it
                must not call the server.

        Raises:
            KeyError: no such model.
        """
        db = self._db
        with db.lock:
            db.checks.setdefault(db.models[model].name, []).append(check)

    def allow(self, login: str, model: str, *rights: str) -> None:
        """Let a user do more with a model than its groups allow.

        Args:
            login: the user, such as ``limited``.
            rights: ``read``, ``create``, ``write`` or ``unlink``.

        Raises:
            KeyError: no such user or model.
            ValueError: no such right.
        """
        wrong = set(rights) - set(VERBS)
        if wrong:
            raise ValueError(f"rights are {', '.join(VERBS)}, not {', '.join(sorted(wrong))}")
        db = self._db
        with db.lock:
            user = (self._service.user(login), db.models[model].name)
            db.allowed.setdefault(user, set()).update(VERBS[right] for right in rights)

    def refuse(self, model: str, method: str, text: str, times: int = 1) -> None:
        """Refuse the next calls of a method with a `UserError`; nothing of them is done.

        Args:
            method: any name: ``create``, or one that the stand-in has not, ``action_confirm``.
            text: what the error says.
            times: how many calls. A batch may make several calls of its records, as it looks for
                those that are refused.

        Raises:
            KeyError: no such model.
            ValueError: *times* is less than one.
        """
        if times < 1:
            raise ValueError(f"times is how many calls are refused, at least one, not {times}")
        db = self._db
        with db.lock:
            key = (db.models[model].name, method)
            db.refusals.setdefault(key, []).extend([text] * times)

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
