"""The undo of a block whose server has gone: it gives up soon, says so, and goes on later."""

import logging

import pytest

from zenoo_rpc.sync import (
    BatchExecutionError,
    TransactionRollbackError,
    TransactionState,
    TransactionStateError,
    ZenooClient,
)

from ..oracle import contents
from ..proxy import http_answer
from .accounts import log_in
from .test_transaction_programs import OwnError

BAD_GATEWAY = http_answer(502, b"<h1>Bad Gateway</h1>")


@pytest.fixture
def pool(client):
    """Partners that are there before."""
    return client.create("res.partner", [{"name": f"Old {n}"} for n in range(6)])


@pytest.fixture
def warnings(caplog):
    """What the library warns of, as a function."""
    caplog.set_level(logging.WARNING, logger="zenoo_rpc")
    return lambda: [record.getMessage() for record in caplog.records if record.name == "zenoo_rpc"]


def listen_in(client):
    """Return a list that gets the method, and the time limit, of each call from now on."""
    seen = []
    deliver = client._session.deliver

    def listening(request, terms):
        seen.append((request.method, terms.deadline.left))
        return deliver(request, terms)

    client._session.deliver = listening
    return seen


def write_twelve(client, pool):
    """Make twelve changes that are taken back one by one."""
    for number in pool:
        client.create("res.partner", {"name": f"New {number}"})
        client.write("res.partner", number, {"city": "Chur"})


def test_a_server_that_is_gone(server, flaky, proxy, pool, warnings):
    """After the first change it is asked if it is there; the rest waits for `rollback`."""
    before = contents(server)
    told = []
    with pytest.raises(TransactionRollbackError) as caught:
        with flaky.transaction() as tx:
            tx.on_rollback(lambda: told.append(1))
            write_twelve(flaky, pool)
            flaky.unlink("res.partner", pool[:2])
            proxy.refuse()
            seen = listen_in(flaky)
            raise OwnError

    assert ["read", "context_get"] == [method for method, _ in seen]
    assert 0 < seen[1][1] <= 30
    [first, *rest] = tx.report.not_undone
    assert [("update", (number,)) for number in reversed(pool)] == [
        (change.action, change.ids) for change in [first, *rest[1::2]]
    ][: len(pool)]
    assert 12 == len(rest)
    assert "refused" in first.reason
    gone = "not tried: the server does not answer (the connection was refused)"
    assert {gone} == {change.reason for change in rest}
    assert [] == told
    [line] = warnings()
    assert "the undo of a transaction gave up, as the server does not answer" in line
    assert "13 changes are left" in line
    text = str(caught.value)
    assert f"update res.partner, ids [{pool[-1]}]" in text
    assert "... and 8 more in the report" in text
    assert "2 deletions not carried out" in text
    assert text.endswith("`tx.rollback()` tries once more what is left; all is in `error.report`")

    proxy.listen()
    assert TransactionState.ROLLED_BACK is (tx.rollback()).state
    assert before == contents(server)
    assert [1] == told
    assert {""} == {change.reason for change in tx.report.undone}
    assert 13 == sum(len(change) or 1 for change in tx.report.undone)
    assert 1 == len(warnings())


def test_a_server_that_says_nothing(server, proxy, pool):
    """It is waited for twice: as the first change is taken back, and as it is asked."""
    before = contents(server)
    with ZenooClient(proxy.url, retry=None, timeout=2) as client:
        log_in(client, server)
        with pytest.raises(TransactionRollbackError, match="no answer came in time"):
            with client.transaction() as tx:
                write_twelve(client, pool[:2])
                proxy.rule("hold")
                seen = listen_in(client)
                raise OwnError
        assert ["read", "context_get"] == [method for method, _ in seen]
        assert 4 == len(tx.report.not_undone)
        proxy.release()
        tx.rollback()
    assert before == contents(server)


def test_a_change_whose_answers_are_lost(server, flaky, proxy, pool, warnings):
    """While the server answers others, they are taken back."""
    before = contents(server)
    with pytest.raises(TransactionRollbackError) as caught:
        with flaky.transaction() as tx:
            write_twelve(flaky, pool)
            for lost in (b'"read"', b'"unlink"'):
                proxy.rule(
                    "replace",
                    nth=range(1, 5),
                    when=lambda body, lost=lost: lost in body,
                    answer=BAD_GATEWAY,
                )
            seen = listen_in(flaky)
            raise OwnError
    left = caught.value.report.not_undone
    assert ("update", (pool[-1],)) == (left[0].action, left[0].ids)
    assert 0 < len(left) < 3
    assert len(left) == [method for method, _ in seen].count("context_get")
    assert [] == warnings()
    tx.rollback()
    assert before == contents(server)


