"""Every exception of the library, as one tree.

    ZenooError
    |-- UsageError                  nothing was sent: the call cannot be served as it stands
    |   |-- AddressError            the server's address cannot be read (also a ValueError)
    |   |-- NotLoggedInError        a call that needs a login came before it
    |   |-- ClientClosedError       the client was closed
    |   |-- InvalidValueError       a value that no wire format can carry (also a ValueError)
    |   |-- UnknownOptionError      a keyword that there is not (also a TypeError)
    |   `-- MissingExtraError       an optional dependency is not installed (also an ImportError)
    |-- TransportError              no answer of Odoo's came
    |   |-- ConnectionFailedError   nothing was sent
    |   |   |-- UnknownHostError
    |   |   |-- RefusedConnectionError
    |   |   |-- TLSError
    |   |   |-- ConnectTimeoutError
    |   |   `-- ProxyConnectionError
    |   |-- NoAnswerError           it was sent, and whether it was carried out is unknown
    |   |   `-- AnswerTimeoutError
    |   |-- ServerBusyError         turned away in front of Odoo (429): it did not run
    |   `-- NotOdooError            something answered that is not Odoo
    |       |-- GatewayError        502, 503, 504 ...: a proxy got no answer from Odoo
    |       |-- TooLargeError       413: more than a proxy takes; it did not run
    |       `-- NotThereError       404: there is nothing to answer the call
    |-- QuestionError               nothing was sent: what has to be known first was not answered
    |-- OdooError                   Odoo's own answer: it ran, failed and was rolled back
    |   |-- AccessError             |-- ValidationError     |-- MissingError
    |   |-- UserError               |-- ConflictError
    |   |-- ServerError
    |   |   |-- NotBegunError         it did not run: Odoo had no database connection for it
    |   |   `-- OutcomeUnknownError   it failed at the commit, or after it: it may be in effect
    |   `-- AuthenticationError
    |       `-- DatabaseNotFoundError
    |-- BatchError                  see `zenoo_rpc.batch.exceptions`
    `-- TransactionError            see `zenoo_rpc.transaction`

No text of these holds a password, a key or a value of a record, unless Odoo's own message quotes
one. All of them pickle.
"""

from __future__ import annotations

import re


class ZenooError(Exception):
    """Base of every exception that the library raises on purpose."""


class UsageError(ZenooError):
    """The call cannot be served as it stands; nothing was sent."""


class AddressError(UsageError, ValueError):
    """The server's address cannot be read."""


class NotLoggedInError(UsageError):
    """A call that needs a login came before `login()`."""


class ClientClosedError(UsageError):
    """The client was closed; make a new one."""


class UnknownOptionError(UsageError, TypeError):
    """A keyword that there is not, or that is misspelt."""


class InvalidValueError(UsageError, ValueError):
    """A value that no wire format can carry, or that is not what `from_wire` was asked for.

    *path* leads to it inside what was given, as `line_ids[0][2].price`.
    """

    def __init__(self, reason: str, path: str = "") -> None:
        super().__init__(reason, path)
        self.reason = reason
        self.path = path

    def __str__(self) -> str:
        return f"field '{self.path}': {self.reason}" if self.path else self.reason

    def within(self, step: str | int) -> InvalidValueError:
        """Return the same error seen from one level further out."""
        if isinstance(step, int):
            return InvalidValueError(self.reason, f"[{step}]{self._joint()}{self.path}")
        return InvalidValueError(self.reason, f"{step}{self._joint()}{self.path}")

    def _joint(self) -> str:
        return "." if self.path and not self.path.startswith("[") else ""


class MissingExtraError(UsageError, ImportError):
    """An optional dependency is not installed."""


class QuestionError(ZenooError):
    """A record was not sent, because a question that comes first got no answer.

    *model* is what was asked about, *reason* why there is no answer.
    """

    def __init__(self, model: str, reason: str) -> None:
        super().__init__(model, reason)
        self.model = model
        self.reason = reason

    def __str__(self) -> str:
        return f"a question about {self.model} got no answer, so it was not sent ({self.reason})"


