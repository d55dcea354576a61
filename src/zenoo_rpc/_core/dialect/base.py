"""What all dialects share: the interface, the login, and Odoo's own error."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Protocol, TypeGuard

import attrs

from ...wire.encoding import decode
from ..exchange import Answer, Request, Wire
from ..faults import Fault, Rule, odoo_fault
from ..foreign import Reply


class Dialect(Protocol):
    """Turns a call into what is sent, and a reply into a value or a fault."""

    @property
    def name(self) -> str:
        """What it is called: `jsonrpc`, `json2`, `web`."""

    def request(self, number: int, login: Login, request: Request) -> Wire:
        """Return what makes a call of a model's method; *number* tells it from others."""

    def read(
        self, number: int, request: Request | None, reply: Reply, address: str
    ) -> Answer | Fault:
        """Return what the reply to request *number* says."""


@attrs.frozen
class Login:
    """Who calls, and how: *password* may be a key, or the cookie of a session."""

    database: str
    uid: int
    password: str = attrs.field(repr=False)
    dialect: Dialect = attrs.field(repr=lambda dialect: dialect.name)


def major(version: Mapping[str, Any]) -> int:
    """Return the number of the release, by what `version` answered; 0 if it is not told."""
    info = version.get("server_version_info") or [0]
    number = re.search(r"\d+", str(info[0]))  # "saas~18" is one too
    return int(number[0]) if number else 0


def json_object(content: bytes) -> dict[str, Any] | None:
    """Return the JSON object that a body is, None if it is none."""
    try:
        body = decode(content)
    except (ValueError, RecursionError):
        return None
    return body if isinstance(body, dict) else None


def is_error(data: object) -> TypeGuard[dict[str, Any]]:
    """Whether it is an error as Odoo tells it: whole, with a traceback (14 and 19, always)."""
    if not isinstance(data, dict) or not data.get("name") or not data.get("debug"):
        return False
    return all(isinstance(data.get(name), str) for name in ("name", "message", "debug"))


def odoo_error(data: dict[str, Any], table: Mapping[str, Rule]) -> Fault:
    """Return what an error of Odoo's proves, by the *table* of its dialect."""
    arguments = data.get("arguments")
    arguments = tuple(arguments) if isinstance(arguments, list) else ()
    return odoo_fault(data["name"], data["message"], arguments, data["debug"], table)
