"""Different values for many records: the same comes of it, whichever way they are written."""

import json

import pytest

from zenoo_rpc import (
    AccessError,
    BatchExecutionError,
    MissingError,
    ServerError,
    Status,
    UserError,
    ZenooClient,
)

from ..oracle import Snapshot, check
from ..proxy import odoo_error
from .accounts import QUICK, log_in

WAYS = ("web_save_multi", "load", "write")
KEYS = tuple(each.encode() for each in WAYS)
SOME_HAVE = {"ref": "y", "partner_latitude": 46.9481, "date": "2026-11-25"}  # of the servers
APPLIED, REFUSED, UNKNOWN, NOT_SENT = (
    Status.APPLIED,
    Status.REFUSED,
    Status.UNKNOWN,
    Status.NOT_SENT,
)


@pytest.fixture(params=WAYS)
def way(request):
    """The way that is tried first."""
    return request.param


@pytest.fixture
async def flaky(server, proxy):
    """A client behind the proxy, and 12 partners."""
    async with ZenooClient(proxy.url, retry=QUICK) as client:
        await log_in(client, server)
        yield client


async def pool(client, count=12):
    """Create partners and return their ids."""
    records = [{"name": f"Partner {n:02}", "city": "Bern", "ref": f"p{n}"} for n in range(count)]
    return list(await client.batch_manager.bulk_create("res.partner", records))


def writes(proxy):
    """Return the methods that were called to write, in order."""
    calls = [json.loads(each.body)["params"]["args"] for each in list(proxy.exchanges) if each.body]
    methods = [args[4] for args in calls if len(args) > 4]
    return [method for method in methods if method in WAYS]


async def test_what_is_written_is_the_same(flaky, proxy, server, way):
    """Values of every kind arrive as single writes would bring them."""
    ids = await pool(flaky)
    tags = await flaky.create("res.partner.category", [{"name": "A"}, {"name": "B"}])
    home = await flaky.create("res.partner", {"name": "Home", "city": "Genf", "country_id": 43})
    known = {"ref": "", **await flaky.fields_get("res.partner", SOME_HAVE)}
    values = [
        {"name": "Ann", "color": 3, "country_id": 43, "active": False, "type": "invoice"},
        {"city": "", "email": "ann@example.com"},
        {"city": None, "country_id": None},
        {"category_id": [(6, 0, tags)], "comment": "<p>x</p>"},
        {"category_id": [(4, tags[0])]},
        {name: value for name, value in SOME_HAVE.items() if name in known},
        {"name": "Müller & Söhne", "parent_id": home},
        {"name": " spaces ", "ref": "x"},
        {"name": "1", "ref": "0", "color": 0},
        {"child_ids": [(0, 0, {"name": "Child"})]},
        {"name": "Cid", "country_id": 43},
        {"name": "Dan", "country_id": 43},
    ]
    fields = sorted({name for each in values for name in each} - {"child_ids"})
    expected = await pool(flaky)
    for number, own in zip(expected, values, strict=True):
        await flaky.write("res.partner", number, own)

    manager = await flaky.setup_batch_manager(update_by=way)
    updates = [{"id": n, "values": own} for n, own in zip(ids, values, strict=True)]
    async with manager.batch() as batch:
        batch.write_many("res.partner", updates)

    context = {"active_test": False}
    mine = await flaky.read("res.partner", ids, fields, context=context)
    others = await flaky.read("res.partner", expected, fields, context=context)
    for row, other in zip(mine, others, strict=True):
        assert (row.pop("id"), other.pop("id")) in list(zip(ids, expected, strict=True))
        assert other == row
    assert ["Child"] == [row["name"] for row in server.rows("res.partner", parent_id=ids[9])]


async def test_one_call_for_many(flaky, proxy, server, way):
    """Different values go in few calls where the server can take them, equal ones in one write."""
    ids = await pool(flaky, 40)
    manager = await flaky.setup_batch_manager(update_by=way, max_chunk_size=50)
    cities = ["Chur"] * 30 + [f"City {n}" for n in range(10)]
    await manager.bulk_update(
        "res.partner", [{"id": n, "city": city} for n, city in zip(ids, cities, strict=True)]
    )

    assert cities == [row["city"] for row in server.rows("res.partner", ids)]
    can_save = way == "web_save_multi" and flaky.server_version.startswith("19")
    if way == "write":
        expected = ["write"] * 11
    else:
        expected = ["load" if way == "load" or not can_save else way, "write"]
    assert expected == sorted(writes(proxy))


