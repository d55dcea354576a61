"""Connections that are kept open, and end at the worst moment: nothing is lost, doubled or unknown.

Nothing is repeated by a policy in any of these tests: what dies with a connection stays dead.
"""

import random
import sys
import threading
from collections import Counter

import pytest

from zenoo_rpc import Status, ZenooClient
from zenoo_rpc._compat import asleep
from zenoo_rpc.batch.operations import CreateOperation
from zenoo_rpc.batch.results import BatchResult
from zenoo_rpc.errors import ConnectionFailedError

from ..oracle import Snapshot, examine, parts_in, parts_of
from ..proxy import ENDS, KeepAlive, Proxy
from .accounts import log_in
from .together import side_by_side

RECORDS = 24
KEPT = (
    *(KeepAlive(end, requests=1) for end in ENDS),
    *(KeepAlive(end, requests=3) for end in ENDS),
    *(KeepAlive(end, seconds=0.01) for end in ENDS if end != "announced"),
)


def described(kept):
    """Return a test's name for it."""
    after = f"{kept.seconds} s" if kept.seconds else f"{kept.requests} requests"
    return f"{kept.end} after {after}"


def in_flight(kept):
    """Return how many calls at once; each way to end meets all three."""
    return (1, 3, 8)[KEPT.index(kept) % 3]


def records(mark):
    """Return new partners, each with a reference of its own."""
    return [{"name": f"{mark} {number}", "ref": f"{mark}{number}"} for number in range(RECORDS)]


def sent_once(exchanges, operations):
    """Whether the server has seen each record of each write exactly once."""
    seen = Counter(part for exchange in exchanges for part in parts_in(exchange.body))
    return Counter(part for each in operations for part in parts_of(each)) == seen


async def old_records(server):
    """Make the partners that are changed later, and return their ids."""
    async with ZenooClient(server.url) as client:
        await log_in(client, server)
        return await client.batch_manager.bulk_create("res.partner", records("old"))


async def read_side_by_side(client, ids):
    """Leave connections in the pool."""

    async def read():
        assert len(ids) == len(await client.read("res.partner", ids, ["ref"]))

    await side_by_side(*[read] * 4)


def stands_still(monkeypatch, client, seconds, times):
    """Let the program stop so often, each time when it has a connection and is about to send."""
    module = sys.modules[type(client._session.transport).__module__]
    trace = module.Connection.trace
    stops = []

    async def held_up(self, event, info):
        if event == "http11.send_request_headers.started" and len(stops) < times:
            stops.append(event)
            threading.Event().wait(seconds)
        await trace(self, event, info)

    monkeypatch.setattr(module.Connection, "trace", held_up)
    return module


@pytest.mark.long_table
@pytest.mark.parametrize("kept", KEPT, ids=described)
async def test_batches(server, kept):
    """Creates, imports, updates and reads go through, each write once, however connections end."""
    ids = await old_records(server)
    before = Snapshot.take(server, ["res.partner"])
    with Proxy(server.host, server.port, keep_alive=kept) as proxy:
        async with ZenooClient(proxy.url, retry=None) as client:
            await log_in(client, server)
            await client.setup_batch_manager(max_chunk_size=4, max_concurrency=in_flight(kept))
            batch = client.batch()
            batch.create("res.partner", records("new"))
            batch.update("res.partner", {"city": "Bern"}, record_ids=ids)
            batch.create("res.partner", records("named"), external_ids="ref")
            batch.write_many(
                "res.partner", [{"id": one, "values": {"ref": f"r{one % 3}"}} for one in ids]
            )
            await read_side_by_side(client, ids)
            await batch.execute()
            await read_side_by_side(client, ids)
        proxy.settle()

    assert {"applied"} == {outcome.status.label for outcome in batch.results}
    assert sent_once(proxy.exchanges, [each.operation for each in batch.results.operations])
    assert [] == examine(server, batch.results, before)


@pytest.mark.long_table
@pytest.mark.parametrize("kept", KEPT[-3:] + KEPT[3:6], ids=described)
async def test_streams(server, kept):
    """A stream's records are there, each once, however connections end."""
    given = records("new")
    with Proxy(server.host, server.port, keep_alive=kept) as proxy:
        async with ZenooClient(proxy.url, retry=None) as client:
            await log_in(client, server)
            manager = await client.setup_batch_manager(
                max_chunk_size=2, max_concurrency=in_flight(kept)
            )
            async with manager.stream("res.partner", iter(given)) as outcomes:
                told = [(each.index, each.id, each.status) async for each in outcomes]
        proxy.settle()

    assert [Status.APPLIED] * RECORDS == [status for _, _, status in told]
    assert sent_once(proxy.exchanges, [CreateOperation("res.partner", given)])
    rows = {row["id"]: row["ref"] for row in server.rows("res.partner")}
    assert {number: given[index]["ref"] for index, number, _ in told} == rows


