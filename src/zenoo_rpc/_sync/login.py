"""Logs a session in, over what the server speaks."""

from __future__ import annotations

import datetime
import logging
from contextlib import suppress
from typing import Any

import attrs

from .._core.dialect.base import major
from .._core.dialect.json2 import JSON2_SINCE
from .._core.dialect.shapes import checked
from .._core.exchange import Request, value_of
from .._core.keys import (
    APIKEYS,
    NAME_NEEDED,
    NO_JSON2,
    NO_JSONRPC,
    NO_PASSWORDS,
    Key,
    ending,
    in_order,
    key_text,
)
from .._core.terms import Terms
from ..errors import (
    AuthenticationError,
    DatabaseNotFoundError,
    NotThereError,
    UsageError,
    ZenooError,
)
from ..wire.encoding import encode
from .session import Session

logger = logging.getLogger("zenoo_rpc")


@attrs.frozen
class Welcome:
    """What a login brings: what the server tells of its *version*, and the user's own *context*."""

    uid: int
    version: dict[str, Any]
    context: dict[str, Any]


def by_password(
    session: Session, protocol: str, database: str, username: str, password: str
) -> Welcome:
    """Log in with a password, which JSON-RPC takes only."""
    if protocol == "json2":
        raise UsageError(f"{session.address}: {NO_PASSWORDS}")
    session.key_source = None
    try:
        return _over_jsonrpc(session, database, username, password)
    except NotThereError:
        if not session.json_version():
            raise
        raise AuthenticationError(f"{session.address}: {NO_JSONRPC}") from None


def by_key(
    session: Session, protocol: str, database: str, api_key: Key, username: Key | None
) -> Welcome:
    """Log in with a key, over JSON-2 where the server has it, and warn of its end."""
    key, name = in_order(api_key, username)
    session.key_source = key if callable(key) else None
    text = session.ask_for_key() if callable(key) else key_text(key)
    version = {} if protocol == "jsonrpc" else session.json_version()
    if protocol == "json2" or major(version) >= JSON2_SINCE:
        welcome = _over_json2(session, database, text, version)
    elif name is None:
        raise UsageError(f"{session.address}: {NAME_NEEDED}")
    else:
        welcome = _over_jsonrpc(session, database, name, text)
    if major(welcome.version) >= JSON2_SINCE:
        _warn_of_the_end(session, welcome.uid)
    return welcome


def _over_jsonrpc(session: Session, database: str, username: str, password: str) -> Welcome:
    version = session.jsonrpc_version()
    uid = session.open(database, username, password, version)
    context = dict(checked("context_get", _ask(session, "res.users", "context_get"), dict))
    return Welcome(uid, version, context)


def _over_json2(
    session: Session, database: str, key: str, version: dict[str, Any]
) -> Welcome:
    try:
        context = session.open_with_key(database, key)
    except DatabaseNotFoundError:
        if version:
            raise
        raise UsageError(f"{session.address}: {NO_JSON2}") from None
    return Welcome(int(context["uid"]), version, context)


def _warn_of_the_end(session: Session, uid: int) -> None:
    mine = [("user_id", "=", uid)]
    with suppress(ZenooError):  # who may not ask is not warned
        rows = _ask(session, APIKEYS, "search_read", mine, ["expiration_date"])
        if words := ending(rows, datetime.datetime.now(datetime.UTC).date()):
            logger.warning("%s: %s", session.address, words)


def _ask(session: Session, model: str, method: str, *args: object) -> Any:
    request = Request(model, method, [encode(arg) for arg in args], {}, {}, True)
    return value_of(session.deliver(request, Terms()))
