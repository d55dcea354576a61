"""The client: a connection to one Odoo, a login, and the calls of its models."""

from __future__ import annotations

import ssl
from collections.abc import Iterable, Mapping
from types import TracebackType
from typing import Any, Literal, Self, Unpack

import attrs

from .._compat import AClosable
from .._core.address import parse_address
from .._core.agenda import Question
from .._core.call import Call
from .._core.deadline import Deadline
from .._core.faults import Fault
from .._core.keys import Key
from .._core.protocol import Answer, Request, checked, major, value_of
from .._core.retry import RetryPolicy, is_idempotent
from .._core.ways import Capabilities, Ways
from ..batch.operations import ExternalIds, RecordIds
from ..batch.options import ManagerSettings, Options, Settings
from ..batch.transaction import TransactionOptions
from ..errors import InvalidValueError
from ..wire import arguments
from ..wire.encoding import encode
from ..wire.values import check_new_ids, record_to_wire
from .context import BatchCollector, BatchContext
from .fields import in_their_types
from .keys import ApiKeys
from .login import Welcome, by_key, by_password
from .manager import BatchManager
from .session import NO_DEADLINE, Session
from .transaction import Transaction, TransactionManager
from .transport import Transport

Context = Mapping[str, object] | None
Domain = Iterable[object]
Fields = Iterable[str] | None
Ids = int | RecordIds

# Longer than Odoo's own limit for a request (120 s), so that a slow answer is not taken for none.
TIMEOUT = 150.0
PROTOCOLS = ("auto", "jsonrpc", "json2")

DEFAULT_RETRY = RetryPolicy()


