"""Operations on records that are read while they are sent."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

import attrs

from .errors import BatchStateError
from .operations import (
    Context,
    CreateOperation,
    Operation,
    UnlinkOperation,
    WriteManyOperation,
)
from .source import CreateSource, IdSource, Items, Name, Source
from .validate import Checker, Lane


class StreamOperation(Operation):
    """An operation on records that are read from iterators, plain or async, while they are sent.

    Its length is how many were read so far. A record that cannot be sent is refused by itself,
    since others are on their way by then. With *keep_records* each outcome that is told one by one
    has what was given.
    """

    source: Source

    def __len__(self) -> int:
        return self.source.count

    @property
    def touches_any(self) -> bool:
        """Whether its records may be any of the model that are there."""
        return True

    def begin(self) -> None:
        """Begin to read it; BatchStateError the second time, as nothing would be left."""
        if self.source.begun:
            raise BatchStateError(f"{self.label}: an iterator can be read only once")
        self.source.begun = True


@attrs.frozen(repr=False, init=False, eq=False)
class CreateStream(StreamOperation):
    """Create records that are read while they are sent.

    *external_ids* and *lane* as in `CreateOperation`, but no lists.

    >>> CreateStream("res.partner", [iter([{"name": "Ann"}])])
    <CreateStream: create res.partner, 0 records>
    """

    verb = "create"

    source: CreateSource

    def __init__(
        self,
        model: str,
        items: Iterable[Items],
        *,
        external_ids: Name = None,
        lane: Lane = None,
        context: Context = None,
        keep_records: bool = False,
    ) -> None:
        check = Checker(self.verb, model)
        source = CreateSource(check, list(items), external_ids, lane, keep=keep_records)
        self.__attrs_init__(check.model, check.context(context), source)

    @property
    def imports(self) -> bool:
        """Whether the records have external ids."""
        return self.source.imports

    @property
    def touches_any(self) -> bool:
        """Whether its records may be any of the model that are there."""
        return self.imports

    def only(self, indexes: Iterable[int]) -> CreateOperation:
        """Return a create of the records at these indexes; they must be unsettled."""
        chosen = list(indexes)
        kept = [self.source.kept[index] for index in chosen]
        names = [name for _, name in kept] if self.imports else None
        lane = [self.source.lanes[index] for index in chosen] if self.source.lanes else None
        records = [record for record, _ in kept]
        return CreateOperation(
            self.model, records, external_ids=names, lane=lane, context=self.context
        )


@attrs.frozen(repr=False, init=False, eq=False)
class IdStream(StreamOperation):
    """An operation on records whose ids are read while they are sent."""

    updates: ClassVar[bool]

    source: IdSource

    def __init__(
        self,
        model: str,
        items: Iterable[Items],
        *,
        context: Context = None,
        keep_records: bool = False,
    ) -> None:
        check = Checker(self.verb, model)
        source = IdSource(check, list(items), updates=self.updates, keep=keep_records)
        self.__attrs_init__(check.model, check.context(context), source)


@attrs.frozen(repr=False, init=False, eq=False)
class UpdateStream(IdStream):
    """Write to records that are read while they are sent: `{"id": 7, "name": "Ann"}` each.

    >>> UpdateStream("res.partner", [iter([{"id": 7, "name": "Ann"}])])
    <UpdateStream: update res.partner, 0 records>
    """

    verb = "update"
    updates = True

    def only(self, indexes: Iterable[int]) -> Operation:
        """Return an update of the records at these indexes; they must be unsettled."""
        kept = [self.source.kept[index] for index in indexes]
        updates = dict(kept)
        if len(updates) < len(kept):  # an id that comes again waits for its turn, as it did here
            items = [{"id": number, "values": values} for number, values in kept]
            return UpdateStream(self.model, [items], context=self.context)
        return WriteManyOperation(self.model, updates, context=self.context)


@attrs.frozen(repr=False, init=False, eq=False)
class UnlinkStream(IdStream):
    """Delete records whose ids are read while they are sent.

    >>> UnlinkStream("res.partner", [iter([7, 8])])
    <UnlinkStream: unlink res.partner, 0 records>
    """

    verb = "unlink"
    updates = False

    def only(self, indexes: Iterable[int]) -> UnlinkOperation:
        """Return an unlink of the records at these indexes; they must be unsettled."""
        ids = dict.fromkeys(self.source.kept[index][0] for index in indexes)
        return UnlinkOperation(self.model, list(ids), context=self.context)


BY_ID: dict[str, type[IdStream]] = {
    "update": UpdateStream,
    "unlink": UnlinkStream,
    "delete": UnlinkStream,
}


def stream_operation(
    kind: str,
    model: str,
    records: Items,
    external_ids: Name,
    context: Context,
    *,
    lane: Lane = None,
    keep: bool,
) -> StreamOperation:
    """Build the operation of a kind, on records that are any iterable."""
    check = Checker("stream", model)
    kinds = [CreateStream.verb, *BY_ID]
    if kind not in kinds:
        raise check.error(f"operation must be one of {', '.join(kinds)}, not {kind!r}")
    how: dict[str, Any] = {"context": context, "keep_records": keep}
    if kind not in BY_ID:
        return CreateStream(model, [records], external_ids=external_ids, lane=lane, **how)
    if external_ids is not None or lane is not None:
        raise check.error(f"operation {kind!r} takes no external_ids and no lane")
    return BY_ID[kind](model, [records], **how)
