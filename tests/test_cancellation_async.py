"""Cancelling a running batch in the async twin: no call begins, nothing is left, all is told."""

import asyncio
import logging
import random
import signal
import threading
import time
from contextlib import contextmanager
from functools import partial

import anyio
import pytest

from zenoo_rpc import RetryPolicy, Status, TransactionState, ZenooClient

from ._async.accounts import log_in
from ._async.test_cancellation import check_outcomes, creates, held, is_create, named
from ._async.test_transaction_programs import OwnError
from .oracle import contents
from .proxy import Proxy, http_answer

THREE = (Status.APPLIED, Status.UNKNOWN, Status.NOT_SENT)


async def tasks():
    """Return the ids of the tasks that run, apart from those that are just ending."""
    for _ in range(5):
        await anyio.lowlevel.checkpoint()
    return {task.id for task in anyio.get_running_tasks()}


async def until(condition):
    """Wait until something has come true."""
    with anyio.fail_after(60):
        while not condition():  # noqa: ASYNC110  the proxy's threads set no event
            await anyio.sleep(0.01)


@pytest.fixture
def holding(server):
    """A proxy that holds the answers of the third and the fourth create back, for ever."""
    with Proxy(server.host, server.port) as proxy:
        proxy.rule("hold", nth=[3, 4], when=is_create)
        yield proxy


async def test_a_cancelled_scope_ends_the_batch(server, holding):
    """Two calls were answered, two are in flight, four never begin; the client stays usable."""
    async with ZenooClient(holding.url) as client:
        await log_in(client, server)
        manager = await client.setup_batch_manager(max_concurrency=2, max_chunk_size=5)
        before = await tasks()
        batch = manager.batch()
        handle = batch.create("res.partner", named(40))
        async with anyio.create_task_group() as group:
            group.start_soon(batch.execute)
            await until(lambda: held(holding, 2))
            group.cancel_scope.cancel()

        assert before == await tasks()
        assert [10, 10, 20] == [batch.results.counts[status] for status in THREE]
        assert handle.result.counts == batch.results.counts
        check_outcomes(batch.results, server, holding)
        await anyio.sleep(0.3)
        assert 4 == len(creates(holding))
        assert 20 == server.count("res.partner")

        with anyio.fail_after(60):
            await manager.bulk_create("res.partner", [{"name": "Ann"}] * 40)
        assert 60 == server.count("res.partner")


@pytest.mark.parametrize("turned_away", ["429", "refused"])
async def test_cancelled_in_a_pause(server, turned_away, caplog):
    """A call that was turned away and waits for its next try was not sent."""
    caplog.set_level(logging.INFO, logger="zenoo_rpc")
    with Proxy(server.host, server.port) as proxy:
        async with ZenooClient(proxy.url, retry=RetryPolicy(initial=30, jitter=0)) as client:
            await log_in(client, server)
            proxy.rule("replace", when=is_create, answer=http_answer(429))
            if turned_away == "refused":
                proxy.refuse()
            batch = client.batch()
            batch.create("res.partner", named(4))
            async with anyio.create_task_group() as group:
                group.start_soon(batch.execute)
                await until(lambda: "try 2 in" in caplog.text)
                group.cancel_scope.cancel()
    assert {Status.NOT_SENT} == {outcome.status for outcome in batch.results}
    assert 0 == server.count("res.partner")


async def test_a_block_that_runs_out_of_time(server, holding):
    """A deadline around the block ends its execution; the batch's results are there."""
    async with ZenooClient(holding.url) as client:
        await log_in(client, server)
        before = await tasks()
        scope = anyio.CancelScope()

        async def runs_out():
            await until(lambda: held(holding, 2))
            scope.deadline = anyio.current_time()

        async with anyio.create_task_group() as group:
            group.start_soon(runs_out)
            with scope:
                async with client.batch(chunk_size=5, max_concurrency=2) as batch:
                    batch.create("res.partner", named(40))
        assert scope.cancelled_caught
        assert before == await tasks()

    assert [10, 10, 20] == [batch.results.counts[status] for status in THREE]
    check_outcomes(batch.results, server, holding)


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_a_cancelled_task_ends_the_batch(server, holding):
    """asyncio's own way to cancel does the same."""
    async with ZenooClient(holding.url) as client:
        await log_in(client, server)
        before = await tasks()
        batch = client.batch(chunk_size=5, max_concurrency=2)
        batch.create("res.partner", named(40))
        task = asyncio.create_task(batch.execute())
        await until(lambda: held(holding, 2))
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

        assert before == await tasks()
        await anyio.sleep(0.3)

    assert 4 == len(creates(holding))
    assert [10, 10, 20] == [batch.results.counts[status] for status in THREE]
    check_outcomes(batch.results, server, holding)


