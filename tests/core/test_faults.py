"""The table "Which sentence about a failure is true": what happened -> what it proves."""

import pytest

from zenoo_rpc import errors
from zenoo_rpc._core.faults import (
    ODOO,
    TRANSPORT,
    Fault,
    Kind,
    Proof,
    Repeat,
    kind_of,
    never_sent,
    odoo_fault,
    transport_fault,
)
from zenoo_rpc.batch.status import Status

ADDRESS = "http://localhost:8069"

NEVER_SENT = Proof.NEVER_SENT, Status.NOT_SENT
TURNED_AWAY = Proof.NOT_RUN, Status.NOT_SENT
REJECTED = Proof.NOT_RUN, Status.REFUSED
ROLLED_BACK = Proof.ROLLED_BACK, Status.REFUSED
CONFLICT = Proof.ROLLED_BACK, Status.NOT_SENT
UNKNOWN = Proof.UNKNOWN, Status.UNKNOWN


@pytest.mark.parametrize(
    ("kind", "proves", "error_class"),
    [
        (Kind.UNKNOWN_HOST, NEVER_SENT, errors.UnknownHostError),
        (Kind.REFUSED, NEVER_SENT, errors.RefusedConnectionError),
        (Kind.TLS, NEVER_SENT, errors.TLSError),
        (Kind.CONNECT_TIMEOUT, NEVER_SENT, errors.ConnectTimeoutError),
        (Kind.PROXY, NEVER_SENT, errors.ProxyConnectionError),
        (Kind.NO_CONNECTION, NEVER_SENT, errors.ConnectionFailedError),
        (Kind.BUSY, TURNED_AWAY, errors.ServerBusyError),
        (Kind.TOO_LARGE, REJECTED, errors.TooLargeError),
        (Kind.READ_TIMEOUT, UNKNOWN, errors.AnswerTimeoutError),
        (Kind.CLOSED, UNKNOWN, errors.NoAnswerError),
        (Kind.NOT_THERE, UNKNOWN, errors.NotThereError),
        (Kind.FORBIDDEN, UNKNOWN, errors.NotOdooError),
        (Kind.GATEWAY, UNKNOWN, errors.GatewayError),
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


@pytest.mark.parametrize("status", range(100, 600))
def test_what_a_page_proves_by_its_status(status):
    """Only 413 and 429 are certain to come before a call is passed on; all others may be after."""
    proofs = {413: REJECTED, 429: TURNED_AWAY}

    fault = transport_fault(kind_of(status), ADDRESS, status=status)

    assert proofs.get(status, UNKNOWN) == (fault.proof, fault.status)


@pytest.mark.parametrize(
    ("statuses", "kind"),
    [
        ((413,), Kind.TOO_LARGE),
        ((429,), Kind.BUSY),
        ((404,), Kind.NOT_THERE),
        ((400, 401, 403, 405, 407, 409, 410, 411, 414, 415, 422, 431, 451, 460), Kind.FORBIDDEN),
        ((408, 502, 503, 504, 520, 521, 522, 523, 524, 525, 526, 527), Kind.GATEWAY),
        ((200, 204, 301, 302, 307, 500, 501, 505, 507, 528, 530, 561), Kind.NOT_ODOO),
    ],
)
def test_who_speaks_by_a_status(statuses, kind):
    """A gateway without an answer, a place that is not there, somebody who forbids, or nobody."""
    assert dict.fromkeys(statuses, kind) == {status: kind_of(status) for status in statuses}


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


@pytest.mark.parametrize("kind", Kind)
def test_what_is_now_true_is_told(kind):
    """Each text says whether the call ran, as far as that is certain."""
    words = {
        Proof.NEVER_SENT: "Nothing was sent",
        Proof.NOT_RUN: "It did not run",
        Proof.UNKNOWN: "is unknown",
    }

    assert words[TRANSPORT[kind].proof] in str(transport_fault(kind, ADDRESS).error)


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (Kind.GATEWAY, "the proxy waits longer than Odoo's own limit"),
        (Kind.TOO_LARGE, "Send fewer records or smaller files in a call"),
    ],
)
def test_a_proxy_is_told_as_one(kind, words):
    """A gateway that is in the way in mid-load is no wrong address; the text says what to do."""
    text = str(transport_fault(kind, ADDRESS).error)

    assert words in text
    assert "the proxy in front of Odoo" in text
    assert "address leads to Odoo" not in text


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

    is_conflict = error_class is errors.ConflictError
    assert (CONFLICT if is_conflict else ROLLED_BACK) == (fault.proof, fault.status)
    assert error_class is type(fault.error)
    assert ("No.", name, ("No.\n",), "Traceback ...") == fault.error.args


