"""Fields and models from descriptions, which are those that `fields_get` answers."""

from collections.abc import Mapping
from typing import Any

from attrs import evolve

from .errors import OdooError
from .fields import DECIMAL, TEXT, TO_MANY, Field, converters
from .models import MAGIC, Model, model
from .wording import Wording

PLAIN = TEXT | DECIMAL | {"boolean", "integer", "date", "datetime", "binary", "many2one_reference"}
RELATIONS = TO_MANY | {"many2one"}
ONDELETE = frozenset({"set null", "restrict", "cascade"})


def described(
    words: Wording,
    name: str,
    fields: Mapping[str, Mapping[str, Any]],
    *,
    label: str = "",
    order: str = "id",
    missing: tuple[str, ...] = (),
) -> Model:
    """Return a model of described fields, the server's own fields included.

    Raises:
        ValueError: a description that cannot be followed, or an order by no field of the model.
    """
    own = [field(words, name, each, about) for each, about in fields.items() if each not in MAGIC]
    made = model(
        words, name, label or name, tuple(own), order=order, missing=missing, described=True
    )
    for term in order.split(","):
        if not is_column(made, term.split()[0] if term.split() else ""):
            raise ValueError(f"{name}: the order {order!r} names a field that no record is kept by")
    return made


def is_column(model: Model, name: str) -> bool:
    """Return whether a model has a field that the database keeps with each record."""
    field = model.fields.get(name)
    return field is not None and field.store and field.type not in TO_MANY


def field(words: Wording, model: str, name: str, about: object) -> Field:
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
    required, stored = bool(about.get("required")), bool(about.get("store", True))
    relation = (about.get("relation") or "") if kind in RELATIONS else ""
    inverse = (about.get("relation_field") or "") if kind == "one2many" else ""
    if kind in RELATIONS and not relation:
        raise ValueError(f"{where}: a {kind} must name its model as 'relation'")
    if kind == "one2many" and stored and not inverse:
        raise ValueError(f"{where}: a one2many must name the other side as 'relation_field'")
    ondelete = about.get("ondelete") or ("restrict" if required else "set null")
    if ondelete not in ONDELETE:
        raise ValueError(f"{where}: ondelete is one of {', '.join(sorted(ONDELETE))}")
    made = Field(
        name=name,
        type=kind,
        string=about.get("string") or _label(name),
        required=required,
        readonly=bool(about.get("readonly")),
        store=stored,
        relation=relation,
        inverse=inverse,
        selection=_options(where, about) if kind == "selection" else (),
        ondelete=ondelete,
        copy=bool(about.get("copy", True)),
        translate=bool(about.get("translate")),
        size=about.get("size") or 0,
    )
    return evolve(made, default=_default(words, model, made, about))


def _label(name: str) -> str:
    """Return the label that Odoo gives a field without one."""
    return name.removesuffix("_ids").removesuffix("_id").replace("_", " ").title()


def _options(where: str, about: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    try:
        return tuple((value, label) for value, label in about["selection"])
    except (KeyError, TypeError, ValueError):
        text = f"{where}: a selection must list its options as 'selection', each with its label"
        raise ValueError(text) from None


def _default(words: Wording, model: str, made: Field, about: Mapping[str, Any]) -> Any:
    default = about.get("default")
    if default is None:
        # Every model of Odoo that archives its records makes them active.
        return True if (made.name, made.type) == ("active", "boolean") else None
    if made.type in TO_MANY:
        raise ValueError(f"{model}.{made.name}: a {made.type} can have no default here")
    try:
        return converters(model, {made.name: made}, words)[made.name](default)
    except OdooError as error:
        text = f"{model}.{made.name}: the default {default!r} is no value of it: {error.message}"
        raise ValueError(text) from None
