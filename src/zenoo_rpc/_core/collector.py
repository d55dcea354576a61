"""Items that come one by one -> one operation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..batch.operations import (
    CreateOperation,
    ExternalIds,
    Operation,
    UnlinkOperation,
    update_operation,
)
from ..errors import UsageError
from .checker import Checker

Build = Callable[[str, Any], Operation]

# operation_type -> what makes the operation of all items
TYPES: dict[str, Build] = {
    "create": CreateOperation,
    "update": update_operation,
    "unlink": UnlinkOperation,
    "delete": UnlinkOperation,
}


class Collected:
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
        self._seen: dict[int, int] = {}

    def __len__(self) -> int:
        return len(self._items)

    def add(self, item: object) -> None:
        """Take a copy of *item*, in wire values; BatchValidationError if it is none."""
        index = len(self)
        wire: object = item
        if self._type in ("create", "update"):
            wire = record = self._check.record(item, index)
            if self._type == "update":
                self._check.first(self._seen, self._check.id(record.get("id"), index), index)
        else:
            wire = number = self._check.id(item, index)
            self._check.first(self._seen, number, index)
        self._items.append(wire)

    def operation(self) -> Operation:
        """Return the operation over all items."""
        if self._type == "create":
            names = self._external_ids
            return CreateOperation(self._check.model, self._items, external_ids=names)
        return TYPES[self._type](self._check.model, self._items)
