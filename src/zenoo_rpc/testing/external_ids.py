"""External ids: the rows of `ir.model.data`, which name records as ``module.name``."""

from .database import Row
from .env import Env

MODEL = "ir.model.data"


def find(env: Env, full: str) -> tuple[int, Row] | None:
    """Return the row of an external id with its module."""
    module, _, name = full.partition(".")
    table = env.table(MODEL)
    row_id = table.one("module,name", (module, name))
    return None if row_id is None else (row_id, table.rows[row_id])


def of(env: Env, model: str, record: int) -> Row | None:
    """Return the oldest row that names a record."""
    table = env.table(MODEL)
    ids = table.having("model,res_id", (model, record))
    return table.rows[min(ids)] if ids else None


def forget(env: Env, model: str, record: int) -> None:
    """Delete the names of a record that is deleted."""
    table = env.table(MODEL)
    for row_id in table.having("model,res_id", (model, record)):
        env.db.put(table, row_id, None)


def assign(env: Env, full: str, model: str, record: int, *, noupdate: bool) -> None:
    """Make an external id with its module the name of a record.

    Raises:
        RefusalError: a space in the id.
    """
    module, _, name = full.partition(".")
    if " " in name:
        raise env.words("spaces")
    table, found = env.table(MODEL), find(env, full)
    target = {"model": model, "res_id": record, "write_date": env.now}
    if found is None:
        row: Row = {"module": module, "name": name, "noupdate": noupdate}
        env.db.add(table, {**row, "create_date": env.now, **target})
    elif (found[1]["model"], found[1]["res_id"]) != (model, record):
        env.db.put(table, found[0], {**found[1], **target})
