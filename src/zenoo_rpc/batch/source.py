"""Records that are read while they are sent: what was read, what waits for its call, what is left.

Whoever waits reads the items and feeds them; here they become the parts of calls.
"""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterable, Callable, Iterable, Sequence
from typing import Any, TypeVar

import attrs

from ..errors import InvalidValueError, ZenooError
from ..wire.encoding import encode
from ..wire.rows import import_context, row
from ..wire.typed import Fields, Known, typed, unknown
from ..wire.values import WireRecord
from .validate import RECORDS, Checker

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


class Source:
    """The records of a create that is read while it is sent.

    *external_ids* is the name of the field that holds them, or a function of a record. To *keep* is
    to have each item as it came until its outcome is told.
    """

    def __init__(
        self,
        check: Checker,
        items: Sequence[Items],
        external_ids: Name = None,
        *,
        keep: bool = False,
    ) -> None:
        if external_ids is not None and not (
            isinstance(external_ids, str) or callable(external_ids)
        ):
            raise check.error(
                "for records that are read while they are sent, external_ids must be a field's "
                "name or a function"
            )
        # What is still to be read; emptied by whoever reads.
        self.items = [_reader(check, each) for each in items]
        self.count = 0
        self.unread = "not all of its records were read" if self.items else ""
        self.begun = False
        self.kept: dict[int, tuple[WireRecord, str]] = {}  # what was read and is not settled
        self.fields: Fields | None = None  # of an import's model
        self.known: Known = {}  # the fields of all models, as far as they are known
        self.untyped: list[int] = []  # what waits until more of them are, and what came after it
        self._given: dict[int, object] | None = {} if keep else None
        self._check = check
        self._external_ids = external_ids
        self._seen: dict[str, int] = {}
        self._waiting: dict[tuple[str, ...], deque[Part]] = {}

    @property
    def imports(self) -> bool:
        """Whether the records have external ids."""
        return self._external_ids is not None

    @property
    def is_used_up(self) -> bool:
        """Whether all was read, and nothing waits for its call."""
        return not self.items and not self.untyped and not any(self._waiting.values())

    def close(self) -> None:
        """Let go of what was not read."""
        self.items.clear()

    def lacks(self, size: int) -> int:
        """Return how many items more make a full call, 0 when there is nothing more to read."""
        waiting = sum(map(len, self._waiting.values())) + len(self.untyped)
        return max(0, size - waiting) if self.items else 0

    def feed(self, items: Iterable[object]) -> list[tuple[int, ZenooError]]:
        """Take items that were read; return the errors of the bad ones, by index."""
        numbered = list(enumerate(items, self.count))
        self.count += len(numbered)
        if self._given is not None:
            self._given.update(numbered)
        errors = _errors(numbered, self._add)
        self.unread = self.unread if self.items else ""
        return errors

    def _add(self, index: int, item: object) -> None:
        self.kept[index] = self._check.create(item, index, self._external_ids, self._seen)
        self._place(index)

    def lacking(self) -> set[str]:
        """Return the models whose fields must be known before what waits for them is sent."""
        return {model for index in self.untyped for model in self._lacking(index)}

    def _lacking(self, index: int) -> set[str]:
        return (
            set() if self.imports else unknown(self.kept[index][0], self._check.model, self.known)
        )

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
        record, name = self.kept[index]
        known = {self._check.model: self.fields} if self.imports else self.known
        columns: tuple[str, ...] = ()
        texts: tuple[str, ...] = ()
        try:
            record = typed(record, self._check.model, known)
            if self.imports:
                columns, texts = row(record, name, self.fields or {})
        except InvalidValueError as error:
            del self.kept[index]
            raise self._check.error(str(error), index) from None
        part = Part(index, encode(texts or record), texts)
        self._waiting.setdefault(columns, deque()).append(part)

    def cut(self, size: int, bytes_: int) -> tuple[tuple[str, ...], list[Part]] | None:
        """Return the columns and the parts of the next call, None while nothing waits."""
        columns, waiting = max(
            self._waiting.items(), key=lambda each: len(each[1]), default=((), ())
        )
        if not waiting:
            return None
        parts = [waiting.popleft()]
        total = len(parts[0])
        while waiting and len(parts) < size and total + 1 + len(waiting[0]) <= bytes_:
            parts.append(waiting.popleft())
            total += 1 + len(parts[-1])
        if not waiting:
            del self._waiting[columns]
        return columns, parts

    def context(self, context: WireRecord, part: Part) -> WireRecord:
        """Return the context of the import that a part is of."""
        return import_context(context, [self.kept[part.index][0]], self.fields or {})

    def hand_back(self, index: int) -> object:
        """Return an item as it came, and keep it no longer; None if it was not kept."""
        return self._given.pop(index) if self._given else None

    def names(self, parts: Iterable[Part]) -> list[str]:
        """Return the external ids of an import's parts."""
        return [self.kept[part.index][1] for part in parts]

    def settle(self, indexes: Iterable[int]) -> None:
        """Keep these records no longer."""
        for index in indexes:
            self.kept.pop(index, None)


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
