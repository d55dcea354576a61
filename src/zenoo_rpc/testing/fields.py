"""Fields: their description, and what becomes of a value that is written into one."""

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from html import escape
from typing import Any

from attrs import frozen

from .errors import OdooError, builtin, not_an_integer, postgres, user_error
from .wording import Wording

TO_MANY = frozenset({"one2many", "many2many"})
TEXT = frozenset({"char", "text", "html"})
DECIMAL = frozenset({"float", "monetary"})
MAX_INTEGER = 2**31

Convert = Callable[[Any], Any]


@frozen(kw_only=True)
class Field:
    """One field of a model, as `fields_get` tells it and as the stand-in needs it.

    Args:
        inverse: the many2one on the other side of a one2many.
        through: the many2one through which a field of another model shows here
            (``res.users.name``).
        ondelete: what deleting the target does: ``set null``, ``restrict`` or ``cascade``.
        owner: the model and label that a refusal names when they are not the field's own.
    """

    name: str
    type: str
    string: str
    required: bool = False
    readonly: bool = False
    store: bool = True
    relation: str = ""
    inverse: str = ""
    through: str = ""
    selection: tuple[tuple[str, str], ...] = ()
    default: Any = None
    ondelete: str = "set null"
    copy: bool = True
    translate: bool = False
    size: int = 0
    owner: tuple[str, str] = ("", "")

    def describe(self, series: int) -> dict[str, Any]:
        """Return the attributes that `fields_get` answers."""
        about: dict[str, Any] = {
            "type": self.type,
            "string": self.string,
            "required": self.required,
            "readonly": self.readonly,
            "store": self.store,
            "manual": False,
            "depends": [],
            "change_default": False,
            "company_dependent": False,
            "searchable": self.store or bool(self.through) or self.name == "display_name",
            "sortable": self.store and self.type not in TO_MANY and self.type != "binary",
        }
        if series >= 19:
            about["name"] = self.name
            about["exportable"] = True
            about["groupable"] = self.store and self.type not in {"one2many", "binary"}
            about["default_export_compatible"] = False
        if self.relation:
            about |= {"relation": self.relation, "domain": [], "context": {}}
        if self.through:
            path = [self.through, self.name]
            about["related"] = ".".join(path) if series >= 19 else path
        if self.inverse:
            about["relation_field"] = self.inverse
        if self.type == "selection":
            about["selection"] = [list(option) for option in self.selection]
        if self.type in TEXT:
            about["translate"] = self.translate
        if self.type == "char":
            about["trim"] = True
        if self.size:
            about["size"] = self.size
        return about


def converters(model: str, fields: Mapping[str, Field], words: Wording) -> dict[str, Convert]:
    """Return, by field, the function that makes a column value of what the caller wrote."""
    return {
        name: _converter(model, field, words)
        for name, field in fields.items()
        if field.type not in TO_MANY
    }


def _converter(model: str, field: Field, words: Wording) -> Convert:
    match field.type:
        case "char" if field.size:
            return _cut(field.size, upper=(model, field.name) == ("res.country", "code"))
        case "char" | "text":
            return _text
        case "html":
            return _html
        case "boolean":
            return bool
        case "integer" | "many2one_reference":
            return _integer_for(words)
        case "float" | "monetary":
            return _float_for(words)
        case "date" | "datetime":
            return _date_for(field.type, words)
        case "selection":
            return _selection_for(model, field, words)
        case "many2one":
            return _reference_for(field, words)
        case _:
            return _image_for(words) if field.name == "image_1920" else _text


def _text(value: Any) -> str | None:
    if type(value) is str:
        return value
    return None if value is None or value is False else str(value)


def _cut(size: int, *, upper: bool) -> Convert:
    def convert(value: Any) -> str | None:
        text = _text(value)
        if text is None:
            return None
        return text[:size].upper() if upper else text[:size]

    return convert


_SCRIPT = re.compile(r"<(script|style)\b.*?</\1\s*>", re.IGNORECASE | re.DOTALL)


