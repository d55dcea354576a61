"""What a failure proves: the one table that retries, splits and outcomes are decided by.

A failure is told by its *kind* (the network layer's word, a status, or the name of Odoo's own
exception). The table says what that kind proves and which exception tells it.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Mapping
from typing import Any

import attrs

from .. import errors
from ..batch.status import Status


class Proof(enum.Enum):
    """What is certain after a failure."""

    NEVER_SENT = "never sent"
    NOT_RUN = "not run"
    ROLLED_BACK = "rolled back"
    UNKNOWN = "unknown"


class Repeat(enum.Enum):
    """Whether a call that failed may be sent again as it is."""

    ALWAYS = "always"
    IF_IDEMPOTENT = "if it is idempotent"
    NEVER = "never"


class Kind(enum.Enum):
    """How a request can end without an answer of Odoo's."""

    UNKNOWN_HOST = "unknown host"
    REFUSED = "refused"
    TLS = "tls"
    CONNECT_TIMEOUT = "connect timeout"
    PROXY = "proxy"
    NO_CONNECTION = "no connection"
    READ_TIMEOUT = "read timeout"
    CLOSED = "closed"
    BUSY = "busy"
    TOO_LARGE = "too large"
    NOT_THERE = "not there"
    FORBIDDEN = "forbidden"
    GATEWAY = "gateway"
    NOT_ODOO = "not odoo"


@attrs.frozen
class Rule:
    """One row of the table: what a kind of failure proves, and what follows from that.

    *status* is what its records become if it is not repeated, or was repeated in vain.
    """

    proof: Proof
    status: Status
    repeat: Repeat
    error: Any


_NEVER_SENT = (Proof.NEVER_SENT, Status.NOT_SENT, Repeat.ALWAYS)
_TURNED_AWAY = (Proof.NOT_RUN, Status.NOT_SENT, Repeat.ALWAYS)
_REJECTED = (Proof.NOT_RUN, Status.REFUSED, Repeat.NEVER)
_SHUT_OUT = (Proof.NOT_RUN, Status.NOT_SENT, Repeat.NEVER)
_ROLLED_BACK = (Proof.ROLLED_BACK, Status.REFUSED, Repeat.NEVER)
_CONFLICT = (Proof.ROLLED_BACK, Status.NOT_SENT, Repeat.ALWAYS)
_UNKNOWN = (Proof.UNKNOWN, Status.UNKNOWN, Repeat.IF_IDEMPOTENT)
_UNKNOWN_FOR_GOOD = (Proof.UNKNOWN, Status.UNKNOWN, Repeat.NEVER)

# No answer of Odoo's came.
TRANSPORT: dict[Kind, Rule] = {
    Kind.UNKNOWN_HOST: Rule(*_NEVER_SENT, errors.UnknownHostError),
    Kind.REFUSED: Rule(*_NEVER_SENT, errors.RefusedConnectionError),
    Kind.TLS: Rule(*_NEVER_SENT, errors.TLSError),
    Kind.CONNECT_TIMEOUT: Rule(*_NEVER_SENT, errors.ConnectTimeoutError),
    Kind.PROXY: Rule(*_NEVER_SENT, errors.ProxyConnectionError),
    Kind.NO_CONNECTION: Rule(*_NEVER_SENT, errors.ConnectionFailedError),
    Kind.READ_TIMEOUT: Rule(*_UNKNOWN, errors.AnswerTimeoutError),
    Kind.CLOSED: Rule(*_UNKNOWN, errors.NoAnswerError),
    # Of what others than Odoo answer, only these two are said before a call is passed on, for both
    # are told by its head: how many came (nginx `limit_req`, HAProxy, Traefik, Cloudflare), and how
    # large it is (nginx `client_max_body_size`, Apache `LimitRequestBody`).
    Kind.BUSY: Rule(*_TURNED_AWAY, errors.ServerBusyError),
    Kind.TOO_LARGE: Rule(*_REJECTED, errors.TooLargeError),
    # These can be said afterwards as well; `docs/design.md` tells who says what, and when.
    Kind.NOT_THERE: Rule(*_UNKNOWN, errors.NotThereError),
    Kind.FORBIDDEN: Rule(*_UNKNOWN_FOR_GOOD, errors.NotOdooError),
    Kind.GATEWAY: Rule(*_UNKNOWN, errors.GatewayError),
    Kind.NOT_ODOO: Rule(*_UNKNOWN, errors.NotOdooError),
}

