"""Operations -> calls: which records go together, in which order, and how much fits in one.

The records of a batch are numbered through, in the order in which the caller gave them; a call
carries the numbers of its records from the cut to the outcome.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import attrs

from ..batch.operations import (
    CreateOperation,
    Operation,
    UnlinkOperation,
    UpdateOperation,
    WriteManyOperation,
)
from ..batch.options import Way
from ..batch.streams import StreamOperation
from ..wire.encoding import encode
from ..wire.rows import DATABASE_ID, Cell
from ..wire.typed import MarkedRecord
from ..wire.values import WireRecord, is_absolute
from .call import Call, Create, LoadById, Save, Unlink, Write, WriteEach, compact, cut, in_turn
from .footprint import Footprints
from .imports import Import
from .sizes import Size, Sizes
from .ways import Ways

ONE_BY_ONE = Ways(first=Way.WRITE)


@attrs.frozen
class PlannedOperation:
    """An operation and the number of its first record.

    *last* says that it meets no later one (see `footprint`): only then may its calls be repeated.
    """

    operation: Operation
    start: int
    last: bool = True

    @property
    def numbers(self) -> range:
        """The numbers of its records; of a stream none yet."""
        return range(self.start, self.start + len(self.operation))


def stages(operations: Sequence[Operation], *, ordered: bool) -> list[list[PlannedOperation]]:
    """Return the operations in groups: one group's calls may overlap, the groups follow each other.

    Ordered, a group is one operation, or neighbouring creates of one model and context. Otherwise
    an operation joins the first group after the last one that it meets. A stream
    is always alone, and everything keeps its place before or after it: nobody knows its records.
    Their numbers come after all others, when they are read.
    """
    starts = itertools.accumulate(map(len, operations), initial=0)
    last = _last_on_their_records(operations)
    placed = [PlannedOperation(*each) for each in zip(operations, starts, last, strict=False)]
    groups: list[list[PlannedOperation]] = []
    for streamed, some in itertools.groupby(placed, lambda each: is_stream(each.operation)):
        neighbours = list(some)
        if streamed:
            groups += [[each] for each in neighbours]
        else:
            groups += _in_order(neighbours) if ordered else _overlapping(neighbours)
    return groups


def numbered(
    operations: Sequence[Operation], starts: dict[int, int]
) -> Iterator[tuple[Operation, range]]:
    """Yield the operations with the numbers of their records, those of streams as far as read."""
    start = 0
    for operation in operations:
        first = starts.get(id(operation), 0) if is_stream(operation) else start
        yield operation, range(first, first + len(operation))
        start += 0 if is_stream(operation) else len(operation)


def is_stream(operation: Operation) -> bool:
    """Whether the records of an operation are not known beforehand."""
    return isinstance(operation, StreamOperation)


def _last_on_their_records(operations: Sequence[Operation]) -> list[bool]:
    later = Footprints()
    last: list[bool] = []
    for operation in reversed(operations):
        last.append(later.last_met(operation) < 0)
        later.add(operation)
    return last[::-1]


def _in_order(placed: Iterable[PlannedOperation]) -> list[list[PlannedOperation]]:
    return [list(group) for _, group in _neighbours(placed)]


def _overlapping(placed: Iterable[PlannedOperation]) -> list[list[PlannedOperation]]:
    groups: list[list[PlannedOperation]] = []
    before = Footprints()
    for each in placed:
        level = before.last_met(each.operation) + 1
        before.add(each.operation, level)
        groups.extend([] for _ in range(level - len(groups) + 1))
        groups[level].append(each)
    return groups


def _neighbours(
    placed: Iterable[PlannedOperation],
) -> Iterator[tuple[Any, Iterator[PlannedOperation]]]:
    """Group neighbouring plain creates of one model and context; all else stays alone."""

    def kin(each: PlannedOperation) -> object:
        operation = each.operation
        if isinstance(operation, CreateOperation) and not (
            operation.external_ids or operation.lane
        ):
            return operation.model, encode(operation.context)
        return each.start, "alone"

    return itertools.groupby(placed, kin)


def rounds(
    stage: Sequence[PlannedOperation], sizes: Sizes, imports: Mapping[int, Import], ways: Ways
) -> list[Iterator[Call]]:
    """Cut a stage into calls, in rounds that follow each other.

    There are several where rows of an import refer to others of them, which go before.
    """
    depths = (len(imports[each.start].levels) for each in stage if each.start in imports)
    return [calls(stage, sizes, imports, ways, level) for level in range(max(depths, default=1))]


def calls(
    stage: Iterable[PlannedOperation],
    sizes: Sizes,
    imports: Mapping[int, Import] = MappingProxyType({}),
    ways: Ways = ONE_BY_ONE,
    level: int = 0,
) -> Iterator[Call]:
    """Cut a stage into the calls of one round, each only when it is asked for.

    *imports* has the rows of every create with external ids, by the number of its first record;
    *ways* tells how different values are written.
    """
    for _, group in _neighbours(stage):
        members = list(group)
        operation, start, last = members[0].operation, members[0].start, members[0].last
        numbers = members[0].numbers
        match operation:
            case CreateOperation(external_ids=(_, *_)):
                size = sizes.of(operation.model, "load")
                yield from imports[start].calls(operation.model, start, size, level, last=last)
            case _ if level:
                pass  # it went in the first round
            case CreateOperation():
                yield from _creates(members, sizes, ways)
            case UpdateOperation():
                wire = ways.typed(operation.model, operation.values)
                to = _To(operation.model, operation.context, sizes, last)
                yield from to.write(numbers, operation.ids, wire)
            case WriteManyOperation():
                ids, values = operation.ids, operation.written
                updates = zip(numbers, ids, values, strict=True)
                model, context = operation.model, operation.context
                yield from different_writes(model, context, updates, sizes, ways, last=last)
            case UnlinkOperation():
                size = sizes.of(operation.model, Unlink.method)
                for some, parts in _by_id(numbers, operation.ids, size):
                    yield Unlink(operation.model, operation.context, some, parts, idempotent=True)


def _creates(members: list[PlannedOperation], sizes: Sizes, ways: Ways) -> Iterator[Call]:
    first = members[0].operation
    size = sizes.of(first.model, Create.method)

    def encoded(number: int, record: WireRecord) -> tuple[int, bytes]:
        marked = type(record) is MarkedRecord
        return number, encode(ways.typed(first.model, record) if marked else record)

    def called(records: Iterable[tuple[int, WireRecord]], lane: int | None) -> Iterator[Call]:
        made = itertools.starmap(encoded, records)
        for some in cut(made, size, lambda record: len(record[1])):
            numbers, parts = zip(*some, strict=True)
            yield Create(first.model, first.context, compact(numbers), parts, lane=lane)

    records = (
        pair
        for each in members
        if isinstance(each.operation, CreateOperation)
        for pair in enumerate(each.operation.records, each.start)
    )
    lanes = first.lane if isinstance(first, CreateOperation) else ()
    if not lanes:
        yield from called(records, None)
        return
    apart: dict[int | None, list[tuple[int, WireRecord]]] = {}
    for lane, record in zip(lanes, records, strict=True):
        apart.setdefault(lane, []).append(record)
    yield from in_turn([called(own, lane) for lane, own in apart.items()])


def _by_id(
    numbers: Sequence[int], ids: Sequence[int], size: Size
) -> Iterator[tuple[Sequence[int], list[bytes]]]:
    """Cut ids into those of one call each, with the numbers of their records."""
    done = 0
    for parts in cut(map(b"%d".__mod__, ids), size, len):
        yield numbers[done : done + len(parts)], parts
        done += len(parts)


@attrs.frozen
class _Update:
    """The values of one record of an update with different ones, and the cells of an import."""

    number: int
    id: int
    values: WireRecord
    part: bytes
    cells: Sequence[Cell] = ()

    def __len__(self) -> int:
        return len(self.part) + len(str(self.id)) + 4  # quotes and commas; cells are no longer


@attrs.frozen
class _To:
    """Where updates go, and whether their calls may be repeated."""

    model: str
    context: WireRecord
    sizes: Sizes
    last: bool

    def write(
        self, numbers: Sequence[int], ids: Sequence[int], values: WireRecord
    ) -> Iterator[Call]:
        """Write the same values to all."""
        harmless, written = self.last and is_absolute(values), encode(values)
        for some, parts in _by_id(numbers, ids, self.sizes.of(self.model, Write.method)):
            yield Write(self.model, self.context, some, parts, written, idempotent=harmless)

    def write_each(
        self, way: Way, columns: tuple[str, ...], updates: Sequence[_Update]
    ) -> WriteEach:
        """Write to each its own values."""
        numbers = [each.number for each in updates]
        parts, values = [b"%d" % each.id for each in updates], [each.part for each in updates]
        harmless = self.last and all(is_absolute(each.values) for each in updates)
        own = (self.model, self.context, numbers, parts, values)
        if way is Way.SAVE:
            return Save(*own, idempotent=harmless)
        rows = [encode([str(each.id), *(text for _, text in each.cells)]) for each in updates]
        return LoadById(*own, (DATABASE_ID, *columns), rows, idempotent=harmless)


def different_writes(
    model: str,
    context: WireRecord,
    updates: Iterable[tuple[int, int, WireRecord]],
    sizes: Sizes,
    ways: Ways,
    *,
    last: bool,
) -> Iterator[Call]:
    """Write values that many records share at once, and all others as *ways* tells.

    *updates* are the numbers, ids and values of the records.
    """
    to = _To(model, context, sizes, last)
    groups: dict[bytes, list[_Update]] = {}
    for number, record_id, values in updates:
        wire = dict(sorted(ways.typed(model, values).items()))
        part = encode(wire)
        groups.setdefault(part, []).append(_Update(number, record_id, wire, part))
    way = ways.of(model)
    few: dict[tuple[str, ...], list[_Update]] = {}  # by the columns of an import
    for group in groups.values():
        values = group[0].values
        cells = ways.cells(model, values) if way is Way.LOAD else []
        if len(group) >= way.apart or cells is None:
            own, ids = zip(*((each.number, each.id) for each in group), strict=True)
            yield from to.write(own, ids, values)
        else:
            columns = tuple(column for column, _ in cells)
            few.setdefault(columns, []).extend(attrs.evolve(each, cells=cells) for each in group)
    for columns, alike in few.items():
        for some in cut(alike, sizes.of(model, way.value), len):
            call = to.write_each(way, columns, some)
            # That the method is missing may have been found out in between.
            yield from call.singles() if way in ways.missing else (call,)
