"""Whether what a batch told of its records is true: the oracle asks the database itself.

    before = Snapshot.take(server, ["res.partner"])
    ...  # a batch; nothing else writes
    check(server, batch.results, before)

For every record that was there before it works out what it may be now, given what was told of
each write to it, and for every record told to be created that it is there once, with the values
sent. Whatever else is there is an error too. See `Verdict` for the kinds of error.
"""

import json
import os
import sys
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Literal, Self

import attrs

from zenoo_rpc.batch.operations import (
    CreateOperation,
    Operation,
    UnlinkOperation,
    UpdateOperation,
    WriteManyOperation,
)
from zenoo_rpc.batch.results import BatchResult
from zenoo_rpc.batch.status import Status

from .proxy import Exchange
from .servers import Row, Server

Kind = Literal[
    "lost",  # told as applied, and not there
    "doubled",  # there more than once
    "misreported",  # told as refused or not sent, and there; or told in a way that cannot be
    "foreign",  # there, and nothing that was told explains it
]
VERDICTS: tuple[Kind, ...] = ("lost", "doubled", "misreported", "foreign")

# What the tests write and the database keeps as it is given. `name` of a product is not among
# the columns of its table on real servers; what a table does not have is not compared.
WATCHED = frozenset(
    ["name", "ref", "city", "color", "active", "country_id", "default_code", "weight"]
)

GONE = None
State = Row | None  # a record's watched columns, or GONE


@attrs.frozen
class Verdict:
    """Something that was told and is not true."""

    kind: Kind
    text: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.text}"


@attrs.frozen
class Snapshot:
    """All records of some models that were made since the test began, by model and id."""

    rows: dict[str, dict[int, Row]] = attrs.field(repr=False)

    @classmethod
    def take(cls, server: Server, models: Iterable[str]) -> Self:
        """Read them from the database."""
        return cls({model: {row["id"]: row for row in server.rows(model)} for model in models})


# The stamps of a write: they differ after it was taken back.
STAMPS = {"write_date", "write_uid", "message_main_attachment_id"}


def contents(server: Server) -> dict[tuple[str, int], Row]:
    """Return partners and their tags as they are in the database, without the stamps of a write."""
    return {
        (model, row["id"]): {name: value for name, value in row.items() if name not in STAMPS}
        for model in ("res.partner", "res.partner.category")
        for row in server.rows(model)
    }


def check(server: Server, result: BatchResult, before: Snapshot) -> None:
    """Raise AssertionError with all that *result* tells and the database denies."""
    verdicts = examine(server, result, before)
    assert not verdicts, "\n".join(map(str, verdicts))


def examine(server: Server, result: BatchResult, before: Snapshot) -> list[Verdict]:
    """Return all that *result* tells and the database denies; nothing else may have written."""
    after = Snapshot.take(server, before.rows)
    verdicts = list(_malformed(result))
    for model in before.rows:
        old, now = before.rows[model], after.rows[model]
        verdicts += _creations(model, result, old, now)
        verdicts += _changes(model, result, old, now)
    return verdicts


def _malformed(result: BatchResult) -> Iterator[Verdict]:
    """Check what needs no database: one outcome for each, and ids for what was created."""
    for each in result.operations:
        label = each.operation.label
        if not len(each.operation) == len(each) == len(each.ids) == len(list(each)):
            yield Verdict("misreported", f"{label}: not one outcome for each record")
        for outcome in each:
            if not isinstance(each.operation, CreateOperation):
                continue
            if (outcome.status is Status.APPLIED) is not (outcome.id is not None):
                yield Verdict("misreported", f"{outcome}: its id is {outcome.id}")


