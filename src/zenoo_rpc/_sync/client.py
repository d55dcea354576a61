"""The client: a connection to one Odoo, a login, and the calls of its models."""

from __future__ import annotations

import itertools
import random
import ssl
import time
from collections.abc import Iterable, Mapping
from types import TracebackType
from typing import Any, Self, Unpack

import attrs

from .._compat import Closable, sleep
from .._core.address import parse_address
from .._core.deadline import Deadline
from .._core.faults import Fault, Proof, never_sent
from .._core.load import conflict_or
from .._core.lookup import Description
from .._core.planner import Call
from .._core.protocol import (
    PATH,
    Answer,
    Login,
    Request,
    array,
    encode,
    given,
    id_list,
    model_request,
    needs_session,
    read_reply,
    service_request,
    session_cookie,
    session_path,
    value_of,
)
from .._core.retry import RetryPolicy, is_idempotent
from .._core.run import Question
from .._core.values import record_to_wire, to_wire
from ..batch.operations import ExternalIds
from ..batch.options import ManagerSettings, Options, Settings, check_count, check_seconds
from ..errors import (
    AuthenticationError,
    ClientClosedError,
    DatabaseNotFoundError,
    NotLoggedInError,
    NotOdooError,
    UsageError,
    ZenooError,
)
from .context import BatchCollector, BatchContext
from .manager import BatchManager
from .transport import Transport

Context = Mapping[str, object] | None
Domain = Iterable[object]
Fields = Iterable[str] | None
Ids = int | Iterable[int]

# Longer than Odoo's own limit for a request (120 s), so that a slow answer is not taken for none.
TIMEOUT = 150.0
DEFAULT_RETRY = RetryPolicy()
NO_DEADLINE = Deadline(None, time.monotonic)


