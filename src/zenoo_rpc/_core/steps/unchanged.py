"""Rows of an import beside what is there already: what would change nothing is not sent.

`load` takes 10 to 26 ms for a record that is there, whether a value differs or not, a `read` takes
a tenth of one (19). So who may read external ids reads first. Where it is not certain that a value
is the one that is there (html is cleaned, images are scaled), the record is written.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import attrs

from ...batch.status import Existence
from ...wire.encoding import array, encode
from ...wire.typed import Fields
from ..call import AboutCall, Load
from ..dialect.shapes import is_rows
from ..exchange import Answer
from ..faults import Fault
from .base import Book

# type -> what `read` gives for the text of a cell (14 and 19); an empty text is no value
READ_AS: Mapping[str, Callable[[str], object]] = {
    "boolean": {"0": False, "1": True}.get,
    "char": str,
    "date": lambda text: text[:10],  # of a time too Odoo takes just the day
    "datetime": str,
    "float": float,
    "integer": int,
    "many2many": lambda text: {int(each) for each in text.split(",")},
    "many2one": int,
    "monetary": float,
    "selection": str,
    "text": str,
}


@attrs.frozen
class Cells:
    """What the columns of a call are: for each the field's name and type, and if it is a path.

    A path `country_id/id` names a record by its external id, `country_id/.id` by its database id;
    *models* are those that the fields refer to.
    """

    names: list[str]
    kinds: list[str]
    by_external_id: list[bool]
    models: list[object]

    @classmethod
    def of(cls, call: Load, fields: Fields) -> Cells | None:
        """Return those of a call; None where a value cannot be compared with what is there."""
        paths = [column.partition("/") for column in call.columns[1:]]  # the first is the id
        about = [fields.get(name, {}) for name, _, _ in paths]
        if not all(each.get("type") in READ_AS and _is_kept(each) for each in about):
            return None
        return cls(
            [name for name, _, _ in paths],
            [each["type"] for each in about],
            [path == "id" for _, _, path in paths],
            [each.get("relation") for each in about],
        )

    def references(self, texts: Sequence[str]) -> list[str]:
        """Return the external ids that a row refers to."""
        pairs = zip(self.by_external_id, texts[1:], strict=True)
        return [text for refers, text in pairs if refers]


def _is_kept(about: Mapping[str, Any]) -> bool:
    """Whether a field gives back what was written: a password is written, and reads as empty."""
    return bool(about.get("store") or about.get("related"))


@attrs.frozen
class Comparison(AboutCall[Load]):
    """A question to the server: what is in the records of a `load` that are there already?

    *there* has their ids, by their places in the call, *referred* the models and ids of the records
    that its rows name by external ids. The call's context has the language to compare texts in, and
    shows no links to archived records: an import leaves these alone.
    """

    cells: Cells
    there: Mapping[int, int]
    referred: Mapping[str, tuple[object, object]]

    method = "read"

    @property
    def arguments(self) -> list[bytes]:
        """The method's positional arguments, each as JSON: ids, fields, and no names for ids."""
        ids = dict.fromkeys(self.there.values())
        return [array(map(encode, ids)), encode([*dict.fromkeys(self.cells.names)]), encode(None)]

    def found(self, reply: Answer | Fault) -> dict[int, Existence]:
        """Return what was found of those that are there, by their places; nothing if unanswered.

        Of an external id that has outlived its record nothing is known.
        """
        if not isinstance(reply, Answer):
            return {}
        rows = reply.value if is_rows(reply.value) else []
        there = {row.get("id"): row for row in rows}
        times = Counter(self.there.values())  # two external ids may name one record
        found = {}
        for place, number in self.there.items():
            if number not in there:
                found[place] = Existence.UNKNOWN
            elif times[number] == 1 and self._is_in(there[number], self.call.rows[place]):
                found[place] = Existence.UNCHANGED
            else:
                found[place] = Existence.CHANGED
        return found

    def decide(self, reply: Answer | Fault, book: Book) -> None:
        """Send what would change something; the rest is as it is to be."""
        found = self.found(reply)
        book.find(self.call, found)
        same = [place for place in sorted(found) if found[place] is Existence.UNCHANGED]
        done = self.call.only(same)
        book.name(done, [self.there[place] for place in same])
        book.done(done)
        left = self.call.without(same)
        book.again([left])
        if left is None:
            book.skip(self.call)

    def _is_in(self, row: Mapping[str, Any], texts: Sequence[str]) -> bool:
        cells = self.cells
        each = zip(
            cells.names, cells.kinds, cells.by_external_id, cells.models, texts[1:], strict=True
        )
        return all(
            name in row
            and (
                self.referred.get(text) == (model, row[name])
                if refers
                else _is_equal(kind, text, row[name])
            )
            for name, kind, refers, model, text in each
        )


def _is_equal(kind: str, text: str, value: object) -> bool:
    if kind == "many2many" and isinstance(value, list):
        value = set(value)
    if text == "":
        return not value
    try:
        return READ_AS[kind](text) == value
    except ValueError:
        return False
