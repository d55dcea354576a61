"""The table "Which sentence about a failure is true": what happened -> what it proves."""

import pytest

from zenoo_rpc import errors
from zenoo_rpc._core.faults import (
    TRANSPORT,
    Fault,
    Kind,
    Proof,
    Repeat,
    never_sent,
    odoo_fault,
    transport_fault,
)
from zenoo_rpc.batch.results import Status

ADDRESS = "http://localhost:8069"


NEVER_SENT = Proof.NEVER_SENT, Status.NOT_SENT
TURNED_AWAY = Proof.NOT_RUN, Status.NOT_SENT
REJECTED = Proof.NOT_RUN, Status.REFUSED
ROLLED_BACK = Proof.ROLLED_BACK, Status.REFUSED
UNKNOWN = Proof.UNKNOWN, Status.UNKNOWN


@pytest.mark.parametrize(
    ("kind", "proves", "error_class"),
    [
        (Kind.UNKNOWN_HOST, NEVER_SENT, errors.UnknownHostError),
        (Kind.REFUSED, NEVER_SENT, errors.RefusedConnectionError),
        (Kind.TLS, NEVER_SENT, errors.TLSError),
        (Kind.CONNECT_TIMEOUT, NEVER_SENT, errors.ConnectTimeoutError),
        (Kind.NO_CONNECTION, NEVER_SENT, errors.ConnectionFailedError),
        (Kind.BUSY, TURNED_AWAY, errors.ServerBusyError),
        (Kind.REJECTED, REJECTED, errors.NotOdooError),
        (Kind.READ_TIMEOUT, UNKNOWN, errors.AnswerTimeoutError),
        (Kind.CLOSED, UNKNOWN, errors.NoAnswerError),
        (Kind.NOT_ODOO, UNKNOWN, errors.NotOdooError),
    ],
)
def test_no_answer(kind, proves, error_class):
    """Each way of getting no answer proves one thing, and has one exception."""
    fault = transport_fault(kind, ADDRESS, "as the network says")

    assert proves == (fault.proof, fault.status)
    assert error_class is type(fault.error)
    assert (ADDRESS, "as the network says") == (fault.error.address, fault.error.detail)


def test_every_kind_is_in_the_table():
    """There is no way to fail that the table does not tell."""
    assert set(Kind) == set(TRANSPORT)


def test_not_even_tried():
    """A call that our own side cannot make was never sent, and is not tried again."""
    error = errors.ClientClosedError("closed")

    assert Fault(Proof.NEVER_SENT, Status.NOT_SENT, Repeat.NEVER, error) == never_sent(error)


@pytest.mark.parametrize(
    "kind", [kind for kind in Kind if TRANSPORT[kind].proof is Proof.NEVER_SENT]
)
def test_never_sent_is_told(kind):
    """What was never sent says so to the user, and is a failed connection to a program."""
    error = transport_fault(kind, ADDRESS).error

    assert isinstance(error, errors.ConnectionFailedError)
    assert "Nothing was sent." in str(error)


@pytest.mark.parametrize("kind", [Kind.READ_TIMEOUT, Kind.CLOSED])
def test_unknown_is_told(kind):
    """What may have been carried out says so to the user."""
    error = transport_fault(kind, ADDRESS).error

    assert isinstance(error, errors.NoAnswerError)
    assert "unknown" in str(error)


@pytest.mark.parametrize(
    ("name", "error_class"),
    [
        ("odoo.exceptions.AccessError", errors.AccessError),
        ("odoo.exceptions.ValidationError", errors.ValidationError),
        ("odoo.exceptions.MissingError", errors.MissingError),
        ("odoo.exceptions.UserError", errors.UserError),
        ("odoo.exceptions.RedirectWarning", errors.UserError),
        ("odoo.exceptions.LockError", errors.ConflictError),
        ("odoo.exceptions.ConcurrencyError", errors.ConflictError),
        ("psycopg2.errors.SerializationFailure", errors.ConflictError),
        ("psycopg2.errors.DeadlockDetected", errors.ConflictError),
        ("psycopg2.errors.LockNotAvailable", errors.ConflictError),
        ("psycopg2.errors.InvalidDatetimeFormat", errors.ServerError),
        ("builtins.ValueError", errors.ServerError),
        ("builtins.KeyError", errors.ServerError),
        ("builtins.MemoryError", errors.ServerError),
        ("werkzeug.exceptions.RequestEntityTooLarge", errors.ServerError),
        ("", errors.ServerError),
    ],
)
def test_odoo_rolled_back(name, error_class):
    """An error answer of Odoo's proves that it ran and was rolled back."""
    fault = odoo_fault(name, "No.\n", ("No.\n",), "Traceback ...")

    assert ROLLED_BACK == (fault.proof, fault.status)
    assert error_class is type(fault.error)
    assert ("No.", name, ("No.\n",), "Traceback ...") == fault.error.args


