"""Create, write and unlink: values in, rows out, or a refusal that undoes the whole call."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from . import external_ids, relations, rules
from .database import NotUniqueError, Row, Table
from .env import Env
from .errors import builtin, missing
from .fields import TO_MANY, Field
from .models import MAGIC, Model


def create(env: Env, name: str, vals_list: Sequence[Any]) -> list[int]:
    """Create one record for each mapping and return their ids, in the same order.

    Raises:
        OdooError: a value is refused; then none of the records exists.
    """
    table = env.table(name)
    if not vals_list:
        return []
    rules.before_rights(env, table.model, vals_list)
    env.check(table.model, "create")
    return [_create_one(env, table, vals) for vals in vals_list]


def _create_one(env: Env, table: Table, vals: Any) -> int:
    model = table.model
    if not isinstance(vals, Mapping):
        raise builtin("AttributeError", f"'{type(vals).__name__}' object has no attribute 'get'")
    vals = {**_defaults(env, model), **vals}
    row: Row = dict(model.defaults)
    special: list[tuple[Field, Any]] = []
    _fill(env, model, row, vals, special, "create")
    row["create_uid"] = row["write_uid"] = env.uid
    row["create_date"] = row["write_date"] = env.now
    rules.before_create(env, model, row, vals)
    _check(env, table, row, model.references)
    row_id = env.db.next_id(table)
    _put(env, table, row_id, row)
    for field, value in special:
        relations.apply(env, model, row_id, field, value, creating=True)
    rules.after_create(env, model, row_id, vals)
    rules.check_record(env, model, row_id)
    return row_id


def _defaults(env: Env, model: Model) -> dict[str, Any]:
    """Return what the context gives for fields that a caller leaves out."""
    given = {key.removeprefix("default_"): key for key in env.context if key[:8] == "default_"}
    return {name: env.context[key] for name, key in given.items() if name in model.fields}


def _fill(
    env: Env,
    model: Model,
    row: Row,
    vals: Mapping[str, Any],
    special: list[tuple[Field, Any]],
    doing: str,
) -> None:
    """Put the values into *row*; those of relations to many records go to *special*."""
    fields, convert = model.fields, model.convert
    for name, value in vals.items():
        field = fields.get(name)
        if field is None:
            raise env.words.unknown_field(model.name, name, doing)
        if field.store and name not in MAGIC:
            if field.type in TO_MANY:
                special.append((field, value))
            else:
                row[name] = convert[name](value)
        elif name == "company_type":
            row["is_company"] = value == "company"
        elif name == "password":
            row[name] = None if not value else str(value)


def _check(env: Env, table: Table, row: Row, references: Iterable[str]) -> None:
    """Refuse a row without a mandatory value or with a reference to nothing."""
    model = table.model
    for name in model.required:
        if row.get(name) is None:
            field = model.fields[name]
            owner, label = field.owner if field.owner[0] else (model.name, model.label)
            raise env.words.required(label, owner, field.string, name)
    rules.check_row(env, model, row)
    for name in references:
        target = row.get(name)
        if target is None:
            continue
        field = model.fields[name]
        if target not in env.other(field).rows:
            # 19 looks at the parent before the database does.
            if env.series >= 19 and model.name == "res.partner" and name == "parent_id":
                raise missing(field.relation, target, env.uid)
            raise env.words.foreign_key(model.label, model.name, field.string, name)


def _put(env: Env, table: Table, row_id: int, row: Row) -> None:
    try:
        env.db.put(table, row_id, row)
    except NotUniqueError as clash:
        raise rules.not_unique(env, table, row, clash) from None


def write(env: Env, name: str, ids: Sequence[int], vals: Any) -> None:
    """Write the same values to every record.

    Raises:
        OdooError: a value is refused or, on models that track changes, a record is not there;
            then nothing is written.
    """
    table = env.table(name)
    model = table.model
    if not isinstance(vals, Mapping):
        kind = type(vals).__name__
        if env.series >= 19:
            raise builtin("AttributeError", f"'{kind}' object has no attribute 'get'")
        raise builtin("TypeError", f"argument of type '{kind}' is not iterable")
    if not ids:
        return
    guard(env, table, ids, "write", "modify")
    changes: Row = {}
    special: list[tuple[Field, Any]] = []
    _fill(env, model, changes, vals, special, "write")
    rules.before_write(env, model, ids, changes, vals)
    touched = [field for field in model.references if field in changes]
    changes["write_uid"], changes["write_date"] = env.uid, env.now
    for row_id in dict.fromkeys(ids):
        old = table.rows.get(row_id)
        if old is None:
            continue
        row = {**old, **changes}
        _check(env, table, row, touched)
        _put(env, table, row_id, row)
        for field, value in special:
            relations.apply(env, model, row_id, field, value, creating=False)
        rules.after_write(env, model, row_id, vals)
        rules.check_record(env, model, row_id)


def unlink(env: Env, name: str, ids: Sequence[int], *, by_database: bool = False) -> None:
    """Delete the records and what belongs to them.

    Args:
        by_database: whether a foreign key does it, which leaves their external ids behind.

    Raises:
        OdooError: another record needs one of them or, on models that track changes, one is not
            there; then
            all of them stay.
    """
    table = env.table(name)
    if not ids:
        return
    guard(env, table, ids, "unlink", "delete")
    present = [row_id for row_id in dict.fromkeys(ids) if row_id in table.rows]
    rules.before_unlink(env, table.model, present)
    for row_id in present:
        relations.release(env, table.model, row_id, doomed=present)
    for row_id in present:
        if row_id in table.rows:
            env.db.put(table, row_id, None)
            if not by_database:
                external_ids.forget(env, name, row_id)


def guard(env: Env, table: Table, ids: Sequence[int], operation: str, verb: str) -> None:
    """Refuse missing records and forbidden operations, in the order in which the release looks."""
    model = table.model
    strict = operation in model.reports_missing
    # A product of 14 is not looked at before the rights are.
    first = env.series >= 19 or model.name != "product.product"
    if strict and first:
        env.require(table, ids)
    looks = model.name == external_ids.MODEL and operation == "unlink" and env.series >= 19
    if looks and env.existing(table, ids):
        env.check(model, "access")
    env.check(model, verb)
    # A rule looks at a column of each record, and so misses those that are not there.
    ruled = model.name in env.db.ruled_out and env.hides(model)
    if strict or ruled:
        env.require(table, ids)
    if ruled and any(env.rules_out(model, row) for _, row in env.existing(table, ids)):
        raise env.hidden(model, operation)
