"""Operations -> calls: which records go together, in which order, and how much fits in one.

The records of a batch are numbered through, in the order in which the caller gave them; a call
carries the numbers of its records from the cut to the outcome.
"""

from __future__ import annotations

import itertools
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Self

import attrs

from ..batch.operations import (
    CreateOperation,
    Operation,
    UnlinkOperation,
    UpdateOperation,
    WriteManyOperation,
)
from .load import Import
from .protocol import array, encode
from .values import WireRecord, is_absolute


@attrs.frozen
class Limits:
    """How much goes into one call: at most *size* records and *bytes* bytes of them."""

    size: int
    bytes: int


@attrs.frozen(repr=False)
class Call:
    """One request: *numbers* are its records, *parts* the JSON of each, in the same order.

    A part is a record's values for a create, its row for a `load` that fills *columns*, a record's
    id otherwise; *values* is what a `write` writes to all of them. An *idempotent* call may be
    carried out twice without harm; of one that *may_be_done* an earlier try had no answer.
    """

    model: str
    method: str
    context: WireRecord
    numbers: Sequence[int]
    parts: Sequence[bytes]
    values: bytes | None = None
    idempotent: bool = False
    columns: bytes | None = None
    may_be_done: bool = False

    def __len__(self) -> int:
        return len(self.parts)

    def __repr__(self) -> str:
        return f"<Call {self.method} {self.model}, {len(self)} records>"

    @property
    def arguments(self) -> list[bytes]:
        """The method's positional arguments, each as JSON."""
        if self.columns is not None:
            return [self.columns, array(self.parts)]
        return [array(self.parts), *([self.values] if self.values is not None else [])]

    def halves(self) -> tuple[Self, Self]:
        """Return the call as two, each with half of the records."""
        middle = len(self) // 2
        return self.only(range(middle)), self.only(range(middle, len(self)))

    def only(self, places: Iterable[int]) -> Self:
        """Return the call with just the records at these places."""
        chosen = sorted(places)
        return attrs.evolve(
            self,
            numbers=[self.numbers[n] for n in chosen],
            parts=[self.parts[n] for n in chosen],
        )

    def without(self, places: Container[int]) -> Self | None:
        """Return the call without the records at these places, None if nothing is left."""
        rest = [n for n in range(len(self)) if n not in places]
        return self.only(rest) if rest else None


@attrs.frozen
class Placed:
    """An operation and the number of its first record.

    *last* says that no later operation touches a record of its own. Only then may its calls be
    repeated: a try that had no answer may still land, late, and would undo a later operation.
    """

    operation: Operation
    start: int
    last: bool = True


def stages(operations: Sequence[Operation], *, ordered: bool) -> list[list[Placed]]:
    """Return the operations in groups: one group's calls may overlap, the groups follow each other.

    Ordered, a group is one operation, or neighbouring creates of one model and context. Otherwise
    an operation joins the first group after the last one that touches a record of its own.
    """
    starts = itertools.accumulate((len(operation) for operation in operations), initial=0)
    last = _last_on_their_records(operations)
    placed = [Placed(*each) for each in zip(operations, starts, last, strict=False)]
    return _in_order(placed) if ordered else _overlapping(placed)


def _records(operation: Operation) -> set[tuple[str, int | str]]:
    """Return what names the records it touches: ids, or the external ids of an import."""
    names = operation.external_ids if isinstance(operation, CreateOperation) else operation.ids
    return {(operation.model, name) for name in names}


def _last_on_their_records(operations: Sequence[Operation]) -> list[bool]:
    touched: set[tuple[str, int | str]] = set()
    by_id: set[str] = set()  # models; an import may be of any record of its model, and the reverse
    imported: set[str] = set()
    last: list[bool] = []
    for operation in reversed(operations):
        records = _records(operation)
        others, own = (imported, by_id) if operation.ids else (by_id, imported)
        apart = touched.isdisjoint(records) and operation.model not in others
        last.append(apart or not records)
        touched |= records
        if records:
            own.add(operation.model)
    return last[::-1]


def _in_order(placed: list[Placed]) -> list[list[Placed]]:
    return [list(group) for _, group in _neighbours(placed)]


def _overlapping(placed: list[Placed]) -> list[list[Placed]]:
    groups: list[list[Placed]] = []
    last: dict[tuple[str, int | str], int] = {}  # a record -> the last group that touches it
    for each in placed:
        records = _records(each.operation)
        level = max((last.get(record, -1) for record in records), default=-1) + 1
        last.update(dict.fromkeys(records, level))
        groups += [[]] * (level - len(groups) + 1)
        groups[level] = [*groups[level], each]
    return groups


