"""Batches that end before their time: by an error in a callback, by a client that is closed.

How a running batch is cancelled differs between the twins: see tests/test_cancellation_*.py.
"""

import json
import threading

import pytest

from zenoo_rpc import BatchExecutionError, ClientClosedError, Status, ZenooClient

from ..proxy import Proxy
from .accounts import log_in
from .together import side_by_side


class EndOfTheWorldError(BaseException):
    """Something that is no `Exception`, and none of Python's own."""


def named(count):
    """Return records that can be told apart."""
    return [{"name": f"Partner {number:03}"} for number in range(count)]


def is_create(body):
    """Return whether a request's body creates records."""
    return b'"create"' in body


def creates(proxy):
    """Return the names of the records in each create that was sent, call by call."""
    bodies = [each.body for each in list(proxy.exchanges) if is_create(each.body)]
    return [
        [record["name"] for record in json.loads(body)["params"]["args"][5][0]] for body in bodies
    ]


def held(proxy, count):
    """Return whether the server has carried out *count* calls whose answers are held back."""
    exchanges = list(proxy.exchanges)
    return count == sum(each.action == "hold" and each.answer is not None for each in exchanges)


def left_behind():
    """Return the library's threads that still run."""
    return [each.name for each in threading.enumerate() if each.name.startswith("zenoo_rpc")]


def check_outcomes(result, server, proxy):
    """Compare what is said of each record of a create with what was sent and what is stored.

    A call that ended before its connection was made may be told as unknown.
    """
    names = [f"Partner {number:03}" for number in range(len(result))]
    stored = {row["name"]: row["id"] for row in server.rows("res.partner")}
    sent = [name for call in creates(proxy) for name in call]

    def with_status(*wanted):
        return {names[each.index]: each.id for each in result if each.status in wanted}

    applied, unknown = with_status(Status.APPLIED), with_status(Status.UNKNOWN)
    assert len(sent) == len(set(sent))
    assert set() == with_status(Status.NOT_SENT).keys() & set(sent)
    assert applied == {name: stored[name] for name in applied if name in stored}
    assert stored.keys() - applied.keys() <= unknown.keys()


@pytest.mark.parametrize("error_class", [KeyboardInterrupt, SystemExit, EndOfTheWorldError])
async def test_a_callback_that_ends_everything(server, error_class):
    """What a callback raises comes out as it is; calls in flight end, and no other begins."""

    def callback(progress):
        if progress["completed"] >= 10:
            raise error_class("from the callback")

    with Proxy(server.host, server.port) as proxy:
        async with ZenooClient(proxy.url) as client:
            await log_in(client, server)
            batch = client.batch(chunk_size=5, max_concurrency=2, progress_callback=callback)
            handle = batch.create("res.partner", named(100))
            with pytest.raises(error_class, match="from the callback"):
                await batch.execute()
            sent = creates(proxy)
            await client.version()
            await client.version()
            assert sent == creates(proxy)

    counts = batch.results.counts
    assert [] == left_behind()
    assert 10 <= counts[Status.APPLIED] <= 20
    assert 0 == counts[Status.UNKNOWN]
    assert counts == handle.result.counts
    check_outcomes(batch.results, server, proxy)


async def test_a_callback_that_waits_and_fails(server):
    """A callback that may wait ends the batch in the same way."""

    async def callback(progress):
        raise KeyboardInterrupt("from the callback")

    with Proxy(server.host, server.port) as proxy:
        async with ZenooClient(proxy.url) as client:
            await log_in(client, server)
            batch = client.batch(chunk_size=5, max_concurrency=1, progress_callback=callback)
            batch.create("res.partner", named(20))
            with pytest.raises(KeyboardInterrupt, match="from the callback"):
                await batch.execute()

    assert [] == left_behind()
    assert 5 == batch.results.counts[Status.APPLIED]
    assert 1 == len(creates(proxy))
    check_outcomes(batch.results, server, proxy)


async def test_an_end_after_the_last_call_loses_nothing(client, server):
    """When all is done but the telling, every record is known to be applied."""

    def callback(progress):
        if progress["percentage"] == 100:
            raise KeyboardInterrupt

    batch = client.batch(chunk_size=5, progress_callback=callback)
    batch.create("res.partner", named(20))
    with pytest.raises(KeyboardInterrupt):
        await batch.execute()

    assert batch.results.ok
    assert set(batch.results.ids) == {row["id"] for row in server.rows("res.partner")}


async def test_the_manager_works_on_after_an_end(client, server):
    """Its limit of calls in flight is whole again, and its statistics tell what happened."""

    def callback(progress):
        raise KeyboardInterrupt

    manager = await client.setup_batch_manager(max_concurrency=2, max_chunk_size=5)
    for _ in range(3):
        with pytest.raises(KeyboardInterrupt):
            await manager.bulk_create("res.partner", named(40), progress_callback=callback)
    before = server.count("res.partner")
    await manager.bulk_create("res.partner", named(40))

    stats = manager.get_stats()
    assert before + 40 == server.count("res.partner") == stats["applied"]
    assert 160 == stats["records"] == stats["applied"] + stats["not_sent"]


async def test_a_client_closed_in_the_middle(server):
    """Calls in flight are waited for, no other is sent, and the error says so."""
    with Proxy(server.host, server.port) as proxy:
        proxy.rule("hold", nth=[3, 4], when=is_create, seconds=2)
        client = ZenooClient(proxy.url)
        await log_in(client, server)
        batch = client.batch(chunk_size=5, max_concurrency=2)
        batch.create("res.partner", named(40))

        async def close():
            async with ZenooClient(server.url) as other:
                while not held(proxy, 2):
                    await other.version()  # takes its time
            await client.close()

        await side_by_side(fails_with(BatchExecutionError, batch.execute), close)
        with pytest.raises(ClientClosedError):
            await client.version()

    counts = batch.results.counts
    assert [] == left_behind()
    assert [20, 0, 20] == [counts[s] for s in (Status.APPLIED, Status.UNKNOWN, Status.NOT_SENT)]
    assert any(isinstance(each.error, ClientClosedError) for each in batch.results.not_sent)
    assert 4 == len(creates(proxy))
    assert 20 == server.count("res.partner")
    check_outcomes(batch.results, server, proxy)


@pytest.mark.parametrize("number", [1, 2, 5, 9, 14])
async def test_a_client_closed_at_any_moment(server, number):
    """Whenever it is closed, the batch ends, and each record's outcome is told and is true."""
    with Proxy(server.host, server.port) as proxy:
        client = ZenooClient(proxy.url, timeout=30)
        await log_in(client, server)
        batch = client.batch(chunk_size=1, max_concurrency=8)
        batch.create("res.partner", named(100))

        async def close():
            async with ZenooClient(server.url) as other:
                while len(creates(proxy)) < number:
                    await other.version()
            await client.close()

        await side_by_side(fails_with(BatchExecutionError, batch.execute), close)

    assert [] == left_behind()
    assert 0 < batch.results.counts[Status.NOT_SENT]
    check_outcomes(batch.results, server, proxy)


def fails_with(error_class, job):
    """Return a job that runs *job* and wants it to fail."""

    async def expecting():
        with pytest.raises(error_class):
            await job()

    return expecting
