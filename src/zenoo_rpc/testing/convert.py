"""Texts of an import as values: numbers, dates, options and references to records."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from attrs import define

from . import external_ids, search
from .env import Env
from .fields import DECIMAL, SHAPES, WHOLE, Field
from .models import Model

YES = frozenset({"1", "true", "yes"})
NO = frozenset({"", "0", "false", "no"})
BY_NAME = ""  # the sub-field of a relation that is given by name
IDS = {BY_NAME: "name", "id": "external id", ".id": "database id"}


class ConversionError(Exception):
    """A text that is not a value of its field; the import goes on to find further ones."""


@define
class Converter:
    """What turns the texts of one import into values.

    Args:
        module: the module of an external id that names none.
    """

    env: Env
    module: str

    def values(
        self, model: Model, record: Mapping[str, Any]
    ) -> tuple[dict[str, Any], list[tuple[str, ConversionError]]]:
        """Return the values of one record, and by field what could not be converted."""
        made: dict[str, Any] = {}
        wrong: list[tuple[str, ConversionError]] = []
        for name, value in record.items():
            if name in IDS:
                continue
            if value and name not in model.fields:
                raise self.env.words("key", field=name)
            try:
                made[name] = self._value(model.fields[name], value) if value else False
            except ConversionError as error:
                wrong.append((name, error))
        return made, wrong

    def _value(self, about: Field, value: Any) -> Any:
        if about.type == "boolean":
            return _boolean(about, value)
        if about.type in WHOLE or about.type in DECIMAL:
            return _number(about, value)
        if about.type in SHAPES:
            return _moment(about, value)
        if about.type == "selection":
            return self._option(about, value)
        if about.type == "one2many":
            return self._children(about, value)
        if about.relation:
            sub, given = _sub_field(about, value)
            if about.type == "many2one":
                return self._reference(about, sub, given)
            return [[6, 0, [self._reference(about, sub, one) for one in given.split(",")]]]
        return value

    def _option(self, about: Field, value: str) -> str:
        for option, label in about.selection:
            known = (option, label)
            if value in known or (self.env.new and value.lower() in map(str.lower, known)):
                return option
        text = f"Value '{value}' not found in selection field '{about.string}'"
        raise ConversionError(text)

    def _reference(self, about: Field, sub: str, value: Any) -> int | bool:
        """Return the id of the record that a cell means, False for none."""
        if value == "" or (sub != BY_NAME and str(value).lower() in NO):
            return False
        if sub == ".id":
            found = self._by_number(about, value)
        elif sub == "id":
            found = self._by_external_id(about, value)
        else:
            found = self._by_name(about, value)
        if found is None:
            text = f"No matching record found for {IDS[sub]} '{value}' in field '{about.string}'"
            raise ConversionError(text)
        return found

    def _by_number(self, about: Field, value: Any) -> int | None:
        try:
            number = int(value)
        except ValueError:
            text = f"Invalid database id '{value}' for the field '{about.string}'"
            raise ConversionError(text) from None
        return number if number in self.env.other(about).rows else None

    def _by_external_id(self, about: Field, value: str) -> int | None:
        full = value if "." in value else f"{self.module}.{value}"
        found = external_ids.find(self.env, full)
        if found is None or found[1]["res_id"] not in self.env.other(about).rows:
            return None
        wanted, has = about.relation, found[1]["model"]
        if wanted != has:
            text = f"Invalid external ID {full}: expected model {wanted!r}, found {has!r}"
            raise ConversionError(text)
        return int(found[1]["res_id"])

    def _by_name(self, about: Field, value: Any) -> int | None:
        ids = search.by_name(self.env, about.relation, value, operator="=", limit=100)
        if len(ids) > 1:
            text = f"The stand-in takes no name that {len(ids)} records have: '{value}'"
            raise ConversionError(f"{text} in field '{about.string}'")
        return ids[0] if ids else None

    def _children(self, about: Field, lines: Sequence[Any]) -> list[Any]:
        """Return the commands that link or make the children of a record."""
        if len(lines) == 1 and lines[0].keys() <= IDS.keys():
            sub, given = _sub_field(about, lines)
            return [[4, self._reference(about, sub, one), 0] for one in given.split(",")]
        target = self.env.other(about).model
        commands = []
        for line in lines:
            if not IDS.keys().isdisjoint(line):
                text = f"The stand-in changes no records of '{about.string}' in an import"
                raise ConversionError(text)
            values, wrong = self.values(target, line)
            if wrong:
                name, found = wrong[0]
                string = target.fields[name].string
                text = str(found).replace(f"'{string}'", f"'{about.string}/{string}'")
                raise ConversionError(text)
            commands.append([0, 0, values])
        return commands


def _sub_field(about: Field, records: Sequence[Mapping[str, Any]]) -> tuple[str, Any]:
    """Return by which sub-field a relation is given, and what is given."""
    [record] = records
    if not set(record) <= set(IDS):
        text = "Can not create Many-To-One records indirectly, import the field separately"
        raise ConversionError(text)
    if len(record) > 1:
        raise ConversionError(
            f"Ambiguous specification for field '{about.string}', only provide one of name,"
            " external id or database id"
        )
    [found] = record.items()
    return found


def _boolean(about: Field, value: str) -> bool:
    word = value.lower()
    if word not in YES and word not in NO:
        text = f"Unknown value '{value}' for boolean field '{about.string}'"
        raise ConversionError(text)
    return word not in NO


def _number(about: Field, value: Any) -> float:
    try:
        return int(value) if about.type in WHOLE else float(value)
    except ValueError:
        what = "an integer" if about.type in WHOLE else "a number"
        text = f"'{value}' does not seem to be {what} for field '{about.string}'"
        raise ConversionError(text) from None


def _moment(about: Field, value: Any) -> str:
    shape, length, _ = SHAPES[about.type]
    try:
        return datetime.strptime(value[:length], shape).strftime(shape)  # noqa: DTZ007
    except ValueError:
        text = f"'{value}' does not seem to be a valid {about.type} for field '{about.string}'"
        raise ConversionError(text) from None
