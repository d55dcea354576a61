"""The models that the stand-in knows, and the records of a new database, both from JSON files.

Names, types and texts are those that `fields_get` answers on real servers; a selection of fields,
not all of them. Ids are those of real servers too.
"""

from functools import cache

from . import data, external_ids, writing
from .database import Database
from .env import Env, ServedSession
from .models import Model, described
from .refusals import Words

FILES = ("contacts.json", "product.json", "base.json")
OPEN = ("sale.json", "account.json")  # models that a user's own description may replace


@cache
def models(series: int) -> dict[str, Model]:
    """Return the models of a release, by name."""
    words = Words(series)
    return {
        name: described(words, name, **about, is_open=file in OPEN)
        for file in (*FILES, *OPEN)
        for name, about in data.read(file, series).items()
    }


def new_database(words: Words) -> Database:
    """Return a database with its first records."""
    db = Database(dict(models(words.series)))
    env = Env(db, words, ServedSession(1), trusted=True)
    with db.transaction():
        for name, rows in data.read("records.json", words.series).items():
            for row in rows:
                if "id" in row:
                    _insert(env, name, dict(row))
    return db


def _insert(env: Env, name: str, vals: dict[str, object]) -> None:
    """Create a record with the id and the external id that its values name."""
    row_id, full = vals.pop("id"), vals.pop("external", None)
    assert isinstance(row_id, int)
    env.table(name).last_id = row_id - 1
    writing.create(env, name, [vals])
    if full:
        external_ids.assign(env, str(full), name, row_id, noupdate=True)