def _creations(
    model: str, result: BatchResult, old: dict[int, Row], now: dict[int, Row]
) -> Iterator[Verdict]:
    told: dict[Status, list[tuple[str, int | None, Row]]] = {status: [] for status in Status}
    for each in result.operations:
        if isinstance(each.operation, CreateOperation) and each.operation.model == model:
            for outcome, values in zip(each, each.operation.records, strict=True):
                told[outcome.status].append((str(outcome), outcome.id, values))

    left = {number: row for number, row in now.items() if number not in old}
    claimed = Counter(number for _, number, _ in told[Status.APPLIED])
    for text, number, values in told[Status.APPLIED]:
        row = left.get(number or 0)
        if row is None or claimed[number] > 1:
            yield Verdict("lost", f"{text}: id {number} is not there, or not its own")
        elif not _agrees(row, values):
            yield Verdict("misreported", f"{text}: id {number} is another record")
    for number in claimed:
        left.pop(number or 0, None)

    maybe = list(told[Status.UNKNOWN])
    for number, row in left.items():
        text = f"{model} {number}"
        if match := next((each for each in maybe if _agrees(row, each[2])), None):
            maybe.remove(match)
        elif match := _like(row, told[Status.APPLIED] + told[Status.UNKNOWN]):
            yield Verdict("doubled", f"{text}: there although it was told once: {match[0]}")
        elif match := _like(row, told[Status.REFUSED] + told[Status.NOT_SENT]):
            yield Verdict("misreported", f"{text}: there although it was told: {match[0]}")
        else:
            yield Verdict("foreign", f"{text}: nothing tells where it comes from")


def _changes(
    model: str, result: BatchResult, old: dict[int, Row], now: dict[int, Row]
) -> Iterator[Verdict]:
    writes: dict[int, list[tuple[Status, State]]] = {number: [] for number in old}
    for each in result.operations:
        if each.operation.model == model:
            for number, status, written in _writes(each.operation, each.states):
                writes.setdefault(number, []).append((status, written))

    for number, steps in writes.items():
        is_now = _watched(now.get(number))
        was = _watched(old.get(number))
        if is_now in _possible(was, steps, _as_told):
            continue
        text = f"{model} {number} was {was}, is {is_now}, and was told {steps}"
        if is_now in _possible(was, steps, _perhaps_not_applied):
            yield Verdict("lost", text)
        elif is_now in _possible(was, steps, _anything):
            yield Verdict("misreported", text)
        else:
            yield Verdict("foreign", text)


def _writes(operation: Operation, states: bytes) -> Iterator[tuple[int, Status, State]]:
    """Yield the id of each record, what was told of it, and what was to be written to it."""
    for number, state in zip(operation.ids, states, strict=bool(operation.ids)):
        match operation:
            case UpdateOperation():
                yield number, Status(state), dict(operation.values)
            case WriteManyOperation():
                yield number, Status(state), dict(operation.updates[number])
            case UnlinkOperation():
                yield number, Status(state), GONE


def _possible(was: State, steps: Iterable[tuple[Status, State]], reading: Any) -> list[State]:
    """Return what a record may be after *steps*; *reading* says which effects a status allows."""
    states = [was]
    for status, written in steps:
        done, undone = reading(status)
        after: list[State] = []
        for state in states:
            if undone:
                after.append(state)
            if done:
                after.append(_written(state, written))
        states = after
    return states


def _written(state: State, written: State) -> State:
    # For some models (res.partner.category) Odoo says yes to a write to a record that is not there.
    if state is GONE or written is GONE:
        return GONE
    return {**state, **_watched(written, state)}


def _as_told(status: Status) -> tuple[bool, bool]:
    return status in (Status.APPLIED, Status.UNKNOWN), status is not Status.APPLIED


def _perhaps_not_applied(status: Status) -> tuple[bool, bool]:
    return status in (Status.APPLIED, Status.UNKNOWN), True


def _anything(status: Status) -> tuple[bool, bool]:
    return True, True


def _watched(values: State, columns: Iterable[str] = WATCHED) -> Any:
    """Return the values that are compared, of these *columns*."""
    if values is GONE:
        return GONE
    return {name: value for name, value in values.items() if name in WATCHED and name in columns}


def _agrees(row: Row, values: Row) -> bool:
    """Whether a stored row has the values that were sent, as far as they are watched."""
    sent = _watched(values, row)
    return bool(sent) and all(row[name] == value for name, value in sent.items())


def _like(
    row: Row, told: Sequence[tuple[str, int | None, Row]]
) -> tuple[str, int | None, Row] | None:
    return next((each for each in told if _agrees(row, each[2])), None)


# -- what was sent -----------------------------------------------------------------------------

