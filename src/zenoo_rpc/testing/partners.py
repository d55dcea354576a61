"""The habits of contacts: addresses shared with the company, and users that keep their partner.

As measured: a contact takes the address of its parent; the first contact of a company without an
address gives it its own; 19 keeps giving when the contact's address changes; the tax id belongs
to the company as a whole.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from .database import Row
from .env import Env
from .errors import validation_error

ADDRESS = ("street", "street2", "zip", "city", "country_id")
_SHARED = frozenset({*ADDRESS, "parent_id", "vat", "type", "is_company"})


def complete(env: Env, row: Row, vals: Mapping[str, Any]) -> None:
    """Fill in what a new contact takes from its parent."""
    tidy(row)
    parent = env.table("res.partner").rows.get(row.get("parent_id") or 0)
    if parent is None or row.get("is_company"):
        return
    if env.series >= 19 and "user_id" not in vals:
        row["user_id"] = parent.get("user_id")
    if "lang" not in vals:
        row["lang"] = parent.get("lang")


def tidy(changes: Row) -> None:
    """Give a web address its scheme."""
    website = changes.get("website")
    if website and "://" not in website:
        changes["website"] = f"http://{website}"


def created(env: Env, row_id: int, vals: Mapping[str, Any]) -> None:
    """Share address and tax id of a new contact with its parent and children."""
    row = env.table("res.partner").rows[row_id]
    parent_id = row.get("parent_id")
    if parent_id is not None:
        rows = env.table("res.partner").rows
        first = len(env.table("res.partner").users_of("parent_id", parent_id)) == 1
        if first and not _address(rows[parent_id]) and row.get("type") == "contact":
            _set(env, parent_id, _address(row))
        if env.series >= 19 and row.get("vat") and not row.get("is_company"):
            _set(env, _commercial(env, row_id), {"vat": row["vat"]})
        _take(env, row_id)


def written(env: Env, row_id: int, vals: Mapping[str, Any]) -> None:
    """Share a changed address or tax id with the relatives."""
    changed = _SHARED.intersection(vals)
    if not changed:
        return
    table = env.table("res.partner")
    row = table.rows[row_id]
    parent_id = row.get("parent_id")
    if parent_id is not None and not row.get("is_company") and env.series >= 19:
        moved = "parent_id" in vals or row.get("type") != "contact"
        if changed.intersection(ADDRESS) and not moved:
            _set(env, parent_id, {name: row.get(name) for name in ADDRESS if name in vals})
        if "vat" in changed:
            _set(env, _commercial(env, row_id), {"vat": row.get("vat")})
    if parent_id is not None and changed - {*ADDRESS, "vat"}:
        _take(env, row_id)
    _give(env, row_id, {row_id})


def _give(env: Env, row_id: int, seen: set[int]) -> None:
    for child_id in env.table("res.partner").users_of("parent_id", row_id):
        if child_id not in seen:
            seen.add(child_id)
            _take(env, child_id)
            _give(env, child_id, seen)


def _take(env: Env, row_id: int) -> None:
    """Make a contact's address and tax id those of its parent and company."""
    rows = env.table("res.partner").rows
    row = rows[row_id]
    changes: Row = {}
    if row.get("type") == "contact" and _address(parent := rows[row["parent_id"]]):
        changes = {name: parent.get(name) for name in ADDRESS}
    if not row.get("is_company"):
        changes["vat"] = rows[_commercial(env, row_id)].get("vat")
    _set(env, row_id, changes)


def _set(env: Env, row_id: int, changes: Row) -> None:
    table = env.table("res.partner")
    row = table.rows[row_id]
    if any(row.get(name) != value for name, value in changes.items()):
        env.db.put(table, row_id, {**row, **changes})


def _address(row: Row) -> Row:
    return {name: row[name] for name in ADDRESS if row.get(name)}


def _commercial(env: Env, row_id: int) -> int:
    """Return the company a contact belongs to, or the contact itself."""
    rows = env.table("res.partner").rows
    seen: set[int] = set()
    while row_id not in seen:
        seen.add(row_id)
        row = rows[row_id]
        parent = row.get("parent_id")
        if row.get("is_company") or parent is None:
            return row_id
        row_id = parent
    return row_id


def _active_users(env: Env, ids: Sequence[int]) -> list[tuple[int, str]]:
    users = env.table("res.users")
    partners = env.table("res.partner").rows
    return [
        (user, str(partners[partner].get("name") or ""))
        for partner in ids
        for user in users.users_of("partner_id", partner)
        if users.rows[user].get("active")
    ]


def refuse_archiving(env: Env, ids: Sequence[int]) -> None:
    """Refuse to archive the partner of an active user."""
    _refuse(
        env,
        _active_users(env, ids),
        "You cannot archive contacts linked to an active user.\n"
        "You first need to archive their associated user.",
    )


def refuse_deleting(env: Env, ids: Sequence[int]) -> None:
    """Refuse to delete the partner of an active user; 14 leaves that to the database."""
    if env.series >= 19:
        _refuse(
            env,
            _active_users(env, ids),
            "You cannot delete contacts linked to an active user.\n"
            "You should rather archive them after archiving their associated user.",
        )


def _refuse(env: Env, users: Sequence[tuple[int, str]], text: str) -> None:
    if not users:
        return
    if env.series < 19:
        raise validation_error("You cannot archive a contact linked to an internal user.")
    names = ", ".join(name for _, name in users)
    raise env.words.linked_to_user(f"{text}\n\nLinked active users : {names}", users[0][0])