async def test_refused_records_are_isolated(flaky, server, way):
    """A bad one is told in the server's words, and all others are written."""
    ids = await pool(flaky)
    before = Snapshot.take(server, ["res.partner"])
    manager = await flaky.setup_batch_manager(update_by=way)
    updates = [{"id": n, "city": f"City {place}"} for place, n in enumerate(ids)]
    updates[2]["country_id"] = 99_999_999
    updates[5]["type"] = "nonsense"
    updates[8]["id"] = 99_999_998
    updates[9]["no_such_field"] = 1
    batch = manager.batch()
    batch.update("res.partner", updates)
    with pytest.raises(BatchExecutionError):
        await batch.execute()

    check(server, batch.results, before)
    failures = {outcome.index: outcome.error for outcome in batch.results.refused}
    assert [2, 5, 8, 9] == sorted(failures)
    assert isinstance(failures[8], MissingError)
    assert isinstance(failures[5], ServerError)
    assert "nonsense" in str(failures[5])
    assert "no_such_field" in str(failures[9])


async def test_a_lost_answer_is_repeated(flaky, proxy, server, way):
    """Absolute values may be sent twice, whichever call carries them."""
    ids = await pool(flaky)
    manager = await flaky.setup_batch_manager(update_by=way, max_chunk_size=4)
    proxy.rule("drop_answer", nth=[1, 3], when=lambda body: any(b'"%s"' % w in body for w in KEYS))
    await manager.bulk_update(
        "res.partner", [{"id": n, "city": f"City {place}"} for place, n in enumerate(ids)]
    )
    assert [f"City {n}" for n in range(12)] == [r["city"] for r in server.rows("res.partner", ids)]


async def test_commands_that_make_records_are_not_repeated(flaky, proxy, server, way):
    """Without an answer to them it is unknown; the others of the call with them."""
    ids = await pool(flaky, 4)
    before = Snapshot.take(server, ["res.partner"])
    manager = await flaky.setup_batch_manager(update_by=way, max_concurrency=1)
    proxy.rule("drop_answer", nth=1, when=lambda body: b'"Child"' in body)
    batch = manager.batch(on_unknown="stop")
    batch.update(
        "res.partner",
        [
            {"id": n, "city": f"C{n}", "child_ids": [(0, 0, {"name": "Child", "ref": f"{n}"})]}
            for n in ids
        ],
    )
    with pytest.raises(BatchExecutionError):
        await batch.execute()
    told = [outcome.status for outcome in batch.results]
    assert UNKNOWN is told[0]
    assert {UNKNOWN, NOT_SENT} >= set(told)
    children = len(server.rows("res.partner")) - len(before.rows["res.partner"])
    assert told.count(UNKNOWN) == children


async def test_a_method_that_is_missing(flaky, proxy, server):
    """It is left out from then on, for the life of the client; nothing is lost by it."""
    ids = await pool(flaky)
    words = "The method 'res.partner.web_save_multi' does not exist"
    told = {"jsonrpc": "builtins.AttributeError", "json2": "werkzeug.exceptions.NotFound"}
    proxy.rule(
        "replace",
        when=lambda body: b'"web_save_multi"' in body,
        answer=odoo_error(told[server.protocol], words),
    )
    for _ in range(2):
        await flaky.batch_manager.bulk_update(
            "res.partner", [{"id": n, "city": f"City {place}"} for place, n in enumerate(ids)]
        )
    assert [f"City {n}" for n in range(12)] == [r["city"] for r in server.rows("res.partner", ids)]
    assert writes(proxy).count("web_save_multi") <= 1


async def test_a_right_that_is_missing(server, way):
    """Who may not write is told so of each record, in few calls."""
    async with ZenooClient(server.url) as client:
        await log_in(client, server)
        ids = await pool(client)
    async with ZenooClient(server.url) as client:
        await log_in(client, server, limited=True)
        manager = await client.setup_batch_manager(update_by=way)
        with pytest.raises(BatchExecutionError) as caught:
            await manager.bulk_update(
                "res.partner", [{"id": n, "city": f"City {place}"} for place, n in enumerate(ids)]
            )
    failures = caught.value.result.refused
    assert list(range(12)) == [outcome.index for outcome in failures]
    assert all(isinstance(outcome.error, AccessError | UserError) for outcome in failures)
    assert {"Bern"} == {row["city"] for row in server.rows("res.partner", ids)}
