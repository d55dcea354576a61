"""Turns what a caller gave for an operation into wire values, or tells what is wrong with it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from ..batch.exceptions import BatchValidationError
from ..errors import InvalidValueError
from .values import SURROGATE, WireRecord, record_to_wire, to_wire

T = TypeVar("T")

NO_FIELDS = ("id", ".id")
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
        yield from enumerate(items)

    def all(self, items: object, expected: str, convert: Callable[[Any, int], T]) -> list[T]:
        """Return what *convert* makes of each item and its index; the error tells of all bad ones.

        *expected* as in `each`.
        """
        good: list[T] = []
        bad: list[BatchValidationError] = []
        for index, item in self.each(items, expected):
            try:
                good.append(convert(item, index))
            except BatchValidationError as error:
                bad.append(error)
        if bad:
            raise self.errors(bad)
        return good

    def errors(self, errors: Sequence[BatchValidationError]) -> BatchValidationError:
        """Return the exception that tells of several bad records."""
        first, *others = errors
        return BatchValidationError(self._label, first.reason, first.index, others)

    def record(self, record: object, index: int | None) -> WireRecord:
        """Return one record as wire values."""
        try:
            return record_to_wire(record)
        except InvalidValueError as error:
            raise self.error(str(error), index) from None

    def written(self, record: object, index: int | None, key: object = None) -> WireRecord:
        """Return one record as wire values, all of which are of fields that can be written.

        The server drops an `id` among the values without a word, and an import reads it, `.id` and
        paths as something else than values of the record. An empty `id` is that of a new record;
        *key* may be `id`: see `apart`.
        """
        wire = self.record(record, index)
        if wire.get("id") is False:
            del wire["id"]
        for name in wire:
            if (name in NO_FIELDS or "/" in name) and not (name == key == "id"):
                raise self.error(f"{name!r} is no field that can be written", index)
        return wire

    def records(self, records: object, key: object = None) -> tuple[WireRecord, ...]:
        """Return records as wire values."""
        return tuple(self.all(records, RECORDS, lambda item, n: self.written(item, n, key)))

    @staticmethod
    def apart(record: WireRecord, key: object) -> WireRecord:
        """Return a record without the *key* that holds its external id, if that is no field."""
        return {name: record[name] for name in record if name != key} if key == "id" else record

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
        expected = "external_ids must be texts, a field's name, a function"
        self.all(given, expected, lambda name, index: self.external_id(name, index, seen))
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
        wire = self.written(values, index)
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
        self.all(given, expected, lambda id, index: self.first(unique, self.id(id, index), index))
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

        def pair(update: Any, index: int) -> tuple[int, WireRecord]:
            if not isinstance(update, Mapping) or update.keys() != {"id", "values"}:
                raise self.error('it must be a mapping with just "id" and "values"', index)
            number = self.id(update["id"], index)
            self.first(seen, number, index)
            return number, self.values(update["values"], index)

        return dict(self.all(updates, expected, pair))