WRITES = ("create", "write", "unlink")
Part = tuple[str, str, str]  # method, model, and what it does to one record, as JSON


def parts_in(body: bytes) -> list[Part]:
    """Return what a request does, record by record; nothing for one that writes nothing."""
    arguments = json.loads(body)["params"]["args"] if body else []
    match arguments[3:]:
        case [model, "create", [records], *_]:
            return [("create", model, _text(record)) for record in records]
        case [model, "write", [ids, values], *_]:
            return [("write", model, _text([number, values])) for number in ids]
        case [model, "web_save_multi", [ids, values, _], *_]:
            pairs = zip(ids, values, strict=True)
            return [("write", model, _text([number, own])) for number, own in pairs]
        case [model, "unlink", [ids], *_]:
            return [("unlink", model, _text(number)) for number in ids]
        case [model, "load", [["id", *_], rows], *_]:
            return [("load", model, row[0]) for row in rows]
    return []


def parts_of(operation: Operation) -> list[Part]:
    """Return the same of an operation, in the order of its records."""
    match operation:
        case CreateOperation(external_ids=(_, *_) as names):
            return [("load", operation.model, name) for name in names]
        case CreateOperation():
            return [("create", operation.model, _text(record)) for record in operation.records]
        case UpdateOperation():
            written = [[number, operation.values] for number in operation.ids]
        case WriteManyOperation():
            written = [[number, values] for number, values in operation.updates.items()]
        case _:
            return [("unlink", operation.model, _text(number)) for number in operation.ids]
    return [("write", operation.model, _text(each)) for each in written]


def repeated(
    exchanges: Sequence[Exchange],
    operations: Iterable[Operation],
    methods: Collection[str] = WRITES,
) -> list[Part]:
    """Return what was sent again although it may have been done as often as it was asked for."""
    asked = Counter(part for operation in operations for part in parts_of(operation))
    done: Counter[Part] = Counter()
    again: list[Part] = []
    for exchange in exchanges:
        parts = [part for part in parts_in(exchange.body) if part[0] in methods]
        again += [part for part in parts if done[part] >= asked[part]]
        if _may_be_done(exchange):
            done.update(parts)
    return again


def _may_be_done(exchange: Exchange) -> bool:
    """Whether the call may have been carried out, for all that its client can know."""
    if exchange.fault is not None and exchange.fault.told != "applied":
        return exchange.fault.told == "unknown"
    head, _, body = (exchange.answer or b"").partition(b"\r\n\r\n")
    if exchange.protocol == "json2" and body:
        return b" 200 " in head.partition(b"\r\n")[0]
    return not body or "error" not in json.loads(body)


def _text(value: object) -> str:
    return json.dumps(value, sort_keys=True)


# -- what is reported --------------------------------------------------------------------------


def twin() -> str:
    """Return which twin the test that runs now is of, and on which loop: asyncio, trio or sync."""
    import asyncio

    try:
        asyncio.get_running_loop()
    except RuntimeError:
        trio = sys.modules.get("trio")
        return "trio" if trio is not None and trio.lowlevel.in_trio_task() else "sync"
    return "asyncio"


def own_share(server: Server, seeds: Sequence[int]) -> Sequence[int]:
    """Return which of the seeds a twin carries out.

    On the stand-in the loops of the async twin share them: one takes every other one, one the
    rest. A single one is for all.
    """
    if server.is_real or len(seeds) == 1:
        return seeds
    return {"asyncio": seeds[::2], "trio": seeds[1::2], "sync": seeds}[twin()]


def report(
    server: Server,
    fault: str,
    operation: str,
    verdicts: Iterable[Verdict],
    seconds: float | None = None,
) -> None:
    """Add a line to the file that ZENOO_FAULT_REPORT names, if it does.

    *seconds* is how long the caller waited for the news, from the fault on.
    """
    path = os.environ.get("ZENOO_FAULT_REPORT")
    if not path:
        return
    counts = Counter(verdict.kind for verdict in verdicts)
    line = {
        "fault": fault,
        "operation": operation,
        "server": server.name,
        "twin": twin(),
        "schedules": 1,
        **{kind: counts[kind] for kind in VERDICTS},
        "seconds": seconds,
    }
    with Path(path).open("a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")
