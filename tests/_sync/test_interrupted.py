"""A batch that is cut off tells what became of each record, on whatever exception cuts it off."""

import pytest

from zenoo_rpc.sync import ClientClosedError, Status


class OwnError(Exception):
    """What goes wrong in the caller's own code."""


def ends_with(kind, after):
    """Return a callback that raises once so many records are done."""

    def callback(progress):
        if progress["completed"] >= after:
            raise kind

    return callback


def failing(records, kind):
    """Yield records, and fail then."""
    yield from records
    raise kind


def named(count):
    """Return records."""
    return [{"name": f"Partner {number}"} for number in range(count)]


def counts(error):
    """Return how many records were applied and how many were not sent, of those that there are."""
    result = error.zenoo_result
    assert len(result) == sum(result.counts.values())
    return result.counts[Status.APPLIED], result.counts[Status.NOT_SENT]


@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit])
def test_bulk_methods(client, server, kind):
    """The result is on the exception, with the ids of what was created."""
    manager = client.setup_batch_manager(max_concurrency=1, max_chunk_size=2)
    with pytest.raises(kind) as caught:
        manager.bulk_create(
            "res.partner", named(8), progress_callback=ends_with(kind, after=4)
        )
    assert (4, 4) == counts(caught.value)
    ids = [number for number in caught.value.zenoo_result.ids if number]
    assert ids == [row["id"] for row in server.rows("res.partner")]
    assert "4 applied" in caught.value.__notes__[0]
    reasons = {str(outcome.error) for outcome in caught.value.zenoo_result.not_sent}
    assert {f"the batch was cut off by {kind.__name__}"} == reasons

    with pytest.raises(kind) as caught:
        manager.bulk_update(
            "res.partner", ids, {"ref": "x"}, progress_callback=ends_with(kind, after=2)
        )
    assert (2, 2) == counts(caught.value)

    with pytest.raises(kind) as caught:
        manager.bulk_delete("res.partner", ids, progress_callback=ends_with(kind, after=2))
    assert (2, 2) == counts(caught.value)
    left = caught.value.zenoo_result.resendable_operations()
    manager.execute_operations(left)
    assert 0 == server.count("res.partner")


def test_what_was_dropped(client, server):
    """A block that fails sends nothing, and tells that of each record; so does a closed client."""
    batch = client.batch()
    with pytest.raises(OwnError):
        with batch:
            handle = batch.create("res.partner", named(2))
            batch.create("res.partner", iter(named(3)))
            raise OwnError
    other = client.batch()
    other.create("res.partner", named(2))
    client.close()
    with pytest.raises(ClientClosedError):
        other.execute()
    for each, reason in ((batch, "OwnError"), (other, "ClientClosedError")):
        told = {str(outcome.error) for outcome in each.results}
        assert {f"nothing of the batch was sent, as it ended with {reason}"} == told
        assert (2, False) == (len(each.results), each.results.ok)
        assert len(each.operations) == each.get_stats()["failed_operations"]
    assert [None, None] == handle.ids
    assert 0 == server.count("res.partner")


def test_the_records_own_generator(client, server):
    """What it raises comes out, and all that was read before is told."""
    manager = client.setup_batch_manager(max_concurrency=1, max_chunk_size=2)
    with pytest.raises(OwnError) as caught:
        manager.bulk_create("res.partner", failing(named(5), OwnError))

    result = caught.value.zenoo_result
    assert result.ids == [row["id"] for row in server.rows("res.partner")] + [None] * (
        len(result) - server.count("res.partner")
    )
    assert 4 <= result.counts[Status.APPLIED]


def test_the_block_of_a_batch(client, server):
    """So does a block's end; the batch has the same result."""
    with pytest.raises(KeyboardInterrupt) as caught:
        with client.batch(
            chunk_size=2, max_concurrency=1, progress_callback=ends_with(KeyboardInterrupt, 2)
        ) as batch:
            batch.create("res.partner", named(6))

    assert (2, 4) == counts(caught.value)
    assert batch.results.ids == caught.value.zenoo_result.ids
    assert 2 == server.count("res.partner")
