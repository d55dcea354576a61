"""One call of a batch goes wrong, in every way there is: what is told of each record is true."""

import time
from contextlib import suppress

import pytest

from zenoo_rpc import BatchExecutionError, RetryPolicy, Status, ZenooClient
from zenoo_rpc.errors import RefusedConnectionError

from ..oracle import Snapshot, Verdict, examine, parts_in, parts_of, report
from ..proxy import FAULTS, TURNED_AWAY, UNPROVEN, Proxy
from .accounts import log_in

NAMED = "create with external ids"
SETTLED = f"{NAMED}, settled"  # what is unknown is found out
CONFLICT = "conflict that the server gave up on"  # which is sent again, alone
OPERATIONS = (
    "create",
    "update, same values",
    "update, different values",
    "unlink",
    NAMED,
    SETTLED,
)
RECORDS = 10
CHUNK = 2
NTH = 3


def in_flight(fault, operation, place):
    """Return how many calls; just one where a connection is chosen by its number among others."""
    return 1 if fault.is_blind and operation in (NAMED, SETTLED) else 1 + place % 3


def marks(fault, place):
    """Return how rarely a case is run on real servers; of what proves nothing each fault once."""
    return [pytest.mark.on_standins] if fault in UNPROVEN and place % len(OPERATIONS) else []


CASES = [
    pytest.param(
        fault,
        operation,
        in_flight(fault, operation, row + column),
        id=f"{fault}-{operation}",
        marks=marks(fault, row + column),
    )
    for row, fault in enumerate((*FAULTS, *TURNED_AWAY, *UNPROVEN))
    for column, operation in enumerate(OPERATIONS)
]


def add(batch, operation, ids):
    """Add an operation to a batch that makes RECORDS / CHUNK calls."""
    match operation:
        case "create":
            batch.create(
                "res.partner", [{"name": f"New {n}", "ref": "new"} for n in range(RECORDS)]
            )
        case "create with external ids" | "create with external ids, settled":
            records = [{"name": f"New {n}", "ref": "new"} for n in range(RECORDS)]
            batch.create(
                "res.partner", records, external_ids=lambda record: record["name"].replace(" ", "")
            )
        case "update, same values":
            batch.update("res.partner", {"ref": "new", "color": 7}, record_ids=ids)
        case "update, different values":
            batch.write_many(
                "res.partner",
                [
                    {"id": number, "values": {"ref": f"new {place // CHUNK}"}}
                    for place, number in enumerate(ids)
                ],
            )
        case "unlink":
            batch.unlink("res.partner", ids)


def arm(proxy, fault, operation):
    """Let it happen to the NTH call that writes."""
    is_import = operation in (NAMED, SETTLED)
    if fault.is_blind and is_import:
        # After a question about the model, and of each call before it two, and one of its own.
        fault.arm(proxy, 3 * NTH)
    else:
        fault.arm(proxy, NTH, when=lambda body: not is_import or b'"load"' in body)


def truth(result, exchanges, tries):
    """Return what must be told of each record, by what the proxy has seen of its last call.

    None where the proxy has seen nothing of it: then it was not sent, or closed on unread. No call
    may be made more than so many times.
    """
    calls = [(parts_in(exchange.body), exchange.fault) for exchange in exchanges]
    told = []
    for operation in result.operations:
        for part in parts_of(operation.operation):
            faults = [fault for parts, fault in calls if part in parts]
            assert len(faults) <= tries, f"sent {len(faults)} times: {part}"
            told += [(fault.told if fault else "applied") for fault in faults[-1:]] or [None]
    return told


def with_the_rest(expected, told, fault, operation):
    """Return what is expected with the records filled in of which the proxy has seen nothing."""
    if operation == SETTLED and fault.told == "unknown":
        assert set(expected) <= {"applied", "unknown"}
        return ["applied"] * len(expected)
    unseen = [place for place, status in enumerate(expected) if status is None]
    closed_on = [place for place in unseen if told[place] == "unknown"]
    if fault.action == "close_unread":
        assert CHUNK == len(closed_on)
        unseen = [place for place in unseen if place not in closed_on]
    return [
        "not sent" if place in unseen else status or "unknown"
        for place, status in enumerate(expected)
    ]


