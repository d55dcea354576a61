"""What a model asks beyond its fields: the constraints of contacts, users and products."""

from collections.abc import Mapping, Sequence
from typing import Any

from attrs import evolve

from . import external_ids, key_models, keys, partners, reading, writing
from .database import NotUniqueError, Row, Table
from .env import Env
from .errors import OdooError, Violation, builtin, user_error, validation_error
from .models import Model

# The fields that hold the time of the call unless another is given.
STAMPED = {"res.currency.rate": "name", "sale.order": "date_order", "account.move": "date"}


def check_row(env: Env, model: Model, row: Row) -> None:
    """Refuse a row that a constraint of the table forbids."""
    if model.name == external_ids.MODEL and " " in row["name"]:
        text = "External IDs cannot contain spaces"
        found = Violation(kind="check", model=model.name, text=text)
        raise env.words.constraint("ir_model_data_name_nospaces", found)
    if model.name != "res.partner" or row.get("name") is not None:
        return
    # Only a plain contact needs a name of its own: an invoice address shows its company's.
    if row.get("type") == "contact":
        found = Violation(kind="check", model=model.name, text="Contacts require a name")
        raise env.words.constraint("res_partner_check_name", found)


def not_unique(env: Env, table: Table, row: Row, clash: NotUniqueError) -> OdooError:
    """Return the refusal of a value that another record has."""
    model = table.model
    if clash.name == "barcode" and env.series >= 19:
        other = table.rows[clash.other]["name"]
        return validation_error(
            f'Barcode(s) already assigned:\n\n- Barcode "{row["barcode"]}" already assigned to'
            f" product(s): {other} and {row['name']}\n\n"
            "Note: products that you don't have access to will not be shown above."
        )
    for name, constraint, text in model.unique:
        if name != clash.name:
            continue
        if not text and "," in name:
            columns = name.split(",")
            values = ", ".join(str(row[column]) for column in columns)
            detail = f"DETAIL:  Key ({', '.join(columns)})=({values}) already exists."
            found = Violation(kind="unique", model=model.name, text=detail)
            return env.words.index(constraint, found)
        found = Violation(kind="unique", model=model.name, text=text)
        if name in model.fields:
            found = evolve(found, field=name, string=model.fields[name].string)
        return env.words.constraint(constraint, found)
    raise AssertionError(clash)  # pragma: no cover


def before_rights(env: Env, model: Model, vals_list: Sequence[Any]) -> None:
    """Refuse what 14 refuses before it looks at the rights: a user without a login."""
    if model.name == "res.users" and env.series < 19:
        for vals in vals_list:
            if isinstance(vals, Mapping) and not vals.get("login"):
                raise env.words.user_from_here()


def before_create(env: Env, model: Model, row: Row, vals: Mapping[str, Any]) -> None:
    """Complete a row that is about to be created."""
    stamp = model.fields.get(STAMPED.get(model.name, ""))
    if stamp is not None and stamp.name not in vals:
        row[stamp.name] = env.now if stamp.type == "datetime" else env.now.strftime("%Y-%m-%d")
    if model.name == "res.partner":
        partners.complete(env, row, vals)
    elif model.name == "res.users" and row.get("partner_id") is None and row.get("login"):
        row["partner_id"] = _partner_of_user(env, row, vals)
    elif model.name == key_models.DESCRIPTION and env.series >= 19:
        keys.complete(row, vals, env)


def _partner_of_user(env: Env, row: Row, vals: Mapping[str, Any]) -> int:
    shared = {name: vals[name] for name in ("name", "email", "lang", "tz") if name in vals}
    shared.setdefault("email", row["login"] if "@" in row["login"] else False)
    [partner] = writing.create(env.as_trusted(), "res.partner", [shared])
    return partner


def after_create(env: Env, model: Model, row_id: int, vals: Mapping[str, Any]) -> None:
    """Bring the relatives of a new record up to date."""
    if model.name == "res.partner":
        partners.created(env, row_id, vals)


def before_write(
    env: Env, model: Model, ids: Sequence[int], changes: Row, vals: Mapping[str, Any]
) -> None:
    """Refuse or complete a change that is about to be written."""
    if model.name == "res.partner":
        partners.tidy(changes)
        if changes.get("active", True) is False:
            partners.refuse_archiving(env, ids)
    if model.name == "res.users":
        rows = env.existing(env.table("res.users"), ids)
        shared = {name: value for name, value in vals.items() if model.fields[name].through}
        if shared:
            people = [row["partner_id"] for _, row in rows]
            writing.write(env.as_trusted(), "res.partner", people, shared)


def after_write(env: Env, model: Model, row_id: int, vals: Mapping[str, Any]) -> None:
    """Refuse a circle, and bring the relatives of a changed record up to date."""
    if "parent_id" in vals and model.fields["parent_id"].relation == model.name:
        _refuse_circle(env, model, row_id)
    if model.name == "res.partner":
        partners.written(env, row_id, vals)


def _refuse_circle(env: Env, model: Model, row_id: int) -> None:
    rows = env.table(model.name).rows
    seen = {row_id}
    above = rows[row_id].get("parent_id")
    while above is not None:
        if above in seen:
            if model.name == "res.partner":
                raise validation_error("You cannot create recursive Partner hierarchies.")
            raise user_error("Recursion Detected.")
        seen.add(above)
        above = rows[above].get("parent_id")


def check_record(env: Env, model: Model, row_id: int) -> None:
    """Refuse what a constraint of the user's own has something to say against."""
    for check in env.db.checks.get(model.name, ()):
        for record in reading.whole(env, model.name, [row_id]):  # each gets one of its own
            try:
                text = check(record)
            except Exception as error:
                raise builtin(type(error).__name__, str(error)) from error
            if text:
                raise validation_error(text)


def before_unlink(env: Env, model: Model, ids: Sequence[int]) -> None:
    """Refuse to delete what the server itself needs."""
    if model.name == "res.users" and 1 in ids:
        raise user_error(
            "You can not remove the admin user as it is used internally for resources created by"
            " Odoo (updates, module installation, ...)"
        )
    if model.name == "res.partner":
        partners.refuse_deleting(env, ids)
