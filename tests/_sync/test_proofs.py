"""What a server's own refusals prove, by their name and status, and that it is true."""

import time

import attrs
import pytest

from zenoo_rpc.sync import ZenooClient, errors
from zenoo_rpc._core.deadline import Deadline
from zenoo_rpc._core.encoding import encode
from zenoo_rpc._core.faults import Proof
from zenoo_rpc._core.protocol import Request

from ..proxy import STATUSES
from .accounts import log_in

GONE = 99_999_999
NO_DEADLINE = Deadline(None, time.monotonic)
GOOD = {"name": "Good"}
NOT_RUN, ROLLED_BACK = Proof.NOT_RUN, Proof.ROLLED_BACK

REFUSALS = {  # who calls, model, method, arguments; what that proves, and which error tells it
    "a constraint": (
        *("admin", "res.partner", "create", [[GOOD, {"name": "Bad", "country_id": GONE}]], {}),
        *(ROLLED_BACK, errors.ValidationError),
    ),
    "a rule of Odoo's": (
        *("admin", "res.users", "unlink", [[1]], {}),
        *(ROLLED_BACK, errors.UserError),
    ),
    "a right": (
        *("limited", "res.partner", "create", [[GOOD]], {}),
        *(ROLLED_BACK, errors.AccessError),
    ),
    "a record": (
        *("admin", "res.partner", "write", ["ids", {"ref": "new"}], {}),
        *(ROLLED_BACK, errors.MissingError),
    ),
    "an exception of Python's": (
        *("admin", "res.partner", "create", [[GOOD, {**GOOD, "no_field": 1}]], {}),
        *(ROLLED_BACK, errors.ServerError),
    ),
    "a model": (
        *("admin", "no.such.model", "create", [[GOOD]], {}),
        *(ROLLED_BACK, errors.UserError),
    ),
    "a method": (
        *("admin", "res.partner", "no_such_method", [], {}),
        *(ROLLED_BACK, errors.ServerError),
    ),
    "another argument": (
        *("admin", "res.partner", "create", [[GOOD]], {"no_such": 1}),
        *(None, errors.ServerError),
    ),
    "the login": (
        *("nobody", "res.partner", "create", [[GOOD]], {}),
        *(NOT_RUN, errors.AuthenticationError),
    ),
}


def status(exchange):
    """Return the HTTP status of an answer."""
    return int(exchange.answer.split(b" ", 2)[1])


@pytest.mark.parametrize("what", REFUSALS)
def test_what_a_refusal_proves(server, client, proxy, what):
    """The same over both dialects, and nothing is left behind; the faults of proxy.py are alike."""
    who, model, method, args, kwargs, proof, error_class = REFUSALS[what]
    old = client.create("res.partner", {"name": "Old", "ref": "old"})
    args = [[old, GONE] if arg == "ids" else arg for arg in args]
    wire = [encode(arg) for arg in args]

    with ZenooClient(proxy.url, retry=None) as other:
        log_in(other, server, limited=who == "limited")
        if who == "nobody":
            other._session.login = attrs.evolve(other._session.login, password="0" * 40)
        request = Request(model, method, wire, kwargs, other.context, False)
        fault = other._session.send(request, None, NO_DEADLINE)

    if proof is None:  # JSON-2 looks at the names before it calls; else Python does
        proof = NOT_RUN if server.protocol == "json2" else ROLLED_BACK
    assert (proof, error_class) == (fault.proof, type(fault.error))
    assert [(old, "old")] == [(row["id"], row["ref"]) for row in server.rows("res.partner")]
    expected = STATUSES.get(fault.error.name, 500) if server.protocol == "json2" else 200
    assert expected == status(proxy.exchanges[-1])


def test_records_that_are_returned_are_ids(client):
    """A method that returns records gives their ids, over both dialects."""
    ann = client.create("res.partner", {"name": "Ann"})

    copies = client.execute_kw("res.partner", "copy", [[ann]])

    found = client.search("res.partner", [("id", ">", ann)])
    assert copies in (found, found[0])
