"""What a model asks beyond its fields: constraints of the table, circles, checks of the user's."""

from collections.abc import Iterable

from . import values
from .database import NotUniqueError, Row, Table
from .env import Env
from .models import Model
from .refusals import RefusalError


def check_row(env: Env, table: Table, row: Row, references: Iterable[str]) -> None:
    """Refuse a row that lacks a mandatory value, breaks a constraint or refers to nothing."""
    model = table.model
    for name in model.required:
        if row.get(name) is None:
            names = {"label": model.label, "string": model.fields[name].string}
            raise env.words("required", (model.name, name), model=model.name, field=name, **names)
    if model.name == "ir.model.data" and " " in row["name"]:
        raise _broken(
            env, model, "ir_model_data_name_nospaces", "External IDs cannot contain spaces"
        )
    # Only a plain contact needs a name of its own: an invoice address shows its company's.
    if model.name == "res.partner" and row.get("name") is None and row.get("type") == "contact":
        raise _broken(env, model, "res_partner_check_name", "Contacts require a name")
    for name in references:
        target = row.get(name)
        field = model.fields[name]
        if target is not None and target not in env.other(field).rows:
            # 19 looks at the parent before the database does.
            if env.new and (model.name, name) == ("res.partner", "parent_id"):
                raise env.missing(field.relation, target)
            raise refers(env, model, name)


def _broken(env: Env, model: Model, constraint: str, text: str) -> RefusalError:
    return env.words("check", (model.name, ""), constraint=constraint, text=text)


def refers(env: Env, model: Model, name: str) -> RefusalError:
    """Return the refusal of a reference to nothing, and of deleting what is referred to."""
    constraint = f"{model.name.replace('.', '_')}_{name}_fkey"
    names = {"label": model.label, "model": model.name, "constraint": constraint, "field": name}
    at = (model.name, name) if env.new else None
    return env.words("reference", at, string=model.fields[name].string, **names)


def not_unique(env: Env, model: Model, row: Row, clash: NotUniqueError) -> RefusalError:
    """Return the refusal of a value that another record has."""
    [(name, constraint, text)] = [one for one in model.unique if one[0] == clash.name]
    if name in model.fields:
        names = {"field": name, "string": model.fields[name].string, "text": text}
        return env.words("unique", (model.name, name), constraint=constraint, **names)
    if text:
        return env.words("unique together", (model.name, ""), constraint=constraint, text=text)
    columns = name.split(",")  # of an index that is no constraint
    shown = ", ".join(str(row[column]) for column in columns)
    text = f"DETAIL:  Key ({', '.join(columns)})=({shown}) already exists."
    return env.words("index", (model.name, ""), constraint=constraint, text=text)


def check_record(env: Env, model: Model, row_id: int) -> None:
    """Refuse what a constraint of the user's own has something to say against."""
    for check in env.db.checks.get(model.name, ()):
        for record in values.whole(env, model.name, [row_id]):  # each gets one of its own
            text = check(record)
            if text:
                raise env.words("refused", text=text)


def refuse_archiving(env: Env, ids: Iterable[int]) -> None:
    """Refuse to archive the partners of active users."""
    users = env.table("res.users")
    linked = [user for one in ids for user in users.having("partner_id", one)]
    active = [user for user in linked if users.rows[user].get("active")]
    if active:
        names = [values.display_name(env, "res.users", user) for user in active]
        raise env.words("archiving", users=", ".join(names))


def refuse_circle(env: Env, model: Model, row_id: int) -> None:
    """Refuse a record that has become its own ancestor."""
    rows = env.table(model.name).rows
    seen = {row_id}
    above = rows[row_id].get("parent_id")
    while above is not None:
        if above in seen:
            of_partners = model.name == "res.partner"
            raise env.words("circle of partners" if of_partners else "circle")
        seen.add(above)
        above = rows[above].get("parent_id")


def guard(env: Env, table: Table, ids: Iterable[int], operation: str, verb: str) -> None:
    """Refuse missing records and forbidden operations, in the order in which Odoo looks."""
    model = table.model
    strict = operation in model.reports_missing
    if strict:
        env.require(table, ids)
    env.check(model, verb)
    if model.name in env.db.ruled_out and not env.trusted:
        # A rule looks at a column of each record, and so misses those that are not there.
        env.require(table, ids)
        if not all(env.sees(model, row) for _, row in env.existing(table, ids)):
            raise env.hidden(model, operation)