class TransportError(ZenooError):
    """No answer of Odoo's came.

    *address* is the server's URL, *detail* what the network layer said.
    """

    summary = "no answer came"
    advice = ""

    def __init__(self, address: str, detail: str = "") -> None:
        super().__init__(address, detail)
        self.address = address
        self.detail = detail

    def __str__(self) -> str:
        text = f"{self.address}: {self.summary}"
        if self.detail:
            text += f" ({self.detail})"
        return f"{text}. {self.advice}" if self.advice else text


class ConnectionFailedError(TransportError):
    """No connection was made, so nothing was sent."""

    summary = "no connection could be made"
    advice = "Check the address, the port and the network. Nothing was sent."


class UnknownHostError(ConnectionFailedError):
    """The host's name has no address."""

    summary = "the host is unknown"
    advice = "Check the spelling of the host and the DNS. Nothing was sent."


class RefusedConnectionError(ConnectionFailedError):
    """Nothing listens at that port."""

    summary = "the connection was refused"
    advice = "Check that Odoo runs and listens at this port. Nothing was sent."


class TLSError(ConnectionFailedError):
    """No secure connection could be agreed on."""

    summary = "no secure connection could be made"
    advice = "Check the certificate, http or https, and `verify`. Nothing was sent."


class ConnectTimeoutError(ConnectionFailedError):
    """No connection came about in time."""

    summary = "no connection came about in time"
    advice = "Check that the host can be reached (firewall, VPN). Nothing was sent."


class ProxyConnectionError(ConnectionFailedError):
    """The proxy that leads to the server cannot be reached, or does not let the client through."""

    summary = "the proxy on the way to it was of no use"
    advice = (
        "Check the proxy: the option `proxy`, or HTTP_PROXY, HTTPS_PROXY and ALL_PROXY in the "
        "environment (`trust_env=False` leaves these out). Nothing was sent."
    )


class NoAnswerError(TransportError):
    """The request was sent and no answer came: it may or may not have been carried out."""

    summary = "the request was sent and no answer came"
    advice = "Whether the server carried it out is unknown."


class AnswerTimeoutError(NoAnswerError):
    """The request was sent and no answer came in time."""

    summary = "the request was sent and no answer came in time"
    advice = "Whether the server carried it out, or still does, is unknown."


class ServerBusyError(TransportError):
    """The request was turned away in front of Odoo (429); it did not run.

    *retry_after* is the server's wish in seconds, None when it named none.
    """

    summary = "the server is busy and turned the request away"
    advice = "It did not run; send it again later."
    retry_after: float | None = None


class NotOdooError(TransportError):
    """Something answered that is not Odoo's RPC: a web page, another service, a proxy.

    *status* is the HTTP status, None when the answer had none.
    """

    summary = "the answer is not Odoo's"
    advice = (
        "Whether the call was carried out is unknown. Check that the address leads to Odoo and "
        "that no proxy or login page is in between."
    )
    status: int | None = None


class GatewayError(NotOdooError):
    """A proxy's own word for having no answer of Odoo's (408, 502, 503, 504, 520 to 527).

    The call may have been carried out, or still run. *retry_after* is the pause in seconds that
    the proxy asks for, None when it names none.
    """

    summary = "the proxy in front of Odoo got no answer from it"
    advice = (
        "Whether the call was carried out, or is still running, is unknown. Check that Odoo is up, "
        "and that the proxy waits longer than Odoo's own limit for a request (120 s)."
    )
    retry_after: float | None = None


class TooLargeError(NotOdooError):
    """413: the body is larger than the proxy in front of Odoo takes; it did not run."""

    summary = "the call is larger than the proxy in front of Odoo takes"
    advice = (
        "It did not run. Send fewer records or smaller files in a call, or raise the proxy's limit."
    )