# An HTTP status without a word of Odoo's -> what happened; 520 to 527 are Cloudflare's.
STATUSES: dict[int, Kind] = {
    429: Kind.BUSY,
    413: Kind.TOO_LARGE,
    404: Kind.NOT_THERE,
    **dict.fromkeys((408, 502, 503, 504, *range(520, 528)), Kind.GATEWAY),
}
# The server was too slow for the proxy, or may have been: Varnish says 503, Cloudflare 524.
TOO_SLOW = frozenset((503, 504, 524))


def kind_of(status: int) -> Kind:
    """Return what an answer that is not Odoo's tells by its status."""
    return STATUSES.get(status, Kind.FORBIDDEN if 400 <= status < 500 else Kind.NOT_ODOO)


UNCERTAIN = Rule(*_UNKNOWN, errors.OutcomeUnknownError)
# A traceback that runs through the commit, or through what comes after it: the hooks of
# `cr.postcommit`, the news for other workers (`signal_changes`), the answer that is written as JSON
# (`odoo/sql_db.py`, `odoo/service/model.py`, `odoo/http.py` of 14 and 19). What 14 does in `commit`
# before it commits, which is where it writes most updates, is rolled back like all before it.
AT_THE_COMMIT = re.compile(
    r"\bin commit$(?!\n +(?:flush_env\(self\)|self\.precommit\.run\(\))$)"
    r"|\bin (?:signal_changes|make_json_response|_json_response)$"
    r"|\bpostcommit\b",
    re.MULTILINE,
)

UNPROCESSABLE = "werkzeug.exceptions.UnprocessableEntity"  # JSON-2: arguments that do not bind

REDIRECT = "odoo.exceptions.RedirectWarning"

# Odoo answered with an error: the class that its server names (14 and 19).
ODOO: dict[str, Rule] = {
    "odoo.exceptions.AccessDenied": Rule(*_SHUT_OUT, errors.AuthenticationError),
    "odoo.http.SessionExpiredException": Rule(*_SHUT_OUT, errors.AuthenticationError),
    "odoo.exceptions.AccessError": Rule(*_ROLLED_BACK, errors.AccessError),
    "odoo.exceptions.ValidationError": Rule(*_ROLLED_BACK, errors.ValidationError),
    "odoo.exceptions.MissingError": Rule(*_ROLLED_BACK, errors.MissingError),
    "odoo.exceptions.UserError": Rule(*_ROLLED_BACK, errors.UserError),
    REDIRECT: Rule(*_ROLLED_BACK, errors.UserError),
    "odoo.exceptions.LockError": Rule(*_CONFLICT, errors.ConflictError),
    "odoo.exceptions.ConcurrencyError": Rule(*_CONFLICT, errors.ConflictError),
    "psycopg2.errors.SerializationFailure": Rule(*_CONFLICT, errors.ConflictError),
    "psycopg2.errors.DeadlockDetected": Rule(*_CONFLICT, errors.ConflictError),
    "psycopg2.errors.LockNotAvailable": Rule(*_CONFLICT, errors.ConflictError),
    # JSON-2: what its server says before the method, or instead of it.
    "werkzeug.exceptions.Unauthorized": Rule(*_SHUT_OUT, errors.AuthenticationError),
    UNPROCESSABLE: Rule(*_REJECTED, errors.ServerError),
    "werkzeug.exceptions.BadRequest": Rule(*_REJECTED, errors.ServerError),
    # It found no free database connection, so it did not begin.
    "psycopg2.pool.PoolError": Rule(*_TURNED_AWAY, errors.NotBegunError),
    # It lost its database in the middle: whether the commit was made, it cannot tell.
    "psycopg2.OperationalError": UNCERTAIN,
    "psycopg2.InterfaceError": UNCERTAIN,
    "psycopg2.errors.AdminShutdown": UNCERTAIN,
    "psycopg2.errors.CrashShutdown": UNCERTAIN,
    "psycopg2.errors.CannotConnectNow": UNCERTAIN,
    "psycopg2.errors.IdleInTransactionSessionTimeout": UNCERTAIN,
}
# Over JSON-2 a wrong key is `Unauthorized`; access is denied where the database could not be asked
# about it (19, `_authenticate_explicit` in `ir_http.py`), which is before the method.
ODOO_JSON2 = {**ODOO, "odoo.exceptions.AccessDenied": Rule(*_TURNED_AWAY, errors.NotBegunError)}
# JSON-2 says so of a model that does not exist, JSON-RPC by a UserError.
NOT_FOUND = "werkzeug.exceptions.NotFound"
NO_MODEL = Rule(*_ROLLED_BACK, errors.UserError)
NO_DATABASE = Rule(*_SHUT_OUT, errors.DatabaseNotFoundError)
ANY_OTHER = Rule(*_ROLLED_BACK, errors.ServerError)


