"""The server behind every dialect: who may come in, and one transaction for each call."""

import threading
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from attrs import define, field, frozen

from . import bundled, catalog, keys, methods
from .data import fill
from .database import Database
from .env import ADMIN, Env, Session
from .errors import access_denied, builtin, missing
from .models import Model
from .public import Run
from .signatures import Call as MethodCall
from .signatures import Method
from .wording import Wording


@frozen
class Call:
    """One call that the stand-in served, whether it was refused or not.

    Args:
        model: the model, or the service of a call without one (``common``, ``db``).
        method: the method.
        size: how many records it was about: the length of a `create`, the ids of a method, else 0.
        at: when it arrived, by `time.monotonic`.
    """

    model: str
    method: str
    size: int
    at: float


@define
class Service:
    """What the server does with a call, however it came in: log in, run, commit or roll back.

    Args:
        series: the release, 14 or 19.
        database: the name of its only database.
        api_key: a key of the administrator.
    """

    series: int
    database: str
    api_key: str
    words: Wording = field(init=False)
    db: Database = field(init=False)
    offered: Mapping[str, tuple[Method, Run]] = field(init=False)
    _models: Mapping[str, Model] = field(init=False)
    _calls: list[Call] = field(factory=list, init=False)
    _lock: threading.Lock = field(factory=threading.Lock, init=False)

    def __attrs_post_init__(self) -> None:
        self.words = Wording(self.series)
        self.offered = methods.table(self.series)
        self._models = catalog.build(self.series)
        self.reset()

    def reset(self) -> None:
        """Go back to a new database and an empty log."""
        db = Database(bundled.Models(self.words, self._models))
        fill(db, self.words)
        self.db = db
        self.make_key(ADMIN, "stand-in", None, self.api_key)
        self.clear_calls()

    def user(self, login: str) -> int:
        """Return the uid of a user; KeyError when there is none."""
        return self.db.tables["res.users"].unique["login"][login]

    def make_key(self, uid: int, name: str, end: datetime | None, secret: str = "") -> str:
        """Give a user an API key that is good until *end*, in UTC, and return it."""
        with self.db.transaction():
            env = Env(self.db, self.words, uid, trusted=True)
            return keys.insert(env, uid, name, end, secret)

    def revoke_key(self, secret: str) -> None:
        """Take an API key back."""
        with self.db.transaction():
            keys.revoke(self.db, secret)

    def owner(self, secret: object) -> int | None:
        """Return the user of an API key, None when it is unknown, expired or revoked."""
        with self.db.lock:
            return keys.owner(self.db, secret, datetime.now(UTC).replace(tzinfo=None))

    @property
    def calls(self) -> list[Call]:
        """Return the calls served so far."""
        with self._lock:
            return list(self._calls)

    def clear_calls(self) -> None:
        """Forget the calls served so far."""
        with self._lock:
            self._calls = []

    def log(self, model: str, name: str, size: int) -> Call:
        """Note a call."""
        call = Call(model, name, size, time.monotonic())
        with self._lock:
            self._calls.append(call)
        return call

    def check_database(self, name: object) -> None:
        """Refuse a database that is not there."""
        if name != self.database:
            raise self.words.no_database(str(name))

    def login(
        self, database: object, login: object, password: object, *, by_key: bool = True
    ) -> int | bool:
        """Return the uid of a user, False when the login or the password is wrong.

        Args:
            by_key: whether an API key may stand in the password's place.
        """
        self.check_database(database)
        users = self.db.tables["res.users"]
        uid = users.unique["login"].get(login)
        return uid if uid is not None and self._may(uid, password, by_key) else False

    def _may(self, uid: int, password: object, by_key: bool = True) -> bool:
        row = self.db.tables["res.users"].rows[uid]
        if not password or not row.get("active"):
            return False
        return password == row.get("password") or (by_key and self.owner(password) == uid)

    def authenticate(self, database: object, uid: Any, password: object) -> int:
        """Return the uid of a call that brings its credentials with it.

        Raises:
            OdooError: AccessDenied for a wrong password, MissingError for a user who is not there.
        """
        self.check_database(database)
        try:
            user = int(uid)
        except ValueError as error:
            raise builtin("ValueError", str(error)) from None
        if not password or not user:
            raise access_denied()
        if user not in self.db.tables["res.users"].rows:
            raise missing("res.users", user, user)
        if not self._may(user, password):
            raise access_denied()
        return user

    def run(self, uid: int, call: MethodCall, session: Session | None = None) -> Any:
        """Run one call of a method in a transaction of its own."""
        kwargs = dict(call.kwargs)
        context = kwargs.pop("context", None) or {}
        if not isinstance(context, Mapping):
            kind = type(context).__name__
            text = f"argument of type '{kind}' is not iterable"
            if self.series >= 19:
                text = f"'{kind}' object is not iterable"
            raise builtin("TypeError", text)
        with self.db.transaction():
            env = Env(self.db, self.words, uid, context, session=session)
            request = MethodCall(call.model, call.method, call.args, kwargs)
            return methods.call(env, self.offered, request)
