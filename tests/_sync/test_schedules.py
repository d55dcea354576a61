"""Batches and faults drawn at random: what is told of each record is true, and nothing is doubled.

Each seed draws one batch, how it is carried out, and what goes wrong with which of its calls.

    ZENOO_SCHEDULES=1000 pytest tests -k schedules     seeds 0 to 999
    ZENOO_SEED=17 pytest tests -k schedules             this one
"""

import random
from contextlib import suppress
from pathlib import Path

import attrs
import pytest

from zenoo_rpc.sync import BatchExecutionError, RetryPolicy, Status, ZenooClient
from zenoo_rpc.batch.operations import CreateOperation
from zenoo_rpc.batch.results import BatchResult

from ..oracle import WRITES, Snapshot, Verdict, examine, repeated, report
from ..proxy import FAULTS, UNPROVEN, Proxy
from .accounts import log_in
from .trials import all_go_well

MODELS = ("res.partner", "res.partner.category", "product.product")
POOL = 8  # records of each model that are there before
MISSING = 99_999_000
UNKNOWN_RELATION = {
    "res.partner": {"country_id": MISSING},
    "res.partner.category": {"parent_id": MISSING},
}

# by how often they are drawn: an ordinary batch is a create or an update
KINDS = (
    "create",
    "create",
    "stream",
    "named",
    "named",
    "named stream",
    "update",
    "update",
    "write_many",
    "write_many",
    "unlink",
)
IN_BOTH_DIALECTS = [fault for fault in UNPROVEN if not fault.protocol]
# what tells a library that repeats from one that knows when not to: drawn more often than others
(LATE,) = [fault for fault in FAULTS if fault.action == "forward_late"]
WAYS = ("web_save_multi", "web_save_multi", "load", "write")
SWIFT = RetryPolicy(attempts=3, initial=0.02, maximum=0.05, total=3)


@attrs.frozen
class Schedule:
    """A batch, how it is carried out, and the faults, each with the number of the call it meets."""

    additions: tuple
    options: dict
    concurrency: int
    update_by: str
    retry: RetryPolicy | None
    keep_alive: bool
    faults: tuple

    @property
    def outlasts(self):
        """Whether the client waits for an answer that does not come."""
        return any(fault.outlasts for fault, _ in self.faults)


def values_for(model, mark, color):
    """Return a record that can be told from all others."""
    match model:
        case "res.partner":
            return {"name": mark, "ref": mark, "color": color}
        case "res.partner.category":
            return {"name": mark, "color": color}
    return {"name": mark, "default_code": mark, "weight": color + 0.5}


def change_for(model, mark, color):
    """Return what is written to a record."""
    return {name: value for name, value in values_for(model, mark, color).items() if name != "name"}


def by_name(record):
    """Return the external id of a record, from its mark."""
    return record["name"].replace(".", "_")


def spoilt(rng, model, record):
    """Return the record as no server takes it."""
    match rng.choice(["field", "reference"]):
        case "reference" if model == "res.partner":
            return {**record, "country_id": MISSING}
        case "reference" if model == "res.partner.category":
            return {**record, "parent_id": MISSING}
    return {**record, "no_field": 1}


def draw(seed, ids):
    """Draw a schedule; *ids* are those of the records that are there, by model."""
    rng = random.Random(seed)
    models = rng.sample(MODELS, rng.randint(1, len(MODELS)))
    bad = rng.choice([0, 0, 0.1, 0.3])  # how many of the records
    deleted = set()
    additions = []
    for place in range(rng.randint(1, 5)):
        model = rng.choice(models)
        kind = rng.choice(KINDS)
        mark = f"{seed}.{place}"
        chosen = rng.sample(ids[model], rng.randint(1, POOL))
        if kind == "unlink":
            chosen = [number for number in chosen if number not in deleted]
            deleted.update(chosen)
        chosen += [MISSING + place] if rng.random() < bad else []
        match kind:
            case "create" | "stream":
                records = [
                    values_for(model, f"{mark}.{number}", rng.randint(1, 11))
                    for number in range(rng.randint(1, 12))
                ]
                argument = [
                    spoilt(rng, model, record) if rng.random() < bad else record
                    for record in records
                ]
            case "named" | "named stream":
                argument = [
                    values_for(model, f"{mark}.{number}", rng.randint(1, 11))
                    | (UNKNOWN_RELATION.get(model, {}) if rng.random() < bad else {})
                    for number in range(rng.randint(1, 12))
                ]
            case "update":
                written = change_for(model, mark, rng.randint(1, 11))
                written |= {"no_field": 1} if rng.random() < bad / 2 else {}
                argument = (written, chosen)
            case "write_many":
                groups = rng.randint(1, len(chosen) + 1)
                argument = [
                    {
                        "id": number,
                        "values": change_for(model, f"{mark}.{n % groups}", 1 + n % groups),
                    }
                    for n, number in enumerate(chosen)
                ]
            case _:
                argument = chosen
        if argument:
            additions.append((kind, model, argument))
    faults = rng.sample(FAULTS, rng.choice([0, 1, 1, 1, 2, 3]))
    faults += [LATE] if rng.random() < 0.1 and LATE not in faults else []
    schedule = Schedule(
        additions=tuple(additions),
        options={
            "chunk_size": rng.randint(1, 6),
            "ordered": rng.random() < 0.6,
            "on_error": rng.choice(["continue", "continue", "stop"]),
            "on_unknown": rng.choice(["continue", "continue", "stop", "report"]),
        },
        concurrency=rng.randint(1, 8),
        update_by=rng.choice(WAYS),
        retry=rng.choice([None, SWIFT]),
        keep_alive=rng.random() < 0.3,
        faults=tuple((fault.briefly(), rng.randint(1, 10)) for fault in faults),
    )
    if rng.random() < 0.2:
        more = rng.choice(IN_BOTH_DIALECTS), rng.randint(1, 10)
        schedule = attrs.evolve(schedule, faults=(*schedule.faults, more))
    return schedule


