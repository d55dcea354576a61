"""An operation that is read while it is sent: what of it goes into the next calls."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Sequence

import attrs

from ..batch.source import IdSource, Source
from ..batch.status import Status
from ..batch.streams import CreateStream, IdStream, StreamOperation, UnlinkStream, UpdateStream
from ..errors import ZenooError
from .call import Call, Create, Load, Unlink, compact
from .ledger import Ledger
from .planner import different_writes
from .sizes import Size, Sizes
from .ways import Ways


@attrs.frozen
class Reading:
    """A stream that is being read; *start* is the number of its first record."""

    operation: StreamOperation
    start: int
    last: bool
    sizes: Sizes
    ways: Ways
    ledger: Ledger

    @property
    def source(self) -> Source:
        """Its records."""
        return self.operation.source

    @property
    def size(self) -> Size:
        """How many records go into one call, and how many bytes of them."""
        match self.operation:
            case UpdateStream(model=model):
                method = self.ways.of(model).value
            case UnlinkStream():
                method = Unlink.method
            case _:
                method = "load" if self.source.imports else "create"
        return self.sizes.of(self.operation.model, method)

    def numbers(self, indexes: Iterable[int]) -> Sequence[int]:
        """Return the numbers of its records at these indexes."""
        return compact([self.start + index for index in indexes])

    def feed(self, items: Iterable[object]) -> list[tuple[int, ZenooError]]:
        """Take items that were read; return the errors of the bad ones, by index."""
        source, given = self.source, list(items)
        numbers = range(len(self.ledger), len(self.ledger) + len(given))
        self.ledger.grow(len(given))
        if isinstance(source, IdSource):  # whatever becomes of a record, its outcome has the id
            self.ledger.name(numbers, map(source.id_of, given))
        return source.feed(given)

    def settle(self, numbers: Iterable[int], status: Status) -> None:
        """Take note of what became of its records with these numbers."""
        file = {Status.UNKNOWN: self.source.lose, Status.NOT_SENT: self.source.leave}
        file.get(status, self.source.settle)([number - self.start for number in numbers])

    def cut(self, busy: Container[int | None]) -> Iterator[Call]:
        """Cut what goes next: a call, or several where records are updated in different ways.

        Nothing goes to lanes that are *busy*.
        """
        operation = self.operation
        if isinstance(operation, CreateStream):
            yield from self._creates(operation, busy)
        else:
            assert isinstance(operation, IdStream)
            yield from self._by_id(operation)

    def _creates(self, operation: CreateStream, busy: Container[int | None]) -> Iterator[Call]:
        source, size = operation.source, self.size
        found = source.cut(size.size, size.bytes, busy)
        if found is None:
            return
        columns, lane, parts = found
        numbers = self.numbers(each.index for each in parts)
        content = [each.part for each in parts]
        if not columns:
            yield Create(operation.model, operation.context, numbers, content, lane=lane)
            return
        yield Load(
            operation.model,
            source.context(operation.context, parts[0]),
            numbers,
            content,
            columns,
            source.names(parts),
            [each.texts for each in parts],
            idempotent=self.last,
            lane=lane,
        )

    def _by_id(self, operation: IdStream) -> Iterator[Call]:
        source, model, context = operation.source, operation.model, operation.context
        indexes = source.cut(self.size.size)
        numbers, ids = self.numbers(indexes), [source.kept[index][0] for index in indexes]
        if operation.updates:
            updates = zip(numbers, ids, (source.kept[index][1] for index in indexes), strict=True)
            sizes, ways, last = self.sizes, self.ways, self.last
            yield from different_writes(model, context, updates, sizes, ways, last=last)
        elif ids:
            parts = [b"%d" % each for each in ids]
            yield Unlink(model, context, numbers, parts, idempotent=True)