@pytest.mark.parametrize(
    "name", ["odoo.exceptions.AccessDenied", "odoo.http.SessionExpiredException"]
)
def test_odoo_does_not_know_who_calls(name):
    """A wrong key, or a session that expired, is refused before the method runs."""
    fault = odoo_fault(name, "Access Denied", (), "")

    assert REJECTED == (fault.proof, fault.status)
    assert errors.AuthenticationError is type(fault.error)


def test_odoo_had_no_connection():
    """A server without a free database connection (19 under load) did not begin."""
    fault = odoo_fault("psycopg2.pool.PoolError", "The Connection Pool Is Full", (), "")

    assert TURNED_AWAY == (fault.proof, fault.status)


@pytest.mark.parametrize(
    "name",
    [
        "psycopg2.OperationalError",
        "psycopg2.InterfaceError",
        "psycopg2.errors.AdminShutdown",
        "psycopg2.errors.CrashShutdown",
        "psycopg2.errors.CannotConnectNow",
        "psycopg2.errors.IdleInTransactionSessionTimeout",
    ],
)
def test_odoo_lost_its_database(name):
    """A server that lost its database in the middle cannot tell whether it committed."""
    fault = odoo_fault(name, "server closed the connection unexpectedly", (), "")

    assert UNKNOWN == (fault.proof, fault.status)
    assert errors.ServerError is type(fault.error)


@pytest.mark.parametrize(
    "message",
    [
        'FATAL:  database "nonesuch" does not exist\n',
        'connection to server on socket "/" failed: FATAL:  database "nonesuch" does not exist\n',
    ],
    ids=["14", "19"],
)
def test_no_such_database(message):
    """A database that does not exist carried nothing out."""
    fault = odoo_fault("psycopg2.OperationalError", message, (message,), "")

    assert REJECTED == (fault.proof, fault.status)
    assert errors.DatabaseNotFoundError is type(fault.error)
    assert message.strip() == str(fault.error)


@pytest.mark.parametrize(
    "fault",
    [
        odoo_fault("odoo.exceptions.ValidationError", "No.", (), ""),
        odoo_fault("odoo.exceptions.AccessError", "No.", (), ""),
        odoo_fault("odoo.exceptions.MissingError", "No.", (), ""),
        odoo_fault("builtins.ValueError", "No.", (), ""),
        transport_fault(Kind.REJECTED, ADDRESS, status=413),
    ],
    ids=lambda fault: type(fault.error).__name__,
)
def test_may_isolate(fault):
    """A refusal whose reason can lie in a record, or in their number, can be taken apart."""
    assert fault.may_isolate


@pytest.mark.parametrize(
    "fault",
    [
        *(transport_fault(kind, ADDRESS) for kind in Kind),
        transport_fault(Kind.REJECTED, ADDRESS, "HTTP 405", status=405),
        transport_fault(Kind.NOT_THERE, ADDRESS, "HTTP 404", status=404),
        transport_fault(Kind.NOT_ODOO, ADDRESS, "HTTP 413", status=413),
        odoo_fault("odoo.exceptions.AccessDenied", "No.", (), ""),
        odoo_fault("psycopg2.errors.SerializationFailure", "Not now.", (), ""),
        odoo_fault("psycopg2.OperationalError", "No.", (), ""),
        odoo_fault("psycopg2.pool.PoolError", "The Connection Pool Is Full", (), ""),
        never_sent(errors.ClientClosedError("closed")),
    ],
    ids=lambda fault: f"{fault.proof.value}: {fault.error}",
)
def test_may_not_isolate(fault):
    """What may have been carried out, or concerns all records alike, is not sent in parts."""
    assert not fault.may_isolate


def test_busy_says_when():
    """A server that is busy may say after how many seconds to come again."""
    assert 30.0 == transport_fault(Kind.BUSY, ADDRESS, retry_after=30.0).error.retry_after
    assert None is transport_fault(Kind.BUSY, ADDRESS).error.retry_after


def test_status():
    """What is not Odoo has its HTTP status."""
    assert 404 == transport_fault(Kind.NOT_THERE, ADDRESS, status=404).error.status
    assert None is transport_fault(Kind.NOT_ODOO, ADDRESS).error.status
