"""What a batch is made of: one class for each kind of write, validated when it is built.

An operation holds wire values of its own: what the caller gave is neither kept nor changed, and a
later change of it changes nothing here. Its `repr` shows no values.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import is_dataclass
from typing import Any, ClassVar, cast

import attrs

from ..wire.values import WireRecord
from .validate import Checker, Lane

Context = Mapping[str, object] | None
RecordIds = Iterable[int | None]  # the None of a record that was not created is refused by index
ExternalIds = Iterable[str] | str | Callable[[Any], str] | None


@attrs.frozen(repr=False)
class Operation:
    """Base of the operations: a model, and the context that its calls carry."""

    verb: ClassVar[str]

    model: str
    context: WireRecord

    def __len__(self) -> int:
        raise NotImplementedError

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {self.label}, {len(self)} records>"

    @property
    def label(self) -> str:
        """What it does, without values: `create res.partner`."""
        return f"{self.verb} {self.model}"

    @property
    def ids(self) -> tuple[int, ...]:
        """The ids of the records it touches, in the caller's order; none for a create."""
        return ()

    @property
    def written(self) -> Sequence[WireRecord]:
        """The values that it writes; those of a stream are read later."""
        return ()

    def only(self, indexes: Iterable[int]) -> Operation:
        """Return the same operation over just the records at these indexes."""
        raise NotImplementedError


@attrs.frozen(repr=False, init=False)
class CreateOperation(Operation):
    """Create records.

    *records* is any iterable of mappings, attrs or dataclass instances. With *external_ids* it may
    be carried out again without harm: a record that is there already is updated. They are texts,
    one for each record, or the name of the field that holds them, or a function of a record; one
    without a module belongs to `__import__`, as in Odoo's own import. Records with the same *lane*,
    by a field's name or a function of a record, are never in two calls side by side.

    >>> CreateOperation("res.partner", [{"name": "Ann"}, {"name": "Bob"}])
    <CreateOperation: create res.partner, 2 records>
    >>> CreateOperation("res.partner", [{"name": "Ann"}], external_ids=["a1"]).external_ids
    ('__import__.a1',)
    """

    verb = "create"

    records: tuple[WireRecord, ...]
    external_ids: tuple[str, ...]
    lane: tuple[int | None, ...]  # a number for each record, if there are any

    def __init__(
        self,
        model: str,
        records: Iterable[object],
        *,
        external_ids: ExternalIds = None,
        lane: Lane | Sequence[object] = None,
        context: Context = None,
    ) -> None:
        check = Checker(self.verb, model)
        wire, names, lanes = check.creates(records, external_ids, lane)
        self.__attrs_init__(check.model, check.context(context), wire, names, lanes)

    def __len__(self) -> int:
        return len(self.records)

    @property
    def imports(self) -> bool:
        """Whether the records have external ids."""
        return bool(self.external_ids)

    @property
    def written(self) -> Sequence[WireRecord]:
        return self.records

    def only(self, indexes: Iterable[int]) -> CreateOperation:
        """Return the same operation over just the records at these indexes."""
        chosen = list(indexes)
        records = tuple(self.records[index] for index in chosen)
        names = tuple(self.external_ids[index] for index in chosen if self.external_ids)
        lane = [self.lane[index] for index in chosen if self.lane] or None
        return attrs.evolve(self, records=records, external_ids=names or None, lane=lane)


@attrs.frozen(repr=False, init=False)
class UpdateOperation(Operation):
    """Write the same values to many records.

    *record_ids* is any iterable of ids, without repeats.

    >>> UpdateOperation("res.partner", [7, 8], {"active": False})
    <UpdateOperation: update res.partner, 2 records>
    """

    verb = "update"

    record_ids: tuple[int, ...]
    values: WireRecord

    def __init__(
        self, model: str, record_ids: RecordIds, values: object, *, context: Context = None
    ) -> None:
        check = Checker(self.verb, model)
        self.__attrs_init__(
            check.model, check.context(context), check.ids(record_ids), check.values(values)
        )

    def __len__(self) -> int:
        return len(self.record_ids)

    @property
    def ids(self) -> tuple[int, ...]:
        return self.record_ids

    @property
    def written(self) -> Sequence[WireRecord]:
        return (self.values,)

    def only(self, indexes: Iterable[int]) -> UpdateOperation:
        """Return the same operation over just the records at these indexes."""
        return attrs.evolve(self, record_ids=[self.record_ids[index] for index in indexes])


