"""Texts of an import as values: numbers, dates, options and references to records."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from attrs import define, field

from . import external_ids, search
from .env import Env
from .errors import NO_FIELD, builtin, postgres
from .extract import BY_NAME, IDS
from .fields import Field
from .models import Model

YES = frozenset({"1", "true", "yes"})
NO = frozenset({"", "0", "false", "no"})


class ConversionError(Exception):
    """A text that is not a value of its field; the import goes on to find further ones.

    Args:
        text: what the message says.
        more: what it holds besides, None when it says nothing more about the field.
        warning: whether the value is taken all the same.
    """

    def __init__(
        self, text: str, more: Mapping[str, Any] | None = None, *, warning: bool = False
    ) -> None:
        super().__init__(text, more, warning)
        self.text = text
        self.more = more
        self.warning = warning


Log = Callable[[str, ConversionError], None]


@define
class Converter:
    """What turns the texts of one import into values.

    Args:
        module: the module of an external id that names none.
        flush: writes the records before this one, when a reference may mean one of them: called
            with an external id or with a model.
        broken: whether 14 has met a wrong database id, after which PostgreSQL takes nothing.
    """

    env: Env
    module: str
    flush: Callable[[str, str], None]
    broken: bool = field(default=False, init=False)

    def values(self, model: Model, record: Mapping[str, Any], log: Log) -> dict[str, Any]:
        """Return the values of one record; *log* is told what could not be converted."""
        made: dict[str, Any] = {}
        for name, value in record.items():
            if name in IDS:
                continue
            if not value:
                made[name] = False
                continue
            if name not in model.fields:
                raise builtin("KeyError", name, NO_FIELD)

            def tell(found: ConversionError, name: str = name) -> None:
                log(name, found)

            about = model.fields[name]
            try:
                made[name] = self._value(about, value, about.string, tell)
            except ConversionError as found:
                log(name, found)
        return made

    def _value(
        self, about: Field, value: Any, label: str, tell: Callable[[ConversionError], None]
    ) -> Any:
        match about.type:
            case "boolean":
                return self._boolean(value, label, tell)
            case "integer" | "many2one_reference":
                return _number(int, "an integer", value, label)
            case "float" | "monetary":
                return _number(float, "a number", value, label)
            case "date":
                return _moment(value, label, "date", "%Y-%m-%d", "2012-12-31")
            case "datetime":
                shape = "%Y-%m-%d %H:%M:%S"
                return _moment(value, label, "datetime", shape, "2012-12-31 23:59:59")
            case "selection":
                return self._option(about, value, label)
            case "many2one":
                [record] = value
                sub = _sub_field(record, label)
                return self._reference(about, sub, record[sub], label, tell)
            case "many2many":
                [record] = value
                sub = _sub_field(record, label)
                ids = [
                    self._reference(about, sub, one, label, tell) for one in record[sub].split(",")
                ]
                return [[6, 0, ids]]
            case "one2many":
                return self._children(about, value, label, tell)
            case _:
                return value

    def _boolean(self, value: Any, label: str, tell: Callable[[ConversionError], None]) -> bool:
        word = value.lower()
        if word not in YES and word not in NO:
            text = f"Unknown value '{value}' for boolean field '{label}'"
            old = self.env.series < 19
            more = {"moreinfo": "Use '1' for yes and '0' for no"}
            tell(ConversionError(text + (", assuming 'yes'" if old else ""), more, warning=old))
        return word not in NO

    def _option(self, about: Field, value: Any, label: str) -> str:
        loose = self.env.series >= 19
        wanted = value.lower() if loose else value
        for option, name in about.selection:
            known = (option.lower(), name.lower()) if loose else (option, name)
            if wanted in known:
                return option
        text = f"Value '{value}' not found in selection field '{label}'"
        raise ConversionError(text, {"moreinfo": [name for _, name in about.selection]})

    def _reference(
        self,
        about: Field,
        sub: str,
        value: Any,
        label: str,
        tell: Callable[[ConversionError], None],
    ) -> int | bool:
        """Return the id of the record that a cell means, False for none."""
        kind = {".id": "database id", "id": "external id", BY_NAME: "name"}[sub]
        if sub == BY_NAME and value == "":
            return False
        ids = sub == "id" or (sub == ".id" and isinstance(value, str))
        if ids and value.lower() in NO:
            return False
        more = {"moreinfo": self._where_to_look(about, sub)}
        if sub == ".id":
            found = self._by_number(about, value, label, more)
        elif sub == "id":
            found = self._by_external_id(about, value)
        else:
            found = self._by_name(about, value, label, tell)
        if found is None:
            text = f"No matching record found for {kind} '{value}' in field '{label}'"
            raise ConversionError(text, more)
        return found

    def _by_number(
        self, about: Field, value: Any, label: str, more: Mapping[str, Any]
    ) -> int | None:
        self.require_sound()
        try:
            number = int(value)
        except ValueError:
            # 14 asks PostgreSQL, whose transaction is of no use from then on.
            self.broken = self.env.series < 19
            text = f"Invalid database id '{value}' for the field '{label}'"
            raise ConversionError(text, more) from None
        if self.env.series < 19:
            return number if search.ids(self.env, about.relation, [["id", "=", number]]) else None
        return number if number in self.env.table(about.relation).rows else None

    def _by_external_id(self, about: Field, value: str) -> int | None:
        full = value if "." in value else f"{self.module}.{value}"
        self.require_sound()
        self.flush(full, "")
        found = external_ids.find(self.env, full)
        if found is None or found[1]["res_id"] not in self.env.table(about.relation).rows:
            return None
        row = found[1]
        if row["model"] != about.relation:
            wanted, has = about.relation, row["model"]
            text = f"Invalid external ID {full}: expected model {wanted!r}, found {has!r}"
            raise ConversionError(text)
        return int(row["res_id"])

    def _by_name(
        self, about: Field, value: Any, label: str, tell: Callable[[ConversionError], None]
    ) -> int | None:
        self.require_sound()
        self.flush("", about.relation)
        ids = search.by_name(self.env, about.relation, value, operator="=", limit=100)
        if len(ids) > 1:
            text = f'Found multiple matches for value "{value}" in field "{label}"'
            text += f" ({len(ids)} matches)"
            if self.env.series < 19:
                text = f"Found multiple matches for field '{label}' ({len(ids)} matches)"
            tell(ConversionError(text, warning=True))
        return ids[0] if ids else None

    def require_sound(self) -> None:
        """Refuse the whole call when the transaction takes nothing more."""
        if self.broken:
            text = "current transaction is aborted, commands ignored until end of transaction block"
            raise postgres("InFailedSqlTransaction", text)

    def _where_to_look(self, about: Field, sub: str) -> dict[str, Any]:
        """Return the action that shows the values one may choose from."""
        action: dict[str, Any] = {
            "name": "Possible Values",
            "type": "ir.actions.act_window",
            "target": "new",
            "view_mode": "list,form" if self.env.series >= 19 else "tree,form",
            "views": [[False, "list"], [False, "form"]],
            "context": {"create": False},
            "help": "See all possible values",
            "res_model": about.relation,
        }
        if sub != BY_NAME:
            action["res_model"] = external_ids.MODEL
            action["domain"] = [["model", "=", about.relation]]
        return action

    def _children(
        self, about: Field, lines: Any, label: str, tell: Callable[[ConversionError], None]
    ) -> list[Any]:
        """Return the commands that make or change the children of a record."""
        target = self.env.table(about.relation).model
        if len(lines) == 1 and set(lines[0]) <= IDS:
            sub = _sub_field(lines[0], label)
            lines = [{sub: item} for item in lines[0][sub].split(",")]

        def log(name: str, found: ConversionError) -> None:
            if not found.warning:
                string = target.fields[name].string
                text = found.text.replace(f"'{string}'", f"'{label}/{string}'")
                raise ConversionError(text, found.more)
            tell(found)

        commands: list[Any] = []
        for line in lines:
            values = self.values(target, line, log)
            known: int | bool = False
            named = {name: value for name, value in line.items() if name in IDS}
            if named:
                sub = _sub_field(named, label)
                try:
                    known = self._reference(about, sub, line[sub], label, tell)
                except ConversionError:
                    if sub != "id":
                        raise
                    values["id"] = line["id"]
            if known:
                commands += [[4, known, 0], [1, known, values]]
            else:
                commands.append([0, 0, values])
        return commands


def _sub_field(record: Mapping[str, Any], label: str) -> str:
    if not set(record) <= IDS:
        text = "Can not create Many-To-One records indirectly, import the field separately"
        raise ConversionError(text)
    if len(record) > 1:
        raise ConversionError(
            f"Ambiguous specification for field '{label}', only provide one of name, external id"
            " or database id"
        )
    [sub] = record
    return sub


def _number(convert: Callable[[Any], Any], what: str, value: Any, label: str) -> Any:
    try:
        return convert(value)
    except ValueError:
        text = f"'{value}' does not seem to be {what} for field '{label}'"
        raise ConversionError(text, {}) from None


def _moment(value: Any, label: str, kind: str, shape: str, example: str) -> str:
    length = len(example)
    try:
        return datetime.strptime(value[:length], shape).strftime(shape)  # noqa: DTZ007
    except ValueError:
        text = f"'{value}' does not seem to be a valid {kind} for field '{label}'"
        raise ConversionError(text, {"moreinfo": f"Use the format '{example}'"}) from None
