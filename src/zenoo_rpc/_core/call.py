"""One request of a batch: whose records it carries, and how it is taken apart."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from typing import Self, TypeVar

import attrs

from ..batch.options import Way
from ..wire.encoding import array, encode
from ..wire.values import WireRecord
from .pace import Size

T = TypeVar("T")

RIGHTS = {True: "create", False: "write"}  # of calls that may do either, by `is_import`


@attrs.frozen(repr=False)
class Call:
    """One request: *numbers* are its records, *parts* the JSON of each, in the same order.

    A part is a record's values for a create, its row for an import with external ids, a record's id
    otherwise. *values* is what a `write` writes to all of them; of a call that writes different
    ones *each* has the values of each. A `load` fills *columns*; one that creates has the external
    ids of its records as *names*, one that updates by id has its *rows* beside the ids. An
    *idempotent* call may be carried out twice without harm; of one that is *maybe_applied* an
    earlier try had no answer. One that is sent *alone* met a conflict before.
    """

    model: str
    method: str
    context: WireRecord
    numbers: Sequence[int]
    parts: Sequence[bytes]
    values: bytes | None = None
    idempotent: bool = False
    columns: tuple[str, ...] = ()
    maybe_applied: bool = False
    alone: bool = False
    each: Sequence[bytes] = ()
    rows: Sequence[bytes] = ()
    names: Sequence[str] = ()

    def __len__(self) -> int:
        return len(self.parts)

    def __repr__(self) -> str:
        return f"<Call {self.method} {self.model}, {len(self)} records>"

    @property
    def arguments(self) -> list[bytes]:
        """The method's positional arguments, each as JSON."""
        if self.columns:
            return [encode(self.columns), array(self.rows or self.parts)]
        if self.each:
            return [array(self.parts), array(self.each), b"{}"]
        return [array(self.parts), *([self.values] if self.values is not None else [])]

    @property
    def is_import(self) -> bool:
        """Whether it creates and updates records by their external ids."""
        return self.method == Way.LOAD and not self.each

    @property
    def right(self) -> str:
        """The right that it needs on its model."""
        return self.method if self.method in ("create", "unlink") else RIGHTS[self.is_import]

    def halves(self) -> tuple[Self, Self]:
        """Return the call as two, each with half of the records."""
        middle = len(self) // 2
        return self.only(range(middle)), self.only(range(middle, len(self)))

    def only(self, places: Iterable[int]) -> Self:
        """Return the call with just the records at these places.

        Different values for a single record are a plain `write`, which everybody can do who may.
        """
        chosen = sorted(places)
        numbers = [self.numbers[n] for n in chosen]
        parts = [self.parts[n] for n in chosen]
        if self.each and len(chosen) == 1:
            return self.written(chosen[0])
        each = [self.each[n] for n in chosen] if self.each else ()
        rows = [self.rows[n] for n in chosen] if self.rows else ()
        names = [self.names[n] for n in chosen] if self.names else ()
        return attrs.evolve(self, numbers=numbers, parts=parts, each=each, rows=rows, names=names)

    def written(self, place: int) -> Self:
        """Return the `write` of the record at a place of a call that writes different values."""
        return attrs.evolve(
            self,
            method=Way.WRITE.value,
            numbers=[self.numbers[place]],
            parts=[self.parts[place]],
            values=self.each[place],
            columns=(),
            each=(),
            rows=(),
        )

    def singles(self) -> list[Self]:
        """Return the call as many, one for each record."""
        return [self.only([place]) for place in range(len(self))]

    def without(self, places: Container[int]) -> Self | None:
        """Return the call without the records at these places, None if nothing is left."""
        rest = [n for n in range(len(self)) if n not in places]
        if len(rest) == len(self):
            return self
        return self.only(rest) if rest else None


@attrs.frozen
class AboutCall:
    """A question to the server about the records of a *call*; it changes nothing."""

    call: Call

    idempotent = True

    @property
    def model(self) -> str:
        """The model that is asked."""
        return self.call.model

    @property
    def context(self) -> WireRecord:
        """The call's own context."""
        return self.call.context


def compact(numbers: Sequence[int]) -> Sequence[int]:
    """Return numbers as a range, if they are one."""
    whole = range(numbers[0], numbers[-1] + 1)
    return whole if tuple(whole) == tuple(numbers) else numbers


def cut(
    items: Iterable[T],
    size: Size,
    length: Callable[[T], int],
    count: Callable[[T], int] = lambda _: 1,
) -> Iterator[list[T]]:
    """Cut items by count and by bytes; one above the limit goes alone."""
    some: list[T] = []
    number = total = 0
    for item in items:
        own, many = length(item), count(item)
        if some and (number + many > size.size or total + own > size.bytes):
            yield some
            some, number, total = [], 0, 0
        some.append(item)
        number += many
        total += own + 1
    if some:
        yield some
