"""Questions about an import: of what types its fields are, and which of its records are there."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import ClassVar

import attrs

from .planner import Call
from .protocol import encode


@attrs.frozen
class Description:
    """A question to the server: of what types are a model's fields?"""

    model: str

    method = "fields_get"
    idempotent = True
    context: ClassVar[dict[str, object]] = {}
    arguments = (encode(None), encode(["type"]))


@attrs.frozen
class Lookup:
    """A question to the server: which records of a `load` have their external id already?

    On 14 every user may ask, on 19 only one with the Access Rights group.
    """

    call: Call

    model = "ir.model.data"
    method = "search_read"
    idempotent = True

    @property
    def context(self) -> dict[str, object]:
        """The call's own context."""
        return self.call.context

    @property
    def arguments(self) -> list[bytes]:
        """The method's positional arguments, each as JSON: a domain and the fields."""
        by_module: dict[str, list[str]] = {}
        for module, name in self._names():
            by_module.setdefault(module, []).append(name)
        domain: list[object] = ["|"] * (len(by_module) - 1)
        for module, names in by_module.items():
            domain += ["&", ["module", "=", module], ["name", "in", names]]
        return [encode(domain), encode(["module", "name"])]

    def found(self, rows: object) -> list[bool] | None:
        """Return for each record whether it is there, None for an answer of another shape."""
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            return None
        there = {(row.get("module"), row.get("name")) for row in rows}
        return [name in there for name in self._names()]

    def _names(self) -> Iterator[tuple[str, str]]:
        for part in self.call.parts:
            module, _, name = json.loads(part)[0].partition(".")
            yield module, name
