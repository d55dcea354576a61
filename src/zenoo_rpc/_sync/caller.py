"""Who calls: a connection to one Odoo, a login, and the single calls of its models."""

from __future__ import annotations

import ssl
from collections.abc import Iterable, Mapping
from types import TracebackType
from typing import Any, Literal, Self

from .._compat import Closable
from .._core.address import parse_address
from .._core.call import Call
from .._core.dialect.base import major
from .._core.dialect.shapes import checked
from .._core.exchange import Answer, Request, value_of
from .._core.faults import Fault, Proof
from .._core.keys import Key
from .._core.retry import RetryPolicy, is_idempotent
from .._core.steps.base import Step
from .._core.steps.fields import FieldTypes, described, not_described
from .._core.terms import Terms
from .._core.ways import Capabilities, Ways
from ..batch.operations import RecordIds
from ..batch.options import ManagerSettings
from ..errors import InvalidValueError
from ..wire import arguments
from ..wire.encoding import encode
from ..wire.typed import Fields, unknown
from ..wire.values import WireRecord, check_new_ids, record_to_wire
from .login import Welcome, by_key, by_password
from .session import Session
from .transport import Transport

Context = Mapping[str, object] | None
Domain = Iterable[object]
Names = Iterable[str] | None
Ids = int | RecordIds

# Longer than Odoo's own limit for a request (120 s), so that a slow answer is not taken for none.
TIMEOUT = 150.0
PROTOCOLS = ("auto", "jsonrpc", "json2")

DEFAULT_RETRY = RetryPolicy()


