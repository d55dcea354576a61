"""Reading: column values of records, as `read` answers them."""

from collections.abc import Iterable
from typing import Any

from . import values
from .env import Env
from .models import Model


def read(
    env: Env, model: Model, ids: list[int], names: Any, load: Any = "_classic_read"
) -> list[dict[str, Any]]:
    """Return one mapping for each record that is there; missing ids are left out silently."""
    env.check(model, "access")
    readers = []
    for name in dict.fromkeys(names or model.fields):
        field = model.fields.get(name)
        if field is None:
            raise env.words.unknown_field(model.name, name, "read")
        if name != "id":
            as_name = load == "_classic_read"
            readers.append((name, values.reader(env, model, field, names=as_name)))
    if not readers:
        # No column is fetched: every id is believed, but 14 looks for contacts and users.
        if env.series < 19 and model.name in {"res.partner", "res.users"}:
            env.require(env.table(model.name), ids)
        return [{"id": row_id} for row_id in ids]
    found = env.existing(env.table(model.name), ids)
    if env.hides(model) and not all(env.sees(model, row) for _, row in found):
        raise env.hidden(model)
    return [
        {"id": row_id, **{name: get(row_id, row) for name, get in readers}} for row_id, row in found
    ]


def whole(env: Env, name: str, ids: Iterable[int]) -> list[dict[str, Any]]:
    """Return what the database holds of records: every field, archived relatives too."""
    env = env.as_trusted().with_context(active_test=False)
    table = env.db.tables[name]
    readers = [
        (each, values.reader(env, table.model, field, names=False))
        for each, field in table.model.fields.items()
    ]
    return [
        {each: read(row_id, row) for each, read in readers}
        for row_id, row in env.existing(table, ids)
    ]
