"""How different values are written to many records: which ways there are, and which to take."""

from __future__ import annotations

import attrs

from ..batch.options import Way
from ..wire.rows import Cell, update_cells
from ..wire.typed import Fields, typed
from ..wire.values import WireRecord

SAVE_SINCE = 16  # servers before it do not have it (14); later ones are tried


@attrs.define
class Ways:
    """The ways that a server offers, as far as that is known; remembered by the client.

    *version* is the server's, *first* the best way that is wanted, *fields* those of models.
    """

    version: int = 0
    first: Way = Way.SAVE
    missing: set[Way] = attrs.field(factory=set)
    fields: dict[str, Fields | None] = attrs.field(factory=dict)  # None: it is not told

    @property
    def best(self) -> str:
        """The method that is tried first."""
        return self._left()[0].value

    def beginning(self, first: Way) -> Ways:
        """Return the same ways, from one on; what is found out is known to both."""
        return attrs.evolve(self, first=first)

    def of(self, model: str) -> Way:
        """Return the way to write to a model."""
        return next(way for way in self._left() if way is not Way.LOAD or self.fields.get(model))

    def wants_fields(self, model: str) -> bool:
        """Whether the way depends on a model's fields, and they are not known yet."""
        return self._left()[0] is Way.LOAD and model not in self.fields

    def _left(self) -> list[Way]:
        since = (Way.SAVE,) if self.version < SAVE_SINCE else ()
        wanted = list(Way)[list(Way).index(self.first) :]
        return [way for way in wanted if way not in (*self.missing, *since) or way is Way.WRITE]

    def typed(self, model: str, values: WireRecord) -> WireRecord:
        """Return values in the forms that their fields' types ask for."""
        return typed(values, model, self.fields)

    def cells(self, model: str, values: WireRecord) -> list[Cell] | None:
        """Return what an import writes to a record of a model, None for what it cannot carry."""
        return update_cells(values, self.fields.get(model) or {})


@attrs.frozen
class Capabilities:
    """What a server is able to: *update_by* is the method that writes different values there.

    *version* is the number of its release, 0 if it does not tell.
    """

    protocol: str
    version: int
    update_by: str
