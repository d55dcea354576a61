"""batch_operation: one operation, record by record."""

import pytest

from zenoo_rpc import (
    BatchExecutionError,
    BatchStateError,
    BatchValidationError,
    UsageError,
    batch_operation,
)


async def test_records_are_created_at_the_end(client, server):
    """What was added one by one is created in order, in full calls."""
    async with batch_operation(
        client, model="res.partner", operation_type="create", chunk_size=50
    ) as collector:
        for number in range(100):
            collector.add({"name": f"Partner {number:03}"})
        collector.add_many([{"name": "Partner 100"}])
        assert 101 == len(collector)
        assert 0 == server.count("res.partner")

    names = {row["id"]: row["name"] for row in server.rows("res.partner")}
    assert [f"Partner {n:03}" for n in range(101)] == [names[n] for n in collector.results.ids]
    assert 3 == client.batch_manager.get_stats()["calls"]


async def test_updates_and_deletes_are_collected_too(client, server):
    """Items with an id are an update, ids a delete."""
    first, second = await client.create("res.partner", [{"name": "Ann"}, {"name": "Bob"}])

    async with batch_operation(client, "res.partner", "update") as collector:
        collector.add({"id": first, "city": "Bern"})
    async with batch_operation(client, "res.partner", "delete") as collector:
        collector.add(second)

    assert [(first, "Bern")] == [(row["id"], row["city"]) for row in server.rows("res.partner")]


async def test_a_bad_item_is_refused_when_it_is_added(client):
    """The error names its index; what was added before stays."""
    with pytest.raises(KeyError):
        async with batch_operation(client, "res.partner", "create") as collector:
            collector.add({"name": "Ann"})
            with pytest.raises(BatchValidationError, match=r"create res\.partner: record 1: .*NaN"):
                collector.add({"name": "Bob", "color": float("nan")})
            with pytest.raises(BatchValidationError, match="not a mapping"):
                collector.add("Bob")
            assert 1 == len(collector)
            raise KeyError


async def test_items_are_copied(client, server):
    """A dict that is used again for the next record does not change the one before."""
    record = {}
    async with batch_operation(client, "res.partner", "create") as collector:
        for name in ("Ann", "Bob"):
            record["name"] = name
            collector.add(record)

    assert ["Ann", "Bob"] == [row["name"] for row in server.rows("res.partner")]


async def test_nothing_collected_is_nothing_sent(client):
    """An empty collector ends quietly."""
    async with batch_operation(client, "res.partner", "create") as collector:
        pass

    assert 0 == len(collector.results)


async def test_an_exception_in_the_block_sends_nothing(client, server):
    """The exception passes, with a note."""
    with pytest.raises(KeyError) as caught:
        async with batch_operation(client, "res.partner", "create") as collector:
            collector.add({"name": "Ann"})
            raise KeyError

    assert 0 == server.count("res.partner")
    assert "1 records" in caught.value.__notes__[0]
    with pytest.raises(BatchStateError):
        collector.add({"name": "Bob"})


async def test_refused_records_are_named(client):
    """A collector's failures carry the index in which the items were added."""
    with pytest.raises(BatchExecutionError) as caught:
        async with batch_operation(client, "res.partner", "create") as collector:
            collector.add_many([{"name": "Ann"}, {"name": "Bob", "country_id": 99999999}])

    assert [1] == [failure.index for failure in caught.value.result.refused]


async def test_an_unknown_type_is_refused(client):
    """The error lists the types there are."""
    with pytest.raises(UsageError, match="create, update, unlink, delete"):
        batch_operation(client, "res.partner", "upsert")


def test_something_that_is_no_client_is_refused():
    """The error says what is needed."""
    with pytest.raises(UsageError, match="ZenooClient"):
        batch_operation("localhost", "res.partner", "create")
