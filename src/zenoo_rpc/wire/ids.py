"""Database ids, compactly."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Sequence
from typing import overload

SHOWN = 5  # ids in a repr


class Ids(Sequence[int | None]):
    """Database ids in the order of the records, None where there is none: eight bytes each.

    It is equal to a list of the same ids, and adds up with lists to one.

    >>> Ids(array("q", [7, 0, 9]))
    <Ids: 3, the first ones [7, None, 9]>
    """

    def __init__(self, numbers: array[int]) -> None:
        self._numbers = numbers

    def __len__(self) -> int:
        return len(self._numbers)

    @overload
    def __getitem__(self, place: int) -> int | None: ...
    @overload
    def __getitem__(self, place: slice) -> list[int | None]: ...
    def __getitem__(self, place: int | slice) -> int | list[int | None] | None:
        found = self._numbers[place]
        return found or None if isinstance(found, int) else [each or None for each in found]

    def __iter__(self) -> Iterator[int | None]:
        return (number or None for number in self._numbers)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Ids):
            return self._numbers == other._numbers
        return self[:] == other if isinstance(other, list) else NotImplemented

    def __hash__(self) -> int:
        return hash(tuple(self))

    def __add__(self, other: Iterable[int | None]) -> list[int | None]:
        return [*self, *other]

    def __radd__(self, other: Iterable[int | None]) -> list[int | None]:
        return [*other, *self]

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {len(self):,}, the first ones {self[:SHOWN]}>"
