"""API keys: what one opens, and how a user makes and removes them in a session."""

import secrets
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from . import writing
from .database import Database, Row
from .env import ADMIN, Env, now
from .methods import BaseModel, of_model

APIKEYS = "res.users.apikeys"
DESCRIPTION = "res.users.apikeys.description"
CHECK = "res.users.identitycheck"
WINDOW = {"type": "ir.actions.act_window"}  # without what is for people
LONGEST = 90  # days, for a user who is not the administrator


def insert(env: Env, name: str, expiration_date: str | None, secret: str = "") -> str:
    """Give the caller a key and return it."""
    secret = secret or secrets.token_hex(20)
    row: Row = {"name": name, "user_id": env.uid, "expiration_date": expiration_date, "key": secret}
    env.db.add(env.table(APIKEYS), {**row, "create_date": env.now})
    return secret


def owner(db: Database, secret: object) -> int | None:
    """Return the user whom a key opens the door for, None when it opens none."""
    for row in list(db.tables[APIKEYS].rows.values()):
        end = row.get("expiration_date")
        if row["key"] == secret and (not end or end >= now()[:19]):
            user = db.tables["res.users"].rows[row["user_id"]]
            return row["user_id"] if user.get("active") else None
    return None


def revoke(env: Env, secret: str) -> None:
    """Delete a key."""
    table = env.table(APIKEYS)
    for row_id in [one for one, row in table.rows.items() if row["key"] == secret]:
        env.db.put(table, row_id, None)


def _check_end(env: Env, end: str | None) -> None:
    """Refuse a longer life than a normal user's key may have."""
    if env.uid <= ADMIN:
        return
    if not end:
        raise env.words("endless key")
    if datetime.fromisoformat(str(end)) > _in_days(env, LONGEST):
        raise env.words("long key", days=float(LONGEST))


def _in_days(env: Env, days: int) -> datetime:
    return datetime.fromisoformat(env.now) + timedelta(days=days)


class Guarded(BaseModel):
    """Records whose methods ask for the password, unless the session gave it already."""

    def _guard(self) -> None:
        """Refuse records that are not there or somebody else's."""
        table = self._env.table(self._model.name)
        self._env.require(table, self._ids)
        if not all(self._env.sees(self._model, table.rows[one]) for one in self._ids):
            raise self._env.hidden(self._model)

    def _after_check(self, run: Callable[[Env], Any]) -> Any:
        """Run at once in a session just checked, and ask for that else."""
        env = self._env
        if not env.session.over_http:
            raise env.words("over http")
        if env.session.checked:
            return run(env)
        [row_id] = writing.create(env.as_trusted(), CHECK, [{}])
        table = env.table(CHECK)
        env.db.put(table, row_id, {**table.rows[row_id], "waiting": run})
        return {**WINDOW, "res_model": CHECK, "res_id": row_id}


class Wizard(Guarded):
    """The wizard that makes a key."""

    @of_model
    def create(self, vals_list: Any) -> Any:
        """Begin to make keys."""
        given = [vals_list] if isinstance(vals_list, Mapping) else vals_list
        if self._env.new:
            given = [self._complete(vals) for vals in given]
        made = super().create(given)
        return made[0] if isinstance(vals_list, Mapping) else made

    def _complete(self, vals: Mapping[str, Any]) -> dict[str, Any]:
        """Work the end of a key out from its duration."""
        days = int(vals.get("duration", 1))
        end = vals.get("expiration_date")
        if "expiration_date" not in vals and days > 0:
            end = str(_in_days(self._env, days))[:10] + " 00:00:00"
        _check_end(self._env, end)
        return {**vals, "expiration_date": end}

    def make_key(self) -> Any:
        """Make the key."""
        return self._after_check(self._make)

    def _make(self, env: Env) -> Any:
        self._guard()
        [row_id] = self._ids
        row = env.table(DESCRIPTION).rows[row_id]
        secret = insert(env, row["name"], row.get("expiration_date"))
        writing.unlink(env.as_trusted(), DESCRIPTION, self._ids)
        return {**WINDOW, "res_model": f"{APIKEYS}.show", "context": {"default_key": secret}}


class Keys(Guarded):
    """The keys themselves."""

    def remove(self) -> Any:
        """Delete the keys."""
        return self._after_check(self._remove)

    def _remove(self, env: Env) -> Any:
        self._guard()
        writing.unlink(env.as_trusted(), APIKEYS, self._ids)
        return {"type": "ir.actions.act_window_close"}


class PasswordCheck(Guarded):
    """The check of who asks for it."""

    def run_check(self) -> Any:
        """Compare the password, and run what waited for that."""
        env = self._env
        if not env.session.over_http:
            raise env.words("over http")
        self._guard()
        [row_id] = self._ids
        table = env.table(CHECK)
        row = table.rows[row_id]
        # 19 has the password in the context, 14 in the record
        given = env.context.get("password") if env.new else row.get("password")
        if not given or given != env.table("res.users").rows[env.uid].get("password"):
            raise env.words("wrong password" if env.new else "denied")
        env.db.put(table, row_id, {**row, "password": None})
        env.session.checked = True
        return row["waiting"](env)
