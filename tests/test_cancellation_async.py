"""Cancelling a running batch in the async twin: no call begins, nothing is left, all is told."""

import asyncio
import signal
import threading
import time
from functools import partial

import anyio
import pytest

from zenoo_rpc import Status, ZenooClient

from ._async.test_cancellation import check_outcomes, creates, held, is_create, named
from .proxy import Proxy

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


async def logged_in(client, server):
    """Log the client in."""
    await client.login(server.database, server.login, server.password)


@pytest.fixture
def holding(server):
    """A proxy that holds the answers of the third and the fourth create back, for ever."""
    with Proxy(server.host, server.port) as proxy:
        proxy.rule("hold", nth=[3, 4], when=is_create)
        yield proxy


async def test_a_cancelled_scope_ends_the_batch(server, holding):
    """Two calls were answered, two are in flight, four never begin; the client stays usable."""
    async with ZenooClient(holding.url) as client:
        await logged_in(client, server)
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


async def test_a_block_that_runs_out_of_time(server, holding):
    """A deadline around the block ends its execution; the batch's results are there."""
    async with ZenooClient(holding.url) as client:
        await logged_in(client, server)
        before = await tasks()
        with anyio.CancelScope() as scope:
            async with client.batch(chunk_size=5, max_concurrency=2) as batch:
                batch.create("res.partner", named(40))
                scope.deadline = anyio.current_time() + 5
        assert scope.cancelled_caught
        assert before == await tasks()

    assert [10, 10, 20] == [batch.results.counts[status] for status in THREE]
    check_outcomes(batch.results, server, holding)


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_a_cancelled_task_ends_the_batch(server, holding):
    """asyncio's own way to cancel does the same."""
    async with ZenooClient(holding.url) as client:
        await logged_in(client, server)
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


async def test_a_batch_cancelled_before_it_begins(server):
    """Nothing is sent, and each record is told as not sent."""
    with Proxy(server.host, server.port) as proxy:
        async with ZenooClient(proxy.url) as client:
            await logged_in(client, server)
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
            await logged_in(client, server)
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
            await logged_in(client, server)
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
            await logged_in(client, server)
            async with client.batch(chunk_size=5, max_concurrency=2) as batch:
                batches.append(batch)
                batch.create("res.partner", named(40))

    def interrupt():
        while not held(holding, 2):
            time.sleep(0.01)
        signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)

    thread = threading.Thread(target=interrupt)
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        anyio.run(partial(main), backend=backend)
    thread.join()

    (batch,) = batches
    assert 4 == len(creates(holding))
    assert [10, 10, 20] == [batch.results.counts[status] for status in THREE]
    check_outcomes(batch.results, server, holding)
