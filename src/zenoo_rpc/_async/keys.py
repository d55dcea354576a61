"""The API keys of the user who is logged in."""

from __future__ import annotations

import datetime
from typing import Any

from .._core.dialect.base import Login
from .._core.exchange import Request, value_of
from .._core.keys import (
    APIKEYS,
    CHECK,
    DESCRIPTION,
    LONGEST,
    ApiKey,
    Door,
    description,
    door,
    listed,
    proof_asked,
    refusal,
    shown,
)
from .._core.terms import Terms
from ..errors import AuthenticationError, OdooError, UserError
from ..wire.encoding import encode
from ..wire.values import record_to_wire, to_wire
from .caller import Caller
from .session import Session


class ApiKeys:
    """Makes, lists and revokes the API keys of the user who is logged in.

    Making and revoking take the user's password, even of who is logged in by a key. 19 refuses both
    over `/jsonrpc`; after a login by password they go through a session of the web client, which
    is ended at once. Transactions do not take them back.
    """

    def __init__(self, client: Caller, session: Session) -> None:
        self._client = client
        self._session = session

    async def list(self) -> list[ApiKey]:
        """Return the keys of the user, the oldest first; the expired ones are not all gone.

        Raises NotLoggedInError before the login, else as `execute_kw`.
        """
        mine = [("user_id", "=", self._session.check_ready().uid)]
        return listed(await self._call(None, APIKEYS, "search_read", mine))

    async def make(self, name: str, password: str, *, days: int | None = LONGEST) -> str:
        """Make a key and return it: the server shows it this once.

        *name* is what the list of keys will show, *password* that of the user. The key ends after
        *days*, of which normal users may have 90; None makes one that never ends, for
        administrators only. On 14 no key ends, whatever *days* says.
        Raises AuthenticationError for a wrong password, ValidationError for a life that is too
        long, UsageError where no way to make keys is known, else what the server says against it.
        """
        way = self._door()
        today = datetime.datetime.now(datetime.UTC).date()
        wizard = description(name, days, way, today)
        return shown(await self._proven(way, password, DESCRIPTION, "make_key", wizard))

    async def revoke(self, key_id: int, password: str) -> None:
        """Revoke a key by its id; calls with it are refused from now on.

        *key_id* is the `id` of what `list` returns. Raises MissingError where there is none, else
        as `make`.
        """
        await self._proven(self._door(), password, APIKEYS, "remove", key_id)

    def _door(self) -> Door:
        protocol = self._session.check_ready().dialect.name
        return door(protocol, self._client.ways.version)

    async def _proven(
        self, way: Door, password: str, model: str, method: str, on: dict[str, str] | int
    ) -> Any:
        """Call a method that asks for the password on a record, or on one with these values."""
        web = await self._enter(password) if way is Door.SESSION else None
        try:
            record = on if isinstance(on, int) else await self._call(web, model, "create", on)
            asked = await self._call(web, model, method, [record])
            check = proof_asked(asked)
            return asked if check is None else await self._prove(web, way, check, password)
        except OdooError as error:
            raise refusal(error) from None
        finally:
            if web is not None:
                await self._session.leave(web)

    async def _enter(self, password: str) -> Login:
        uid = self._session.check_ready().uid
        [user] = await self._call(None, "res.users", "read", [uid], ["login"])
        return await self._session.enter(user["login"], password)

    async def _prove(self, web: Login | None, way: Door, check: int, password: str) -> Any:
        """Give the password: 14 wants it in the record, 19 in the context."""
        context = {"password": password}
        if way is Door.JSONRPC:
            await self._call(web, CHECK, "write", [check], context)
            context = {}
        try:
            return await self._call(web, CHECK, "run_check", [check], context=context)
        except UserError as error:
            raise AuthenticationError(error.message, "", error.arguments, error.debug) from None

    async def _call(
        self,
        web: Login | None,
        model: str,
        method: str,
        *args: object,
        context: dict[str, str] | None = None,
    ) -> Any:
        own = record_to_wire({**self._client.context, **(context or {})})
        parts = [encode(to_wire(arg)) for arg in args]
        request = Request(model, method, parts, {}, own, method in {"read", "search_read"})
        if web is None:
            return value_of(await self._session.deliver(request, Terms()))
        return value_of(await self._session.send_as(web, request, Terms()))
