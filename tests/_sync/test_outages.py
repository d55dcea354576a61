"""The server itself breaks down under a running batch: workers, Odoo, its database."""

import threading

import pytest

from zenoo_rpc.sync import BatchExecutionError, RetryPolicy, Status, ZenooClient

from ..oracle import Snapshot, examine, report
from ..servers import OUTAGES
from .accounts import log_in

OPERATIONS = ("create", "update, same values", "create with external ids, settled")
RECORDS = 160
TURNS = 5  # until an outage falls between two calls no more
STUBBORN = RetryPolicy(attempts=60, initial=0.2, maximum=1, total=60)  # outlasts the outage


def add(batch, operation, ids):
    """Add an operation to a batch that makes calls for a while."""
    records = [{"name": f"New {n}", "ref": f"n{n}"} for n in range(RECORDS)]
    match operation:
        case "create":
            batch.create("res.partner", records)
        case "update, same values":
            batch.update("res.partner", {"ref": "new", "color": 7}, record_ids=ids)
        case _:
            batch.create("res.partner", records, external_ids="ref")


@pytest.mark.parametrize("outage", OUTAGES)
@pytest.mark.parametrize("operation", OPERATIONS)
def test_what_is_told_is_true(server, outage, operation):
    """What can be repeated is applied, whatever happens; of the rest the truth is told."""
    for _ in range(TURNS):
        result = carry_out(server, outage, operation)
        assert 0 == result.counts[Status.REFUSED]
        if operation != "create" or not server.is_real or result.counts[Status.UNKNOWN]:
            return
        server.store.reset()
    pytest.fail("it never happened in the middle of calls")


def carry_out(server, outage, operation):
    """Carry a batch out under an outage, and return what was told, if it is true."""
    with ZenooClient(server.url) as client:
        log_in(client, server)
        old = [{"name": f"Old {number}", "ref": "old"} for number in range(RECORDS)]
        ids = client.batch_manager.bulk_create("res.partner", old)
    before = Snapshot.take(server, ["res.partner"])
    disaster = threading.Thread(target=server.store.suffer, args=[outage])

    def in_the_middle(progress):
        if disaster.ident is None and progress["completed"]:
            disaster.start()

    with ZenooClient(server.url, retry=STUBBORN) as client:
        log_in(client, server)
        client.setup_batch_manager(max_chunk_size=2, max_concurrency=3, timeout=60)
        batch = client.batch(progress_callback=in_the_middle)
        add(batch, operation, ids)
        try:
            batch.execute()
        except BatchExecutionError:
            assert operation == "create"
    disaster.join()

    verdicts = examine(server, batch.results, before)
    report(server, outage, operation, verdicts)
    assert [] == verdicts
    return batch.results
