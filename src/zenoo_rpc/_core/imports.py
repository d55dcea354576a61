"""Creates with external ids: records -> the calls of Odoo's `load()`, and its answer back.

`load` writes a record and its external id in one transaction, so the same rows sent again update
what is there instead of doubling it (`odoo/models.py`, 14 and 19).
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import attrs

from ..batch.operations import CreateOperation
from ..batch.validate import Checker
from ..errors import InvalidValueError, OdooError, UserError
from ..wire.encoding import encode
from ..wire.rows import import_context, row
from ..wire.typed import Fields, typed
from ..wire.values import WireRecord
from .call import Load, cut, in_turn
from .exchange import Answer
from .faults import Fault, odoo_fault
from .levels import Family, in_levels
from .sizes import Size

Columns = tuple[str, ...]

# PostgreSQL's words for a conflict, which `load` hands on as a row's message.
CONFLICTS = ("could not serialize access", "deadlock detected")


@attrs.frozen(repr=False)
class Import:
    """The rows of an operation: for each record its columns, and its texts.

    *levels* has the places of the rows in the order in which they go: what other rows refer to
    comes in an earlier level, and those of one parent are together.
    """

    context: WireRecord
    rows: list[tuple[Columns, tuple[str, ...]]]
    names: Sequence[str]
    lanes: Sequence[int | None]
    levels: list[list[Family]]

    def calls(
        self, model: str, start: int, size: Size, level: int, *, last: bool
    ) -> Iterator[Load]:
        """Cut a level's rows; those of one call fill the same columns, as an empty cell is a value.

        The rows of one parent are not spread over calls, which would be in each other's way; those
        of a lane, of which one call is in flight, go in the order of their records.
        """
        by_lane: dict[int | None, list[list[int]]] = {}
        for family in self.levels[level] if level < len(self.levels) else ():
            for lane, places in _grouped(family, self._lane):
                by_lane.setdefault(lane, []).append(places)

        def called(columns: Columns, lane: int | None, families: list[list[int]]) -> Iterator[Load]:
            each = (map(self._encoded, places) for places in families)
            pieces = (piece for some in each for piece in cut(some, size, _length))
            for some in cut(pieces, size, lambda piece: sum(map(_length, piece)), len):
                chosen, parts = zip(*(row for piece in some for row in piece), strict=True)
                yield Load(
                    model,
                    self.context,
                    [start + place for place in chosen],
                    parts,
                    columns,
                    [self.names[place] for place in chosen],
                    [self.rows[place][1] for place in chosen],
                    idempotent=last,
                    lane=lane,
                )

        def of_lane(lane: int | None, families: list[list[int]]) -> Iterator[Load]:
            for columns, some in self._alike(lane, families):
                yield from called(columns, lane, some)

        yield from in_turn(of_lane(*each) for each in by_lane.items())

    def _alike(
        self, lane: int | None, families: list[list[int]]
    ) -> Iterable[tuple[Columns, list[list[int]]]]:
        """Return what fills the same columns: of a lane, neighbours only."""
        if lane is not None:
            places = sorted(itertools.chain.from_iterable(families))
            for columns, run in itertools.groupby(places, lambda place: self.rows[place][0]):
                yield columns, [[place] for place in run]
            return
        alike: dict[Columns, list[list[int]]] = {}
        for family in families:
            for columns, own in _grouped(family, lambda place: self.rows[place][0]):
                alike.setdefault(columns, []).append(own)
        yield from alike.items()

    def _lane(self, place: int) -> int | None:
        return self.lanes[place] if self.lanes else None

    def _encoded(self, place: int) -> tuple[int, bytes]:
        return place, encode(self.rows[place][1])


def _length(row: tuple[int, bytes]) -> int:
    return len(row[1])


def _grouped(places: Iterable[int], kind: Callable[[int], Any]) -> Iterable[tuple[Any, list[int]]]:
    groups: dict[Any, list[int]] = {}
    for place in places:
        groups.setdefault(kind(place), []).append(place)
    return groups.items()


def prepare(operation: CreateOperation, fields: Fields) -> Import:
    """Return the rows of a create with external ids.

    Raises BatchValidationError, by index, for what `load` cannot carry.
    """
    check = Checker(operation.verb, operation.model)
    known = {operation.model: fields}

    def made_of(pair: tuple[WireRecord, str], index: int) -> tuple[Columns, tuple[str, ...]]:
        try:
            record, name = pair
            return row(typed(record, operation.model, known), name, fields)
        except InvalidValueError as error:
            raise check.error(str(error), index) from None

    made = check.all(zip(operation.records, operation.external_ids, strict=True), "", made_of)
    context = import_context(operation.context, operation.records, fields)
    levels = in_levels(operation, fields, check)
    return Import(context, made, operation.external_ids, operation.lane, levels)


# -- the answer ----------------------------------------------------------------------------------


@attrs.frozen
class Refusal:
    """What `load` said of rows that it did not take: *errors* by the row's place in the call.

    *whole* is for all of them, where the messages name no row. *suspects* were named without proof:
    19 tells what it said of all rows at once as a first message, and names the first row in it
    (`global_error_message` in `odoo/orm/models.py`).
    """

    errors: Mapping[int, OdooError]
    whole: OdooError
    suspects: frozenset[int] = frozenset()


def refusal(value: object, length: int) -> Refusal | None:
    """Return what an answer of `load` refuses, None when it refuses nothing."""
    messages = _messages(value)
    if not messages:
        return None
    whole = _error(messages[0])
    suspects = frozenset(_places(messages[0], length)) & {0} if length > 1 else frozenset()
    errors: dict[int, OdooError] = {}
    for message in messages[len(suspects) :]:
        for place in _places(message, length):
            errors.setdefault(place, _error(message))
    if length == 1:
        errors = errors or {0: whole}
    return Refusal(errors, whole, suspects - errors.keys())


def imported_ids(value: object, length: int) -> list[object]:
    """Return the ids in an answer of `load` for so many rows, none where it has none.

    19 tells twice as many where all rows at once were too much and each by itself was not: those
    of the first try, which was taken back, come first.
    """
    ids = value.get("ids") if isinstance(value, dict) else None
    found = ids if isinstance(ids, list) else []
    return found[length:] if len(found) == 2 * length else found


def as_conflict(reply: Answer | Fault) -> Answer | Fault:
    """Return the fault of a `load` that another transaction was in the way of, else its reply."""
    for message in _messages(reply.value) if isinstance(reply, Answer) else ():
        text = str(message.get("message"))
        if any(words in text for words in CONFLICTS):
            return odoo_fault("psycopg2.errors.SerializationFailure", text, (), "")
    return reply


def _messages(value: object) -> list[dict[str, Any]]:
    """Return the errors of an answer without ids; what has ids was written."""
    if not isinstance(value, dict) or value.get("ids"):
        return []
    given = value.get("messages")
    found = given if isinstance(given, list) else []
    return [each for each in found if isinstance(each, dict) and each.get("type") == "error"]


def _places(message: Mapping[str, Any], length: int) -> Iterable[int]:
    place = message.get("record")
    return [place] if type(place) is int and 0 <= place < length else []


def _error(message: Mapping[str, Any]) -> OdooError:
    field = message.get("field")
    text = str(message.get("message")).strip()
    return UserError(text, "load", field=field if isinstance(field, str) else None)