class ZenooClient(AClosable):
    """Talks to one Odoo server; after `login()`, to one of its databases as one of its users.

    *host* is a name, `host:port` or a URL. *timeout* is how many seconds an answer may take,
    *verify* whether (True, False) or how (a CA file, an `ssl.SSLContext`) the server's
    certificate is checked, *headers* are sent along with every request, *max_connections* is
    the most that are open at once, and *retry* how calls are repeated that may be (None: never).
    *protocol* is `"jsonrpc"`, `"json2"`, or `"auto"`: JSON-2 with an API key where the server has
    it, else JSON-RPC. *proxy* is the URL of a proxy on the way (`http://host:port`); without one,
    the variables HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and NO_PROXY say it, unless *trust_env* is
    False.
    Raises AddressError for an address that is none, InvalidValueError for other bad arguments.

    >>> async with ZenooClient(url) as client:
    ...     await client.login("demo", "admin", "admin")
    ...     await client.search_read("res.country", [("code", "=", "CH")], ["name"])
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
        protocol: Literal["auto", "jsonrpc", "json2"] = "auto",
        proxy: str | None = None,
        trust_env: bool = True,
    ) -> None:
        arguments.one_of(*PROTOCOLS)("protocol", protocol)
        if not isinstance(retry, RetryPolicy | None):
            raise InvalidValueError(f"retry must be a RetryPolicy or None, not {retry!r}")
        self._protocol = protocol
        transport = Transport(
            parse_address(host, port),
            timeout=arguments.seconds_or_none("timeout", timeout),
            verify=verify,
            headers=headers or {},
            max_connections=arguments.count("max_connections", max_connections),
            proxy=proxy,
            trust_env=trust_env,
        )
        self._session = Session(transport, retry)
        self._batch_manager: BatchManager | None = None
        self._transaction_manager: TransactionManager | None = None
        self.context: dict[str, object] = {}
        self.server_version: str | None = None
        self.ways = Ways()

    def __repr__(self) -> str:
        login = self._session.login
        who = f"{login.database}, uid {login.uid}" if login else "not logged in"
        return f"<{type(self).__name__} {self.url}, {who}>"

    @property
    def url(self) -> str:
        """The server's base URL."""
        return self._session.address

    @property
    def database(self) -> str | None:
        """The database, None before the login."""
        login = self._session.login
        return login.database if login else None

    @property
    def uid(self) -> int | None:
        """The user's id, None before the login."""
        login = self._session.login
        return login.uid if login else None

    async def close(self) -> None:
        """Close the connections; no call can begin any more, those in flight are waited for."""
        await self._session.transport.disconnect()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        error_class: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

    # -- login ---------------------------------------------------------------------------------

    async def login(self, database: str, username: str, password: str) -> int:
        """Log in and return the user's id; load the user's own context (language, time zone).

        A password goes over JSON-RPC, as JSON-2 takes keys only. Raises AuthenticationError for a
        wrong name or password, DatabaseNotFoundError, and TransportError when no Odoo answers.
        """
        arguments.texts(database=database, username=username, password=password)
        welcome = await by_password(self._session, self._protocol, database, username, password)
        return self._begin(welcome)

    async def login_with_api_key(
        self, database: str, api_key: Key, username: Key | None = None
    ) -> int:
        """Log in with an API key and return the user's id.

        *api_key* is the key, or a function that returns it and is asked once more when the server
        refuses it. Over JSON-2 (19 and later) it says by itself whose it is, over JSON-RPC, where
        it stands in for the password, the *username* is needed. *database* may be empty over JSON-2
        if the server has just one. The name before the key works too.

        Raises AuthenticationError for a key that is wrong or has expired, DatabaseNotFoundError,
        and TransportError when no Odoo answers. Logs a warning if the user's keys end soon.
        """
        arguments.texts(database=database)
        welcome = await by_key(self._session, self._protocol, database, api_key, username)
        return self._begin(welcome)

    def _begin(self, welcome: Welcome) -> int:
        self.context = welcome.context
        self.server_version = welcome.version.get("server_version")
        self.ways = Ways(major(welcome.version))
        return welcome.uid

    async def version(self) -> dict[str, Any]:
        """Return what the server tells of its version; needs no login."""
        if "json2" in (self.protocol, self._protocol):
            return await self._session.json_version()
        return await self._session.version()

    @property
    def protocol(self) -> str | None:
        """What is spoken with the server, `jsonrpc` or `json2`; None before the login."""
        login = self._session.login
        return login.dialect.name if login else None

    @property
    def capabilities(self) -> Capabilities:
        """What the server is able to, as far as is known; NotLoggedInError before the login."""
        name = self._session.check_ready().dialect.name
        return Capabilities(name, self.ways.version, self.ways.best)

    @property
    def api_keys(self) -> ApiKeys:
        """The user's API keys: to make, list and revoke."""
        return ApiKeys(self, self._session)

    # -- calls ---------------------------------------------------------------------------------

    async def execute_kw(
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
        wire = arguments.keywords(kwargs)
        contexts = (self.context, wire.pop("context", None) or None, context)
        positional = arguments.positional(args)
        request = Request(
            arguments.text("model", model),
            arguments.text("method", method),
            [encode(arg) for arg in positional],
            wire,
            arguments.merged(*contexts),
            is_idempotent(method, positional),
        )
        timeout = arguments.seconds_or_none("timeout", timeout)
        return value_of(await self._session.send(request, timeout, NO_DEADLINE))

    async def search(
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
        page = arguments.page(offset=offset, limit=limit, order=order)
        return list(await self._ask(model, "search", [arguments.domain(domain)], page, context))

    async def search_count(
        self, model: str, domain: Domain = (), *, context: Context = None
    ) -> int:
        """Return how many records *domain* finds."""
        return int(await self._ask(model, "search_count", [arguments.domain(domain)], {}, context))

    async def search_read(
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
        page = arguments.page(offset=offset, limit=limit, order=order)
        wanted = {**arguments.names(fields=fields), **page}
        return list(
            await self._ask(model, "search_read", [arguments.domain(domain)], wanted, context)
        )

    async def read(
        self, model: str, ids: Ids, fields: Fields = None, *, context: Context = None
    ) -> list[dict[str, Any]]:
        """Return the values of the records with these ids; ids that do not exist are left out."""
        wanted = arguments.names(fields=fields)
        return list(await self._ask(model, "read", [arguments.ids(ids)], wanted, context))

    async def fields_get(
        self,
        model: str,
        fields: Fields = None,
        attributes: Fields = None,
        *,
        context: Context = None,
    ) -> dict[str, dict[str, Any]]:
        """Return what the fields of *model* are, by name."""
        wanted = arguments.names(fields=fields, attributes=attributes)
        wanted["allfields"] = wanted.pop("fields", None)
        return dict(await self._ask(model, "fields_get", [], wanted, context))

    async def _ask(
        self, model: str, method: str, args: list[Any], kwargs: dict[str, Any], context: Context
    ) -> Any:
        return checked(method, await self.execute_kw(model, method, args, kwargs, context=context))

    async def create(self, model: str, values: object, *, context: Context = None) -> Any:
        """Create a record from a mapping and return its id; from a list of them, their ids.

        Raises OutcomeUnknownError if the answer has no new id for each.
        """
        wire = await in_their_types(self, model, arguments.records(values), context)
        answer = await self.execute_kw(model, "create", [wire], context=context)
        check_new_ids(answer, wire)
        return answer

    async def write(self, model: str, ids: Ids, values: object, *, context: Context = None) -> bool:
        """Write *values* to the records with these ids, all or none."""
        numbers, given = arguments.ids(ids), arguments.values(values)
        args = [numbers, await in_their_types(self, model, given, context)]
        return bool(await self.execute_kw(model, "write", args, context=context))

    async def unlink(self, model: str, ids: Ids, *, context: Context = None) -> bool:
        """Delete the records with these ids, all or none."""
        return bool(await self.execute_kw(model, "unlink", [arguments.ids(ids)], context=context))

    # -- batches -------------------------------------------------------------------------------

    async def setup_batch_manager(self, **settings: Unpack[Settings]) -> BatchManager:
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
            options["chunk_size"] = arguments.count("max_chunk_size", max_chunk_size)
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

    # -- transactions --------------------------------------------------------------------------

    async def setup_transaction_manager(
        self, **settings: Unpack[TransactionOptions]
    ) -> TransactionManager:
        """Make the manager that this client's transactions use from now on, and return it."""
        self._transaction_manager = TransactionManager(self, self._session, **settings)
        return self._transaction_manager

    def transaction(self, **options: Unpack[TransactionOptions]) -> Transaction:
        """Open a transaction: a block whose writes are taken back when it fails.

        Inside another one it is a savepoint of that. *options* stand above the manager's settings.
        """
        if self._transaction_manager is None:
            self._transaction_manager = TransactionManager(self, self._session)
        return self._transaction_manager.transaction(**options)

    # -- for managers --------------------------------------------------------------------------

    @property
    def is_in_transaction(self) -> bool:
        """Whether the calls of this task or thread belong to a transaction."""
        return self._session.recorder() is not None

    def check_ready(self) -> None:
        """Raise NotLoggedInError or ClientClosedError if no call can be made."""
        self._session.check_ready()

    async def send_call(
        self, call: Question | Call, settings: ManagerSettings, deadline: Deadline
    ) -> Answer | Fault:
        """Send a batch's call and return what came of it, as a value."""
        context = record_to_wire({**self.context, **settings.context, **call.context})
        places = call.numbers if isinstance(call, Call) else ()
        request = Request(
            call.model, call.method, call.arguments, {}, context, call.idempotent, places
        )
        return await self._session.send(request, settings.timeout, deadline)