def _neighbours(placed: Iterable[Placed]) -> Iterator[tuple[Any, Iterator[Placed]]]:
    """Group neighbouring plain creates of one model and context; all else stays alone."""

    def kin(each: Placed) -> object:
        operation = each.operation
        if isinstance(operation, CreateOperation) and not operation.external_ids:
            return operation.model, encode(operation.context)
        return each.start, "alone"

    return itertools.groupby(placed, kin)


def calls(
    stage: Iterable[Placed], limits: Limits, imports: Mapping[int, Import] = MappingProxyType({})
) -> Iterator[Call]:
    """Cut a stage into calls, each only when it is asked for.

    *imports* has the rows of every create with external ids, by the number of its first record.
    """
    for _, group in _neighbours(stage):
        members = list(group)
        operation, start, last = members[0].operation, members[0].start, members[0].last
        match operation:
            case CreateOperation(external_ids=(_, *_)):
                yield from _loads(operation.model, start, imports[start], limits, last=last)
            case CreateOperation():
                yield from _creates(members, limits)
            case UpdateOperation():
                numbers = range(start, start + len(operation))
                ids, values = operation.ids, operation.values
                yield from _writes(operation, numbers, ids, values, limits, last=last)
            case WriteManyOperation():
                yield from _grouped_writes(operation, start, limits, last=last)
            case UnlinkOperation():
                numbers = range(start, start + len(operation))
                yield from _by_id(
                    operation, "unlink", numbers, operation.ids, limits, idempotent=True
                )


def _creates(members: list[Placed], limits: Limits) -> Iterator[Call]:
    records = (
        (each.start + index, encode(record))
        for each in members
        if isinstance(each.operation, CreateOperation)
        for index, record in enumerate(each.operation.records)
    )
    for numbers, parts in cut(records, limits):
        operation = members[0].operation
        yield Call(operation.model, "create", operation.context, numbers, parts)


def _loads(
    model: str, start: int, import_: Import, limits: Limits, *, last: bool
) -> Iterator[Call]:
    """Cut rows; those of one call fill the same columns, as an empty cell is a value too."""
    alike: dict[bytes, list[tuple[int, bytes]]] = {}
    for number, (columns, texts) in enumerate(import_.rows, start):
        alike.setdefault(columns, []).append((number, texts))
    for columns, rows in alike.items():
        for numbers, parts in cut(rows, limits):
            yield Call(
                model,
                "load",
                import_.context,
                numbers,
                parts,
                idempotent=last,
                columns=columns,
            )


def _by_id(
    operation: Operation,
    method: str,
    numbers: Iterable[int],
    ids: Iterable[int],
    limits: Limits,
    values: bytes | None = None,
    *,
    idempotent: bool = False,
) -> Iterator[Call]:
    pairs = ((number, b"%d" % record_id) for number, record_id in zip(numbers, ids, strict=True))
    for some, parts in cut(pairs, limits):
        yield Call(operation.model, method, operation.context, some, parts, values, idempotent)


def _writes(
    operation: Operation,
    numbers: Iterable[int],
    ids: Iterable[int],
    values: WireRecord,
    limits: Limits,
    *,
    last: bool,
) -> Iterator[Call]:
    harmless = last and is_absolute(values)
    written = encode(values)
    yield from _by_id(operation, "write", numbers, ids, limits, written, idempotent=harmless)


def _grouped_writes(
    operation: WriteManyOperation, start: int, limits: Limits, *, last: bool
) -> Iterator[Call]:
    groups: dict[bytes, tuple[WireRecord, list[tuple[int, int]]]] = {}
    for number, (record_id, values) in enumerate(operation.updates.items(), start):
        same = encode(dict(sorted(values.items())))
        groups.setdefault(same, (values, []))[1].append((number, record_id))
    for values, pairs in groups.values():
        numbers, ids = zip(*pairs, strict=True)
        yield from _writes(operation, numbers, ids, values, limits, last=last)


def cut(
    items: Iterable[tuple[int, bytes]], limits: Limits
) -> Iterator[tuple[list[int], list[bytes]]]:
    """Cut numbered parts by count and by bytes; a part above the limit goes alone."""
    numbers: list[int] = []
    parts: list[bytes] = []
    size = 0
    for number, part in items:
        if parts and (len(parts) == limits.size or size + len(part) > limits.bytes):
            yield numbers, parts
            numbers, parts, size = [], [], 0
        numbers.append(number)
        parts.append(part)
        size += len(part) + 1
    if parts:
        yield numbers, parts