async def test_a_keep_alive_shorter_than_our_own(server):
    """A proxy that closes just when the next call goes out leaves no create unknown."""
    rng = random.Random(1)
    refs = []
    with Proxy(server.host, server.port, keep_alive=KeepAlive("closed", seconds=0.01)) as proxy:
        async with ZenooClient(proxy.url, retry=None) as client:
            await log_in(client, server)
            for number in range(10 if server.is_real else 30):
                await client.search("res.country", limit=1)
                await asleep(rng.uniform(0.0085, 0.0115))
                refs.append(f"n{number}")
                await client.create("res.partner", {"name": "New", "ref": refs[-1]})

    assert refs == [row["ref"] for row in server.rows("res.partner")]


@pytest.mark.real_odoo
@pytest.mark.parametrize("pause", [6.0, 6.5])
async def test_real_servers(either, pause, monkeypatch):
    """With and without workers, which hang up after 6 s of silence, all is applied once."""
    ids = await old_records(either)
    before = Snapshot.take(either, ["res.partner"])
    batches = []
    async with ZenooClient(either.url, retry=None) as client:
        await log_in(client, either)
        await client.setup_batch_manager(max_chunk_size=3, max_concurrency=4)
        for mark in ("first", "second"):
            await read_side_by_side(client, ids)
            batch = client.batch()
            batch.create("res.partner", records(mark))
            batch.update("res.partner", {"city": mark}, record_ids=ids)
            batch.create("res.partner", records(f"named-{mark}"), external_ids="ref")
            await batch.execute()
            batches.append(batch.results)
            if mark == "first":
                await asleep(pause)
        stands_still(monkeypatch, client, pause, times=1)
        batch = client.batch()
        batch.create("res.partner", [{"name": "Late", "ref": "late"}])
        await batch.execute()
        batches.append(batch.results)

    result = BatchResult(tuple(each for told in batches for each in told.operations))
    assert {"applied"} == {outcome.status.label for outcome in result}
    assert [] == examine(either, result, before)


async def test_reads_share_connections_and_writes_have_their_own(server):
    """Reads go over one connection, one after the other; each write costs another one."""
    with Proxy(server.host, server.port, keep_alive=True) as proxy:
        async with ZenooClient(proxy.url, retry=None) as client:
            await log_in(client, server)
            for _ in range(5):
                await client.search("res.country", limit=1)
            assert 1 == proxy.connections
            ids = await client.create("res.partner", [{"name": "New"}, {"name": "New"}])
            for number in ids:
                await client.write("res.partner", number, {"city": "Bern"})
            assert 4 == proxy.connections


async def test_a_read_that_met_a_dead_connection_goes_once_more(server):
    """It was never seen, or does no harm; on a new connection it is told what happened."""
    kept = KeepAlive("as a request comes", requests=1)
    with Proxy(server.host, server.port, keep_alive=kept) as proxy:
        async with ZenooClient(proxy.url, retry=None) as client:
            await log_in(client, server)
            met = proxy.unread
            for _ in range(3):
                assert 1 == await client.search_count("res.country", [("code", "=", "CH")])
        assert met < proxy.unread


async def test_a_connection_that_was_opened_a_while_ago_is_not_written_on(
    server, proxy, monkeypatch
):
    """A busy program may send long after it connected; workers of Odoo hang up after 2 s."""
    async with ZenooClient(proxy.url, retry=None) as client:
        await log_in(client, server)
        module = stands_still(monkeypatch, client, seconds=0.1, times=2)
        monkeypatch.setattr(module, "FRESH", 0.05)
        met = proxy.connections
        await client.create("res.partner", {"name": "New"})

    assert 3 == proxy.connections - met
    assert 1 == server.count("res.partner")


async def test_no_new_connection_in_time_is_not_sent(server, proxy, monkeypatch):
    """A program that is always too busy is told that nothing was sent."""
    async with ZenooClient(proxy.url, retry=None) as client:
        await log_in(client, server)
        module = stands_still(monkeypatch, client, seconds=0.01, times=1000)
        monkeypatch.setattr(module, "FRESH", 0)
        with pytest.raises(ConnectionFailedError, match="no new connection"):
            await client.execute_kw("res.partner", "create", [{"name": "New"}], timeout=1)

    assert 0 == server.count("res.partner")