@pytest.mark.parametrize(
    "name", ["odoo.exceptions.AccessDenied", "odoo.http.SessionExpiredException"]
)
def test_odoo_does_not_know_who_calls(name):
    """A wrong key, or a session that expired, is refused before the method runs."""
    fault = odoo_fault(name, "Access Denied", (), "")

    assert (*TURNED_AWAY, Repeat.NEVER) == (fault.proof, fault.status, fault.repeat)
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
    assert errors.OutcomeUnknownError is type(fault.error)
    assert "unknown" in str(fault.error)


BEGINNING = """Traceback (most recent call last):
  File "/odoo/http.py", line 1790, in _serve_db
    return self._transactioning(_serve, readonly=ro)
"""
# From /odoo/service/model.py and /odoo/sql_db.py, as Python writes it.
AFTERWARDS = {
    "the commit itself": """  File "/odoo/sql_db.py", line 557, in commit
    self._cnx.commit()
""",
    "the commit itself, 14": """  File "/odoo/sql_db.py", line 446, in commit
    result = self._cnx.commit()
             ^^^^^^^^^^^^^^^^^^
""",
    "a hook": """  File "/odoo/sql_db.py", line 562, in commit
    self.postcommit.run()
  File "/odoo/tools/misc.py", line 1247, in run
    func()
""",
    "a hook, without its frame": "    self.postcommit.run()\n",
    "what is left to write, which 19 does before": """  File "/odoo/sql_db.py", line 556, in commit
    self.flush()
""",
    "a commit without a line of code": """  File "/odoo/sql_db.py", line 556, in commit
  File "/odoo/sql_db.py", line 69, in flush_env
""",
    "the news for other workers": """  File "/odoo/service/model.py", line 235, in retrying
    env.registry.signal_changes()
  File "/odoo/orm/registry.py", line 1110, in signal_changes
    with self.cursor() as cr:
""",
    "the writing of the answer": """  File "/odoo/http.py", line 2034, in make_json_response
    data = json.dumps(data, ensure_ascii=False, default=json_default)
""",
    "the writing of the answer, 14": """  File "/odoo/http.py", line 627, in _json_response
    body = json.dumps(response, default=date_utils.json_default)
""",
}
BEFORE = {
    "the method": """  File "/odoo/service/model.py", line 188, in retrying
    result = func()
""",
    "what is written before the commit": """  File "/odoo/service/model.py", line 190, in retrying
    env.cr.flush()  # submit the changes to the database
""",
    "what 14 writes when it commits": """  File "/odoo/sql_db.py", line 444, in commit
    flush_env(self)
  File "/odoo/sql_db.py", line 76, in flush_env
    env_to_flush['base'].flush()
""",
    "a hook of 14 before the commit": """  File "/odoo/sql_db.py", line 445, in commit
    self.precommit.run()
""",
    "a method of a like name": """  File "/addons/x/models/x.py", line 7, in commit_stock
    self._signal_changes_to_shop()
""",
}


