"""What a transaction keeps back, or cannot undo: told as it is, in the block and afterwards."""

import logging
import pickle

import pytest

from zenoo_rpc.sync import (
    BatchExecutionError,
    HeldBackError,
    Status,
    TransactionRollbackError,
    TransactionState,
    TransactionStateError,
    UnknownOptionError,
    ZenooClient,
)
from zenoo_rpc._compat import Event

from .accounts import log_in
from .test_transaction_programs import OwnError
from .together import side_by_side


@pytest.fixture
def pool(client):
    """Partners that are there before."""
    return client.create("res.partner", [{"name": f"Old {n}"} for n in range(5)])


def statuses(result):
    """Return what is told of each record."""
    return [outcome.status.label for outcome in result]


def test_a_batch_in_the_block(client, server, pool):
    """It ends without an error; its deletions are not sent, for a reason that is told."""
    with client.transaction() as tx:
        batch = client.batch(chunk_size=2)
        created = batch.create("res.partner", [{"name": "New"}])
        deleted = batch.unlink("res.partner", pool[:3])
        assert [created.operation.label, True] != batch.execute()
        assert [*["applied"], *["not sent"] * 3] == statuses(batch.results)
        assert batch.results.ok
        assert deleted.result.ok
        assert {"held back until the transaction ends"} == {
            str(outcome.error) for outcome in batch.results.not_sent
        }
        assert [] == batch.results.resendable_operations()
        # in the order in which the two calls, side by side, were held back
        held = {(each.action, each.ids) for each in tx.report.held}
        assert {("unlink", tuple(pool[:2])), ("unlink", tuple(pool[2:3]))} == held
        assert 6 == server.count("res.partner")

    assert 3 == server.count("res.partner")
    assert ["applied"] * 4 == statuses(batch.results)
    assert ["applied"] * 3 == statuses(deleted.result)
    assert () == tx.report.held
    assert ["create", "unlink"] == [change.action for change in tx.report.applied]


def test_what_never_came_to_be(client, server, pool):
    """When the block fails, its deletions are told as that."""
    batch = client.batch()
    with pytest.raises(OwnError):
        with client.transaction() as tx:
            deleted = batch.unlink("res.partner", pool[:2])
            batch.execute()
            client.unlink("res.partner", pool[2])
            raise OwnError

    assert 5 == server.count("res.partner")
    assert ["not sent"] * 2 == statuses(deleted.result)
    assert not deleted.result.ok
    assert {"not carried out: its transaction was taken back"} == {
        str(outcome.error) for outcome in batch.results.not_sent
    }
    assert [tuple(pool[:2]), (pool[2],)] == [change.ids for change in tx.report.held]
    assert TransactionState.ROLLED_BACK is tx.state


def test_a_refusal_at_the_end(client, server, pool):
    """The handle has the server's words, and what was deleted before is told too."""
    with pytest.raises(TransactionRollbackError) as caught:
        with client.transaction() as tx, client.batch() as batch:
            first = batch.unlink("res.partner", pool[:2])
            second = batch.unlink("res.users", [1])  # which no server deletes
            third = batch.unlink("res.partner", pool[2:])

    assert isinstance(caught.value.__cause__, BatchExecutionError)
    assert ["applied"] * 2 == statuses(first.result)
    [outcome] = second.result
    assert Status.REFUSED is outcome.status
    assert not isinstance(outcome.error, HeldBackError)
    assert ["not sent"] * 3 == statuses(third.result)
    assert [("unlink", tuple(pool[:2]))] == [(c.action, c.ids) for c in tx.report.not_undone]
    assert {("res.users", (1,)), ("res.partner", tuple(pool[2:]))} == {
        (change.model, change.ids) for change in tx.report.held
    }
    assert 3 == server.count("res.partner")


def test_blocks_in_blocks(client, server, pool):
    """What an inner block holds back waits for the outer one; what it takes back does not."""
    with client.transaction():
        with client.transaction() as inner, client.batch() as batch:
            kept = batch.unlink("res.partner", pool[:1])
        assert TransactionState.COMMITTED is inner.state
        assert {0} == kept.result.held_back
        with pytest.raises(OwnError):
            with client.transaction():
                with client.batch() as batch:
                    dropped = batch.unlink("res.partner", pool[1:2])
                raise OwnError
        assert ["not sent"] == statuses(dropped.result)
        assert frozenset() == dropped.result.held_back

    assert ["applied"] == statuses(kept.result)
    assert pool[1:] == [row["id"] for row in server.rows("res.partner")]


def test_what_is_gone_at_the_end(client, server, pool):
    """A record that somebody else deleted meanwhile is deleted."""
    with client.transaction(), client.batch() as batch:
        deleted = batch.unlink("res.partner", pool[:3])
        with ZenooClient(server.url) as other:
            log_in(other, server)
            other.unlink("res.partner", pool[1])
    assert ["applied"] * 3 == statuses(deleted.result)
    assert 2 == server.count("res.partner")


