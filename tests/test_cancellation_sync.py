"""Ctrl+C in the blocking twin: no call begins, no thread is left, all is told."""

import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import copy_context
from functools import partial

import pytest

from zenoo_rpc.sync import Status, TransactionState, ZenooClient

from ._async.test_cancellation import (
    check_outcomes,
    creates,
    held,
    is_create,
    left_behind,
    named,
)
from ._sync.accounts import log_in
from .proxy import Proxy

THREE = (Status.APPLIED, Status.UNKNOWN, Status.NOT_SENT)


@contextmanager
def interrupted(*conditions, pause=0.2):
    """Send Ctrl+C to the main thread, once for each condition that comes true after the other."""

    def interrupt():
        for condition in conditions:
            deadline = time.monotonic() + 60
            while not condition() and time.monotonic() < deadline:
                time.sleep(0.002)
            signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)
            time.sleep(pause)

    thread = threading.Thread(target=interrupt)
    thread.start()
    try:
        with pytest.raises(KeyboardInterrupt):
            yield
    finally:
        thread.join()


def left_behind_after(seconds):
    """Return the library's threads that still run after so long, at the most."""
    deadline = time.monotonic() + seconds
    while left_behind() and time.monotonic() < deadline:
        time.sleep(0.01)
    return left_behind()


def logged_in(proxy, server):
    """Return a client that is logged in."""
    client = ZenooClient(proxy.url)
    log_in(client, server)
    return client


def test_ctrl_c_lets_the_calls_in_flight_end(server):
    """Two calls were answered, two more are waited for, four never begin."""
    with Proxy(server.host, server.port) as proxy:
        proxy.rule("hold", nth=[3, 4], when=is_create, seconds=1)
        with logged_in(proxy, server) as client:
            manager = client.setup_batch_manager(max_concurrency=2, max_chunk_size=5)
            batch = manager.batch()
            handle = batch.create("res.partner", named(40))
            with interrupted(lambda: held(proxy, 2)):
                batch.execute()

            assert [] == left_behind()
            time.sleep(0.3)
            assert 4 == len(creates(proxy))
            assert [20, 0, 20] == [batch.results.counts[status] for status in THREE]
            assert handle.result.counts == batch.results.counts
            check_outcomes(batch.results, server, proxy)

            manager.bulk_create("res.partner", [{"name": "Ann"}] * 40)
            assert 60 == server.count("res.partner")


def test_ctrl_c_ends_the_block(server):
    """The block of a batch ends with it; the batch's results are there."""
    with Proxy(server.host, server.port) as proxy:
        proxy.rule("hold", nth=[3, 4], when=is_create, seconds=1)
        with (
            logged_in(proxy, server) as client,
            interrupted(lambda: held(proxy, 2)),
            client.batch(chunk_size=5, max_concurrency=2) as batch,
        ):
            batch.create("res.partner", named(40))

    assert [] == left_behind()
    assert [20, 0, 20] == [batch.results.counts[status] for status in THREE]
    check_outcomes(batch.results, server, proxy)


def test_a_second_ctrl_c_does_not_wait(server):
    """Whoever presses it twice leaves at once; calls in flight are unknown, and end later."""
    with Proxy(server.host, server.port) as proxy:
        proxy.rule("hold", nth=[3, 4], when=is_create)
        with logged_in(proxy, server) as client:
            batch = client.batch(chunk_size=5, max_concurrency=2)
            handle = batch.create("res.partner", named(40))
            with interrupted(lambda: held(proxy, 2), lambda: True, pause=0.5):
                batch.execute()
            assert [10, 10, 20] == [handle.result.counts[status] for status in THREE]
            check_outcomes(handle.result, server, proxy)

            proxy.release()
            assert [] == left_behind_after(20)
            assert 4 == len(creates(proxy))
            check_outcomes(batch.results, server, proxy)


@pytest.mark.parametrize("turn", range(10))
def test_ctrl_c_at_any_moment(server, turn):
    """Whenever it comes, each record's outcome is told and is true."""
    with (
        Proxy(server.host, server.port, jitter=0.02, seed=turn) as proxy,
        logged_in(proxy, server) as client,
    ):
        batch = client.batch(chunk_size=1, max_concurrency=6)
        batch.create("res.partner", named(100))
        with interrupted(lambda: len(creates(proxy)) >= 1 + 3 * turn):
            batch.execute()
        assert [] == left_behind_after(1)  # one whose start was cut off ends by itself
        sent = creates(proxy)
        client.version()
        assert sent == creates(proxy)

    assert 0 < batch.results.counts[Status.NOT_SENT]
    assert 0 == batch.results.counts[Status.UNKNOWN]
    check_outcomes(batch.results, server, proxy)


def test_ctrl_c_takes_a_transaction_back(server):
    """The calls in flight are waited for, and all that was written is undone."""
    with Proxy(server.host, server.port) as proxy:
        proxy.rule("hold", nth=[3, 4], when=is_create, seconds=1)
        with logged_in(proxy, server) as client:
            client.setup_batch_manager(max_concurrency=2, max_chunk_size=5)
            tx = client.transaction()
            with interrupted(lambda: held(proxy, 2)), tx, client.batch() as batch:
                batch.create("res.partner", named(40))

    assert TransactionState.ROLLED_BACK is tx.state
    assert 20 == sum(len(change) for change in tx.report.undone)
    assert 0 == server.count("res.partner")


def test_ctrl_c_while_it_is_taken_back(server):
    """The call in flight is waited for; what is left is told, and can be taken back later."""
    with Proxy(server.host, server.port) as proxy:
        proxy.rule("hold", nth=1, when=lambda body: b'"unlink"' in body, seconds=1)
        with logged_in(proxy, server) as client:
            tx = client.transaction()
            with interrupted(lambda: held(proxy, 1)), tx:
                client.create("res.partner", {"name": "First"})
                client.create("res.partner", {"name": "Second"})
                raise ValueError
            assert TransactionState.PARTLY_ROLLED_BACK is tx.state
            assert 1 == server.count("res.partner")
            reasons = {change.reason for change in tx.report.not_undone}
            assert {"cut off before it was taken back"} == reasons
            assert TransactionState.ROLLED_BACK is tx.rollback().state

    assert [] == left_behind()
    assert 0 == server.count("res.partner")


def test_threads_of_your_own(server):
    """A thread belongs to the block if it is started in a copy of its context, else it does not."""
    with ZenooClient(server.url) as client:
        log_in(client, server)
        write = partial(client.create, "res.partner")
        with (
            ThreadPoolExecutor(2) as pool,
            pytest.raises(ValueError, match="stop"),
            client.transaction() as tx,
        ):
            pool.submit(write, {"name": "Outside"}).result()
            pool.submit(copy_context().run, write, {"name": "Inside"}).result()
            assert [1] == [len(change) for change in tx.report.applied]
            raise ValueError("stop")
    assert ["Outside"] == [row["name"] for row in server.rows("res.partner")]
