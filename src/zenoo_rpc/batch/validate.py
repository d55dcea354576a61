"""Turns what a caller gave for an operation into wire values, or tells what is wrong with it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

from ..errors import InvalidValueError
from ..wire.arguments import is_several
from ..wire.values import SURROGATE, WireRecord, record_id, record_to_wire, written
from .errors import BatchValidationError

T = TypeVar("T")
Lane = str | Callable[[Any], object] | None
LANES = 16  # more than calls are in flight; records of some lanes share one
Names = Iterable[object] | str | Callable[[Any], object] | None

RECORDS = "records must be an iterable of mappings, attrs or dataclass instances"
UPDATES = 'updates must be an iterable of {"id": ..., "values": {...}}'
FLAT = "give record ids beside the values"
EXTERNAL_IDS = "external_ids must be texts, a field's name, or a function of a record"
NO_EXTERNAL_ID = "its external id is missing"
EXTERNAL_ID = re.compile(r"[^\s.,]+(?:\.[^\s.,]+)?")


class Checker:
    """Checks what was given for one operation; its errors name the operation and the index."""

    def __init__(self, verb: str, model: object) -> None:
        if not isinstance(model, str) or not model or any(c.isspace() for c in model):
            given = repr(model) if isinstance(model, str) else type(model).__name__
            raise BatchValidationError(verb, f"{given} is no model's name")
        self.model = model
        self._label = f"{verb} {model}"

    def error(self, reason: str, index: int | None = None) -> BatchValidationError:
        """Return the exception that says *reason* of the operation, or of its record at *index*."""
        return BatchValidationError(self._label, reason, index)

    def context(self, context: object) -> WireRecord:
        """Return a context as wire values; None is an empty one."""
        if context is not None and not isinstance(context, Mapping):
            raise self.error("the context must be a mapping")
        try:
            return record_to_wire(context or {})
        except InvalidValueError as error:
            raise self.error(f"context: {error}") from None

    def iterable(self, items: object, expected: str) -> Iterable[Any]:
        """Return the items; *expected* says what else they should have been."""
        if not is_several(items):
            raise self.error(expected)
        return items

    def all(self, items: object, expected: str, convert: Callable[[Any, int], T]) -> list[T]:
        """Return what *convert* makes of each item and its index; the error tells of all bad ones.

        *expected* as in `iterable`.
        """
        good: list[T] = []
        bad: list[BatchValidationError] = []
        for index, item in enumerate(self.iterable(items, expected)):
            try:
                good.append(convert(item, index))
            except BatchValidationError as error:
                bad.append(error)
        if bad:
            raise BatchValidationError.together(bad)
        return good

    def record(self, record: object, index: int | None) -> WireRecord:
        """Return one record as wire values."""
        try:
            return record_to_wire(record)
        except InvalidValueError as error:
            raise self.error(str(error), index) from None

    def written(self, record: object, index: int | None, key: object = None) -> WireRecord:
        """Return one record as wire values, all of which are of fields that can be written.

        An empty `id` is that of a new record; *key* may be `id`: see `values.written`.
        """
        try:
            return written(record, key)
        except InvalidValueError as error:
            raise self.error(str(error), index) from None

    def creates(
        self, records: object, external_ids: Names, lane: Lane | Sequence[object] = None
    ) -> tuple[tuple[WireRecord, ...], tuple[str, ...], tuple[int | None, ...]]:
        """Return records as wire values, and an external id and a lane for each; none for None.

        These are texts in the order of the records, a field's name, or a function of a record.
        """
        by_place = list(lane) if isinstance(lane, list | tuple) else None
        self.check_lane(None if by_place is not None else lane)
        given = external_ids
        if given is not None and not isinstance(given, str) and not callable(given):
            if isinstance(given, set | frozenset):
                raise self.error("external_ids must be in the order of the records: a set has none")
            given = list(self.iterable(given, EXTERNAL_IDS))
        seen: dict[str, int] = {}
        lanes: list[int | None] = []

        def made_of(item: object, index: int) -> WireRecord:
            record, _ = self.create(item, index, given, seen)
            if lane is not None and by_place is None:
                lanes.append(self.lane(item, index, record, lane))
            return record

        made = tuple(self.all(records, RECORDS, made_of))
        if isinstance(given, list) and len(given) != len(made):
            raise self.error(f"{len(given)} external ids were given for {len(made)} records")
        if by_place is not None:
            lanes = list(map(_number, by_place))
            if len(lanes) != len(made):
                raise self.error(f"{len(lanes)} lanes were given for {len(made)} records")
        return made, tuple(seen), tuple(lanes)

    def create(
        self, item: object, index: int, external_ids: Names, seen: dict[str, int]
    ) -> tuple[WireRecord, str]:
        """Return one record as wire values, and its external id; see `creates`."""
        record = self.written(item, index, external_ids)
        if isinstance(external_ids, list) and index >= len(external_ids):
            return record, ""  # there are too few of them: see `creates`
        if external_ids is None:
            return record, ""
        name = self._name(item, index, record, external_ids)
        if external_ids == "id":  # a key of the record, and no field
            record.pop("id", None)
        return record, self.external_id(name, index, seen)

    def _name(self, item: object, index: int, record: WireRecord, external_ids: Any) -> object:
        if isinstance(external_ids, str):
            if external_ids not in record:
                raise self.error(
                    f"{NO_EXTERNAL_ID}: the record has no field {external_ids!r}", index
                )
            return record[external_ids]
        if isinstance(external_ids, list):
            return external_ids[index]
        return self._said("external_ids", external_ids, item, index)

    def check_lane(self, lane: object) -> None:
        """Refuse what names no lanes."""
        if lane is not None and not isinstance(lane, str) and not callable(lane):
            raise self.error("lane must be a field's name or a function of a record")

    def _said(self, name: str, function: Callable[[Any], T], item: object, index: int) -> T:
        try:
            return function(item)
        except Exception as error:  # of a record among many; the others have nothing to do with it
            raise self.error(f"{name} raised {type(error).__name__}", index) from error

    def lane(self, item: object, index: int, record: WireRecord, lane: Any) -> int | None:
        """Return the number of a record's lane; None for one that may go anywhere.

        *lane* is a field's name or a function of the record; what has no value there is in no lane.
        """
        value = self._said("lane", lane, item, index) if callable(lane) else record.get(lane)
        return _number(value)

    def external_id(self, name: object, index: int, seen: dict[str, int]) -> str:
        """Return an external id with its module; it must not be among those *seen* so far."""
        if not isinstance(name, str) or not EXTERNAL_ID.fullmatch(name) or SURROGATE.search(name):
            raise self.error(
                "an external id must be a text like `name` or `module.name`, without spaces, "
                "commas and further dots",
                index,
            )
        whole = name if "." in name else f"__import__.{name}"
        before = seen.setdefault(whole, index)
        if before != index:
            raise self.error(f"its external id is that of record {before}", index)
        return whole

    def values(self, values: object, index: int | None = None) -> WireRecord:
        """Return the values of an update, which must not be empty."""
        wire = self.written(values, index)
        if not wire:
            raise self.error("there are no values to write", index)
        return wire

    def id(self, value: object, index: int) -> int:
        """Return a database id."""
        try:
            return record_id(value)
        except InvalidValueError as error:
            raise self.error(str(error), index) from None

    def ids(self, ids: object) -> tuple[int, ...]:
        """Return database ids, each of which must occur once; a single one may stand for itself."""
        expected = "record ids must be an iterable of ids"
        given = (ids,) if isinstance(ids, int) else ids
        unique: dict[int, int] = {}
        self.all(given, expected, lambda id, index: self.first(unique, self.id(id, index), index))
        return tuple(unique)

    def first(self, seen: dict[int, int], number: int, index: int) -> None:
        """Refuse an id that was there before."""
        before = seen.setdefault(number, index)
        if before != index:
            raise self.error(f"the id {number} is there already, as record {before}", index)

    def updates(self, updates: object, *, flat: bool = False) -> dict[int, WireRecord]:
        """Return values by id, from mappings with just an id and values; *flat* as in `update`."""
        if isinstance(updates, Mapping) and not flat:
            updates = [{"id": number, "values": values} for number, values in updates.items()]
        seen: dict[int, int] = {}

        def pair(update: Any, index: int) -> tuple[int, WireRecord]:
            number, values = self.update(update, index, flat=flat)
            self.first(seen, number, index)
            return number, values

        return dict(self.all(updates, FLAT if flat else UPDATES, pair))

    def update(self, update: Any, index: int, *, flat: bool = True) -> tuple[int, WireRecord]:
        """Return an id and values, from a mapping with just those.

        A *flat* one may have the values themselves beside the id.
        """
        nested = not flat or _is_nested(update)
        id, values = (self._nested if nested else self._flat)(update, index)
        return self.id(id, index), self.values(values, index)

    def _nested(self, update: Any, index: int) -> tuple[object, object]:
        if not isinstance(update, Mapping) or update.keys() != {"id", "values"}:
            raise self.error('it must be a mapping with just "id" and "values"', index)
        return update["id"], update["values"]

    def _flat(self, update: Any, index: int) -> tuple[object, object]:
        if not isinstance(update, Mapping):
            raise self.error(f"it is a {type(update).__name__}, not a mapping with an id", index)
        if "id" not in update:
            raise self.error("it has no id", index)
        return update["id"], {name: value for name, value in update.items() if name != "id"}


def _is_nested(update: Any) -> bool:
    pair = isinstance(update, Mapping) and update.keys() == {"id", "values"}
    return pair and isinstance(update["values"], Mapping)


def _number(value: object) -> int | None:
    """Return the number of a lane; what has no value is in none."""
    return None if value is None or value is False else hash(str(value)) % LANES
