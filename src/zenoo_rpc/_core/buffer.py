"""Items that come one by one -> one operation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from ..batch.operations import (
    CreateOperation,
    ExternalIds,
    Operation,
    UnlinkOperation,
    update_operation,
)
from ..batch.source import Items, Name
from ..batch.streams import CreateStream, UpdateStream
from ..batch.validate import Checker
from ..errors import UsageError

Build = Callable[[str, Any], Operation]

# operation_type -> what makes the operation of all items
TYPES: dict[str, Build] = {
    "create": CreateOperation,
    "update": update_operation,
    "unlink": UnlinkOperation,
    "delete": UnlinkOperation,
}


class RecordBuffer:
    """The items of one operation to be; each is checked and copied when it is added."""

    def __init__(self, model: str, operation_type: str, external_ids: ExternalIds = None) -> None:
        if operation_type not in TYPES:
            known = ", ".join(TYPES)
            raise UsageError(f"operation_type is {operation_type!r}: it must be one of {known}")
        if external_ids is not None and operation_type != "create":
            raise UsageError(f"an {operation_type} takes no external_ids")
        self._external_ids = external_ids
        self._check = Checker(operation_type, model)
        self._type = operation_type
        self._items: list[object] = []
        self._sources: list[Items] = []  # what follows once something is read later
        self._seen: dict[int, int] = {}
        self._count = 0

    def __len__(self) -> int:
        """Return how many were added one by one."""
        return self._count

    @property
    def is_empty(self) -> bool:
        """Whether nothing was added."""
        return not self._items and not self._sources

    def add_later(self, items: Items) -> bool:
        """Take an iterator of records, to be read while they are sent; False for one of ids."""
        if self._type not in ("create", "update"):
            return False
        if not self._sources:
            self._sources.append(self._items)
        self._sources.append(items)
        return True

    def add(self, item: object) -> None:
        """Take a copy of *item*, in wire values; BatchValidationError if it is none."""
        index = len(self)
        wire: object
        if self._type == "create":
            wire = self._check.written(item, index, self._external_ids)
        elif self._type == "update":
            wire = record = self._check.record(item, index)
            self._check.first(self._seen, self._check.id(record.get("id"), index), index)
        else:
            wire = number = self._check.id(item, index)
            self._check.first(self._seen, number, index)
        if self._sources and self._sources[-1] is not self._items:
            self._items = []
            self._sources.append(self._items)
        self._items.append(wire)
        self._count += 1

    def operation(self) -> Operation:
        """Return the operation over all items."""
        model, sources = self._check.model, self._sources  # what was added is read in its place
        if self._type == "create":
            names = self._external_ids
            if sources:
                return CreateStream(model, sources, external_ids=cast(Name, names))
            return CreateOperation(model, self._items, external_ids=names)
        return UpdateStream(model, sources) if sources else TYPES[self._type](model, self._items)
