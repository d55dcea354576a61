"""Ctrl+C in the blocking twin: no call begins, no thread is left, all is told."""

import signal
import threading
import time
from contextlib import contextmanager

import pytest

from zenoo_rpc.sync import Status, ZenooClient

from ._async.test_cancellation import (
    check_outcomes,
    creates,
    held,
    is_create,
    left_behind,
    named,
)
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


def logged_in(proxy, server):
    """Return a client that is logged in."""
    client = ZenooClient(proxy.url)
    client.login(server.database, server.login, server.password)
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
        proxy.rule("hold", nth=[3, 4], when=is_create, seconds=5)
        with logged_in(proxy, server) as client:
            batch = client.batch(chunk_size=5, max_concurrency=2)
            handle = batch.create("res.partner", named(40))
            with interrupted(lambda: held(proxy, 2), lambda: True, pause=0.5):
                began = time.monotonic()
                batch.execute()
            assert time.monotonic() - began < 4
            assert [10, 10, 20] == [handle.result.counts[status] for status in THREE]
            check_outcomes(handle.result, server, proxy)

            deadline = time.monotonic() + 20
            while left_behind() and time.monotonic() < deadline:
                time.sleep(0.05)
            assert [] == left_behind()
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
        assert [] == left_behind()
        sent = creates(proxy)
        client.version()
        assert sent == creates(proxy)

    assert 0 < batch.results.counts[Status.NOT_SENT]
    assert 0 == batch.results.counts[Status.UNKNOWN]
    check_outcomes(batch.results, server, proxy)
