"""Rows of an import that refer to each other -> levels: what is referred to goes before."""

from __future__ import annotations

from collections.abc import Mapping

from ..batch.errors import BatchValidationError
from ..batch.operations import CreateOperation
from ..batch.validate import Checker
from ..wire.typed import Fields
from ..wire.values import WireRecord

Family = list[int]  # the places of rows that have one parent

CIRCLE = "the records that it refers to refer back to it: a circle, of which none can go first"


def in_levels(operation: CreateOperation, fields: Fields, check: Checker) -> list[list[Family]]:
    """Return the places of an operation's records, by levels and in those by their parents.

    A many2one refers to another record of the operation by its external id. Raises
    BatchValidationError, by index, for a circle.
    """
    kinds = {name: about["type"] for name, about in fields.items()}
    own = {n for n, about in fields.items() if about.get("relation") == operation.model}
    places = {name: place for place, name in enumerate(operation.external_ids)}
    waits = [
        {
            places[value]
            for name, value in record.items()
            if isinstance(value, str) and kinds[name] == "many2one" and value in places
        }
        for record in operation.records
    ]
    levels: list[dict[object, Family]] = []
    for place, level in enumerate(_levels(waits, check)):
        levels.extend({} for _ in range(level + 1 - len(levels)))
        parent = _parent(operation.records[place], kinds, own)
        levels[level].setdefault(place if parent is None else parent, []).append(place)
    return [list(families.values()) for families in levels]


def _parent(record: WireRecord, kinds: Mapping[str, object], own: set[str]) -> object:
    """Return what names the record above this one; None where there is none."""
    for name in sorted(own.intersection(record)):
        if kinds[name] == "many2one" and record[name]:
            return name, record[name]
    return None


def _levels(waits: list[set[int]], check: Checker) -> list[int]:
    """Return the level of each place: one above the highest of those that it waits for."""
    followers: dict[int, list[int]] = {}
    for place, others in enumerate(waits):
        for other in others:
            followers.setdefault(other, []).append(place)
    open_ = [len(others) for others in waits]
    levels = [0] * len(waits)
    ready = [place for place, count in enumerate(open_) if not count]
    for place in ready:  # grows as it is gone through
        for follower in followers.get(place, ()):
            levels[follower] = max(levels[follower], levels[place] + 1)
            open_[follower] -= 1
            if not open_[follower]:
                ready.append(follower)
    if len(ready) < len(waits):
        raise _circle(set(range(len(waits))).difference(ready), waits, check)
    return levels


def _circle(left: set[int], waits: list[set[int]], check: Checker) -> BatchValidationError:
    """Return the error about circles among the places that are *left*; some may only follow one."""
    while followers := left.difference(*(waits[place] for place in left)):
        left -= followers
    return BatchValidationError.together([check.error(CIRCLE, place) for place in sorted(left)])