@pytest.mark.parametrize("where", AFTERWARDS)
@pytest.mark.parametrize("name", [*ODOO, "builtins.ValueError", "werkzeug.exceptions.NotFound"])
def test_an_error_at_the_commit(name, where):
    """Whatever it is: an error that is raised at the commit, or after it, proves no rollback."""
    debug = f"{BEGINNING}{AFTERWARDS[where]}{name}: the model x does not exist\n"

    fault = odoo_fault(name, "the model x does not exist", (), debug)

    assert UNKNOWN == (fault.proof, fault.status)
    assert Repeat.IF_IDEMPOTENT is fault.repeat
    assert errors.OutcomeUnknownError is type(fault.error)
    assert (name, debug) == (fault.error.name, fault.error.debug)
    assert not fault.may_isolate


@pytest.mark.parametrize("where", BEFORE)
@pytest.mark.parametrize(
    ("name", "proves"),
    [
        ("odoo.exceptions.UserError", ROLLED_BACK),
        ("psycopg2.errors.SerializationFailure", CONFLICT),
        ("psycopg2.pool.PoolError", TURNED_AWAY),
    ],
)
def test_an_error_before_the_commit(name, proves, where):
    """What is raised before the commit is rolled back, or did not begin."""
    fault = odoo_fault(name, "No.", (), f"{BEGINNING}{BEFORE[where]}{name}: No.\n")

    assert proves == (fault.proof, fault.status)


def test_an_error_while_handling_one_of_the_commit():
    """Where one error leads to another, the first one counts as well."""
    debug = (
        f"{BEGINNING}{AFTERWARDS['the news for other workers']}PoolError: full\n\n"
        "During handling of the above exception, another exception occurred:\n\n"
        f"{BEGINNING}{BEFORE['the method']}psycopg2.pool.PoolError: full\n"
    )

    assert Proof.UNKNOWN is odoo_fault("psycopg2.pool.PoolError", "full", (), debug).proof


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

    assert (*TURNED_AWAY, Repeat.NEVER) == (fault.proof, fault.status, fault.repeat)
    assert errors.DatabaseNotFoundError is type(fault.error)
    assert message.strip() == str(fault.error)


@pytest.mark.parametrize(
    "fault",
    [
        odoo_fault("odoo.exceptions.ValidationError", "No.", (), ""),
        odoo_fault("odoo.exceptions.AccessError", "No.", (), ""),
        odoo_fault("odoo.exceptions.MissingError", "No.", (), ""),
        odoo_fault("builtins.ValueError", "No.", (), ""),
        transport_fault(Kind.TOO_LARGE, ADDRESS, status=413),
    ],
    ids=lambda fault: type(fault.error).__name__,
)
def test_may_isolate(fault):
    """A refusal whose reason can lie in a record, or in their number, can be taken apart."""
    assert fault.may_isolate


@pytest.mark.parametrize(
    "fault",
    [
        *(
            transport_fault(kind, ADDRESS, kind.value)
            for kind in Kind
            if kind is not Kind.TOO_LARGE
        ),
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


@pytest.mark.parametrize("kind", [Kind.BUSY, Kind.GATEWAY])
def test_busy_says_when(kind):
    """A server that is busy, and a proxy, may say after how many seconds to come again."""
    assert 30.0 == transport_fault(kind, ADDRESS, retry_after=30.0).error.retry_after
    assert None is transport_fault(kind, ADDRESS).error.retry_after


def test_status():
    """What is not Odoo has its HTTP status."""
    assert 404 == transport_fault(Kind.NOT_THERE, ADDRESS, status=404).error.status
    assert None is transport_fault(Kind.NOT_ODOO, ADDRESS).error.status


def test_a_warning_that_sends_the_reader_elsewhere():
    """Its words are those of its first argument; the server's own text has a dict at its end."""
    words = "You cannot archive it."
    arguments = (words, {"type": "ir.actions.act_window"}, "Go", None)
    text = "\n".join(map(str, arguments))

    fault = odoo_fault("odoo.exceptions.RedirectWarning", text, arguments, "Traceback")
    assert words == str(fault.error)
    fault = odoo_fault("odoo.exceptions.RedirectWarning", text, (), "Traceback")
    assert text == str(fault.error)
