"""Values as a program sees them: what a record is called, what `read` answers, how it sorts."""

from collections.abc import Callable, Iterable
from typing import Any

from .database import Row
from .env import Env
from .fields import DECIMAL, NAMES, TO_MANY, WHOLE, Field
from .models import Model, Order, parse_order

Get = Callable[[int, Row], Any]


def display_name(env: Env, model: str, row_id: int | None) -> str:
    """Return the name of one record; the empty text when there is none."""
    row = env.table(model).rows.get(row_id or 0)
    return "" if row is None else name_of_row(env, model, row_id, row)


def name_of_row(env: Env, model: str, row_id: int | None, row: Row) -> str:
    """Return what the record in *row* is called, in lists and in many2one values."""
    name: str = row.get("name") or ""
    match model:
        case "res.partner":
            return _name_of_partner(env, row, name)
        case "res.partner.category" | "product.category":
            above = display_name(env, model, row.get("parent_id"))
            return f"{above} / {name}" if above else name
        case "product.product":
            return f"[{row['default_code']}] {name}" if row.get("default_code") else name
        case "ir.model.data":
            target = row["model"] in env.db.models and row.get("res_id")
            called = display_name(env, row["model"], row["res_id"]) if target else ""
            return called or external_id(row)
    found = env.table(model).model
    if not found.name_field:
        return f"{model},{row_id}"
    get = getter(env, found, found.fields[found.name_field])
    return str(get(row_id or 0, row) or "")


def _name_of_partner(env: Env, row: Row, name: str) -> str:
    above = row.get("parent_id")
    if above is not None and not row.get("is_company"):
        table = env.table("res.partner")
        if not name and row.get("type") != "contact":
            name = dict(table.model.fields["type"].selection).get(row["type"], "")
        name = f"{table.rows.get(above, {}).get('name') or ''}, {name}"
    return name.strip() if env.new else name


def external_id(row: Row) -> str:
    """Return an external id as it is written: module, dot, name."""
    return ".".join(part for part in (row.get("module"), row.get("name")) if part)


def getter(env: Env, model: Model, field: Field) -> Get:
    """Return the function that takes the raw value of *field* from a row; None is SQL's NULL."""
    name = field.name
    if name == "id":
        return lambda row_id, row: row_id
    if name == "complete_name" and model.name == "ir.model.data":
        return lambda row_id, row: external_id(row)
    if name in NAMES and not field.store:
        return lambda row_id, row: name_of_row(env, model.name, row_id, row)
    if name == "password" and not field.store:
        return lambda row_id, row: ""  # nobody reads a password back
    if name == "company_type" and not field.store:
        return lambda row_id, row: "company" if row.get("is_company") else "person"
    if field.through:
        others = env.other(model.fields[field.through]).rows
        return lambda row_id, row: others[row[field.through]].get(name)
    if field.type in TO_MANY:
        if env.lacks(field):  # so nothing can have been put there
            return lambda row_id, row: []
        return lambda row_id, row: linked(env, field, row_id, row)
    return lambda row_id, row: row.get(name)


def reader(env: Env, model: Model, field: Field, *, names: bool) -> Get:
    """Return the function that takes the value of *field* as `read` answers it.

    Args:
        names: whether a many2one comes as ``[id, name]`` or as the id.
    """
    get = getter(env, model, field)
    empty: Any = 0 if field.type in WHOLE else 0.0 if field.type in DECIMAL else False

    def read(row_id: int, row: Row) -> Any:
        value = get(row_id, row)
        if value is None:
            return empty
        if field.type == "datetime":
            return value[:19]  # RPC answers whole seconds, the database keeps more
        if field.type == "many2one" and names:
            return [value, display_name(env, field.relation, value)]
        return value

    return read


def read(
    env: Env, model: Model, ids: list[int], names: Any, load: Any = "_classic_read"
) -> list[dict[str, Any]]:
    """Return one mapping for each record that is there; missing ids are left out silently."""
    env.check(model, "access")
    readers = {}
    for name in dict.fromkeys(names or model.fields):
        if name not in model.fields:
            raise env.words("field", field=name, model=model.name, where="on")
        field = model.fields[name]
        readers[name] = reader(env, model, field, names=load == "_classic_read")
    if set(readers) == {"id"}:
        # No column is fetched: every id is believed, but 14 looks for contacts and users.
        if not env.new and model.name in {"res.partner", "res.users"}:
            env.require(env.table(model.name), ids)
        return [{"id": row_id} for row_id in ids]
    found = env.existing(env.table(model.name), ids)
    if not all(env.sees(model, row) for _, row in found):
        raise env.hidden(model)
    return [
        {"id": row_id, **{name: get(row_id, row) for name, get in readers.items()}}
        for row_id, row in found
    ]


def whole(env: Env, name: str, ids: Iterable[int]) -> list[dict[str, Any]]:
    """Return what the database holds of records: every field, archived relatives too."""
    trusted = env.as_trusted().with_context(active_test=False)
    return read(trusted, trusted.table(name).model, list(ids), None, load=None)


def linked(env: Env, field: Field, row_id: int, row: Row) -> list[int]:
    """Return the ids in a one2many or many2many field, in the order of the other model."""
    table = env.table(field.relation)
    if field.type == "one2many":
        ids = table.having(field.relation_field, row_id)
    else:
        ids = list(row.get(field.name) or ())
    if not ids:
        return ids
    # The children of a contact are filtered by a domain of the field itself, context or not.
    always = field.name == "child_ids" and field.relation == "res.partner"
    if (always or env.context.get("active_test", True)) and "active" in table.model.fields:
        ids = [other for other in ids if table.rows[other].get("active")]
    return ordered(env, table.model, ids)


def ordered(env: Env, model: Model, ids: list[int], order: Order = ()) -> list[int]:
    """Return *ids* in an order, in that of the model when none is given."""
    rows = env.table(model.name).rows
    for name, descending in reversed(order or parse_order(model.order)):
        key = _sort_key(env, model, model.fields[name])
        # Empty values come last, first when descending, as in PostgreSQL.
        ids = sorted(ids, key=lambda one: key(one, rows[one]), reverse=descending)
    return ids


def _sort_key(env: Env, model: Model, field: Field) -> Get:
    get = getter(env, model, field)
    rank: dict[int, int] = {}
    if field.type == "many2one":
        other = env.other(field)
        ranked = ordered(env, other.model, list(other.rows))
        rank = {other_id: place for place, other_id in enumerate(ranked)}

    def key(row_id: int, row: Row) -> tuple[bool, Any]:
        value = get(row_id, row)
        return (True, 0) if value is None else (False, rank.get(value, value))

    return key
