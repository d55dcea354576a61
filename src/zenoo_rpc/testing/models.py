"""What a model is: its fields, and what is worked out of them once."""

from functools import cache
from types import MappingProxyType
from typing import Any
from zoneinfo import available_timezones

from attrs import frozen

from .fields import Convert, Field, converters
from .wording import Wording


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
) -> Model:
    """Return a model of the release of *words*, the server's own fields included."""
    listed = (*_magic(words.series), *(field for field in own if field is not None))
    fields = {field.name: field for field in listed}
    return Model(
        name=name,
        label=label,
        fields=MappingProxyType(fields),
        convert=MappingProxyType(converters(name, fields, words)),
        defaults=MappingProxyType(
            {f.name: f.default for f in listed if f.default is not None and f.store}
        ),
        required=tuple(sorted(f.name for f in listed if f.required and f.store)),
        references=tuple(
            f.name for f in listed if f.type == "many2one" and f.store and not f.readonly
        ),
        order=order,
        group=group[words.series < 19],
        everyone=frozenset(everyone),
        reports_missing=frozenset(missing),
        python_name=MappingProxyType(python or {}),
        unique=unique,
        indexed=indexed,
        private_to=private_to,
        for_admin=for_admin,
    )
