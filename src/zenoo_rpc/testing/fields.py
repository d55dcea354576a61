"""Fields: their description, and what becomes of a value that is written into one."""

from datetime import datetime
from html import escape
from typing import Any

from attrs import field, frozen
from attrs.validators import in_

from .refusals import Words

TO_MANY = frozenset({"one2many", "many2many"})
TEXT = frozenset({"char", "text", "html"})
DECIMAL = frozenset({"float", "monetary"})
WHOLE = frozenset({"integer", "many2one_reference"})
NAMES = frozenset({"display_name", "complete_name"})  # what a record is called
MAX_INTEGER = 2**31


@frozen(kw_only=True)
class Field:
    """One field of a model, as `fields_get` tells it and as the stand-in needs it.

    Args:
        relation_field: the many2one on the other side of a one2many.
        through: the many2one through which a field of another model shows here
            (``res.users.name``).
        stamped: whether it holds the time of the call that creates a record and says nothing else.
        ondelete: what deleting the target does: ``set null``, ``restrict`` or ``cascade``.
    """

    name: str
    type: str
    string: str = field()
    required: bool = False
    readonly: bool = False
    store: bool = True
    relation: str = ""
    relation_field: str = ""
    through: str = ""
    selection: tuple[tuple[str, str], ...] = ()
    default: Any = None
    stamped: bool = False
    ondelete: str = field(validator=in_(("set null", "restrict", "cascade")))
    copy: bool = True
    translate: bool = False
    size: int = field(default=0, converter=int)

    @string.default
    def _label(self) -> str:
        return self.name.removesuffix("_ids").removesuffix("_id").replace("_", " ").title()

    @ondelete.default
    def _ondelete(self) -> str:
        return "restrict" if self.required else "set null"

    @property
    def is_column(self) -> bool:
        """Return whether the database keeps it with each record."""
        return self.store and self.type not in TO_MANY

    @property
    def is_sortable(self) -> bool:
        """Return whether records can be sorted by it."""
        return self.is_column or bool(self.through) or self.name in NAMES

    def describe(self, *, new: bool) -> dict[str, Any]:
        """Return the attributes that `fields_get` answers, as 19 (*new*) or 14 does."""
        names = ["type", "string", "required", "readonly", "store"]
        names += [name for name in ("relation", "relation_field", "size") if getattr(self, name)]
        names += ["translate"] if self.type in TEXT else []
        about: dict[str, Any] = {name: getattr(self, name) for name in names}
        if self.through:
            path = [self.through, self.name]
            about["related"] = ".".join(path) if new else path
        if self.type == "selection":
            about["selection"] = [list(option) for option in self.selection]
        return about


def column(words: Words, model: str, field: Field, value: Any) -> Any:
    """Return what a column holds once a value was written into its field; None for nothing.

    Raises:
        RefusalError: it is no value of the field.
    """
    if field.type == "boolean":
        return bool(value)
    if value is None or value is False or (value == "" and field.type not in TEXT):
        return None
    if field.type in WHOLE or field.type in DECIMAL:
        return _number(words, field, value)
    if field.type in SHAPES:
        return _moment(words, field.type, value)
    if field.type == "many2one":
        return reference(words, value)
    if field.type == "selection":
        # 19 takes any language, listed or not; 14 refuses it like any other value.
        any_language = words.new and (model, field.name) == ("res.partner", "lang")
        if any_language or value in [option for option, _ in field.selection]:
            return value
        raise words("option", model=model, field=field.name, value=value)
    text = str(value)
    if field.type == "html" and text and "<" not in text:
        return f"<p>{escape(text, quote=False)}</p>"
    return text[: field.size] if field.size else text


def _number(words: Words, field: Field, value: Any) -> float:
    try:
        number = int(value) if field.type in WHOLE else float(value)
    except (ValueError, TypeError) as error:
        # 14 runs on an older Python
        text = str(error) if words.new else str(error).replace("a real number", "a number")
        raise words(type(error).__name__, text=text) from None
    if field.type in WHOLE and not -MAX_INTEGER <= number < MAX_INTEGER:
        raise words("range")
    return number


SHAPES = {"date": ("%Y-%m-%d", 10, "date"), "datetime": ("%Y-%m-%d %H:%M:%S", 19, "timestamp")}


def _moment(words: Words, kind: str, value: Any) -> str:
    shape, length, name = SHAPES[kind]
    text = str(value)[:length]
    try:
        return datetime.strptime(text, shape).strftime(shape)  # noqa: DTZ007 (Odoo keeps naive UTC)
    except ValueError:
        raise words("date", value=text, column=name, shape=shape) from None


def reference(words: Words, value: Any) -> int | None:
    """Return the id that a many2one is given by."""
    try:
        if not isinstance(value, bool):
            return int(value) or None
    except (ValueError, TypeError):
        pass
    raise words("integer", value=value)
