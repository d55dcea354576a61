"""One request of a batch: whose records it carries, and how it is taken apart.

There is a class for each way to write. Their arguments have no names here: 14, 19 and the addons
that override a method name some of them differently, all agree on their order. JSON-2, which takes
names only, puts them before (`dialect/named.py`).
"""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from typing import Any, ClassVar, Generic, Self, TypeVar

import attrs

from ..batch.options import Way
from ..wire.encoding import array, encode
from ..wire.values import WireRecord
from .sizes import Size

T = TypeVar("T")
Kind = TypeVar("Kind", bound="Call")


@attrs.frozen(repr=False)
class Call:
    """One request: *numbers* are its records, *parts* the JSON of each, in the same order.

    An *idempotent* call may be carried out twice without harm; of one that is *maybe_applied* an
    earlier try had no answer. One that is sent *alone* met a conflict before. Of one *lane* only
    one is in flight.
    """

    model: str
    context: WireRecord
    numbers: Sequence[int]
    parts: Sequence[bytes]
    idempotent: bool = attrs.field(default=False, kw_only=True)
    maybe_applied: bool = attrs.field(default=False, kw_only=True)
    alone: bool = attrs.field(default=False, kw_only=True)
    lane: int | None = attrs.field(default=None, kw_only=True)

    method: ClassVar[str]
    right: ClassVar[str]  # that it needs on its model
    each_has: ClassVar[tuple[str, ...]] = ("numbers", "parts")  # what there is for each record

    def __len__(self) -> int:
        return len(self.parts)

    def __repr__(self) -> str:
        return f"<Call {self.method} {self.model}, {len(self)} records>"

    @property
    def arguments(self) -> list[bytes]:
        """The method's positional arguments, each as JSON: first what there is for each record."""
        return [array(self.parts)]

    @property
    def written(self) -> Sequence[bytes]:
        """The JSON of the values of each record, where they go by their fields' names."""
        return ()

    @property
    def plain(self) -> Call:
        """The plainest call that does the same."""
        return self

    def halves(self) -> tuple[Self, Self]:
        """Return the call as two, each with half of the records."""
        middle = len(self) // 2
        return self.only(range(middle)), self.only(range(middle, len(self)))

    def only(self, places: Iterable[int]) -> Self:
        """Return the call with just the records at these places."""
        chosen = sorted(places)
        own: dict[str, Any] = {
            name: [getattr(self, name)[place] for place in chosen] for name in self.each_has
        }
        return attrs.evolve(self, **own)

    def singles(self) -> list[Self]:
        """Return the call as many, one for each record."""
        return [self.only([place]) for place in range(len(self))]

    def apart(self, places: Container[int], *, without: Container[int]) -> Iterator[Self]:
        """Yield the call as several, in its order: those places alone, the others together."""
        rest = (place for place in range(len(self)) if place not in without)
        for alone, some in itertools.groupby(rest, lambda place: place in places):
            for each in [[place] for place in some] if alone else [list(some)]:
                yield self.only(each)

    def without(self, places: Container[int]) -> Self | None:
        """Return the call without the records at these places, None if nothing is left."""
        rest = [n for n in range(len(self)) if n not in places]
        if len(rest) == len(self):
            return self
        return self.only(rest) if rest else None


@attrs.frozen(repr=False)
class Create(Call):
    """A `create`: the parts are the values of each record."""

    method = right = "create"

    @property
    def written(self) -> Sequence[bytes]:
        """The JSON of the values of each record."""
        return self.parts


@attrs.frozen(repr=False)
class Load(Call):
    """A `load` that creates records, or updates them, by their external ids: *names*.

    The parts are rows of texts, which fill *columns*; *rows* has the texts themselves.
    """

    columns: Sequence[str]
    names: Sequence[str]
    rows: Sequence[Sequence[str]]

    method = Way.LOAD.value
    right = "create"
    each_has = (*Call.each_has, "names", "rows")

    @property
    def arguments(self) -> list[bytes]:
        """The method's positional arguments, each as JSON: the columns and the rows."""
        return [encode(self.columns), array(self.parts)]


@attrs.frozen(repr=False)
class Unlink(Call):
    """An `unlink`: the parts are ids."""

    method = right = "unlink"


@attrs.frozen(repr=False)
class Write(Call):
    """A `write` of the same *values* to all records: the parts are ids."""

    values: bytes

    method = Way.WRITE.value
    right = "write"

    @property
    def arguments(self) -> list[bytes]:
        """The method's positional arguments, each as JSON: ids and values."""
        return [*super().arguments, self.values]

    @property
    def written(self) -> Sequence[bytes]:
        """The JSON of the values of each record."""
        return [self.values] * len(self)


@attrs.frozen(repr=False)
class WriteEach(Call):
    """A call that writes to each record *values* of its own: the parts are ids."""

    values: Sequence[bytes]

    right = "write"
    each_has = (*Call.each_has, "values")

    @property
    def written(self) -> Sequence[bytes]:
        """The JSON of the values of each record."""
        return self.values

    @property
    def plain(self) -> Call:
        """For one record a `write`: everybody can do it who may, and knows its words."""
        if len(self) > 1:
            return self
        return Write(
            self.model,
            self.context,
            self.numbers,
            self.parts,
            *self.values,
            idempotent=self.idempotent,
            maybe_applied=self.maybe_applied,
            alone=self.alone,
            lane=self.lane,
        )


@attrs.frozen(repr=False)
class Save(WriteEach):
    """A `web_save_multi`. It answers what it is asked for: ids only, if that is nothing (19)."""

    method = Way.SAVE.value

    @property
    def arguments(self) -> list[bytes]:
        """The method's positional arguments, each as JSON: ids, values, and what to answer."""
        return [*super().arguments, array(self.values), b"{}"]


@attrs.frozen(repr=False)
class LoadById(WriteEach):
    """A `load` by database id: *rows* are the JSON of rows of texts, which fill *columns*."""

    columns: Sequence[str]
    rows: Sequence[bytes]

    method = Way.LOAD.value
    each_has = (*WriteEach.each_has, "rows")

    @property
    def arguments(self) -> list[bytes]:
        """The method's positional arguments, each as JSON: the columns and the rows."""
        return [encode(self.columns), array(self.rows)]


@attrs.frozen
class AboutCall(Generic[Kind]):
    """A question to the server about the records of a *call*; it changes nothing."""

    call: Kind

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
    if not numbers:
        return ()
    whole = range(numbers[0], numbers[-1] + 1)
    return whole if tuple(whole) == tuple(numbers) else numbers


def in_turn(several: Iterable[Iterator[T]]) -> Iterator[T]:
    """Yield one of each, then the next of each, until all are used up."""
    left = deque(several)
    while left:
        first = left.popleft()
        for item in itertools.islice(first, 1):
            yield item
            left.append(first)


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
