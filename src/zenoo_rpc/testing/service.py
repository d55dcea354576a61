"""The server behind every dialect: who may come in, and one transaction for each call."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from attrs import define, field, frozen

from . import keys
from .calls import is_on_ids, method_of
from .catalog import new_database
from .database import Database
from .env import ADMIN, Env, ServedSession
from .refusals import Words


@frozen
class ServedCall:
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
        words: the refusals of the release.
        database: the name of its only database.
        api_key: a key of the administrator.
    """

    words: Words
    database: str
    api_key: str
    db: Database = field(init=False)
    calls: list[ServedCall] = field(factory=list, init=False)
    sessions: dict[str, ServedSession] = field(factory=dict, init=False)  # by cookie

    def __attrs_post_init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Go back to a new database and an empty log, and end every session."""
        self.db, self.calls, self.sessions = new_database(self.words), [], {}
        with self.transaction(ServedSession(ADMIN)) as env:
            keys.insert(env, "stand-in", None, self.api_key)

    def log(self, model: str, method: str, about: Any = None) -> ServedCall:
        """Note a call that is about records: their values or ids."""
        found = method_of(model, method, self.words.series)
        sized = method == "create" or (found is not None and is_on_ids(found))
        size = len(about) if isinstance(about, list) else int(about is not None)
        call = ServedCall(model, method, size if sized else 0, time.monotonic())
        self.calls.append(call)
        return call

    @property
    def version(self) -> dict[str, Any]:
        """Return what `common.version` answers."""
        series = self.words.series
        return {
            "server_version": f"{series}.0",
            "server_version_info": [series, 0, 0, "final", 0, ""],
            "server_serie": f"{series}.0",
            "protocol_version": 1,
        }

    def user(self, login: str) -> int:
        """Return the uid of a user; KeyError when there is none."""
        uid = self.db.tables["res.users"].one("login", login)
        if uid is None:
            raise KeyError(login)
        return uid

    def login(
        self, database: object, login: object, password: object, *, by_key: bool = True
    ) -> int | bool:
        """Return the uid of a user, False when the login or the password is wrong.

        Args:
            by_key: whether an API key may stand in the password's place.
        """
        self._check_database(database)
        uid = self.db.tables["res.users"].one("login", login)
        return uid if uid is not None and self._may(uid, password, by_key) else False

    def authenticate(self, database: object, uid: Any, password: object) -> ServedSession:
        """Return the session of a call over `/jsonrpc`, which brings its credentials with it.

        Raises:
            RefusalError: AccessDenied for a wrong password, MissingError for an unknown user.
        """
        self._check_database(database)
        user = int(uid)
        if not password or not user:
            raise self.words("denied")
        if user not in self.db.tables["res.users"].rows:
            raise self.words("missing", model="res.users", record=user, uid=user)
        if not self._may(user, password, by_key=True):
            raise self.words("denied")
        return ServedSession(user, over_http=not self.words.new)

    def _check_database(self, name: object) -> None:
        if name != self.database:
            raise self.words("database", name=name)

    def _may(self, uid: int, password: object, by_key: bool) -> bool:
        row = self.db.tables["res.users"].rows[uid]
        if not password or not row.get("active"):
            return False
        return password == row.get("password") or (by_key and keys.owner(self.db, password) == uid)

    @contextmanager
    def transaction(self, session: ServedSession, context: Any = None) -> Iterator[Env]:
        """Let one call work: commit what it does, or nothing of it when it is refused."""
        db = self.db  # another one takes its place with `reset`
        with db.transaction():
            yield Env(db, self.words, session, dict(context or {}))
