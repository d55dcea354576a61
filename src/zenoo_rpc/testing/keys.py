"""API keys: what one opens, and how a user makes and removes them in a session."""

import secrets
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from . import writing
from .database import Database, Row
from .env import Env, Request
from .errors import access_denied, builtin, user_error, validation_error
from .key_models import APIKEYS, CHECK, DESCRIPTION
from .signatures import Method, method

LONGEST = 90  # days, for a user who is not the administrator
PROOF = 600  # seconds for which a session does not ask for the password again

Run = Callable[[Request], Any]


def insert(
    env: Env, uid: int, name: str, expiration_date: datetime | None, secret: str = ""
) -> str:
    """Give a user a key and return it."""
    secret = secret or secrets.token_hex(20)
    row: Row = {"name": name, "user_id": uid, "expiration_date": expiration_date, "key": secret}
    table = env.table(APIKEYS)
    env.db.put(table, env.db.next_id(table), {**row, "create_date": env.now})
    return secret


def owner(db: Database, secret: object, now: datetime) -> int | None:
    """Return the user whom a key opens the door for, None when it opens none."""
    for row in list(db.tables[APIKEYS].rows.values()):
        expires = row.get("expiration_date")
        if row["key"] == secret and (expires is None or expires >= now):
            user = db.tables["res.users"].rows[row["user_id"]]
            return row["user_id"] if user.get("active") else None
    return None


def revoke(db: Database, secret: str) -> None:
    """Delete a key."""
    table = db.tables[APIKEYS]
    for row_id in [one for one, row in table.rows.items() if row["key"] == secret]:
        db.put(table, row_id, None)


def complete(row: Row, vals: Any, env: Env) -> None:
    """Work the end of a key out from its duration, and refuse a longer life than is allowed."""
    days = int(row["duration"])
    if "expiration_date" not in vals and days > 0:
        today = env.now.replace(hour=0, minute=0, second=0, microsecond=0)
        row["expiration_date"] = today + timedelta(days=days)
    _check_expiration(env, row.get("expiration_date"))


def _check_expiration(env: Env, end: datetime | None) -> None:
    if not env.limited:
        return
    if end is None:
        raise validation_error("The API key must have an expiration date")
    if end > env.now + timedelta(days=LONGEST):
        raise validation_error(f"You cannot exceed {float(LONGEST)} days.")


def _make_key(call: Request) -> dict[str, Any]:
    env = call.env
    _guard(call)
    rows = [row for _, row in env.existing(env.table(DESCRIPTION), call.ids)]
    end = rows[0].get("expiration_date") if rows else None
    _check_expiration(env, end)
    secret = insert(env, env.uid, rows[0]["name"] if rows else "false", end)
    writing.unlink(env.as_trusted(), DESCRIPTION, call.ids)
    return _window("res.users.apikeys.show", "API Key Ready", context={"default_key": secret})


def _remove(call: Request) -> dict[str, Any]:
    _guard(call)
    writing.unlink(call.env.as_trusted(), APIKEYS, call.ids)
    return {"type": "ir.actions.act_window_close"}


def _guard(call: Request) -> None:
    """Refuse records that are not there or somebody else's."""
    env, table = call.env, call.env.table(call.model.name)
    env.require(table, call.ids)
    if not all(env.sees(call.model, row) for _, row in env.existing(table, call.ids)):
        raise env.hidden(call.model)


def _window(model: str, name: str, **more: Any) -> dict[str, Any]:
    return {
        "type": "ir.actions.act_window",
        "res_model": model,
        "name": name,
        "views": [[False, "form"]],
        "target": "new",
        **more,
    }


def _after_check(name: str) -> Run:
    """Return the method that runs at once in a session just checked, and asks for that else."""

    def run(call: Request) -> Any:
        env = call.env
        if env.session is None:
            raise user_error("This method can only be accessed over HTTP")
        checked = env.session.checked
        if checked is not None and time.monotonic() < checked + PROOF:
            return _CHECKED[name](call)
        [row_id] = writing.create(env.as_trusted(), CHECK, [{}])
        table = env.table(CHECK)
        waiting = {"request": (name, call)}
        env.db.put(table, row_id, {**table.rows[row_id], **waiting})
        if env.series < 19:
            return _window(CHECK, "Security Control", res_id=row_id)
        more = {"res_id": row_id, "context": {"dialog_size": "medium"}}
        return _window(CHECK, "Access Control", **more)

    return run


def _run_check(call: Request) -> Any:
    """Compare the password, and run what waited for that."""
    env = call.env
    if env.session is None:
        raise builtin("AssertionError", "This method can only be accessed over HTTP")
    _guard(call)
    [row_id] = call.ids
    row = env.table(CHECK).rows[row_id]
    _prove(env, row)
    env.db.put(env.table(CHECK), row_id, {**row, "password": None})
    env.session.checked = time.monotonic()
    name, waiting = row["request"]
    return _CHECKED[name](Request(env, waiting.model, waiting.ids, {}))


def _prove(env: Env, row: Row) -> None:
    """Refuse a password that is not the user's: 19 has it in the context, 14 in the record."""
    new = env.series >= 19
    given = env.context.get("password") if new else row.get("password")
    if given and given == env.table("res.users").rows[env.uid].get("password"):
        return
    if new:
        raise user_error(
            "Incorrect Password, try again or click on Forgot Password to reset your password."
        )
    raise access_denied() if given else builtin("AssertionError", "")


_CHECKED: dict[str, Run] = {"make_key": _make_key, "remove": _remove}
METHODS: list[tuple[Method, Run]] = [
    (method("make_key", "", on_ids=True, only=DESCRIPTION), _after_check("make_key")),
    (method("remove", "", on_ids=True, only=APIKEYS), _after_check("remove")),
    (method("run_check", "", on_ids=True, only=CHECK), _run_check),
]