async def within(load, seconds):
    """Do the same as `asyncio.wait_for`, with a block."""
    async with asyncio.timeout(seconds):
        await load


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
@pytest.mark.parametrize("limit", [asyncio.wait_for, within])
async def test_the_result_after_a_limit_of_asyncio(server, holding, limit):
    """It is on the cancellation inside, and on the cause of the TimeoutError outside."""
    inside = []

    async def load(client):
        manager = client.batch_manager
        try:
            await manager.bulk_create("res.partner", named(40), chunk_size=5)
        except asyncio.CancelledError as error:
            inside.append(error.zenoo_result)
            raise

    async with ZenooClient(holding.url) as client:
        await log_in(client, server)
        with pytest.raises(TimeoutError) as caught:
            await limit(load(client), 4)

    assert [caught.value.__cause__.zenoo_result] == inside
    assert 40 == len(inside[0])
    assert inside[0].counts[Status.UNKNOWN]


async def test_a_batch_cancelled_before_it_begins(server):
    """Nothing is sent, and each record is told as not sent."""
    with Proxy(server.host, server.port) as proxy:
        async with ZenooClient(proxy.url) as client:
            await log_in(client, server)
            batch = client.batch(chunk_size=5)
            batch.create("res.partner", named(40))
            with anyio.CancelScope() as scope:
                scope.cancel()
                await batch.execute()

    assert [] == creates(proxy)
    assert [0, 0, 40] == [batch.results.counts[status] for status in THREE]


async def test_a_batch_cancelled_while_a_callback_waits(server):
    """What was answered stays applied, though nobody could be told of it."""
    with Proxy(server.host, server.port) as proxy:
        async with ZenooClient(proxy.url) as client:
            await log_in(client, server)
            before = await tasks()
            batch = client.batch(
                chunk_size=5, max_concurrency=2, progress_callback=lambda _: anyio.sleep_forever()
            )
            batch.create("res.partner", named(40))
            async with anyio.create_task_group() as group:
                group.start_soon(batch.execute)
                await until(lambda: 2 == sum(e.answer is not None for e in proxy.exchanges[-2:]))
                await until(lambda: 10 == server.count("res.partner"))
                await anyio.sleep(0.5)
                group.cancel_scope.cancel()
            assert before == await tasks()

    assert 2 == len(creates(proxy))
    assert [10, 0, 30] == [batch.results.counts[status] for status in THREE]
    check_outcomes(batch.results, server, proxy)


