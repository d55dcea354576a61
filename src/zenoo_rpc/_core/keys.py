"""API keys: what tells one from a user's name, when one ends, and how one is made."""

from __future__ import annotations

import datetime
import enum
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import attrs

from ..errors import (
    AuthenticationError,
    MissingError,
    OdooError,
    ServerError,
    UsageError,
    ValidationError,
)
from ..wire import arguments
from ..wire.encoding import is_header
from ..wire.values import TIME_FORMAT, from_wire

Key = str | Callable[[], Any]

APIKEYS = "res.users.apikeys"
DESCRIPTION = "res.users.apikeys.description"  # the wizard that makes a key
CHECK = "res.users.identitycheck"  # the one that asks for the password
BY_HAND = (
    "A person makes one in Odoo: My Preferences, Security, Add API Key "
    "(14: Preferences, Account Security, New API Key)."
)
MAKE_A_KEY = f"Call login_with_api_key(). {BY_HAND}"
NO_PASSWORDS = f"JSON-2 takes API keys, no passwords. {MAKE_A_KEY}"
NO_JSONRPC = f"this server no longer speaks JSON-RPC, which passwords need. {MAKE_A_KEY}"
NO_JSON2 = "this server does not speak JSON-2, which came with Odoo 19"
NAME_NEEDED = "this server speaks JSON-RPC only: give the username beside the key"
REFUSED = (
    "the server refused the API key: it is mistyped, revoked or has expired (the keys of normal "
    f"users last 90 days at most). {BY_HAND}"
)
SECOND_FACTOR = f"the user has a second factor besides the password. {BY_HAND}"

KEY = re.compile(r"\s*[0-9a-f]{40}\s*")  # as Odoo makes them (`res.users.apikeys`, 14 and 19)
SOON = datetime.timedelta(days=14)


def in_order(api_key: Key, username: Key | None) -> tuple[Key, str | None]:
    """Return the key and the user's name, whichever came first: once the name did."""
    swapped = callable(username) or (isinstance(username, str) and KEY.fullmatch(username))
    if swapped and username is not None and not callable(api_key) and not KEY.fullmatch(api_key):
        return username, api_key
    return api_key, username if isinstance(username, str) else None


def key_text(key: object) -> str:
    """Return a key as it is sent, without a line break around it, as files have one.

    What no header can carry is refused here: below, it would be quoted.
    """
    text = key.strip() if isinstance(key, str) else ""
    if not text or not is_header(text):
        kind = "text that is none" if isinstance(key, str) else type(key).__name__
        raise UsageError(f"an API key is a text of ASCII characters, not a {kind}")
    return text


def ending(rows: Iterable[Mapping[str, Any]], today: datetime.date) -> str:
    """Return a warning if all keys of a user end soon, else nothing.

    A server does not tell which of them is the one that is used.
    """
    ends = [row.get("expiration_date") for row in rows]
    dates = [datetime.date.fromisoformat(end[:10]) for end in ends if isinstance(end, str)]
    if not dates or len(dates) < len(ends) or max(dates) - today > SOON:
        return ""
    return f"the user's API keys end on {max(dates)} at the latest; make another one before"


@attrs.frozen
class ApiKey:
    """An API key as its server lists it; the key itself is shown once, when it is made.

    *expires* is in UTC, None for a key that does not; so is *scope* for one that opens everything.
    """

    id: int
    name: str
    expires: datetime.datetime | None
    scope: str | None


def listed(rows: Iterable[Mapping[str, Any]]) -> list[ApiKey]:
    """Return the keys that a server lists; before 17 it tells of no end."""
    return [
        from_wire({**row, "expires": row.get("expiration_date") or False}, ApiKey) for row in rows
    ]


class Door(enum.Enum):
    """The way in which a server lets a user make and revoke keys (recorded on 19 and 14).

    19 refuses it over `/jsonrpc`: it takes a key of the user's, or a session of the web client.
    """

    KEY = "json2"
    SESSION = "web"
    JSONRPC = "jsonrpc"


def door(protocol: str, version: int) -> Door:
    """Return the way into a server of that version, UsageError if none is known."""
    if protocol == "json2":
        return Door.KEY
    if version >= 19:
        return Door.SESSION
    if version == 14:
        return Door.JSONRPC
    release = f"release {version}" if version else "a release that it does not tell"
    raise UsageError(f"how API keys are made on this server ({release}) is not known. {BY_HAND}")


# What says by itself what to do.
ITS_FAULT = (AuthenticationError, MissingError, ValidationError)

LONGEST = 90  # days, for users who are no administrators
DURATIONS = (1, 7, 30, 90, 180, 365)  # days that the wizard of 19 offers
FOR_EVER, UNTIL = "0", "-1"


def description(name: str, days: int | None, way: Door, today: datetime.date) -> dict[str, str]:
    """Return what the wizard is told of a new key."""
    arguments.text("name", name)
    if days is not None:
        arguments.count("days", days)
    if way is Door.JSONRPC:
        return {"name": name}
    if days is None:
        return {"name": name, "duration": FOR_EVER}
    if days in DURATIONS:
        return {"name": name, "duration": str(days)}
    end = datetime.datetime.combine(today + datetime.timedelta(days), datetime.time())
    return {"name": name, "duration": UNTIL, "expiration_date": end.strftime(TIME_FORMAT)}


def proof_asked(action: Any) -> int | None:
    """Return the record that waits for the password, None if the server asks for none."""
    asked = isinstance(action, dict) and action.get("res_model") == CHECK
    return int(action["res_id"]) if asked else None


def shown(action: Any) -> str:
    """Return the key that the server shows."""
    context = action.get("context") if isinstance(action, dict) else None
    key = context.get("default_key") if isinstance(context, dict) else None
    if not isinstance(key, str):
        raise ServerError(f"the server showed no key. {BY_HAND}")
    return key


def refusal(error: OdooError) -> OdooError:
    """Return what is told when a key was not made or revoked, with the way that is always open."""
    if isinstance(error, ITS_FAULT):
        return error
    text = f"{error.message.rstrip('.')}. {BY_HAND}"
    return type(error)(text, error.name, error.arguments, error.debug)
