"""One login on one server, and the one place where calls are made."""

from __future__ import annotations

import logging
import random
import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from contextvars import ContextVar
from types import MappingProxyType
from typing import Any, Protocol

import attrs

from .._compat import Lock, call, sleep
from .._core.deadline import Deadline
from .._core.dialect.base import Dialect, Login
from .._core.dialect.json2 import JSON2, VERSION_PATH, json_version, under_other_names
from .._core.dialect.jsonrpc import JSONRPC, WEB, needs_session, session_cookie, session_path
from .._core.dialect.shapes import checked
from .._core.exchange import Answer, Request, Wire, value_of
from .._core.faults import Fault, Proof, never_sent
from .._core.imports import as_conflict
from .._core.keys import REFUSED, SECOND_FACTOR, key_text
from .._core.retry import READS, RetryPolicy, retry_after
from .._core.terms import Terms
from .._core.traffic import is_turned_away
from ..errors import (
    AuthenticationError,
    ClientClosedError,
    DatabaseNotFoundError,
    InvalidValueError,
    NotLoggedInError,
    NotOdooError,
    NotThereError,
    UsageError,
    ZenooError,
)
from ..wire.encoding import array, encode
from ..wire.values import to_wire
from .transport import Transport


class Recorder(Protocol):
    """What a transaction puts between its calls and the wire."""

    def carry(self, request: Request, terms: Terms) -> Answer | Fault:
        """Carry a call out, and note what would take it back."""


logger = logging.getLogger("zenoo_rpc")

SEVERAL = "the server shows several databases, or none: name the one that is meant"
# Drawn, not counted: two processes that share a connection would count alike. JSON keeps 53 bits.
NUMBER_BITS = 50
GLANCE = 0.25  # seconds between two looks at whether a call is still wanted

RECORDERS: ContextVar[Mapping[Any, Recorder]] = ContextVar(
    "zenoo_rpc_recorders", default=MappingProxyType({})
)


def stopped_after(seconds: float, wanted: Callable[[], bool] | None) -> bool:
    """Wait so long, or until it is not *wanted* any more; return whether it is not."""
    ends = time.monotonic() + seconds
    while (left := ends - time.monotonic()) > 0 and (wanted is None or wanted()):
        sleep(min(left, GLANCE) if wanted else left)
    return wanted is not None and not wanted()