def _html(value: Any) -> str | None:
    text = _text(value)
    if not text:
        return text
    if "<" in text:
        return _SCRIPT.sub("", text)
    return f"<p>{escape(text, quote=False)}</p>"


def _number_error(error: Exception, series: int) -> OdooError:
    text = str(error)
    if series < 19:  # Python 3.9 there
        text = text.replace("a real number", "a number")
    return builtin(type(error).__name__, text)


def _integer_for(words: Wording) -> Convert:
    def convert(value: Any) -> int | None:
        if type(value) is not int:
            if value is None or value is False or value == "":
                return None
            try:
                value = int(value)
            except (ValueError, TypeError) as error:
                raise _number_error(error, words.series) from None
        if not -MAX_INTEGER <= value < MAX_INTEGER:
            raise postgres("NumericValueOutOfRange", "integer out of range")
        return int(value)

    return convert


def _float_for(words: Wording) -> Convert:
    def convert(value: Any) -> float | None:
        if value is None or value is False or value == "":
            return None
        try:
            return float(value)
        except (ValueError, TypeError) as error:
            raise _number_error(error, words.series) from None

    return convert


def _date_for(kind: str, words: Wording) -> Convert:
    shape, length = ("%Y-%m-%d", 10) if kind == "date" else ("%Y-%m-%d %H:%M:%S", 19)
    column = "date" if kind == "date" else "timestamp"

    def convert(value: Any) -> str | datetime | None:
        if not value:
            return None
        if type(value) is not str:
            if words.series >= 19:
                kind_of = type(value).__name__
                raise builtin("TypeError", f"'{kind_of}' object is not subscriptable")
            raise words.bad_date(value, column)
        try:
            parsed = datetime.strptime(value[:length], shape)  # noqa: DTZ007 (Odoo keeps naive UTC)
        except ValueError:
            if words.series < 19 and re.match(r"\d{4}-\d\d-\d\d", value):
                text = f'date/time field value out of range: "{value}"'
                raise postgres("DatetimeFieldOverflow", text) from None
            raise words.bad_date(value[:length], column) from None
        return parsed if kind == "datetime" else value[:10]

    return convert


def _selection_for(model: str, field: Field, words: Wording) -> Convert:
    options = frozenset(option for option, _ in field.selection)
    # 19 takes any language, listed or not; 14 refuses it like any other value.
    open_ended = (model, field.name) == ("res.partner", "lang") and words.series >= 19

    def convert(value: Any) -> str | None:
        if not value:
            return None
        if type(value) is str and (open_ended or value in options):
            return value
        raise builtin("ValueError", f"Wrong value for {model}.{field.name}: {value!r}")

    return convert


def _reference_for(field: Field, words: Wording) -> Convert:
    def convert(value: Any) -> int | None:
        if type(value) is int:
            return value or None
        if not value:
            return None
        if isinstance(value, str) and value.lstrip("-").isdigit():
            return int(value)
        if isinstance(value, float):
            return int(value)
        if value is True:
            text = f'column "{field.name}" is of type integer but expression is of type boolean'
            raise postgres("DatatypeMismatch", text)
        if isinstance(value, dict):
            if words.series >= 19:
                text = f"Invalid field '{next(iter(value))}' on model '{field.relation}'"
                raise builtin("ValueError", text)
            raise OdooError("psycopg2.ProgrammingError", "can't adapt type 'dict'")
        if isinstance(value, list):
            value = next((item for item in value if type(item) is not int), value)
        raise not_an_integer(value)

    return convert


_BASE64 = re.compile(r"[A-Za-z0-9+/\s]*={0,2}\s*")


def _image_for(words: Wording) -> Convert:
    def convert(value: Any) -> str | None:
        text = _text(value)
        if not text:
            return None
        if _BASE64.fullmatch(text):
            return text
        if words.series >= 19:
            raise user_error("Image is not encoded in base64.")
        raise user_error(
            "This file could not be decoded as an image file. Please try with a different file."
        )

    return convert
