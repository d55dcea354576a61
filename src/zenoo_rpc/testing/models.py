"""What a model is: its fields, and what is worked out of them once."""

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import Any
from zoneinfo import available_timezones

from attrs import evolve, frozen

from .fields import Convert, Field, converters
from .wording import Wording

MAGIC = frozenset({"id", "display_name", "create_uid", "create_date", "write_uid", "write_date"})


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
        python_name: the class of 19 that a wrong call names, by method.
        unique: fields whose value no two records share: (field, constraint, text); several
            fields are joined by a comma.
        private_to: the field with the only user who sees a record; for everyone when it is empty.
        for_admin: whether the administrator sees what is private to others.
        indexed: fields by which records are looked up, besides references and unique ones.
        described: whether it was made of descriptions alone, and nothing says which methods it has.
    """

    name: str
    label: str
    fields: MappingProxyType[str, Field]
    convert: MappingProxyType[str, Convert]
    defaults: MappingProxyType[str, Any]
    required: tuple[str, ...]
    references: tuple[str, ...]
    order: str
    group: str
    everyone: frozenset[str]
    reports_missing: frozenset[str]
    python_name: MappingProxyType[str, str]
    unique: tuple[tuple[str, str, str], ...]
    indexed: tuple[str, ...]
    private_to: str
    for_admin: bool
    described: bool

    @property
    def name_field(self) -> str:
        """Return the field that a record is called by, the empty text when there is none."""
        return next((name for name in ("name", "x_name") if name in self.fields), "")


def plain(type_: str, name: str, string: str, **more: Any) -> Field:
    """Return a field that refers to no other model, or to many records of one."""
    return Field(name=name, type=type_, string=string, **more)


def reference(name: str, string: str, relation: str, **more: Any) -> Field:
    """Return a many2one."""
    return Field(name=name, type="many2one", string=string, relation=relation, **more)


@cache
def timezones() -> tuple[tuple[str, str], ...]:
    """Return the options of a time zone field."""
    return tuple((name, name) for name in sorted({"UTC", *available_timezones()}))


def _magic(series: int) -> tuple[Field, ...]:
    by = {"readonly": True, "relation": "res.users", "copy": False}
    at = {"readonly": True, "copy": False}
    return (
        plain("integer", "id", "ID", readonly=True, copy=False),
        plain("char", "display_name", "Display Name", readonly=True, store=False, copy=False),
        plain("many2one", "create_uid", "Created by", **by),
        plain("datetime", "create_date", "Created on", **at),
        plain("many2one", "write_uid", "Last Updated by", **by),
        plain("datetime", "write_date", "Last Updated on", **at),
    )


def model(
    words: Wording,
    name: str,
    label: str,
    own: tuple[Field | None, ...],
    *,
    order: str = "name, id",
    group: tuple[str, str] = ("Role / Administrator", "Administration/Settings"),
    everyone: tuple[str, ...] = ("access",),
    missing: tuple[str, ...] = (),
    python: dict[str, str] | None = None,
    unique: tuple[tuple[str, str, str], ...] = (),
    indexed: tuple[str, ...] = (),
    private_to: str = "",
    for_admin: bool = False,
    described: bool = False,
) -> Model:
    """Return a model of the release of *words*, the server's own fields included."""
    listed = (*_magic(words.series), *(field for field in own if field is not None))
    return Model(
        name=name,
        label=label,
        **_worked_out(words, name, {field.name: field for field in listed}),
        order=order,
        group=group[words.series < 19],
        everyone=frozenset(everyone),
        reports_missing=frozenset(missing),
        python_name=MappingProxyType(python or {}),
        unique=unique,
        indexed=indexed,
        private_to=private_to,
        for_admin=for_admin,
        described=described,
    )


def with_field(words: Wording, old: Model, field: Field) -> Model:
    """Return a model with one more field."""
    return evolve(old, **_worked_out(words, old.name, {**old.fields, field.name: field}))


def _worked_out(words: Wording, name: str, fields: Mapping[str, Field]) -> dict[str, Any]:
    """Return the fields of a model and what follows from them."""
    stored = [field for field in fields.values() if field.store]
    return {
        "fields": MappingProxyType(fields),
        "convert": MappingProxyType(converters(name, fields, words)),
        "defaults": MappingProxyType({f.name: f.default for f in stored if f.default is not None}),
        "required": tuple(sorted(f.name for f in stored if f.required)),
        "references": tuple(f.name for f in stored if f.type == "many2one" and f.name not in MAGIC),
    }
