"""Column values as a program sees them: what `read` answers and what domains and orders compare."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from . import external_ids, naming
from .database import Row
from .env import Env
from .fields import DECIMAL, TEXT, TO_MANY, Field
from .models import Model

Get = Callable[[int, Row], Any]
NAMES = frozenset({"display_name", "complete_name"})


def getter(env: Env, model: Model, field: Field) -> Get:
    """Return the function that takes the raw value of *field* from a row; None is SQL's NULL."""
    name = field.name
    if model.name == external_ids.MODEL and name == "complete_name":
        return lambda row_id, row: external_ids.complete_name(row)
    if model.name == external_ids.MODEL and name == "reference":
        return lambda row_id, row: f"{row.get('model')},{row.get('res_id') or 0}"
    if name == "id":
        return lambda row_id, row: row_id
    if name in NAMES and not field.store:
        return lambda row_id, row: naming.of_row(env, model.name, row_id, row)
    if name == "password" and model.name == "res.users":
        return lambda row_id, row: ""  # nobody reads a password back
    if name == "company_type" and not field.store:
        return lambda row_id, row: "company" if row.get("is_company") else "person"
    if field.through:
        partners = env.table("res.partner").rows
        return lambda row_id, row: partners[row[field.through]].get(name)
    if field.type == "one2many":
        return _linked_of(env, field)
    return lambda row_id, row: row.get(name)


def reader(env: Env, model: Model, field: Field, *, names: bool) -> Get:
    """Return the function that takes the value of *field* as `read` answers it.

    Args:
        names: whether a many2one comes as ``[id, name]`` or as the id.
    """
    get = getter(env, model, field)
    if field.type == "many2one":
        relation = field.relation

        def read_reference(row_id: int, row: Row) -> Any:
            target = get(row_id, row)
            if target is None:
                return False
            return [target, naming.display_name(env, relation, target)] if names else target

        return read_reference
    if field.type in TO_MANY:
        return _linked_of(env, field)
    if field.type == "datetime":
        return lambda row_id, row: _stamp(get(row_id, row))
    empty: Any = False
    if field.type in {"integer", "many2one_reference"}:
        empty = 0
    elif field.type in DECIMAL:
        empty = 0.0

    def read(row_id: int, row: Row) -> Any:
        value = get(row_id, row)
        return empty if value is None else value

    return read


def _stamp(value: datetime | None) -> str | bool:
    # RPC answers whole seconds, the database keeps more.
    return False if value is None else value.strftime("%Y-%m-%d %H:%M:%S")


def _linked_of(env: Env, field: Field) -> Get:
    if env.lacks(field):  # so nothing can have been put there
        return lambda row_id, row: []
    return lambda row_id, row: linked(env, field, row_id, row)


def linked(env: Env, field: Field, row_id: int, row: Row, *, hidden: bool = False) -> list[int]:
    """Return the ids in a one2many or many2many field, in the order of the other model.

    Args:
        hidden: whether archived records count although the context does not ask for them.
    """
    table = env.table(field.relation)
    if field.type == "one2many":
        ids = table.users_of(field.inverse, row_id)
    else:
        ids = list(row.get(field.name) or ())
    if not ids:
        return ids
    # The children of a contact are filtered by a domain of the field itself, context or not.
    always = field.name == "child_ids" and field.relation == "res.partner"
    filtered = always or (not hidden and env.context.get("active_test", True))
    if filtered and "active" in table.model.fields:
        ids = [other for other in ids if table.rows[other].get("active")]
    return ordered(env, table.model, ids, "")


def ordered(env: Env, model: Model, ids: list[int], order: str) -> list[int]:
    """Return *ids* sorted by an order clause, by the order of the model when it is empty."""
    rows = env.table(model.name).rows
    for name, descending in reversed(parse_order(order or model.order)):
        if name == "id":
            ids = sorted(ids, reverse=descending)
            continue
        key = _sort_key(env, model, model.fields[name])
        # Empty values come last, first when descending, as in PostgreSQL.
        ids = sorted(ids, key=lambda one: key(one, rows[one]), reverse=descending)
    return ids


def _sort_key(env: Env, model: Model, field: Field) -> Get:
    get = getter(env, model, field)
    if field.type == "many2one":
        other = env.other(field)
        ranked = ordered(env, other.model, sorted(other.rows), "")
        rank = {row_id: place for place, row_id in enumerate(ranked)}
        return lambda row_id, row: _nulls_last(rank.get(get(row_id, row) or 0))
    return lambda row_id, row: _nulls_last(get(row_id, row))


def _nulls_last(value: Any) -> tuple[bool, Any]:
    return (True, 0) if value is None else (False, value)


def parse_order(order: str) -> list[tuple[str, bool]]:
    """Return the (field, descending) pairs of an order clause that is known to be well-formed."""
    terms = []
    for term in order.split(","):
        words = term.split()
        terms.append((words[0], len(words) > 1 and words[1].lower() == "desc"))
    return terms


def falsy(field: Field) -> Any:
    """Return what stands for NULL when 19 compares: the empty text, zero or False."""
    if field.type in TEXT:
        return ""
    if field.type == "integer" or field.type in DECIMAL:
        return 0
    return False if field.type == "boolean" else None
