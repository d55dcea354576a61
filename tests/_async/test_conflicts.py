"""Two clients in each other's way: no outcome is wrong, nothing hangs, no update is lost."""

import json
from contextlib import suppress
from itertools import pairwise

import pytest

from zenoo_rpc import BatchExecutionError, RetryPolicy, Status, ZenooClient
from zenoo_rpc.sync import ZenooClient as Blocking

from ..proxy import odoo_error
from .accounts import log_in
from .together import side_by_side

RECORDS = 12
HELD = 0.1  # seconds
PATIENT = RetryPolicy(attempts=20, initial=0.02, maximum=0.2)


async def connected(server, url=None, **options):
    """Return a client that is logged in, and sends small calls, up to four at a time."""
    client = ZenooClient(url or server.url, retry=PATIENT)
    await log_in(client, server)
    await client.setup_batch_manager(max_chunk_size=4, **options)
    return client


async def both(server, first, second):
    """Let two clients of their own do two things at the same time."""
    async with await connected(server) as one, await connected(server) as other:

        async def begin():
            await first(one)

        async def at_once():
            await second(other)

        await side_by_side(begin, at_once)


async def test_opposite_orders(server):
    """Two clients write other fields of the same records in opposite orders: all is there."""
    async with await connected(server) as client:
        ids = await client.batch_manager.bulk_create(
            "res.partner", [{"name": f"Partner {number}"} for number in range(RECORDS)]
        )
    for turn in range(3):

        async def forwards(client, city=f"City {turn}"):
            await client.batch_manager.bulk_update("res.partner", {"city": city}, record_ids=ids)

        async def backwards(client, ref=f"ref {turn}"):
            await client.batch_manager.bulk_update(
                "res.partner", {"ref": ref}, record_ids=list(reversed(ids))
            )

        await both(server, forwards, backwards)
        rows = server.rows("res.partner")
        written = {(row["city"], row["ref"]) for row in rows}
        assert {(f"City {turn}", f"ref {turn}")} == written


async def test_different_values_in_opposite_orders(server):
    """Two clients write the same field: each record has what one of them wrote, whole."""
    async with await connected(server) as client:
        ids = await client.batch_manager.bulk_create(
            "res.partner", [{"name": f"Partner {number}"} for number in range(RECORDS)]
        )

    def writes(mark, order):
        async def write(client):
            values = {number: {"ref": f"{mark}{number}", "city": mark} for number in order}
            async with client.batch(ordered=False) as batch:
                batch.write_many("res.partner", values)

        return write

    await both(server, writes("a", ids), writes("b", list(reversed(ids))))
    for row in server.rows("res.partner"):
        assert row["ref"] == f"{row['city']}{row['id']}"


async def test_the_same_unique_key(server):
    """Of two clients that create the same keys each gets what the other did not get."""
    codes = [f"{letter}{digit}" for letter in "QXZ" for digit in range(4)]
    told = {}

    def creates(name, order):
        async def create(client):
            batch = client.batch()
            records = [{"name": f"Land {code}", "code": code} for code in order]
            batch.create("res.country", records)
            with suppress(BatchExecutionError):
                await batch.execute()
            told[name] = dict(zip(order, batch.results, strict=True))

        return create

    await both(server, creates("one", codes), creates("other", codes[::-1]))
    rows = {row["code"]: row["id"] for row in server.rows("res.country")}
    assert RECORDS == len(server.rows("res.country")) == len(rows)
    for code in codes:
        outcomes = [told[name][code] for name in ("one", "other")]
        assert {Status.APPLIED, Status.REFUSED} == {outcome.status for outcome in outcomes}
        assert [rows[code]] == [each.id for each in outcomes if each.status is Status.APPLIED]
        assert all("unique" in str(each.error) for each in outcomes if each.error)


async def test_the_same_external_ids(server):
    """Two runs of one script at the same time: one record for each external id."""
    records = [{"name": f"Partner {number}", "ref": str(number)} for number in range(RECORDS)]
    told = []

    def loads(order):
        async def load(client):
            async with client.batch() as batch:
                batch.create("res.partner", order, external_ids=lambda each: f"p{each['ref']}")
            told.append(dict(zip((each["ref"] for each in order), batch.results.ids, strict=True)))

        return load

    await both(server, loads(records), loads(records[::-1]))
    assert told[0] == told[1]
    rows = {row["ref"]: row["id"] for row in server.rows("res.partner")}
    assert RECORDS == server.count("res.partner")
    assert told[0] == rows


async def test_children_of_one_parent(server):
    """Two clients add children to one parent: all are there, once."""
    async with await connected(server) as client:
        parent = await client.create("res.partner", {"name": "Parent", "is_company": True})
    told = {}

    def adds(name):
        async def add(client):
            children = [
                {"name": f"{name} {number}", "parent_id": parent, "city": "Bern"}
                for number in range(RECORDS)
            ]
            ids = await client.batch_manager.bulk_create("res.partner", children)
            told.update(zip((child["name"] for child in children), ids, strict=True))

        return add

    await both(server, adds("a"), adds("b"))
    rows = {row["name"]: row["id"] for row in server.rows("res.partner", parent_id=parent)}
    assert 2 * RECORDS == len(server.rows("res.partner", parent_id=parent))
    assert told == rows