class Caller(Closable):
    """A client without its batches and transactions, which are made of its calls."""

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

    def close(self) -> None:
        """Close the connections; no call can begin any more, those in flight are waited for."""
        self._session.transport.disconnect()

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

        A password goes over JSON-RPC, as JSON-2 takes keys only. A login that fails leaves the
        client as it was. Raises AuthenticationError for a wrong name or password,
        DatabaseNotFoundError, and TransportError when no Odoo answers.
        """
        arguments.texts(database=database, username=username, password=password)
        how = self._protocol
        with self._session.tentative():
            welcome = by_password(self._session, how, database, username, password)
        return self._begin(welcome)

    def login_with_api_key(
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
        with self._session.tentative():
            welcome = by_key(self._session, self._protocol, database, api_key, username)
        return self._begin(welcome)

    def _begin(self, welcome: Welcome) -> int:
        self.context = welcome.context
        self.server_version = welcome.version.get("server_version")
        self.ways = Ways(major(welcome.version))
        return welcome.uid

    def version(self) -> dict[str, Any]:
        """Return what the server tells of its version; needs no login."""
        if "json2" in (self.protocol, self._protocol):
            return self._session.json_version()
        return self._session.version()

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
        """Call *method* of *model* and return what it returns, as JSON has it.

        *args* and *kwargs* are the method's; values such as dates and decimals are converted.
        *context* goes over one in *kwargs*, and that over the user's own. An answer may take
        *timeout* seconds, by default the client's.

        A method that only reads, or writes absolute values, is repeated when no answer comes.
        Raises OdooError with the server's own message when the method failed, TransportError when
        no answer came, UsageError for what cannot be sent.
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
        return value_of(self._session.send(request, Terms(timeout)))

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
        """Return the ids of the records that *domain* finds; archived ones only if it says so.

        *domain* is a list of conditions such as `("name", "=", "Ann")`; `offset` records are left
        out and at most `limit` come, in the *order* of a text such as `"name desc, id"`. Raises as
        `execute_kw`.
        """
        page = arguments.page(offset=offset, limit=limit, order=order)
        return list(self._ask(model, "search", [arguments.domain(domain)], page, context))

    def search_count(
        self, model: str, domain: Domain = (), *, context: Context = None
    ) -> int:
        """Return how many records *domain* finds; see `search`."""
        return int(self._ask(model, "search_count", [arguments.domain(domain)], {}, context))

    def search_read(
        self,
        model: str,
        domain: Domain = (),
        fields: Names = None,
        *,
        offset: int = 0,
        limit: int | None = None,
        order: str | None = None,
        context: Context = None,
    ) -> list[dict[str, Any]]:
        """Return the values of the records that *domain* finds, all *fields* or these.

        Arguments as in `search`, values as in `read`.
        """
        page = arguments.page(offset=offset, limit=limit, order=order)
        wanted = {**arguments.names(fields=fields), **page}
        return list(
            self._ask(model, "search_read", [arguments.domain(domain)], wanted, context)
        )

    def read(
        self, model: str, ids: Ids, fields: Names = None, *, context: Context = None
    ) -> list[dict[str, Any]]:
        """Return the values of the records with these ids; ids that do not exist are left out.

        *ids* is one or an iterable of them. A mapping for each, as JSON has it: False for no value,
        `[id, name]` for a many2one; `from_wire` converts. Raises as `execute_kw`.
        """
        wanted = arguments.names(fields=fields)
        return list(self._ask(model, "read", [arguments.ids(ids)], wanted, context))

    def fields_get(
        self,
        model: str,
        fields: Names = None,
        attributes: Names = None,
        *,
        context: Context = None,
    ) -> dict[str, dict[str, Any]]:
        """Return what the fields of *model* are, by name."""
        wanted = arguments.names(fields=fields, attributes=attributes)
        wanted["allfields"] = wanted.pop("fields", None)
        return dict(self._ask(model, "fields_get", [], wanted, context))

    def _ask(
        self, model: str, method: str, args: list[Any], kwargs: dict[str, Any], context: Context
    ) -> Any:
        return checked(method, self.execute_kw(model, method, args, kwargs, context=context))

    def create(self, model: str, values: object, *, context: Context = None) -> Any:
        """Create a record from a mapping and return its id; from a list of them, their ids.

        attrs and dataclass instances are taken for mappings. It is never repeated. Raises
        InvalidValueError for what is no value of its field, QuestionError if the field's type
        decides and is not told, OutcomeUnknownError if the answer has no new id for each, and as
        `execute_kw`.
        """
        wire = self._typed(model, arguments.records(values), context)
        answer = self.execute_kw(model, "create", [wire], context=context)
        check_new_ids(answer, wire)
        return answer

    def write(self, model: str, ids: Ids, values: object, *, context: Context = None) -> bool:
        """Write *values* to the records with these ids, all or none; True if the server says so.

        *ids* is one or an iterable of them. It is repeated when no answer comes, if the values are
        absolute. Raises as `create`.
        """
        numbers, given = arguments.ids(ids), arguments.values(values)
        args = [numbers, self._typed(model, given, context)]
        return bool(self.execute_kw(model, "write", args, context=context))

    def unlink(self, model: str, ids: Ids, *, context: Context = None) -> bool:
        """Delete the records with these ids, all or none; True if the server says so.

        *ids* is one or an iterable of them. It is not repeated when no answer comes. Raises as
        `execute_kw`.
        """
        return bool(self.execute_kw(model, "unlink", [arguments.ids(ids)], context=context))

    # -- for managers --------------------------------------------------------------------------

    @property
    def is_in_transaction(self) -> bool:
        """Whether the calls of this task or thread belong to a transaction."""
        return self._session.recorder() is not None

    def check_ready(self) -> None:
        """Raise NotLoggedInError or ClientClosedError if no call can be made."""
        self._session.check_ready()

    def send_call(
        self, call: Step | Call, settings: ManagerSettings, terms: Terms
    ) -> Answer | Fault:
        """Send a batch's call and return what came of it, as a value."""
        context = record_to_wire({**self.context, **settings.context, **call.context})
        places = call.numbers if isinstance(call, Call) else ()
        request = Request(
            call.model, call.method, call.arguments, {}, context, call.idempotent, places
        )
        return self._session.send(request, terms)

    # -- values --------------------------------------------------------------------------------

    def _typed(
        self, model: str, values: WireRecord | list[WireRecord], context: Context
    ) -> WireRecord | list[WireRecord]:
        """Return the values of a record, or of a list of them, as their fields' types ask for.

        Raises InvalidValueError for what is no value of its field, and QuestionError if the fields
        must be known and are not told.
        """
        arguments.text("model", model)
        arguments.merged(context)  # all is checked before anything is asked
        if not isinstance(values, list):
            return self._typed_record(model, values, "values")
        return [
            self._typed_record(model, record, f"values[{place}]")
            for place, record in enumerate(values)
        ]

    def _typed_record(self, model: str, values: WireRecord, name: str) -> WireRecord:
        while models := unknown(values, model, self.ways.fields):
            for each in sorted(models):
                self.ways.fields[each] = self._described(each)
        try:
            return self.ways.typed(model, values)
        except InvalidValueError as error:
            raise error.within(name) from None

    def _described(self, model: str) -> Fields:
        reply = self.send_call(FieldTypes(model), ManagerSettings(), Terms())
        fields = described(reply)
        if fields is not None:
            return fields
        if isinstance(reply, Fault) and reply.proof is not Proof.UNKNOWN:
            raise reply.error
        _, error = not_described(model, reply)
        raise error