# httpx iterates over a body by a generator that httpcore does not close; only trio tells
@pytest.mark.filterwarnings("ignore:.*ByteStream:pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("turn", range(10))
async def test_a_batch_cancelled_at_any_moment(server, turn):
    """Whenever it is cancelled, each record's outcome is told and is true."""
    with Proxy(server.host, server.port, jitter=0.02, seed=turn) as proxy:
        async with ZenooClient(proxy.url) as client:
            await log_in(client, server)
            before = await tasks()
            batch = client.batch(chunk_size=1, max_concurrency=6)
            batch.create("res.partner", named(100))
            async with anyio.create_task_group() as group:
                group.start_soon(batch.execute)
                await until(lambda: len(creates(proxy)) >= 1 + 3 * turn)
                group.cancel_scope.cancel()
            assert before == await tasks()

    assert 0 < batch.results.counts[Status.NOT_SENT]
    check_outcomes(batch.results, server, proxy)


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_ctrl_c_ends_the_batch(server, holding, backend):
    """Ctrl+C is a KeyboardInterrupt outside of the loop, and all is told afterwards."""
    batches = []

    async def main():
        async with ZenooClient(holding.url) as client:
            await log_in(client, server)
            async with client.batch(chunk_size=5, max_concurrency=2) as batch:
                batches.append(batch)
                batch.create("res.partner", named(40))

    def interrupt():
        while not held(holding, 2):
            time.sleep(0.01)
        signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)

    thread = threading.Thread(target=interrupt)
    thread.start()
    with pytest.raises(KeyboardInterrupt) as caught:
        anyio.run(partial(main), backend=backend)
    thread.join()

    (batch,) = batches
    if backend == "asyncio":  # where it is a cancellation inside
        told = caught.value.__context__.zenoo_result
        assert batch.results.counts == told.counts
    assert 4 == len(creates(holding))
    assert [10, 10, 20] == [batch.results.counts[status] for status in THREE]
    check_outcomes(batch.results, server, holding)


async def test_a_cancelled_transaction_is_taken_back(server, holding):
    """What was answered is undone under the cancellation; what was in flight is told as unknown."""
    async with ZenooClient(holding.url) as client:
        await log_in(client, server)
        await client.setup_batch_manager(max_concurrency=2, max_chunk_size=5)
        tx = client.transaction()

        async def work():
            async with tx, client.batch() as batch:
                batch.create("res.partner", named(40))

        async with anyio.create_task_group() as group:
            group.start_soon(work)
            await until(lambda: held(holding, 2))
            group.cancel_scope.cancel()

    assert TransactionState.PARTLY_ROLLED_BACK is tx.state
    assert 10 == sum(len(change) for change in tx.report.undone)
    assert 10 == sum(len(change.records) for change in tx.report.unknown)
    assert 10 == server.count("res.partner")


async def many_writes(client, ids, transactions):
    """Write in some fifty calls, in a block that ends well if nobody cuts it off."""
    async with client.transaction() as tx:
        transactions.append(tx)
        made = await client.create("res.partner", [{"name": "A"}, {"name": "B"}])
        for number in ids[:4]:
            await client.write("res.partner", number, {"city": "Chur"})
        async with client.batch(chunk_size=1, max_concurrency=3) as batch:
            batch.create("res.partner", named(12))
            batch.update("res.partner", {"ref": "new"}, record_ids=[*ids, *made])
        async with client.transaction():
            await client.batch_manager.bulk_create(
                "res.partner",
                [{"name": f"Named {n}", "ref": f"named{n}"} for n in range(4)],
                external_ids="ref",
                chunk_size=2,
            )


async def cut_off(server, ids, moment):
    """Cancel a block at its *moment*th call, and return its transaction."""
    transactions = []
    with Proxy(server.host, server.port, jitter=0.01, seed=moment) as proxy:
        async with ZenooClient(proxy.url) as client:
            await log_in(client, server)
            last = len(proxy.exchanges) + moment

            def is_time():
                is_over = transactions and transactions[0].state is not TransactionState.ACTIVE
                return is_over or len(proxy.exchanges) >= last

            async with anyio.create_task_group() as group:
                group.start_soon(many_writes, client, ids, transactions)
                await until(is_time)
                group.cancel_scope.cancel()
        proxy.settle()
    [tx] = transactions
    return tx


@pytest.mark.long_table
@pytest.mark.parametrize("turn", range(10))
async def test_a_transaction_cancelled_at_any_moment(server, turn):
    """At fifty moments, drawn at random: all is as it was, or told."""
    rng = random.Random(turn)
    async with ZenooClient(server.url) as other:
        await log_in(other, server)
        ids = await other.create("res.partner", [{"name": f"Old {n}"} for n in range(6)])
    for _ in range(5):
        before = contents(server)
        tx = await cut_off(server, ids, rng.randint(1, 50))
        now = contents(server)
        left = [*tx.report.not_undone, *tx.report.unknown]
        assert bool(left) == (tx.state is TransactionState.PARTLY_ROLLED_BACK)
        if tx.state is TransactionState.COMMITTED:
            continue
        told = {number for change in left for number in change.ids}
        differs = {key for key in before.keys() | now.keys() if before.get(key) != now.get(key)}
        untold = [key for key in differs if key[1] not in told]
        assert all(key not in before for key in untold)  # creates without an answer, told by place
        assert len(untold) <= sum(len(each.records) for each in tx.report.unknown if not each.ids)


