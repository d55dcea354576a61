"""What a server's own refusals prove, by their name and status, and that it is true."""

from contextlib import suppress

import attrs
import pytest

from zenoo_rpc.sync import BatchExecutionError, Status, TransactionRollbackError, ZenooClient, errors
from zenoo_rpc._core.exchange import Request
from zenoo_rpc._core.faults import Proof
from zenoo_rpc._core.terms import Terms
from zenoo_rpc.wire.encoding import encode

from ..proxy import STATUSES, with_result
from .accounts import log_in

GONE = 99_999_999
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
        fault = other._session.send(request, Terms())

    if proof is None:  # JSON-2 looks at the names before it calls; else Python does
        proof = NOT_RUN if server.protocol == "json2" else ROLLED_BACK
    assert (proof, error_class) == (fault.proof, type(fault.error))
    assert [(old, "old")] == [(row["id"], row["ref"]) for row in server.rows("res.partner")]
    expected = STATUSES.get(fault.error.name, 500) if server.protocol == "json2" else 200
    assert expected == status(proxy.exchanges[-1])


AFTER_THE_COMMIT = """
env["res.partner"].create({"name": "Hook"})
env.cr.postcommit.add(lambda: 1 / 0)
"""


@pytest.mark.real_odoo
def test_a_hook_that_fails_after_the_commit(server, client):
    """Odoo answers an ordinary error, with everything in effect: it is told as unknown."""
    [partner] = client.search("ir.model", [("model", "=", "res.partner")])
    action = {"name": "x", "model_id": partner, "state": "code", "code": AFTER_THE_COMMIT}
    [action] = client.create("ir.actions.server", [action])

    about = ([[action]], {}) if server.protocol == "jsonrpc" else ([], {"ids": [action]})
    with pytest.raises(errors.OutcomeUnknownError, match="in effect is unknown"):
        client.execute_kw("ir.actions.server", "run", *about)
    assert 1 == server.count("res.partner", name="Hook")


def test_records_that_are_returned_are_ids(client):
    """A method that returns records gives their ids, over both dialects."""
    ann = client.create("res.partner", {"name": "Ann"})

    copies = client.execute_kw("res.partner", "copy", [[ann]])

    found = client.search("res.partner", [("id", ">", ann)])
    assert copies in (found, found[0])


# -- ids that cannot be ----------------------------------------------------------------------------

NO_IDS = {  # what is made of the ids in the answer to a create
    "the same for all": lambda ids: ids[:1] * len(ids),
    "one too few": lambda ids: ids[1:],
    "one too many": lambda ids: [*ids, ids[-1] + 1],
    "none": lambda ids: [],
    "a text": lambda ids: [*ids[1:], str(ids[0])],
    "a number below 1": lambda ids: [*ids[1:], 0],
    "no list": lambda ids: {"ids": ids},
}


def creates(body):
    """Whether a request creates partners."""
    return b'"res.partner","create"' in body


@pytest.mark.parametrize("what", NO_IDS)
def test_ids_that_cannot_be_in_a_batch(server, flaky, proxy, what):
    """Without a new id for each record it is not known what became of them; nothing is repeated."""
    proxy.rule("replace_answer", nth=2, when=creates, answer=with_result(NO_IDS[what]))

    manager = flaky.setup_batch_manager(max_chunk_size=3, max_concurrency=1)

    with pytest.raises(BatchExecutionError) as caught:
        manager.bulk_create("res.partner", [{"name": f"New {n}"} for n in range(9)])

    result = caught.value.result
    applied, unknown = Status.APPLIED, Status.UNKNOWN
    assert [applied] * 3 + [unknown] * 3 + [applied] * 3 == [each.status for each in result]
    assert [None] * 3 == result.ids[3:6]
    assert 9 == server.count("res.partner")
    assert 3 == sum(map(creates, [each.body for each in proxy.exchanges]))