@attrs.frozen
class Fault:
    """A call that brought no value: what that proves, and the exception that tells it.

    *maybe_applied* says that an earlier try of the same call had no answer, so that it may have
    been carried out, whatever became of this try.
    """

    proof: Proof
    status: Status
    repeat: Repeat
    error: errors.ZenooError
    maybe_applied: bool = False

    def seen_after(self, unknown: Fault | None) -> Fault:
        """Return what this failure proves when earlier tries ended as *unknown*.

        That the last try did not reach the server says nothing of the first; a refusal of the
        last one is kept for its words.
        """
        if unknown is None or self.proof is Proof.UNKNOWN:
            return self
        if self.proof is Proof.ROLLED_BACK:
            return attrs.evolve(self, maybe_applied=True)
        return unknown

    @property
    def may_isolate(self) -> bool:
        """Whether sending parts of the call apart can tell the bad records from the good.

        Only where the call surely left nothing behind, and the reason can lie in a record.
        """
        if isinstance(self.error, errors.TooLargeError):
            return True
        return self.proof is Proof.ROLLED_BACK and not self.is_conflict

    @property
    def is_for_size(self) -> bool:
        """Whether a smaller call might have passed: it was too large, or took too long."""
        if isinstance(self.error, errors.GatewayError):
            return self.error.status in TOO_SLOW
        return isinstance(self.error, errors.AnswerTimeoutError | errors.TooLargeError)

    @property
    def may_pass(self) -> bool:
        """Whether it lies with the server or the way there, and may be over after a while."""
        again = self.repeat is Repeat.ALWAYS and self.proof is not Proof.ROLLED_BACK
        return again or self.proof is Proof.UNKNOWN

    @property
    def in_short(self) -> str:
        """Why no value came, without what it means for a write."""
        error = self.error
        return error.summary if isinstance(error, errors.TransportError) else str(error)

    @property
    def is_conflict(self) -> bool:
        """Whether another transaction was in the way of the call."""
        return isinstance(self.error, errors.ConflictError)


def never_sent(error: errors.ZenooError) -> Fault:
    """Return the fault of a call that was not even tried."""
    return Fault(Proof.NEVER_SENT, Status.NOT_SENT, Repeat.NEVER, error)


def not_answered(model: str, fault: Fault) -> errors.QuestionError:
    """Return what is told of records for which a question about their model failed so.

    What became of the question is nobody's concern, and the texts of faults are about writes.
    """
    return errors.QuestionError(model, fault.in_short)


def transport_fault(
    kind: Kind,
    address: str,
    detail: str = "",
    *,
    status: int | None = None,
    retry_after: float | None = None,
) -> Fault:
    """Return what a request without an answer of Odoo's proves."""
    row = TRANSPORT[kind]
    error = row.error(address, detail)
    if isinstance(error, errors.NotOdooError):
        error.status = status
    if isinstance(error, errors.ServerBusyError | errors.GatewayError):
        error.retry_after = retry_after
    return Fault(row.proof, row.status, row.repeat, error)


def odoo_fault(
    name: str,
    message: str,
    arguments: tuple[object, ...],
    debug: str,
    table: Mapping[str, Rule] = ODOO,
) -> Fault:
    """Return what an error answer of Odoo's proves, by the *table* of its dialect.

    Source: `odoo/http.py` and `odoo/service/model.py` of 14 and 19 roll back before they answer
    with an error; a lost database connection is the exception, and what fails at the commit or
    after it. Only the traceback, *debug*, tells that.
    """
    if AT_THE_COMMIT.search(debug):
        row = UNCERTAIN
    elif name == "psycopg2.OperationalError" and "does not exist" in message:
        row = NO_DATABASE
    elif name == NOT_FOUND and message.startswith("the model "):
        row = NO_MODEL
    else:
        row = table.get(name, ANY_OTHER)
    if name == REDIRECT and arguments and isinstance(arguments[0], str):
        message = arguments[0]  # the message is that of all its arguments, a dict among them
    error = row.error(message.strip(), name, arguments, debug)
    return Fault(row.proof, row.status, row.repeat, error)
