"""External ids: the rows of `ir.model.data`, which name records as ``module.name``."""

from collections.abc import Iterable

from .database import Row
from .env import Env
from .errors import postgres

MODEL = "ir.model.data"
UNIQUE = "module,name"
TARGET = "model,res_id"

# The models whose records bring one of another model along: (model, field), by model. What the
# stand-in does not keep has the id of the record itself.
PARENTS = {"res.users": ("res.partner", "partner_id"), "product.product": ("product.template", "")}


def find(env: Env, full: str) -> tuple[int, Row] | None:
    """Return the row of an external id with its module."""
    module, _, name = full.partition(".")
    table = env.table(MODEL)
    row_id = table.unique[UNIQUE].get((module, name))
    return None if row_id is None else (row_id, table.rows[row_id])


def of(env: Env, model: str, record: int) -> list[Row]:
    """Return the rows that name a record, the oldest first."""
    table = env.table(MODEL)
    return [table.rows[row_id] for row_id in sorted(table.users_of(TARGET, (model, record)))]


def complete_name(row: Row) -> str:
    """Return an external id as it is written: module, dot, name."""
    return ".".join(part for part in (row.get("module"), row.get("name")) if part)


def forget(env: Env, model: str, record: int) -> None:
    """Delete the names of a record that is deleted, and of what it brought along."""
    table = env.table(MODEL)
    models = [model]
    if model in PARENTS and not PARENTS[model][1]:
        models.append(PARENTS[model][0])
    for one in models:
        for row_id in table.users_of(TARGET, (one, record)):
            env.db.put(table, row_id, None)


def assign(env: Env, named: Iterable[tuple[str, str, int]], *, noupdate: bool) -> None:
    """Make each external id the name of a record: (id with module, model, record).

    Raises:
        OdooError: the same id for two records, or a space in an id.
    """
    table = env.table(MODEL)
    seen = set()
    for full, model, record in dict.fromkeys(named):
        module, _, name = full.partition(".")
        if full in seen:
            text = "ON CONFLICT DO UPDATE command cannot affect row a second time"
            raise postgres("CardinalityViolation", text)
        seen.add(full)
        if " " in name:
            check = f"{MODEL.replace('.', '_')}_name_nospaces"
            text = f'new row for relation "ir_model_data" violates check constraint "{check}"'
            raise postgres("CheckViolation", text)
        found = find(env, full)
        if found is None:
            row: Row = {"module": module, "name": name, "noupdate": noupdate}
            row |= {"create_uid": None, "write_uid": None, "create_date": env.now}
            row_id = env.db.next_id(table)
        else:
            row_id, row = found
            if (row["model"], row["res_id"]) == (model, record):
                continue
        row = {**row, "model": model, "res_id": record, "write_date": env.now}
        env.db.put(table, row_id, row)


def with_parents(env: Env, model: str, full: str, record: int) -> list[tuple[str, str, int]]:
    """Return what a new record and the one it brought along are to be called."""
    named = []
    if model in PARENTS:
        parent, field = PARENTS[model]
        target = env.table(model).rows[record][field] if field else record
        named.append((f"{full}_{parent.replace('.', '_')}", parent, target))
    return [*named, (full, model, record)]