@pytest.mark.parametrize("what", NO_IDS)
def test_ids_that_cannot_be_of_a_single_call(server, flaky, proxy, what):
    """It is told as an unknown outcome, and not returned as if it were the ids."""
    proxy.rule("replace_answer", when=creates, answer=with_result(NO_IDS[what]))

    with pytest.raises(errors.ZenooError, match="unknown") as caught:
        flaky.create("res.partner", [{"name": f"New {n}"} for n in range(3)])

    # over JSON-2 the shape of the answer is all that says whose it is
    assert isinstance(caught.value, errors.OutcomeUnknownError | errors.NotOdooError)
    assert 3 == server.count("res.partner")


@pytest.mark.parametrize("value", [True, 0, "7", [], [7, 8]], ids=repr)
def test_an_id_that_cannot_be(server, flaky, proxy, value):
    """The answer to the create of one record is its id."""
    proxy.rule("replace_answer", when=creates, answer=with_result(lambda ids: value))

    with pytest.raises(errors.ZenooError, match="unknown"):
        flaky.create("res.partner", {"name": "New"})

    assert 1 == server.count("res.partner")


def test_a_transaction_deletes_nothing_by_ids_that_cannot_be(server, flaky, proxy):
    """What was created is told as left; a record that the answer names by mistake stays."""
    old = flaky.create("res.partner", {"name": "Old"})
    proxy.rule("replace_answer", nth=1, when=creates, answer=with_result(lambda ids: [old] * 3))

    with pytest.raises(TransactionRollbackError) as caught:
        with flaky.transaction():
            flaky.create("res.partner", [{"name": f"New {n}"} for n in range(3)])

    (left,) = caught.value.report.not_undone
    assert ("create", "res.partner") == (left.action, left.model)
    assert "which records it made is not told" in left.reason
    assert ["New 0", "New 1", "New 2", "Old"] == sorted(
        row["name"] for row in server.rows("res.partner")
    )


def test_an_import_may_name_a_record_twice(server, flaky):
    """Two external ids of one record are no mistake: a row for each updates it."""
    manager, names = flaky.batch_manager, ["a.ann", "a.bob"]
    records = [{"name": "Ann"}, {"name": "Bob"}]
    ann, bob = manager.bulk_create("res.partner", records, external_ids=names)
    of_bob = flaky.search("ir.model.data", [("module", "=", "a"), ("res_id", "=", bob)])
    flaky.write("ir.model.data", of_bob, {"res_id": ann})

    again = [{"name": "Ann", "city": "Bern"}, {"name": "Ann", "ref": "both"}]
    ids = manager.bulk_create("res.partner", again, external_ids=names)

    assert [ann, ann] == ids
    [row] = server.rows("res.partner", [ann])
    assert ("Bern", "both") == (row["city"], row["ref"])


@pytest.mark.real_odoo
def test_a_server_that_runs_out_of_database_connections(server, request):
    """It may fail before a call, or after its commit: what is told is true, nothing there twice."""
    if server.version == "14.0":
        pytest.skip("a call of 14 needs no second connection")
    poor_server = request.getfixturevalue("poor_server")
    with ZenooClient(poor_server.url) as client:
        while True:
            with suppress(errors.OdooError):  # another test has them all
                log_in(client, poor_server)
                break
        client.setup_batch_manager(max_chunk_size=4, max_concurrency=8)
        batch = client.batch(quiet=False)
        records = [{"name": "New", "default_code": f"n{number}"} for number in range(160)]
        batch.create("product.product", records)
        with suppress(BatchExecutionError):
            batch.execute()

    rows = server.rows("product.product")
    ids = {row["default_code"]: row["id"] for row in rows}
    assert len(ids) == len(rows) == server.count("product.template")
    for record, outcome in zip(records, batch.results, strict=True):
        there = ids.pop(record["default_code"], None)
        assert outcome.status is not Status.REFUSED
        if outcome.status is not Status.UNKNOWN:
            assert there == outcome.id
    assert {} == ids