def test_every_door(client, server, pool):
    """Bulk methods and collectors answer as they do outside, as the client does."""
    with client.transaction():
        assert client.batch_manager.bulk_delete("res.partner", pool[:2])
        with client.batch_operation("res.partner", "delete") as collector:
            collector.add_many(pool[2:4])
        assert client.unlink("res.partner", pool[4])
        assert 5 == client.search_count("res.partner", [("id", "in", pool)])
    assert ["applied"] * 2 == statuses(collector.results)
    assert 0 == server.count("res.partner")


def test_a_batch_that_is_executed_outside(client, server, pool, caplog):
    """It belongs to no transaction, and that is told."""
    with client.transaction() as tx:
        batch = client.batch()
        batch.unlink("res.partner", pool[:1])
    with caplog.at_level(logging.WARNING, logger="zenoo_rpc"):
        batch.execute()

    assert "executed outside of it" in caplog.text
    assert 4 == server.count("res.partner")
    assert () == tx.report.applied

    caplog.clear()
    with client.transaction(), client.batch() as inside:
        inside.unlink("res.partner", pool[1:2])
    assert "executed outside" not in caplog.text


def with_a_user(client, server, partner):
    """Let a user, who is archived, belong to a partner: it cannot be deleted, but archived."""
    with ZenooClient(server.url) as other:
        log_in(other, server)
        [uid] = other.search("res.users", [("login", "=", server.limited_login)])
        other.write("res.users", uid, {"partner_id": partner})
        other.write("res.users", uid, {"active": False})


@pytest.mark.parametrize("archive", [False, True])
def test_what_the_server_will_not_delete(client, server, archive):
    """A created record that is referenced is told as left, or archived if that will do."""
    tx = client.transaction(archive_if_kept=archive)
    with pytest.raises((OwnError, TransactionRollbackError)) as caught:
        with tx:
            ids = client.create("res.partner", [{"name": "A"}, {"name": "B"}])
            with_a_user(client, server, ids[0])
            raise OwnError

    [row] = server.rows("res.partner")
    assert (ids[0], not archive) == (row["id"], row["active"])
    if archive:
        assert TransactionState.ROLLED_BACK is tx.state
        told = {change.ids: change.reason for change in tx.report.undone}
        assert {(ids[1],): "", (ids[0],): "archived, as the server would not delete it"} == told
    else:
        [left] = caught.value.report.not_undone
        assert ("create", (ids[0],)) == (left.action, left.ids)
        assert left.reason.startswith("refused: ")
        tx.archive_if_kept = True
        assert TransactionState.ROLLED_BACK is (tx.rollback()).state
        assert not server.rows("res.partner", ids)[0]["active"]


def test_what_can_neither_be_deleted_nor_archived(client, server):
    """It is told as left, with the server's words about the deletion."""
    with pytest.raises(TransactionRollbackError) as caught:
        with client.transaction(archive_if_kept=True):
            country = client.create("res.country", {"name": "Atlantis", "code": "XA"})
            with ZenooClient(server.url) as other:
                log_in(other, server)
                other.create("res.partner", {"name": "Plato", "country_id": country})
            raise OwnError
    [left] = caught.value.report.not_undone
    assert ("res.country", (country,)) == (left.model, left.ids)
    assert left.reason.startswith("refused: ")


def test_the_report(client, pool):
    """It says in one line how many of what, and pickles."""
    with pytest.raises(TransactionRollbackError) as caught:
        with client.transaction() as tx:
            client.write("res.partner", pool[0], {"city": "Chur"})
            client.unlink("res.partner", pool[1])
            client.execute_kw("res.partner", "copy", [pool[:1]])
            raise OwnError
    line = (
        "<TransactionReport: partly rolled back, 1 undone, 1 not undone, "
        "1 deletion not carried out>"
    )
    assert line == repr(tx.report) == repr(pickle.loads(pickle.dumps(tx.report)))
    again = pickle.loads(pickle.dumps(caught.value))
    assert (caught.value.report, str(caught.value)) == (again.report, str(again))


def test_a_savepoint_of_another_task(client, server, pool):
    """Only who is in the block may open one."""
    tx = client.transaction()
    begun, tried = Event(), Event()

    def works():
        with tx:
            begun.set()
            tried.wait()
            client.write("res.partner", pool[0], {"city": "Chur"})

    def strays():
        begun.wait()
        with pytest.raises(TransactionStateError, match="not in the transaction"):
            tx.savepoint()
        tried.set()

    side_by_side(works, strays)
    with pytest.raises(TransactionStateError):
        tx.savepoint()
    assert "Chur" == server.rows("res.partner", pool[:1])[0]["city"]


def test_options_that_there_are_not(client):
    """A misspelt one is told, with those that there are."""
    with pytest.raises(UnknownOptionError, match=r"'unlnk'; known are .*unlink"):
        client.transaction(unlnk="now")
    with pytest.raises(UnknownOptionError, match="'retries'"):
        client.setup_transaction_manager(retries=3)
    with pytest.raises(TypeError, match="'chunk'"):
        client.batch(chunk=3)
