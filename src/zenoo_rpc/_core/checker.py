"""Turns what a caller gave for an operation into wire values, or tells what is wrong with it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ..batch.exceptions import BatchValidationError
from ..errors import InvalidValueError
from .values import SURROGATE, WireRecord, record_to_wire, to_wire

RECORDS = "records must be an iterable of mappings, attrs or dataclass instances"
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

    def each(self, items: object, expected: str) -> Iterator[tuple[int, Any]]:
        """Yield the items with their indexes; *expected* says what else they should have been."""
        if isinstance(items, str | bytes | Mapping) or not isinstance(items, Iterable):
            raise self.error(expected)
        index = -1
        for index, item in enumerate(items):
            yield index, item
        if index < 0:
            raise self.error("there is nothing in it")

    def record(self, record: object, index: int | None) -> WireRecord:
        """Return one record as wire values."""
        try:
            return record_to_wire(record)
        except InvalidValueError as error:
            raise self.error(str(error), index) from None

    def records(self, records: object) -> tuple[WireRecord, ...]:
        """Return records as wire values."""
        return tuple(self.record(record, index) for index, record in self.each(records, RECORDS))

    def listed(self, records: object) -> list[Any]:
        """Return records as a list, so that they can be gone through twice."""
        return [record for _, record in self.each(records, RECORDS)]

    def external_ids(self, given: object, records: tuple[WireRecord, ...]) -> tuple[str, ...]:
        """Return an external id for each record, with its module; none for None.

        A text is the name of the field that holds them.
        """
        if given is None:
            return ()
        if isinstance(given, str):
            given = [record.get(given) for record in records]
        seen: dict[str, int] = {}
        for index, name in self.each(
            given, "external_ids must be texts, a field's name, a function"
        ):
            self.external_id(name, index, seen)
        if len(seen) != len(records):
            raise self.error(f"{len(seen)} external ids were given for {len(records)} records")
        return tuple(seen)

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
        wire = self.record(values, index)
        if not wire:
            raise self.error("there are no values to write", index)
        return wire

    def id(self, value: object, index: int) -> int:
        """Return a database id."""
        try:
            number = to_wire(value)
        except InvalidValueError:
            number = None
        if isinstance(number, bool) or not isinstance(number, int) or number < 1:
            kind = type(value).__name__
            raise self.error(f"an id must be a whole number above 0, not this {kind}", index)
        return number

    def ids(self, ids: object) -> tuple[int, ...]:
        """Return database ids, each of which must occur once; a single one may stand for itself."""
        expected = "record ids must be an iterable of ids"
        given = (ids,) if isinstance(ids, int) else ids
        unique: dict[int, int] = {}
        for index, value in self.each(given, expected):
            self.first(unique, self.id(value, index), index)
        return tuple(unique)

    def first(self, seen: dict[int, int], number: int, index: int) -> None:
        """Refuse an id that was there before."""
        before = seen.setdefault(number, index)
        if before != index:
            raise self.error(f"the id {number} is there already, as record {before}", index)

    def updates(self, updates: object) -> dict[int, WireRecord]:
        """Return values by id, from mappings with just an id and values."""
        if isinstance(updates, Mapping):
            updates = [{"id": number, "values": values} for number, values in updates.items()]
        expected = 'updates must be an iterable of {"id": ..., "values": {...}}'
        seen: dict[int, int] = {}
        wire: dict[int, WireRecord] = {}
        for index, update in self.each(updates, expected):
            if not isinstance(update, Mapping) or update.keys() != {"id", "values"}:
                raise self.error('it must be a mapping with just "id" and "values"', index)
            number = self.id(update["id"], index)
            self.first(seen, number, index)
            wire[number] = self.values(update["values"], index)
        return wire