async def test_calls_that_met_a_conflict_go_one_at_a_time(server, proxy):
    """What the server gave up on is sent again in single file."""
    conflict = odoo_error("psycopg2.errors.SerializationFailure", "could not serialize access")
    asked = []

    def writes(body):
        if b'"write"' in body:
            asked.append(json.loads(body)["params"]["args"][5])
        return b'"write"' in body

    async with await connected(server, proxy.url, max_concurrency=4) as client:
        ids = await client.batch_manager.bulk_create(
            "res.partner", [{"name": f"Partner {number}"} for number in range(16)]
        )
        proxy.rule("replace", nth=range(1, 9), when=writes, answer=conflict)
        proxy.rule("hold", when=lambda body: b'"write"' in body, seconds=HELD)
        await client.batch_manager.bulk_update("res.partner", {"ref": "new"}, record_ids=ids)

    assert {"new"} == {row["ref"] for row in server.rows("res.partner")}
    assert 12 == len(asked)
    begun = [each.began for each in proxy.exchanges if each.action == "hold"]
    assert 4 == len(begun)
    assert all(after - before >= HELD for before, after in pairwise(begun))


@pytest.mark.parametrize("streamed", [True, False])
@pytest.mark.parametrize("what", ["lookup", "load", "conflict"])
async def test_who_created_what_somebody_else_imports_too(server, proxy, what, streamed):
    """Where somebody else wrote the same records at the same time, nobody is told as their maker.

    They are faster than us after our lookup, so that we write to what they created; or they write
    to it after our load; or they are in the way of it.
    """
    records = [{"name": f"Partner {number}", "ref": str(number)} for number in range(3)]
    conflict = odoo_error("psycopg2.errors.SerializationFailure", "could not serialize access")
    theirs = []

    def others_come(exchange):
        with Blocking(server.url) as other:
            other.login(server.database, server.login, server.password)
            with other.batch() as batch:
                own = [{**each, "city": "Bern"} for each in records[1:]]
                theirs.append(batch.create("res.partner", own, external_ids="ref"))
        return conflict(exchange) if what == "conflict" else exchange.answer

    method = b'"ir.model.data"' if what == "lookup" else b'"load"'
    action = "replace" if what == "conflict" else "replace_answer"
    proxy.rule(action, nth=1, when=lambda body: method in body, answer=others_come)
    async with await connected(server, proxy.url) as client:
        if streamed:
            async with client.batch_manager.stream(
                "res.partner", iter(records), external_ids="ref"
            ) as outcomes:
                ours = [(outcome.id, outcome.created) async for outcome in outcomes]
        else:
            async with client.batch() as batch:
                partners = batch.create("res.partner", records, external_ids="ref")
            ours = [(outcome.id, outcome.created) for outcome in partners.result]

    assert theirs[0].ids == [number for number, _ in ours[1:]]
    faster = what != "load"
    assert [faster] * 2 == [each.created for each in theirs[0].result]
    assert [True, None, None] == [created for _, created in ours]
    assert 3 == server.count("res.partner")


@pytest.mark.parametrize("how", ["list", "stream", "import"])
async def test_records_of_one_lane_are_never_side_by_side(server, proxy, how):
    """Those without a lane and of others go on beside them; all are created once."""
    async with await connected(server, proxy.url, max_concurrency=4) as client:
        manager = client.batch_manager
        parents = await manager.bulk_create("res.partner", [{"name": "A"}, {"name": "B"}])
        records = [
            {"name": f"Lane {n % 3} {n}", "ref": f"r{n}", "parent_id": [*parents, None][n % 3]}
            for n in range(36)
        ]
        begun, clashes = len(proxy.exchanges), []

        def lanes(body):
            return [mark for mark in (b"Lane 0", b"Lane 1") if mark in body]

        def look_around(body):
            for other in list(proxy.exchanges)[begun:]:
                if other.in_flight and other.answer is None and other.body != body:
                    clashes.extend(set(lanes(other.body)) & set(lanes(body)))
            return False

        proxy.rule("hold", when=look_around)
        named = {"external_ids": "ref"} if how == "import" else {}
        if how == "stream":
            async with manager.stream("res.partner", iter(records), lane="parent_id") as outcomes:
                ids = [outcome.id async for outcome in outcomes]
        else:
            ids = await manager.bulk_create("res.partner", records, lane="parent_id", **named)
    assert [each["name"] for each in records] == [
        {row["id"]: row["name"] for row in server.rows("res.partner")}[number] for number in ids
    ]
    assert [] == clashes
    assert 6 <= sum(bool(lanes(each.body)) for each in proxy.exchanges[begun:])
