"""What a model is, made of a description: what `fields_get` answers, and a little besides."""

import re
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any
from zoneinfo import available_timezones

import attrs
from attrs import Attribute, evolve, field, frozen

from . import data, fields
from .fields import DECIMAL, TEXT, TO_MANY, WHOLE, Field
from .refusals import RefusalError, Words

PLAIN = TEXT | DECIMAL | WHOLE | {"boolean", "date", "datetime", "binary"}
RELATIONS = TO_MANY | {"many2one"}
KNOWN = {one.name for one in attrs.fields(Field)} - {"name", "default"}  # in descriptions
MAGIC = frozenset(data.read("magic.json", 19))  # the fields that every model has
SETTINGS = {True: "Role / Administrator", False: "Administration/Settings"}  # of 19, of 14


Order = Sequence[tuple[str, bool]]  # fields, and whether the greatest comes first
_TERM = re.compile(r"\s*([\w.]+)(?:\s+(asc|desc))?(?:\s+nulls\s+(?:first|last))?\s*", re.IGNORECASE)


def parse_order(clause: str) -> Order:
    """Return the order that a clause means; ValueError when it is none."""
    terms = [_TERM.fullmatch(term) for term in clause.split(",")]
    found = [(term[1], str(term[2]).lower() == "desc") for term in terms if term]
    if len(found) < len(terms):
        raise ValueError(f"no order: {clause!r}")
    return found


@frozen(kw_only=True)
class Model:
    """One model of one release.

    Args:
        label: what refusals call it.
        order: the order of `search` when the caller names none.
        group: who may write to it, as an access refusal says; nobody when it is empty.
        everyone: what a user without the group may do all the same: ``access``, ``create``.
        reports_missing: the operations (``write``, ``unlink``) that refuse an id that is not
            there. Only models that track changes do; the others answer True (14 and 19,
            measured).
        unique: fields whose value no two records share: (field, constraint, text); several
            fields are joined by a comma.
        private_to: the field with the only user who sees a record; for everyone when it is empty.
        for_admin: whether the administrator sees what is private to others.
        indexed: fields by which records are looked up, besides references and unique ones.
        name_field: the field that a record is called by, the empty text when there is none.
        is_open: whether it may have methods and relatives of which nothing is known here.
    """

    name: str
    fields: Mapping[str, Field]
    label: str = field()
    order: str = field(default="id")
    group: str = ""
    everyone: frozenset[str] = field(default=frozenset({"access"}), converter=frozenset)
    reports_missing: tuple[str, ...] = ()
    unique: Sequence[tuple[str, str, str]] = ()
    indexed: tuple[str, ...] = ()
    private_to: str = ""
    for_admin: bool = False
    is_open: bool = False
    name_field: str = field()
    required: list[str] = field(init=False)
    references: list[str] = field(init=False)

    @required.default
    def _required(self) -> list[str]:
        return sorted(one.name for one in self.fields.values() if one.store and one.required)

    @references.default
    def _references(self) -> list[str]:
        found = [one for one in self.fields.values() if one.store and one.type == "many2one"]
        return [one.name for one in found if one.name not in MAGIC]

    @name_field.default
    def _name_field(self) -> str:
        return next((name for name in ("name", "x_name") if name in self.fields), "")

    @order.validator
    def _check_order(self, _: "Attribute[str]", order: str) -> None:
        names = {term.strip().partition(" ")[0] for term in order.split(",")}
        if not names <= {name for name, one in self.fields.items() if one.is_sortable}:
            text = f"{self.name}: the order {order!r} names a field that no record is kept by"
            raise ValueError(text)

    def has_column(self, name: str) -> bool:
        """Return whether the database keeps a field of this name with each record."""
        return name in self.fields and self.fields[name].is_column

    def with_field(self, new: Field) -> "Model":
        """Return the model with one more field."""
        return evolve(self, fields={**self.fields, new.name: new})


def described(
    words: Words, name: str, fields: Mapping[str, Mapping[str, Any]], label: str = "", **more: Any
) -> Model:
    """Return a model of described fields, the server's own fields included.

    Raises:
        ValueError: a description that cannot be followed, or an order by no field of the model.
    """
    whole = {**fields, **data.read("magic.json", words.series)}
    made = {one: field_of(words, name, one, about) for one, about in whole.items()}
    more.setdefault("group", SETTINGS[words.new])
    return Model(name=name, label=label or name, fields=made, **more)


def field_of(words: Words, model: str, name: str, about: object) -> Field:
    """Return the field of a description.

    ``default``, ``ondelete`` and ``copy`` are understood besides what `fields_get` answers, and
    attributes that the stand-in does not use are ignored.

    Raises:
        ValueError: the description cannot be followed.
    """
    where = f"{model}.{name}"
    if not isinstance(about, Mapping) or "type" not in about:
        raise ValueError(f"{where}: {about!r} describes no field: it has no type")
    kind = about["type"]
    if kind not in PLAIN | RELATIONS | {"selection"}:
        raise ValueError(f"{where}: the stand-in has no fields of the type {kind!r}")
    stored = bool(about.get("store", True))
    if kind in RELATIONS and not about.get("relation"):
        raise ValueError(f"{where}: a {kind} must name its model as 'relation'")
    if kind == "one2many" and stored and not about.get("relation_field"):
        raise ValueError(f"{where}: a one2many must name the other side as 'relation_field'")
    known = {key: about[key] for key in KNOWN if about.get(key) not in (None, "")}
    known.pop("selection", None)
    if kind == "selection":
        known["selection"] = _options(where, about.get("selection"))
    try:
        made = Field(name=name, **known)
    except ValueError as error:
        raise ValueError(f"{where}: {error.args[0]}") from None
    return evolve(made, default=_default(words, model, made, about.get("default")))


@cache
def _timezones() -> tuple[tuple[str, str], ...]:
    return tuple((name, name) for name in sorted({"UTC", *available_timezones()}))


def _options(where: str, given: Any) -> tuple[tuple[str, str], ...]:
    if given == "timezones":
        return _timezones()
    try:
        return tuple((value, label) for value, label in given)
    except (TypeError, ValueError):
        text = f"{where}: a selection must list its options as 'selection', each with its label"
        raise ValueError(text) from None


def _default(words: Words, model: str, made: Field, default: Any) -> Any:
    if default is None:
        # Every model of Odoo that archives its records makes them active.
        return True if (made.name, made.type) == ("active", "boolean") else None
    if made.type in TO_MANY:
        raise ValueError(f"{model}.{made.name}: a {made.type} can have no default here")
    try:
        return fields.column(words, model, made, default)
    except RefusalError as error:
        text = f"{model}.{made.name}: the default {default!r} is no value of it: {error.message}"
        raise ValueError(text) from None