class ZenooClient(Closable):
    """Talks to one Odoo server; after `login()`, to one of its databases as one of its users.

    *host* is a name, `host:port` or a URL. *timeout* is how many seconds an answer may take,
    *verify* whether (True, False) or how (a CA file, an `ssl.SSLContext`) the server's
    certificate is checked, *headers* are sent along with every request, *max_connections* is
    the most that are open at once, and *retry* how calls are repeated that may be (None: never).
    Raises AddressError for an address that is none.

    >>> with ZenooClient(url) as client:
    ...     client.login("demo", "admin", "admin")
    ...     client.search_read("res.country", [("code", "=", "CH")], ["name"])
    2
    [{'id': 43, 'name': 'Switzerland'}]
    """

    def __init__(
        self,
        host: str,
        port: int | None = None,
        *,
        timeout: float | None = TIMEOUT,
        verify: bool | str | ssl.SSLContext = True,
        headers: Mapping[str, str] | None = None,
        max_connections: int = 16,
        retry: RetryPolicy | None = DEFAULT_RETRY,
    ) -> None:
        self._timeout = check_seconds("timeout", timeout)
        self._transport = Transport(
            parse_address(host, port),
            timeout=timeout,
            verify=verify,
            headers=headers or {},
            max_connections=check_count("max_connections", max_connections),
        )
        self._retry = retry
        self._numbers = itertools.count(1)
        self._login: Login | None = None
        self._batch_manager: BatchManager | None = None
        self.context: dict[str, object] = {}
        self.server_version: str | None = None

    def __repr__(self) -> str:
        login = self._login
        who = f"{login.database}, uid {login.uid}" if login else "not logged in"
        return f"<{type(self).__name__} {self.url}, {who}>"

    @property
    def url(self) -> str:
        """The server's base URL."""
        return self._transport.address

    @property
    def database(self) -> str | None:
        """The database, None before the login."""
        return self._login.database if self._login else None

    @property
    def uid(self) -> int | None:
        """The user's id, None before the login."""
        return self._login.uid if self._login else None

    def close(self) -> None:
        """Close the connections; no call can begin any more, those in flight are waited for."""
        self._transport.disconnect()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        error_class: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    # -- login ---------------------------------------------------------------------------------

    def login(self, database: str, username: str, password: str) -> int:
        """Log in and return the user's id; load the user's own context (language, time zone).

        Raises AuthenticationError for a wrong name or password, DatabaseNotFoundError, and
        TransportError when no Odoo answers.
        """
        version = self.version()
        if needs_session(version):
            reply = self._transport.get(session_path(database))
            self._transport.cookie = session_cookie(reply)
        try:
            uid = self._service("common", "login", [database, username, password])
        except (DatabaseNotFoundError, NotOdooError) as error:
            if isinstance(error, NotOdooError) and self._has_database(database):
                raise
            raise DatabaseNotFoundError(
                f"{self.url}: there is no database {database!r}. Check its name."
            ) from None
        if type(uid) is not int or not uid:
            raise AuthenticationError(
                f"{self.url}: database {database!r} refused the login. "
                "Check the user's name and the password or key."
            )
        self._login = Login(database, uid, password)
        self.context = {}
        self.context = dict(self.execute_kw("res.users", "context_get"))
        self.server_version = version["server_version"]
        return uid

    def _has_database(self, database: str) -> bool:
        """Return whether the server lists the database, True when it does not tell."""
        try:
            return database in self._service("db", "list", [])
        except ZenooError:
            return True

    def login_with_api_key(self, database: str, username: str, api_key: str) -> int:
        """Log in with an API key, which stands in for the password."""
        return self.login(database, username, api_key)

    def version(self) -> dict[str, Any]:
        """Return what the server tells of its version; needs no login."""
        return dict(self._service("common", "version", []))

    # -- calls ---------------------------------------------------------------------------------

    def execute_kw(
        self,
        model: str,
        method: str,
        args: Iterable[object] = (),
        kwargs: Mapping[str, object] | None = None,
        *,
        context: Context = None,
        timeout: float | None = None,
    ) -> Any:
        """Call *method* of *model* and return what it returns.

        *context* is merged over the user's own. Raises OdooError with the server's own message
        when the method failed, TransportError when no answer came.
        """
        wire = record_to_wire(kwargs or {})
        own = wire.pop("context", {})
        positional = [to_wire(arg) for arg in args]
        request = Request(
            model,
            method,
            [encode(arg) for arg in positional],
            wire,
            {
                **self.context,
                **(own if isinstance(own, dict) else {}),
                **record_to_wire(context or {}),
            },
            is_idempotent(method, positional),
        )
        return value_of(self._send(request, timeout, NO_DEADLINE))

    def search(
        self,
        model: str,
        domain: Domain = (),
        *,
        offset: int = 0,
        limit: int | None = None,
        order: str | None = None,
        context: Context = None,
    ) -> list[int]:
        """Return the ids of the records that *domain* finds; archived ones only if it says so."""
        page = given(offset=offset or None, limit=limit, order=order)
        return list(self.execute_kw(model, "search", [list(domain)], page, context=context))

    def search_count(
        self, model: str, domain: Domain = (), *, context: Context = None
    ) -> int:
        """Return how many records *domain* finds."""
        return int(self.execute_kw(model, "search_count", [list(domain)], context=context))

    def search_read(
        self,
        model: str,
        domain: Domain = (),
        fields: Fields = None,
        *,
        offset: int = 0,
        limit: int | None = None,
        order: str | None = None,
        context: Context = None,
    ) -> list[dict[str, Any]]:
        """Return the values of the records that *domain* finds, all *fields* or these."""
        page = given(fields=fields, offset=offset or None, limit=limit, order=order)
        return list(
            self.execute_kw(model, "search_read", [list(domain)], page, context=context)
        )

    def read(
        self, model: str, ids: Ids, fields: Fields = None, *, context: Context = None
    ) -> list[dict[str, Any]]:
        """Return the values of the records with these ids; ids that do not exist are left out."""
        wanted = given(fields=fields)
        return list(self.execute_kw(model, "read", [id_list(ids)], wanted, context=context))

    def fields_get(
        self,
        model: str,
        fields: Fields = None,
        attributes: Fields = None,
        *,
        context: Context = None,
    ) -> dict[str, dict[str, Any]]:
        """Return what the fields of *model* are, by name."""
        wanted = given(allfields=fields, attributes=attributes)
        return dict(self.execute_kw(model, "fields_get", [], wanted, context=context))

    def create(self, model: str, values: object, *, context: Context = None) -> Any:
        """Create a record from a mapping and return its id; from a list of them, their ids."""
        wire = to_wire(values)
        return self.execute_kw(model, "create", [wire], context=context)

    def write(self, model: str, ids: Ids, values: object, *, context: Context = None) -> bool:
        """Write *values* to the records with these ids, all or none."""
        args = [id_list(ids), record_to_wire(values)]
        return bool(self.execute_kw(model, "write", args, context=context))

    def unlink(self, model: str, ids: Ids, *, context: Context = None) -> bool:
        """Delete the records with these ids, all or none."""
        return bool(self.execute_kw(model, "unlink", [id_list(ids)], context=context))

    # -- batches -------------------------------------------------------------------------------

    def setup_batch_manager(self, **settings: Unpack[Settings]) -> BatchManager:
        """Make the manager that this client's batches use from now on, and return it."""
        self._batch_manager = BatchManager(self, **settings)
        return self._batch_manager

    @property
    def batch_manager(self) -> BatchManager:
        """The manager that this client's batches use; one with the defaults unless set up."""
        if self._batch_manager is None:
            self._batch_manager = BatchManager(self)
        return self._batch_manager

    def batch(
        self,
        *,
        max_chunk_size: int | None = None,
        max_concurrency: int | None = None,
        **options: Unpack[Options],
    ) -> BatchContext:
        """Open a batch: a context that collects operations and carries them out at its end.

        With *max_concurrency* it gets a limit of its own, else it shares the manager's.
        """
        if max_chunk_size is not None:
            options["chunk_size"] = check_count("max_chunk_size", max_chunk_size)
        manager = self.batch_manager
        if max_concurrency is not None:
            own = attrs.evolve(manager.settings, max_concurrency=max_concurrency)
            manager = BatchManager(self, **attrs.asdict(own))
        return manager.batch(**options)

    def batch_operation(
        self,
        model: str,
        operation_type: str = "create",
        *,
        external_ids: ExternalIds = None,
        **options: Unpack[Options],
    ) -> BatchCollector:
        """Open a context that collects the records of one operation, one by one.

        *operation_type* is `create`, `update`, `unlink` or `delete`; *external_ids* of a create as
        in `BatchContext.create`.
        """
        batch = self.batch_manager.batch(**options)
        return BatchCollector(batch, model, operation_type, external_ids)

    # -- the one place where calls are made ----------------------------------------------------

    def check_ready(self) -> Login:
        """Return the login; raise NotLoggedInError or ClientClosedError if there can be no call."""
        if self._transport.closed:
            raise ClientClosedError(f"{self.url}: the client was closed")
        if self._login is None:
            raise NotLoggedInError(f"{self.url}: call login() first")
        return self._login

    def send_call(
        self, call: Description | Question | Call, settings: ManagerSettings, deadline: Deadline
    ) -> Answer | Fault:
        """Send a batch's call and return what came of it, as a value."""
        context = {**self.context, **settings.context, **call.context}
        request = Request(call.model, call.method, call.arguments, {}, context, call.idempotent)
        return self._send(request, settings.timeout, deadline)

    def _send(
        self, request: Request, timeout: float | None, deadline: Deadline
    ) -> Answer | Fault:
        """Send a call, and again as long as that is harmless and the policy allows it."""
        since = Deadline(self._retry.total if self._retry else None, time.monotonic)
        tried = 0
        unknown = None
        while True:
            seconds = deadline.shorten(self._timeout if timeout is None else timeout)
            reply = self._send_once(request, seconds)
            if isinstance(reply, Answer) or self._retry is None:
                return reply.seen_after(unknown)
            tried += 1
            pause = self._retry.pause_after(reply, request.idempotent, tried, random.random())
            if pause is None or not (since.allows(pause) and deadline.allows(pause)):
                return reply.seen_after(unknown)
            unknown = reply if reply.proof is Proof.UNKNOWN else unknown
            sleep(pause)

    def _send_once(self, request: Request, timeout: float | None) -> Answer | Fault:
        try:
            login = self.check_ready()
        except UsageError as error:
            return never_sent(error)
        number = next(self._numbers)
        reply = self._post(number, model_request(number, login, request), timeout)
        return conflict_or(reply) if request.method == "load" else reply

    def _service(self, service: str, method: str, args: list[object]) -> Any:
        if self._transport.closed:
            raise ClientClosedError(f"{self.url}: the client was closed")
        number = next(self._numbers)
        wire = array(encode(to_wire(arg)) for arg in args)
        return value_of(self._post(number, service_request(number, service, method, wire)))

    def _post(self, number: int, body: bytes, timeout: float | None = None) -> Answer | Fault:
        reply = self._transport.post(PATH, body, timeout)
        return reply if isinstance(reply, Fault) else read_reply(number, reply, self.url)
