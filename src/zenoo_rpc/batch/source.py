"""Records that are read while they are sent: what was read, what waits for its call, what is left.

Whoever waits reads the items and feeds them; here they become the parts of calls.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import AsyncIterable, Callable, Container, Iterable, Mapping, Sequence
from math import inf
from typing import Any, TypeVar

import attrs

from ..errors import InvalidValueError, ZenooError
from ..wire.encoding import encode
from ..wire.rows import import_context, row
from ..wire.typed import Fields, Known, typed, unknown
from ..wire.values import WireRecord, record_id
from .validate import RECORDS, Checker, Lane

T = TypeVar("T")
Items = Iterable[Any] | AsyncIterable[Any]
Name = str | Callable[[Any], str] | None


@attrs.frozen
class Part:
    """What a record adds to a call; of an import it is a row of *texts*."""

    index: int
    part: bytes
    texts: Sequence[str] = ()

    def __len__(self) -> int:
        return len(self.part)


class Source(ABC):
    """The records of an operation that is read while it is sent.

    To *keep* is to have each item as it came until its outcome is told.
    """

    def __init__(self, check: Checker, items: Sequence[Items], *, keep: bool = False) -> None:
        # What is still to be read; emptied by whoever reads.
        self.items = [_reader(check, each) for each in items]
        self.count = 0
        self.unread = bool(self.items)  # whether there may be more than was read
        self.begun = False
        self.fields: Fields | None = None  # of the model
        self.known: Known = {}  # the fields of all models, as far as they are known
        self.untyped: list[int] = []  # what waits until more of them are, and what came after it
        self._given: dict[int, object] | None = {} if keep else None
        self._check = check

    @property
    def imports(self) -> bool:
        """Whether the records have external ids."""
        return False

    @property
    def is_used_up(self) -> bool:
        """Whether all was read, and nothing waits for its call."""
        return not self.items and not self.untyped and not self._count_waiting()

    def close(self) -> None:
        """Let go of what was not read."""
        self.items.clear()

    def lacks(self, size: int) -> int:
        """Return how many items more make a full call, 0 when there is nothing more to read."""
        waiting = self._count_waiting() + len(self.untyped)
        return max(0, size - waiting) if self.items else 0

    def feed(self, items: Iterable[object]) -> list[tuple[int, ZenooError]]:
        """Take items that were read; return the errors of the bad ones, by index."""
        numbered = list(enumerate(items, self.count))
        self.count += len(numbered)
        if self._given is not None:
            self._given.update(numbered)
        errors = _errors(numbered, self._add)
        self.unread = self.unread and bool(self.items)
        return errors

    def lacking(self) -> set[str]:
        """Return the models whose fields must be known before what waits for them is sent."""
        return {model for index in self.untyped for model in self._lacking(index)}

    def resume(self) -> list[tuple[int, ZenooError]]:
        """Go on with what waited for fields to be known; return the errors of the bad ones."""
        waiting, self.untyped = self.untyped, []
        return _errors(((index, index) for index in waiting), lambda index, _: self._place(index))

    def give_up(self, *, forget: bool) -> list[int]:
        """Read no further; return which records lack fields, after letting them go if wanted."""
        stuck = [index for index in self.untyped if self._lacking(index)]
        self.close()
        self.untyped = []
        self.settle(stuck if forget else ())
        return stuck

    def _place(self, index: int) -> None:
        """Let a record wait for its call, or for what must be known before; in their order."""
        if self.untyped or self._lacking(index):
            self.untyped.append(index)
            return
        try:
            self._let_wait(index)
        except InvalidValueError as error:
            self.settle([index])
            raise self._check.error(str(error), index) from None

    def hand_back(self, index: int) -> object:
        """Return an item as it came, and keep it no longer; None if it was not kept."""
        return self._given.pop(index) if self._given else None

    @abstractmethod
    def _count_waiting(self) -> int:
        """Return how many wait for their call."""

    @abstractmethod
    def _add(self, index: int, item: object) -> None:
        """Check an item, keep what it is, and let it wait."""

    @abstractmethod
    def _lacking(self, index: int) -> set[str]:
        """Return the models whose fields must be known before a record is sent."""

    @abstractmethod
    def _let_wait(self, index: int) -> None:
        """Let a record wait for its call; InvalidValueError if it cannot be sent."""

    @abstractmethod
    def settle(self, indexes: Iterable[int]) -> None:
        """Keep these records no longer."""

    @abstractmethod
    def lose(self, indexes: Iterable[int]) -> None:
        """Take note that these records are unknown."""

    @abstractmethod
    def leave(self, indexes: Iterable[int]) -> None:
        """Take note that these records may be written later; they are kept."""

    def rejected(self) -> list[tuple[int, ZenooError]]:
        """Return the errors of what cannot be sent any more, by index, and forget them."""
        return []


class CreateSource(Source):
    """The records of a create.

    *external_ids* is the name of the field that holds them, or a function of a record.
    """

    def __init__(
        self,
        check: Checker,
        items: Sequence[Items],
        external_ids: Name = None,
        lane: Lane = None,
        *,
        keep: bool = False,
    ) -> None:
        check.check_lane(lane)
        if external_ids is not None and not (
            isinstance(external_ids, str) or callable(external_ids)
        ):
            raise check.error(
                "for records that are read while they are sent, external_ids must be a field's "
                "name or a function"
            )
        super().__init__(check, items, keep=keep)
        self.kept: dict[int, tuple[WireRecord, str]] = {}  # what was read and is not settled
        self._external_ids = external_ids
        self._lane = lane
        self.lanes: dict[int, int | None] = {}  # of what is kept, if it has lanes
        self._seen: dict[str, int] = {}
        self._waiting: dict[tuple[tuple[str, ...], int | None], deque[Part]] = {}

    @property
    def imports(self) -> bool:
        """Whether the records have external ids."""
        return self._external_ids is not None

    def _count_waiting(self) -> int:
        return sum(map(len, self._waiting.values()))

    def _add(self, index: int, item: object) -> None:
        made = self._check.create(item, index, self._external_ids, self._seen)
        if self._lane is not None:
            self.lanes[index] = self._check.lane(item, index, made[0], self._lane)
        self.kept[index] = made
        self._place(index)

    def _lacking(self, index: int) -> set[str]:
        return (
            set() if self.imports else unknown(self.kept[index][0], self._check.model, self.known)
        )

    def _let_wait(self, index: int) -> None:
        record, name = self.kept[index]
        known = {self._check.model: self.fields} if self.imports else self.known
        record = typed(record, self._check.model, known)
        columns: tuple[str, ...] = ()
        texts: tuple[str, ...] = ()
        if self.imports:
            columns, texts = row(record, name, self.fields or {})
        part = Part(index, encode(texts or record), texts)
        kind = columns, self.lanes.get(index)
        self._waiting.setdefault(kind, deque()).append(part)

    def cut(
        self, size: int, bytes_: int, busy: Container[int | None] = ()
    ) -> tuple[tuple[str, ...], int | None, list[Part]] | None:
        """Return the columns, the lane and the parts of the next call.

        None while nothing waits, or only for lanes that are *busy*.
        """
        free = (
            each
            for each in self._waiting.items()
            if each[0][1] not in busy and each[1][0].index < self._others(each[0])
        )
        kind, waiting = max(free, key=lambda each: len(each[1]), default=(((), None), deque()))
        if not waiting:
            return None
        end = self._others(kind)
        parts = [waiting.popleft()]
        total = len(parts[0])
        while waiting and len(parts) < size and total + 1 + len(waiting[0]) <= bytes_:
            if waiting[0].index > end:
                break
            parts.append(waiting.popleft())
            total += 1 + len(parts[-1])
        if not waiting:
            del self._waiting[kind]
        return *kind, parts

    def _others(self, kind: tuple[tuple[str, ...], int | None]) -> float:
        """Return the first index of the same lane that waits with other columns."""
        each = self._waiting.items()
        heads = (parts[0].index for other, parts in each if other[1] == kind[1] and other != kind)
        return min(heads, default=inf) if kind[1] is not None else inf

    def context(self, context: WireRecord, part: Part) -> WireRecord:
        """Return the context of the import that a part is of."""
        return import_context(context, [self.kept[part.index][0]], self.fields or {})

    def names(self, parts: Iterable[Part]) -> list[str]:
        """Return the external ids of an import's parts."""
        return [self.kept[part.index][1] for part in parts]

    def settle(self, indexes: Iterable[int]) -> None:
        """Keep these records no longer."""
        for index in indexes:
            self.kept.pop(index, None)
            self.lanes.pop(index, None)

    def lose(self, indexes: Iterable[int]) -> None:
        """Take note that these records are unknown; those with external ids may be sent again."""
        if not self.imports:
            self.settle(indexes)

    def leave(self, indexes: Iterable[int]) -> None:
        """Do nothing: what will not be sent is kept as it is."""