class NotThereError(NotOdooError):
    """404, and no word of Odoo's: where a call should go there is nothing now.

    The address leads elsewhere, a proxy has lost its servers, or Odoo has lost its database: over
    JSON-2 it then answers so. A proxy may say so after the call was carried out as well.
    """

    summary = "there is nothing to answer the call"
    advice = (
        "Whether it was carried out is unknown. Check the address, and that the server and its "
        "database are up."
    )


class OdooError(ZenooError):
    """Odoo's own error answer: the call ran, failed and was rolled back.

    Of an OutcomeUnknownError the last is not certain, and of a NotBegunError it did not even run.

    `str()` is the server's message (`error.data.message`). *name* is the server's class name,
    *arguments* its arguments, *debug* its traceback (it may quote values; never logged).
    """

    def __init__(
        self,
        message: str,
        name: str = "",
        arguments: tuple[object, ...] = (),
        debug: str = "",
        *,
        field: str | None = None,
    ) -> None:
        super().__init__(message, name, arguments, debug)
        self._field = field
        self.message = message
        self.name = name
        self.arguments = arguments
        self.debug = debug

    def __str__(self) -> str:
        return self.message

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.message!r}, name={self.name!r})"

    @property
    def field(self) -> str | None:
        """The field that the server names, None when it names none that can be told."""
        if self._field:
            return self._field
        for pattern in _FIELD_PATTERNS:
            if match := pattern.search(self.message):
                return match[1]
        return None


# How 19 and 14 name the field in their English messages (recorded answers of both).
_FIELD_PATTERNS = (
    re.compile(r"Wrong value for [a-z0-9_.]+\.(\w+):"),
    re.compile(r"Invalid field '(\w+)'"),
    re.compile(r"Missing required value for the field '[^']*' \((\w+)\)"),
    re.compile(r"Field: [^\n]* \((\w+)\)"),
    re.compile(r"Thanks to the following constraint: '[^']*' \((\w+)\)"),
)


class AccessError(OdooError):
    """The user may not do this (`odoo.exceptions.AccessError`)."""


class ValidationError(OdooError):
    """A constraint does not hold (`odoo.exceptions.ValidationError`)."""


class UserError(OdooError):
    """The server's rules forbid it (`odoo.exceptions.UserError` and its kin)."""


class MissingError(OdooError):
    """A record does not exist or was deleted (`odoo.exceptions.MissingError`)."""


class ConflictError(OdooError):
    """A serialization, deadlock or lock failure that the server gave up on."""


class ServerError(OdooError):
    """Any other error inside the server (`builtins.ValueError` ...)."""


class NotBegunError(ServerError):
    """Odoo had no connection to its database for the call, so it did not run.

    All of its connections were taken, or the database was away.
    """

    def __str__(self) -> str:
        return (
            f"{self.message} (Odoo had no free connection to its database, so the call did not "
            "run; send it again later)"
        )


class OutcomeUnknownError(ServerError):
    """The server failed at its commit or after it, or gave an answer that cannot be.

    The call may be in effect. Odoo 19 commits, then runs hooks and tells its other workers; what
    goes wrong there is answered like any other error (`retrying` in `odoo/service/model.py`). So
    is a database connection that was lost, maybe during the commit. An answer that cannot be is one
    to a create without an id for each record.
    """

    def __str__(self) -> str:
        return f"{self.message} (whether the call is in effect is unknown)"


class AuthenticationError(OdooError):
    """The server did not accept the login or the password, or accepts it no longer."""

    def __str__(self) -> str:
        if not self.name or isinstance(self, DatabaseNotFoundError):
            return self.message
        return (  # of a call the server says no more than `Access Denied`, or `Invalid apikey`
            f"{self.message} (the login is not accepted any more: the key has expired, was revoked "
            "or is mistyped, or the password was changed)"
        )


class DatabaseNotFoundError(AuthenticationError):
    """The server has no such database."""