class Session:
    """Sends calls over a transport, as the user who logged in, and again where *retry* says so."""

    def __init__(self, transport: Transport, retry: RetryPolicy | None) -> None:
        self.transport = transport
        self.login: Login | None = None
        self._retry = retry
        self._one_by_one = Lock()
        self._asking = Lock()
        self.key_source: Callable[[], Any] | None = None

    @property
    def address(self) -> str:
        """The server's base URL."""
        return self.transport.address

    def open(
        self, database: str, username: str, password: str, version: dict[str, Any]
    ) -> int:
        """Log in over JSON-RPC and return the user's id; the errors are those of `login`."""
        if needs_session(version):
            self.transport.cookie = ""  # the session of another login is to stay what it is
            reply = self.transport.get(session_path(database))
            self.transport.cookie = session_cookie(reply)
        try:
            uid = self.service("common", "login", [database, username, password])
        except (DatabaseNotFoundError, NotOdooError) as error:
            if isinstance(error, NotOdooError) and self._has(database):
                raise
            raise self._no_database(database) from None
        if type(uid) is not int or not uid:
            raise AuthenticationError(
                f"{self.address}: database {database!r} refused the login. "
                "Check the user's name and the password or key."
            )
        self.login = Login(database, uid, password, JSONRPC)
        return uid

    def open_with_key(self, database: str, key: str) -> dict[str, Any]:
        """Log in over JSON-2 and return the user's own context, with its `uid`."""
        self.login = Login(database, 0, key, JSON2)
        request = Request("res.users", "context_get", [], {}, {}, True)
        try:
            context = dict(value_of(self._send_once(request, Terms())))
        except AuthenticationError:
            raise AuthenticationError(f"{self.address}: {REFUSED}") from None
        except NotThereError:
            raise self._no_database(database) from None
        self.login = Login(database, int(context["uid"]), self.login.password, JSON2)
        return context

    def _no_database(self, database: str) -> DatabaseNotFoundError:
        if not database:
            return DatabaseNotFoundError(f"{self.address}: {SEVERAL}")
        return DatabaseNotFoundError(
            f"{self.address}: there is no database {database!r}. Check its name, and that it is up."
        )

    def version(self) -> dict[str, Any]:
        """Return what the server tells of its version, over JSON-RPC if it has that."""
        try:
            return self.jsonrpc_version()
        except NotThereError:
            version = self.json_version()
            if not version:
                raise
            return version

    def jsonrpc_version(self) -> dict[str, Any]:
        """Return what the server tells of its version over JSON-RPC; NotThereError without that."""
        return dict(checked("version", self.service("common", "version", []), dict))

    def json_version(self) -> dict[str, Any]:
        """Return what the server tells of its version without a login; empty before 19."""
        self._check_open()
        reply = self.transport.get(VERSION_PATH)
        if isinstance(reply, Fault):
            raise reply.error
        return json_version(reply)

    def _has(self, database: str) -> bool:
        """Return whether the server lists the database, True when it does not tell."""
        try:
            return database in self.service("db", "list", [])
        except ZenooError:
            return True

    def check_ready(self) -> Login:
        """Return the login; raise NotLoggedInError or ClientClosedError if there can be no call."""
        self._check_open()
        if self.login is None:
            raise NotLoggedInError(f"{self.address}: call login() first")
        return self.login

    def _check_open(self) -> None:
        if self.transport.closed:
            raise ClientClosedError(f"{self.address}: the client was closed")

    def recorder(self) -> Recorder | None:
        """Return what the calls of this task or thread go through, None outside a transaction."""
        return RECORDERS.get().get(self)

    def record_with(self, recorder: Recorder | None) -> Recorder | None:
        """Let calls go through *recorder* from now on; return what they went through before."""
        before = dict(RECORDERS.get())
        others = {each: kept for each, kept in before.items() if each is not self}
        RECORDERS.set({**others, self: recorder} if recorder is not None else others)
        return before.get(self)

    @contextmanager
    def tentative(self) -> Iterator[None]:
        """Be logged in as before, if logging in fails."""
        before = self.login, self.key_source, self.transport.cookie
        try:
            yield
        except BaseException:
            self.login, self.key_source, self.transport.cookie = before
            raise

    @contextmanager
    def unrecorded(self) -> Iterator[None]:
        """Let calls go to the wire directly, as long as this lasts."""
        recorder = self.record_with(None)
        try:
            yield
        finally:
            self.record_with(recorder)

    def send(self, request: Request, terms: Terms) -> Answer | Fault:
        """Carry a call out, through the transaction where there is one."""
        recorder = self.recorder()
        if recorder is None:
            return self.deliver(request, terms)
        return recorder.carry(request, terms)

    def deliver(self, request: Request, terms: Terms) -> Answer | Fault:
        """Send a call, and again as long as that is harmless and the policy allows it.

        After a conflict it waits for its turn: calls that met one are repeated one at a time. While
        others get through, being turned away does not use up its tries.
        """
        retry = self._retry.patient() if self._retry and terms.patient else self._retry
        since = Deadline(retry.total if retry else None, time.monotonic)
        passed = terms.traffic.passed
        reply = self._send_once(request, terms)
        tried = 1
        unknown = None
        conflict = False
        while isinstance(reply, Fault) and retry is not None:
            turned_away = is_turned_away(reply)
            if turned_away and terms.traffic.passed > passed:
                tried = 1
            passed = terms.traffic.passed
            pause = retry.pause_after(reply, request.idempotent, tried, random.random())
            if pause is None:
                break
            turn = terms.traffic.turn(time.monotonic())
            pause = max(turn, (retry_after(reply) or 0.0) if turned_away else pause)
            if not (since.allows(pause) and terms.deadline.allows(pause)):
                terms.traffic.give_back()
                break
            unknown = reply if reply.proof is Proof.UNKNOWN else unknown
            conflict = conflict or reply.is_conflict
            what = (self.address, request.method, request.model, type(reply.error).__name__)
            logger.info("%s: %s of %s: %s; try %d in %.1f s", *what, tried + 1, pause)
            is_over = stopped_after(pause, terms.wanted if unknown is None else None)
            with self._one_by_one if conflict else nullcontext():
                if is_over or terms.deadline.passed:
                    terms.traffic.give_back()
                    break
                reply = self._send_once(request, terms)
            tried += 1
        return reply.seen_after(unknown)

    def _send_once(self, request: Request, terms: Terms) -> Answer | Fault:
        began, course = time.monotonic(), terms.course
        before, course.may_have_run = course.may_have_run, True
        reply = self._send_now(request, terms)
        proves_nothing = isinstance(reply, Answer) or reply.proof is Proof.UNKNOWN
        course.may_have_run = before or proves_nothing
        if self._retry is not None:
            ended, chance = time.monotonic(), random.random()
            terms.traffic.note(reply, began, ended, self._retry, chance)
        return reply

    def _send_now(self, request: Request, terms: Terms) -> Answer | Fault:
        try:
            login = self.check_ready()
            reply = self.send_as(login, request, terms)
            if self._is_rejected(reply) and self._ask_again(login):
                login = self.check_ready()
                reply = self.send_as(login, request, terms)
            other = under_other_names(request, reply)
            if other is not None:
                reply = self.send_as(login, other, terms)
        except UsageError as error:
            return never_sent(error)
        return as_conflict(reply) if request.method == "load" else reply

    def send_as(self, login: Login, request: Request, terms: Terms) -> Answer | Fault:
        """Send a call once, as somebody."""
        number = secrets.randbits(NUMBER_BITS)
        try:
            wire = login.dialect.request(number, login, request)
        except UnicodeError:  # of a path; its text has the name
            raise InvalidValueError("a text with a lone surrogate has no UTF-8 form") from None
        timeout = self.transport.timeout if terms.timeout is None else terms.timeout
        seconds = terms.deadline.shorten(timeout)
        return self._post(login.dialect, number, request, wire, seconds)

    @staticmethod
    def _is_rejected(reply: Answer | Fault) -> bool:
        return isinstance(reply, Fault) and isinstance(reply.error, AuthenticationError)

    def ask_for_key(self) -> str:
        """Return what the source of keys gives."""
        assert self.key_source is not None
        return key_text(call(self.key_source))

    def _ask_again(self, login: Login) -> bool:
        """Ask for the key once more after the server refused it; whether there is another one."""
        if self.key_source is None:
            return False
        with self._asking:
            now = self.check_ready()
            if now.password == login.password:
                self.login = now = attrs.evolve(now, password=self._another_key())
            return now.password != login.password

    def _another_key(self) -> str:
        try:
            return self.ask_for_key()
        except UsageError:
            raise
        except Exception as error:  # a value, as what the call then did is known: nothing
            kind = type(error).__name__
            raise UsageError(f"the API key was refused, and its source raised {kind}") from error

    def service(self, service: str, method: str, args: list[object]) -> Any:
        """Ask one of the server's own services, which changes nothing; needs no login."""
        self._check_open()
        number = secrets.randbits(NUMBER_BITS)
        wire = JSONRPC.service(number, service, method, array(encode(to_wire(a)) for a in args))
        return value_of(self._post(JSONRPC, number, None, wire))

    def enter(self, username: str, password: str) -> Login:
        """Open a web session beside the login, and return the login that stands for it (19)."""
        database = self.check_ready().database
        number = secrets.randbits(NUMBER_BITS)
        wire = WEB.begin(number, database, username, password)
        reply = self.transport.post(wire)
        answer = reply if isinstance(reply, Fault) else WEB.read(number, None, reply, self.address)
        try:
            uid = value_of(answer)["uid"]
        except AuthenticationError:
            raise AuthenticationError(f"{self.address}: the server refused the password") from None
        if not uid:
            raise AuthenticationError(f"{self.address}: {SECOND_FACTOR}")
        return Login(database, uid, session_cookie(reply), WEB)

    def leave(self, login: Login) -> None:
        """End a web session, as far as the server can be reached."""
        wire = WEB.end(secrets.randbits(NUMBER_BITS), login)
        self.transport.post(wire)

    def _post(
        self,
        dialect: Dialect,
        number: int,
        request: Request | None,
        wire: Wire,
        timeout: float | None = None,
    ) -> Answer | Fault:
        reads = request is None or request.method in READS
        reply = self.transport.post(wire, timeout, reads=reads)
        if isinstance(reply, Fault):
            return reply
        return dialect.read(number, request, reply, self.address)