class IdSource(Source):
    """The records of an update or an unlink, which may name a record more than once.

    It waits for its turn then: until the outcome of the one before is known. If that never is, or
    it was not sent, or had to be repeated and may land late, the later one is refused: it could be
    undone.
    """

    def __init__(
        self, check: Checker, items: Sequence[Items], *, updates: bool, keep: bool = False
    ) -> None:
        super().__init__(check, items, keep=keep)
        self.kept: dict[int, tuple[int, WireRecord]] = {}  # ids and values of what is not settled
        self._updates = updates
        self._waiting: deque[int] = deque()
        self._busy: dict[int, int] = {}  # by ids on their way: the index of the record
        self._left: dict[int, int] = {}  # by ids: the index of what may be written later
        self._rejected: list[tuple[int, ZenooError]] = []

    def id_of(self, item: object) -> int:
        """Return the id that an item names, 0 for none; the item may be bad otherwise."""
        if self._updates:
            item = item.get("id") if isinstance(item, Mapping) else None
        try:
            return record_id(item)
        except InvalidValueError:
            return 0

    def _count_waiting(self) -> int:
        return len(self._waiting)

    def _add(self, index: int, item: object) -> None:
        check = self._check
        self.kept[index] = (
            check.update(item, index) if self._updates else (check.id(item, index), {})
        )
        self._place(index)

    def _lacking(self, index: int) -> set[str]:
        return unknown(self.kept[index][1], self._check.model, self.known)

    def _let_wait(self, index: int) -> None:
        number, values = self.kept[index]
        self.kept[index] = number, typed(values, self._check.model, self.known)
        self._waiting.append(index)

    def cut(self, size: int) -> list[int]:
        """Return the indexes of what may go next; none while the first that waits may not."""
        chosen: list[int] = []
        while self._waiting and len(chosen) < size:
            index = self._waiting[0]
            number, _ = self.kept[index]
            before = self._left.get(number)
            if before is not None:
                self._reject(
                    index, f"not sent, as record {before} has the same id and may be written later"
                )
            elif number in self._busy:
                break
            else:
                chosen.append(index)
                self._busy[number] = index
            self._waiting.popleft()
        return chosen

    def _reject(self, index: int, reason: str) -> None:
        self._rejected.append((index, self._check.error(reason, index)))
        del self.kept[index]

    def rejected(self) -> list[tuple[int, ZenooError]]:
        """Return the errors of what cannot be sent any more, by index, and forget them."""
        rejected, self._rejected = self._rejected, []
        return rejected

    def settle(self, indexes: Iterable[int]) -> None:
        """Keep these records no longer."""
        for index in indexes:
            number, _ = self.kept.pop(index, (0, {}))
            if self._busy.get(number) == index:
                del self._busy[number]

    def lose(self, indexes: Iterable[int]) -> None:
        """Take note that these records are unknown."""
        self.leave(indexes)
        self.settle(indexes)

    def leave(self, indexes: Iterable[int]) -> None:
        """Take note that these records may be written later; they are kept."""
        kept = self.kept
        self._left.update((kept[index][0], index) for index in indexes if index in kept)


def _errors(
    items: Iterable[tuple[int, T]], take: Callable[[int, T], None]
) -> list[tuple[int, ZenooError]]:
    errors: list[tuple[int, ZenooError]] = []
    for index, item in items:
        try:
            take(index, item)
        except ZenooError as error:
            errors.append((index, error))
    return errors


def _reader(check: Checker, items: Items) -> Any:
    if isinstance(items, AsyncIterable):
        return items.__aiter__()
    return iter(check.iterable(items, RECORDS))