@pytest.mark.long_table
@pytest.mark.parametrize(("fault", "operation", "concurrency"), CASES)
async def test_what_is_told_is_true(server, fault, operation, concurrency):
    """Each record is told what the fault proves, no call is repeated, and the database agrees."""
    if fault.protocol not in ("", server.protocol):
        pytest.skip("it can happen in the other dialect only")
    async with ZenooClient(server.url) as client:
        await log_in(client, server)
        names = [{"name": f"Old {number}", "ref": "old"} for number in range(RECORDS)]
        ids = await client.batch_manager.bulk_create("res.partner", names)
    before = Snapshot.take(server, ["res.partner"])
    patience = (8 if server.is_real else 2) if fault.outlasts else 60
    mode = "report" if concurrency > 1 or operation == NAMED else "stop"
    mode = "continue" if operation == SETTLED else mode

    with Proxy(server.host, server.port) as proxy:
        async with ZenooClient(proxy.url, retry=None) as client:
            await log_in(client, server)
            await client.setup_batch_manager(
                max_chunk_size=CHUNK,
                max_concurrency=concurrency,
                timeout=patience,
                # 14 would ask what the fields are before it imports them
                update_by="write" if server.name == "odoo14" else "web_save_multi",
            )
            start = len(proxy.exchanges)
            batch = client.batch(on_unknown=mode)
            add(batch, operation, ids)
            arm(proxy, fault, operation)
            if fault.told == "applied" or (operation == SETTLED and fault.told == "unknown"):
                await batch.execute()
            else:
                with pytest.raises(BatchExecutionError):
                    await batch.execute()
            ended = time.monotonic()
        proxy.settle()
        exchanges = proxy.exchanges[start:]

    told = [outcome.status.label for outcome in batch.results]
    twice = operation == SETTLED or fault.name == CONFLICT
    seen = truth(batch.results, exchanges, 2 if twice else 1)
    expected = with_the_rest(seen, told, fault, operation)
    verdicts = examine(server, batch.results, before)
    wrong = sum(one != other for one, other in zip(expected, told, strict=True))
    untrue = [Verdict("misreported", f"{wrong} records")] if wrong else []
    began = next((each.began for each in exchanges if each.fault), None)
    waited = None if began is None else ended - began
    report(server, fault.name, operation, verdicts + untrue, waited)

    assert expected == told
    assert [] == verdicts
    if fault.action == "refuse":
        refused = [
            isinstance(each.error, RefusedConnectionError) for each in batch.results.not_sent
        ]
        assert any(refused)
    else:
        assert [fault] == [each.fault for each in exchanges if each.fault]
        assert all(each.error for each in batch.results if each.status is Status.UNKNOWN)
    applied = set(told) == {"applied"}
    if concurrency == 1 and fault.proves != "rolled back" and not applied:
        assert ["applied"] * CHUNK * (NTH - 1) == told[: CHUNK * (NTH - 1)]
        rest = "applied" if mode == "report" and fault.told == "unknown" else "not sent"
        assert [rest] * CHUNK * (RECORDS // CHUNK - NTH) == told[CHUNK * NTH :]


async def test_a_write_that_is_carried_out_late_undoes_no_later_one(server):
    """A write without an answer may still come; what is told after its repetition is true."""
    async with ZenooClient(server.url) as client:
        await log_in(client, server)
        ids = await client.batch_manager.bulk_create("res.partner", [{"name": "Ann", "ref": "old"}])
    before = Snapshot.take(server, ["res.partner"])
    (late,) = [fault for fault in FAULTS if fault.action == "forward_late"]

    with Proxy(server.host, server.port) as proxy:
        swift = RetryPolicy(attempts=3, initial=0.02, maximum=0.05)
        async with ZenooClient(proxy.url, retry=swift) as client:
            await log_in(client, server)
            await client.setup_batch_manager(timeout=4 if server.is_real else 1)
            batch = client.batch()
            batch.update("res.partner", {"ref": "first"}, record_ids=ids)
            batch.update("res.partner", {"ref": "second"}, record_ids=ids)
            late.arm(proxy, 1)
            with suppress(BatchExecutionError):
                await batch.execute()
        proxy.settle()

    assert [] == examine(server, batch.results, before)