@attrs.frozen(repr=False, init=False)
class WriteManyOperation(Operation):
    """Write different values to many records.

    *updates* is any iterable of `{"id": 7, "values": {...}}`, or a mapping of ids to values; with
    *flat* one of `{"id": 7, "name": "Ann"}`.

    >>> WriteManyOperation("res.partner", [{"id": 7, "values": {"name": "Ann"}}])
    <WriteManyOperation: update res.partner, 1 records>
    """

    verb = "update"

    updates: dict[int, WireRecord]

    def __init__(
        self,
        model: str,
        updates: Iterable[Mapping[str, object]] | Mapping[int, object],
        *,
        context: Context = None,
        flat: bool = False,
    ) -> None:
        check = Checker(self.verb, model)
        own = check.updates(updates, flat=flat)
        self.__attrs_init__(check.model, check.context(context), own)

    def __len__(self) -> int:
        return len(self.updates)

    @property
    def ids(self) -> tuple[int, ...]:
        return tuple(self.updates)

    @property
    def written(self) -> Sequence[WireRecord]:
        return tuple(self.updates.values())

    def only(self, indexes: Iterable[int]) -> WriteManyOperation:
        """Return the same operation over just the records at these indexes."""
        ids = self.ids
        chosen = {ids[index]: self.updates[ids[index]] for index in indexes}
        return attrs.evolve(self, updates=chosen)


@attrs.frozen(repr=False, init=False)
class UnlinkOperation(Operation):
    """Delete records.

    *record_ids* is any iterable of ids, without repeats.

    >>> UnlinkOperation("res.partner", [7, 8])
    <UnlinkOperation: unlink res.partner, 2 records>
    """

    verb = "unlink"

    record_ids: tuple[int, ...]

    def __init__(self, model: str, record_ids: RecordIds, *, context: Context = None) -> None:
        check = Checker(self.verb, model)
        self.__attrs_init__(check.model, check.context(context), check.ids(record_ids))

    def __len__(self) -> int:
        return len(self.record_ids)

    @property
    def ids(self) -> tuple[int, ...]:
        return self.record_ids

    def only(self, indexes: Iterable[int]) -> UnlinkOperation:
        """Return the same operation over just the records at these indexes."""
        return attrs.evolve(self, record_ids=[self.record_ids[index] for index in indexes])


def update_operation(
    model: str,
    data: object = None,
    values: object = None,
    *,
    record_ids: object = None,
    context: Context = None,
) -> UpdateOperation | WriteManyOperation:
    """Build the update that the arguments mean, told apart by their types.

    Same values for many: `(model, values, record_ids=ids)`, `(model, values, ids)` or
    `(model, ids, values)`. Different values: `(model, [{"id": 7, "name": "Ann"}, ...])`.

    >>> update_operation("res.partner", {"active": False}, record_ids=[7, 8])
    <UpdateOperation: update res.partner, 2 records>
    >>> update_operation("res.partner", [{"id": 7, "name": "Ann"}])
    <WriteManyOperation: update res.partner, 1 records>
    """
    check = Checker(UpdateOperation.verb, model)
    given = [each for each in (data, values) if each is not None]
    if record_ids is not None:
        given.append(record_ids)
    elif len(given) == 2 and _is_record(given[1]):
        given.reverse()
    match given:
        case [written, ids] if _is_record(written) and not _is_record(ids):
            return UpdateOperation(model, cast(RecordIds, ids), written, context=context)
        case [updates] if record_ids is None and not _is_record(updates):
            return WriteManyOperation(model, cast(Any, updates), context=context, flat=True)
    raise check.error("give values and record ids, or a list of mappings that each have an id")


def _is_record(value: object) -> bool:
    return isinstance(value, Mapping) or attrs.has(type(value)) or is_dataclass(value)