@contextmanager
def slow_deletion(server):
    """Hold the first deletion back for a while; yield the proxy, and whether it has come so far."""
    with Proxy(server.host, server.port) as proxy:
        proxy.rule("hold", nth=1, when=lambda body: b'"unlink"' in body, seconds=0.5)
        yield proxy, lambda: held(proxy, 1)


async def fail_after_two(server, proxy, transactions):
    """Create two records in a block that fails, and keep its transaction."""
    async with ZenooClient(proxy.url) as client:
        await log_in(client, server)
        async with client.transaction() as tx:
            transactions.append(tx)
            await client.create("res.partner", {"name": "First"})
            await client.create("res.partner", {"name": "Second"})
            raise OwnError


async def test_taking_back_is_not_cancelled(server):
    """A scope that is cancelled meanwhile waits until it is through."""
    transactions = []
    with slow_deletion(server) as (proxy, begun), pytest.RaisesGroup(OwnError):
        async with anyio.create_task_group() as group:
            group.start_soon(fail_after_two, server, proxy, transactions)
            await until(begun)
            group.cancel_scope.cancel()

    [tx] = transactions
    assert TransactionState.ROLLED_BACK is tx.state
    assert 0 == server.count("res.partner")


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_taking_back_outlasts_a_cancelled_task(server):
    """So does asyncio's own way, however often; then the cancellation goes on, with a note."""
    transactions = []
    with slow_deletion(server) as (proxy, begun):
        task = asyncio.create_task(fail_after_two(server, proxy, transactions))
        await until(begun)
        for _ in range(2):
            task.cancel()
            await anyio.sleep(0.05)
        with pytest.raises(asyncio.CancelledError) as caught:
            await task

    [tx] = transactions
    assert isinstance(caught.value.__context__, OwnError)
    assert "the transaction is rolled back: 2 undone" in caught.value.__notes__[0]
    assert TransactionState.ROLLED_BACK is tx.state
    assert 0 == server.count("res.partner")


@pytest.mark.parametrize(
    ("backend", "state"),
    [
        ("asyncio", TransactionState.ROLLED_BACK),
        ("trio", TransactionState.PARTLY_ROLLED_BACK),
    ],
)
def test_ctrl_c_while_it_is_taken_back(server, backend, state):
    """Under asyncio it waits, under trio it cuts it off; the report says what is left."""
    transactions = []
    with slow_deletion(server) as (proxy, begun):

        def interrupt():
            while not begun():
                time.sleep(0.005)
            signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)

        thread = threading.Thread(target=interrupt)
        thread.start()
        with pytest.raises(KeyboardInterrupt):
            anyio.run(fail_after_two, server, proxy, transactions, backend=backend)
        thread.join()
        proxy.settle()

    [tx] = transactions
    assert state is tx.state
    left = {number for change in tx.report.not_undone for number in change.ids}
    assert {row["id"] for row in server.rows("res.partner")} <= left


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_a_commit_is_not_cancelled(server):
    """Once deletions have begun they are carried out, and the transaction is committed."""
    with slow_deletion(server) as (proxy, begun):
        async with ZenooClient(proxy.url) as client:
            await log_in(client, server)
            ids = await client.create("res.partner", [{"name": "A"}, {"name": "B"}])
            tags = await client.create("res.partner.category", [{"name": "A"}])
            tx = client.transaction()

            async def work():
                async with tx:
                    await client.unlink("res.partner", ids)
                    await client.unlink("res.partner.category", tags)

            task = asyncio.create_task(work())
            await until(begun)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

    assert TransactionState.COMMITTED is tx.state
    assert 0 == server.count("res.partner") == server.count("res.partner.category")