def test_a_refusal_stops_nothing(client, server, pool):
    """Nor does it make anybody ask whether the server is there."""
    with pytest.raises(TransactionRollbackError, match="refused") as caught:
        with client.transaction():
            client.write("res.partner", pool, {"city": "Chur"})
            country = client.create("res.country", {"name": "Atlantis", "code": "XA"})
            with ZenooClient(server.url) as other:
                log_in(other, server)
                other.create("res.partner", {"name": "Plato", "country_id": country})
            seen = listen_in(client)
            raise OwnError
    assert [(country,)] == [change.ids for change in caught.value.report.not_undone]
    assert "context_get" not in [method for method, _ in seen]
    assert "Chur" not in {row["city"] for row in server.rows("res.partner", pool)}


def test_blocks_in_blocks(server, flaky, proxy, pool):
    """What an inner block could not take back is left to the one around it, in order."""
    before = contents(server)
    with pytest.raises(TransactionRollbackError):
        with flaky.transaction() as tx:
            flaky.write("res.partner", pool[0], {"city": "Bern"})
            with tx.savepoint():
                write_twelve(flaky, pool)
                proxy.refuse()
                raise OwnError
    assert 13 == sum(len(change) for change in tx.report.not_undone)
    proxy.listen()
    tx.rollback()
    assert before == contents(server)


def test_the_time_limit_of_a_batch(server, flaky, proxy):
    """It leaves the call in flight unknown; one with external ids is found, and taken back."""
    before = contents(server)
    manager = flaky.batch_manager
    for method, external_ids, unknown in (("create", None, 1), ("load", "ref", 0)):
        proxy.rule("hold", nth=1, when=lambda body, name=method: f'"{name}"'.encode() in body)
        tx = flaky.transaction()
        with pytest.raises((BatchExecutionError, TransactionRollbackError), match="unknown"):
            with tx:
                manager.bulk_create(
                    "res.partner",
                    [{"name": "New", "ref": "new"}],
                    external_ids=external_ids,
                    time_limit=3,
                )
        assert unknown == len(tx.report.unknown)
        assert 1 - unknown == len(tx.report.undone)
    assert len(before) + 1 == len(contents(server))


@pytest.mark.parametrize("on_conflict", ["overwrite", "report"])
@pytest.mark.parametrize("action", ["close_before_forward", "drop_answer"])
def test_changes_of_one_record_are_taken_back_in_turn(
    server, proxy, pool, on_conflict, action
):
    """Where the later one could not be, the earlier one waits; both are told when they are."""
    with ZenooClient(proxy.url, retry=None) as client:
        log_in(client, server)
        before = contents(server)
        with pytest.raises(TransactionRollbackError):
            with client.transaction(on_conflict=on_conflict) as tx:
                client.write("res.partner", pool[0], {"ref": "first"})
                client.write("res.partner", pool[0], {"ref": "second"})
                proxy.rule(action, nth=1, when=lambda body: b'"write"' in body)
                raise OwnError
        assert 2 == len(tx.report.not_undone) + len(tx.report.unknown)
        tx.rollback()
    assert (TransactionState.ROLLED_BACK, 2) == (tx.state, len(tx.report.undone))
    assert before == contents(server)


def test_what_a_savepoint_left_belongs_to_the_block_around_it(client, server):
    """It is taken back once, by that one."""
    told = []

    def fails_once():
        told.append(1)
        if len(told) == 1:
            raise OwnError

    with pytest.raises(OwnError):
        with client.transaction() as outer:
            with pytest.raises(TransactionRollbackError):
                with client.transaction() as inner:
                    inner.on_rollback(fails_once)
                    raise OwnError
            raise OwnError
    assert (2, TransactionState.ROLLED_BACK) == (len(told), outer.state)
    with pytest.raises(TransactionStateError, match="has what was left"):
        inner.rollback()
    assert 2 == len(told)