def add_to(batch, additions):
    """Add the drawn operations to a batch."""
    for kind, model, argument in additions:
        match kind:
            case "create":
                batch.create(model, argument)
            case "stream":
                batch.create(model, iter(argument))
            case "named":
                batch.create(model, argument, external_ids=by_name)
            case "named stream":
                batch.create(model, iter(argument), external_ids=by_name)
            case "update":
                batch.update(model, *argument)
            case "write_many":
                batch.write_many(model, argument)
            case _:
                batch.unlink(model, argument)


def as_lists(result, additions):
    """Return the result with the records that streams were read from, so that they can be asked."""
    told = []
    for each, (kind, model, argument) in zip(result.operations, additions, strict=True):
        operation = each.operation
        if kind.endswith("stream") and len(each):
            names = by_name if kind == "named stream" else None
            operation = CreateOperation(model, argument[: len(each)], external_ids=names)
        told.append(attrs.evolve(each, operation=operation))
    return BatchResult(tuple(told))


def out_of_the_blue(schedule, result):
    """Return what was refused or left unknown without a reason, and what was taken that is bad."""
    verdicts = []
    for outcome in result:
        if not isinstance(outcome.operation, CreateOperation):
            continue
        record = outcome.operation.records[outcome.index]
        is_bad = "no_field" in record or MISSING in record.values()
        if outcome.status is Status.APPLIED and is_bad:
            verdicts.append(Verdict("misreported", f"{outcome}: it is a bad record"))
        if outcome.status is Status.UNKNOWN and not schedule.faults:
            verdicts.append(Verdict("misreported", f"{outcome}: nothing went wrong"))
        if outcome.status is Status.REFUSED and not is_bad:
            reason = any(fault.told == "refused" for fault, _ in schedule.faults)
            if not reason:
                verdicts.append(Verdict("misreported", f"{outcome}: it is a good record"))
    return verdicts


def carry_out(server, seed):
    """Carry one schedule out, and return it with what was told and is not true."""
    ids = {}
    with ZenooClient(server.url) as client:
        log_in(client, server)
        for model in MODELS:
            old = [values_for(model, f"old {number}", 11) for number in range(POOL)]
            ids[model] = client.create(model, old)
    before = Snapshot.take(server, MODELS)
    schedule = draw(seed, ids)
    patience = (8 if server.is_real else 2) if schedule.outlasts else 60

    with Proxy(server.host, server.port, keep_alive=schedule.keep_alive) as proxy:
        with ZenooClient(proxy.url, retry=schedule.retry) as client:
            log_in(client, server)
            client.setup_batch_manager(
                max_concurrency=schedule.concurrency,
                timeout=patience,
                update_by=schedule.update_by,
            )
            start = len(proxy.exchanges)
            batch = client.batch(**schedule.options)
            add_to(batch, schedule.additions)
            for fault, nth in schedule.faults:
                fault.arm(proxy, nth)
            with suppress(BatchExecutionError):
                batch.execute()
        proxy.settle()
        exchanges = proxy.exchanges[start:]

    # what is written twice is written as it was; a create must never be sent again
    methods = WRITES if schedule.retry is None else ("create",)
    result = as_lists(batch.results, schedule.additions)
    operations = [each.operation for each in result.operations]
    again = repeated(exchanges, operations, methods)
    twice = [Verdict("doubled", f"sent again: {part}") for part in again]
    verdicts = examine(server, result, before) + twice
    verdicts += out_of_the_blue(schedule, result)
    names = [fault.name for fault, _ in schedule.faults]
    report(server, " + ".join(sorted(names)) or "none", "mixed", verdicts)
    return schedule, verdicts


@pytest.mark.drawn("ZENOO_SCHEDULES", 40)
def test_whatever_goes_wrong(server, seeds):
    """Under any schedule each record has one outcome, and the database agrees with all of them."""
    all_go_well(server, Path(__file__), carry_out, seeds)
