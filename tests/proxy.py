"""A small TCP proxy between a client and a server, which makes chosen requests go wrong.

    with Proxy(server.host, server.port) as proxy:
        proxy.rule("drop_answer", nth=2, when=lambda body: b'"create"' in body)
        ...  # use proxy.url; the second create is carried out, but its answer is lost
        assert 3 == len(proxy.exchanges)

It reads whole requests (HTTP/1.x with Content-Length) and whole answers, one request per
connection unless told to keep connections alive, as a reverse proxy in front of Odoo would.

Rules and exchanges show a request's body in one form, that of JSON-RPC, whichever dialect it is in
(see `as_jsonrpc`); what is forwarded is what came.

`FAULTS` at the end names everything that can go wrong with a call, and what that proves.
"""

import itertools
import json
import random
import re
import socket
import struct
import threading
import time
from collections.abc import Callable, Collection
from contextlib import suppress
from email.utils import formatdate
from http import HTTPStatus
from io import BufferedReader
from pathlib import Path
from typing import Any, Literal, Self, get_args
from urllib.parse import unquote

import attrs

Action = Literal[
    "close_unread",  # the connection closes as soon as it is there, whatever is sent on it
    "close_before_forward",  # the server never sees the request; the connection just closes
    "reset",  # the same, by RST
    "drop_answer",  # the server answers, the client sees the connection close instead
    "reset_answer",  # the same, by RST
    "cut",  # the client gets the first half of the answer
    "hold",  # the server answers at once, the client gets it `seconds` later, or after `release()`
    "drip",  # the client gets it piece by piece, the last one `seconds` later
    "forward_late",  # the server gets the request `seconds` after the client has hung up
    "replace",  # the client gets `answer` instead; the server never sees the request
    "replace_answer",  # the server answers, the client gets `answer` instead
    "refuse",  # all goes well, but nothing listens from then on, for `seconds` or until `listen()`
]
LOST = frozenset(["close_unread", "close_before_forward", "reset", "replace"])  # not forwarded
PIECES = 20  # that an answer drips in
ABORT = struct.pack("ii", 1, 0)  # SO_LINGER: close by RST

JSON2_PATH = re.compile(r"/json/2/([^/?]+)/([^/?]+)")
# The order of a method's arguments, as Odoo 19 tells it.
RECORDED = Path(__file__).parent / "standin" / "recorded" / "19"
SIGNATURES: dict[str, Any] = json.loads((RECORDED / "signatures.json").read_text())

# An HTTP response, or what makes it of an exchange.
Answer = bytes | Callable[["Exchange"], bytes]


End = Literal[
    "announced",  # the last answer says so, as with nginx's `keepalive_requests`
    "closed",
    "reset",
    "half-closed",  # nothing more comes from the proxy, which still listens
    "as a request comes",  # closed then, with the request unread: the client could not know
]
ENDS: tuple[End, ...] = get_args(End)


@attrs.frozen
class KeepAlive:
    """How a client's connection ends: after some *requests*, or *seconds* without one."""

    end: End
    requests: int = 1_000_000
    seconds: float | None = None


@attrs.define
class Exchange:
    """One request that came in, and what became of it.

    Its *body* is in the form of JSON-RPC, *sent* is as it came.
    """

    number: int
    path: str
    body: bytes = attrs.field(repr=False)
    sent: bytes = attrs.field(default=b"", repr=False, kw_only=True)
    action: Action | None = None
    delay: float = 0
    forwarded: bool = False
    answer: bytes | None = attrs.field(default=None, repr=False)
    fault: "Fault | None" = None
    in_flight: bool = attrs.field(default=False, repr=False)
    began: float = attrs.field(factory=time.monotonic, repr=False)

    @property
    def protocol(self) -> str:
        """The dialect of the request, `jsonrpc` or `json2`."""
        return "json2" if JSON2_PATH.fullmatch(self.path) else "jsonrpc"


@attrs.define
class Rule:
    """What to do with which requests: those *when* is true of, of these every or the *nth* ones."""

    action: Action = attrs.field(validator=attrs.validators.in_(get_args(Action)))
    nth: Collection[int] | None
    when: Callable[[bytes], bool]
    answer: Answer
    seconds: float
    fault: "Fault | None" = None
    matched: int = 0

    def applies(self, body: bytes) -> bool:
        """Count a request in if it matches, and tell whether it is one of the nth."""
        if not self.when(body):
            return False
        self.matched += 1
        return self.nth is None or self.matched in self.nth


class Proxy:
    """Listens on 127.0.0.1 and forwards to *host*:*port*; a context manager.

    *jitter* delays each request by up to so many seconds, drawn from an rng seeded with *seed* in
    the order of arrival. *keep_alive* keeps client connections open between requests, for ever or
    as it says.
    """

    def __init__(
        self,
        host: str,
        port: int,
        *,
        jitter: float = 0,
        seed: int = 0,
        keep_alive: bool | KeepAlive = False,
    ) -> None:
        self._target = (host, port)
        self._jitter = jitter
        self._rng = random.Random(seed)
        self._keep_alive = keep_alive
        self._ending = keep_alive if isinstance(keep_alive, KeepAlive) else None
        self._lock = threading.RLock()
        self._closing = threading.Event()
        self._released = threading.Event()
        self._rules: list[Rule] = []
        self._listener: socket.socket | None = None
        self._open: set[socket.socket] = set()
        self._idle: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self._failures: list[Exception] = []
        self._in_flight = 0
        self.port = 0
        self.connections = 0
        self.ended = 0  # connections that were kept alive and take no further request
        self.unread = 0  # requests that came when their connection was about to end
        self.peak = 0  # the most requests that were in flight at once
        self.exchanges: list[Exchange] = []

    @property
    def url(self) -> str:
        """Where a client finds the proxy."""
        return f"http://127.0.0.1:{self.port}"

    def rule(
        self,
        action: Action,
        *,
        nth: int | Collection[int] | None = None,
        when: Callable[[bytes], bool] = lambda body: True,
        answer: Answer = b"",
        seconds: float = 3600,
        fault: "Fault | None" = None,
    ) -> None:
        """Apply *action* to the requests whose body *when* is true of, of these every or the *nth*.

        Counting starts with 1, now. The first rule that applies wins. *answer* is the raw HTTP
        response of "replace" and "replace_answer", *seconds* the time that "hold", "drip",
        "forward_late" and "refuse" take, *fault* what the exchange is said to have met.
        "close_unread" sees no body: it counts connections.
        """
        wanted = [nth] if isinstance(nth, int) else nth
        with self._lock:
            self._rules.append(Rule(action, wanted, when, answer, seconds, fault))

    def listen(self) -> None:
        """Accept connections (again), always on the same port."""
        with self._lock:
            if self._closing.is_set():
                return
            listener = socket.create_server(("127.0.0.1", self.port), backlog=128)
            self.port = listener.getsockname()[1]
            self._listener = listener
            self._start(self._accept, listener)

    def refuse(self) -> None:
        """Stop listening: new connections are refused, open ones live on."""
        listener, self._listener = self._listener, None
        if listener is not None:
            listener.setblocking(False)
            with suppress(OSError):
                while True:  # who waits to be accepted was not refused, and must not be reset
                    self._take(listener.accept()[0])
            with suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)  # wakes up accept()
            listener.close()

    def release(self) -> None:
        """Give the answers that are on hold, and hold none back from now on."""
        self._released.set()

    def settle(self, timeout: float = 60) -> None:
        """Wait until the server has answered all that was forwarded."""
        deadline = time.monotonic() + timeout
        while any(each.forwarded and each.answer is None for each in list(self.exchanges)):
            assert time.monotonic() < deadline, "the server does not answer what was forwarded"
            time.sleep(0.005)

    def close_idle(self) -> int:
        """Close the connections that are kept alive and carry no request; return how many."""
        with self._lock:
            idle = list(self._idle)
            for client in idle:
                with suppress(OSError):
                    client.shutdown(socket.SHUT_RDWR)
        return len(idle)

    def __enter__(self) -> Self:
        self.listen()
        return self

    def __exit__(self, *_: object) -> None:
        with self._lock:  # from now on nobody listens again, and no connection is added
            self._closing.set()
        self.refuse()
        self._released.set()
        with self._lock:
            for connection in self._open:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(10)
            assert not thread.is_alive(), "a thread of the proxy hangs"
        if self._failures:
            raise ExceptionGroup("in the proxy", self._failures)

    def _start(self, target: Callable[[Any], None], argument: object) -> None:
        thread = threading.Thread(target=self._guarded, args=(target, argument), daemon=True)
        self._threads.append(thread)
        thread.start()

    def _guarded(self, target: Callable[[Any], None], argument: object) -> None:
        try:
            target(argument)
        except Exception as error:  # raised again where the proxy is left
            if not self._closing.is_set():
                self._failures.append(error)

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:  # by refuse()
                return
            self._take(client)

    def _take(self, client: socket.socket) -> None:
        client.setblocking(True)
        with self._lock:
            if self._closing.is_set():
                client.close()
                return
            self.connections += 1
            rule = self._rule(b"", unread=True)
            if rule is not None:
                self._note("", b"", rule)
            else:
                self._open.add(client)
        if rule is not None:
            client.close()
        else:
            self._start(self._serve, client)

    def _listen_later(self, seconds: float) -> None:
        if not self._closing.wait(seconds) and self._listener is None:
            self.listen()

    def _serve(self, client: socket.socket) -> None:
        try:
            with client, client.makefile("rb") as stream:
                for number in itertools.count(1):
                    with self._lock:
                        self._idle.add(client)
                    if number > 1 and self._ends(client, number):
                        return
                    request = _read_request(stream)
                    with self._lock:
                        self._idle.discard(client)
                    if request is None or not self._exchange(client, number, *request):
                        return
        finally:
            with self._lock:
                self._idle.discard(client)
                self._open.discard(client)

    def _ends(self, client: socket.socket, number: int) -> bool:
        """Wait for request *number*, or end the connection instead; return whether it ended."""
        ending = self._ending
        if ending is None or (number <= ending.requests and _comes(client, ending.seconds)):
            return False
        with self._lock:
            self.ended += 1
        with suppress(OSError):
            match ending.end:
                case "reset":
                    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, ABORT)
                case "half-closed":
                    client.shutdown(socket.SHUT_WR)
                    self._count_unread(client)
                case "as a request comes":
                    self._count_unread(client)
        return True

    def _count_unread(self, client: socket.socket) -> None:
        if client.recv(1):
            with self._lock:
                self.unread += 1

    def _exchange(self, client: socket.socket, number: int, head: bytes, body: bytes) -> bool:
        """Carry one request out; return whether the connection stays open."""
        exchange, rule = self._arrive(head, body)
        try:
            self._closing.wait(exchange.delay)
            if exchange.action == "forward_late":
                assert rule is not None
                with suppress(ConnectionError):
                    client.recv(1)  # nothing comes but the end
                self._closing.wait(rule.seconds)
            if exchange.forwarded:
                exchange.answer = self._forward(head, body)
            if exchange.action is None:
                self._leave(exchange)  # before the client can send its next request
            return self._answer(client, number, exchange, rule)
        finally:
            self._leave(exchange)

    def _leave(self, exchange: Exchange) -> None:
        with self._lock:
            self._in_flight -= exchange.in_flight
            exchange.in_flight = False

    def _arrive(self, head: bytes, body: bytes) -> tuple[Exchange, Rule | None]:
        path = head.split(b" ", 2)[1].decode("ascii")
        shown = as_jsonrpc(path, head, body)
        with self._lock:
            rule = self._rule(shown, unread=False)
            exchange = self._note(path, shown, rule)
            exchange.sent = body
            exchange.delay = self._rng.uniform(0, self._jitter)
            exchange.forwarded = exchange.action not in LOST
            self._in_flight += 1
            exchange.in_flight = True
            self.peak = max(self.peak, self._in_flight)
            if rule is not None and rule.action == "refuse":
                self.refuse()  # under the lock: nobody else is served in between
                self._start(self._listen_later, rule.seconds)
            return exchange, rule

    def _rule(self, body: bytes, *, unread: bool) -> Rule | None:
        fitting = (rule for rule in self._rules if (rule.action == "close_unread") is unread)
        return next((rule for rule in fitting if rule.applies(body)), None)

    def _note(self, path: str, body: bytes, rule: Rule | None) -> Exchange:
        exchange = Exchange(len(self.exchanges) + 1, path, body)
        if rule is not None:
            exchange.action, exchange.fault = rule.action, rule.fault
        self.exchanges.append(exchange)
        return exchange

    def _forward(self, head: bytes, body: bytes) -> bytes:
        """Send the request over a connection of its own; return the answer up to its end."""
        answer = b""
        try:
            upstream = socket.create_connection(self._target)
        except OSError as error:
            self._failures.append(error)
            return b""
        with upstream:
            with self._lock:
                if self._closing.is_set():
                    return b""
                self._open.add(upstream)
            try:
                upstream.sendall(_with_header(head, b"Connection", b"close") + body)
                while received := upstream.recv(65536):
                    answer += received
            except ConnectionError:
                pass  # the server broke off: so does the answer, for the client as well
            finally:
                with self._lock:
                    self._open.discard(upstream)
        return answer

    def _answer(
        self, client: socket.socket, number: int, exchange: Exchange, rule: Rule | None
    ) -> bool:
        answer = exchange.answer or b""
        match exchange.action:
            case "close_before_forward" | "drop_answer" | "forward_late":
                return False
            case "reset" | "reset_answer":
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, ABORT)
                return False
            case "cut":
                return _send(client, answer[: len(answer) // 2], stay_open=False)
            case "hold":
                assert rule is not None
                self._released.wait(rule.seconds)
            case "drip":
                assert rule is not None
                return self._drip(client, answer, rule.seconds)
            case "replace" | "replace_answer":
                assert rule is not None
                given = rule.answer
                exchange.answer = given if isinstance(given, bytes) else given(exchange)
                return _send(client, exchange.answer, stay_open=False)
        if self._keep_alive and answer and self._ending != KeepAlive("announced", number):
            return _send(client, _kept_alive(answer), stay_open=True)
        return _send(client, answer, stay_open=False)

    def _drip(self, client: socket.socket, answer: bytes, seconds: float) -> bool:
        size = len(answer) // PIECES + 1
        for start in range(0, len(answer), size):
            if start:
                self._closing.wait(seconds / PIECES)
            if not _send(client, answer[start : start + size], stay_open=True):
                break
        return False


def _send(client: socket.socket, answer: bytes, *, stay_open: bool) -> bool:
    """Send *answer* to a client that may have hung up; return whether it stays connected."""
    try:
        client.sendall(answer)
    except ConnectionError:
        return False
    return stay_open


def _comes(client: socket.socket, seconds: float | None) -> bool:
    """Wait for the next request, at most so long; return whether it, or the end, is there."""
    client.settimeout(seconds)
    try:
        client.recv(1, socket.MSG_PEEK)
    except TimeoutError:
        return False
    except ConnectionError:
        pass  # as the next to read will see
    finally:
        client.settimeout(None)
    return True


def _read_request(stream: BufferedReader) -> tuple[bytes, bytes] | None:
    """Return head and body of the next request, or None where the client closed instead."""
    head = b""
    try:
        while not head.endswith(b"\r\n\r\n"):
            line = stream.readline()
            if not line:
                return None
            head += line
        assert b"transfer-encoding:" not in head.lower(), "the proxy reads by Content-Length only"
        length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
        wanted = int(length[1]) if length else 0
        body = stream.read(wanted)
    except ConnectionError:
        return None
    return (head, body) if len(body) == wanted else None


def as_jsonrpc(path: str, head: bytes, body: bytes) -> bytes:
    """Return the body of a request as JSON-RPC would have it.

    One of JSON-2 has the rest in its path and headers, and names its arguments; they become
    positional as far as the method's signature goes. Who calls is not told there: it has no uid.
    """
    match = JSON2_PATH.fullmatch(path)
    if match is None:
        return body
    model, method = map(unquote, match.groups())
    lines = [line.partition(":") for line in head.decode("latin-1").splitlines()]
    headers = {name.lower(): value.strip() for name, _, value in lines}
    who = [headers.get("x-odoo-database"), None, headers["authorization"].removeprefix("bearer ")]
    kwargs = json.loads(body)
    args = []
    for name in _order(method):
        if name not in kwargs:
            break
        args.append(kwargs.pop(name))
    params = {"args": [*who, model, method, args, kwargs]}
    return json.dumps({"params": params}, ensure_ascii=False, separators=(",", ":")).encode()


def _order(method: str) -> list[str]:
    """Return the names of a method's arguments, the ids first where it works on records."""
    signature = SIGNATURES.get(method, {"on_records": False, "arguments": {}})
    return ["ids"] * signature["on_records"] + list(signature["arguments"])


def _with_header(head: bytes, name: bytes, value: bytes) -> bytes:
    """Return *head* with one header set, and no other of that name."""
    first, _, rest = head.removesuffix(b"\r\n\r\n").partition(b"\r\n")
    headers = [
        h for h in rest.split(b"\r\n") if h and not h.lower().startswith(name.lower() + b":")
    ]
    return b"\r\n".join([first, *headers, name + b": " + value]) + b"\r\n\r\n"


def _kept_alive(answer: bytes) -> bytes:
    """Return an answer that ended with its connection as one that leaves it open."""
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"transfer-encoding:" not in head.lower(), "an answer in chunks cannot be passed on here"
    head = head.replace(b"HTTP/1.0", b"HTTP/1.1", 1) + b"\r\n\r\n"
    head = _with_header(head, b"Connection", b"keep-alive")
    return _with_header(head, b"Content-Length", str(len(body)).encode()) + body


Proof = Literal["applied", "never sent", "not run", "rolled back", "unknown"]
Existence = Literal["applied", "not sent", "refused", "unknown"]
TOLD: dict[Proof, Existence] = {
    "applied": "applied",
    "never sent": "not sent",
    "not run": "not sent",
    "rolled back": "refused",
    "unknown": "unknown",
}


@attrs.frozen
class Fault:
    """Something that goes wrong with one call: what it *proves*, and what its records are *told*.

    That is what the client can know: it *proves* "unknown" also where we know that the server
    never saw the request. *outlasts* says that the answer comes after any time-out, *protocol* in
    which dialect only it can happen.
    """

    name: str
    proves: Proof
    action: Action
    answer: Answer = attrs.field(default=b"", repr=False)
    seconds: float = 3600
    outlasts: bool = False
    protocol: str = ""
    told: Existence = attrs.field(kw_only=True)

    @told.default
    def _told(self) -> Existence:
        return TOLD[self.proves]

    def __str__(self) -> str:
        return self.name

    @property
    def is_blind(self) -> bool:
        """Whether it happens to a connection, whatever is sent on it."""
        return self.action in ("refuse", "close_unread")

    def briefly(self) -> Self:
        """Return the fault with a server that is back soon."""
        return attrs.evolve(self, seconds=0.1) if self.action == "refuse" else self

    def arm(
        self, proxy: Proxy, nth: int, when: Callable[[bytes], bool] = lambda body: True
    ) -> None:
        """Let it happen to the *nth* call from now on, of those that *when* is true of.

        Where it is not the call that is chosen, but its connection, *when* cannot be asked.
        """
        if self.action != "refuse":
            proxy.rule(
                self.action,
                nth=nth,
                when=when,
                answer=self.answer,
                seconds=self.seconds,
                fault=self,
            )
        elif nth > 1:
            proxy.rule("refuse", nth=nth - 1, seconds=self.seconds)
        else:
            proxy.refuse()


def http_answer(
    status: int, body: bytes = b"", content_type: str = "text/html", **headers: str
) -> bytes:
    """Return an HTTP response; an underscore in a header's name stands for a hyphen."""
    lines = [
        f"HTTP/1.1 {status} {HTTPStatus(status).phrase}",
        f"Content-Type: {content_type}",
        f"Content-Length: {len(body)}",
        "Connection: close",
        *(f"{name.replace('_', '-')}: {value}" for name, value in headers.items()),
    ]
    return "\r\n".join([*lines, "", ""]).encode("ascii") + body


# What JSON-2 answers to Odoo's own exceptions; to all others 500.
STATUSES = {
    "odoo.exceptions.AccessDenied": 403,
    "odoo.exceptions.AccessError": 403,
    "odoo.exceptions.MissingError": 404,
    "odoo.exceptions.UserError": 422,
    "odoo.exceptions.ValidationError": 422,
    "werkzeug.exceptions.NotFound": 404,
    "werkzeug.exceptions.Unauthorized": 401,
    "werkzeug.exceptions.UnprocessableEntity": 422,
}


# Where an exception was raised, by the names of 19: in the method, or in what follows the commit.
IN_THE_METHOD = """\
  File "/odoo/service/model.py", line 188, in retrying
    result = func()
"""
IN_THE_COMMIT = """\
  File "/odoo/service/model.py", line 234, in retrying
    env.cr.commit()  # effectively commits and execute post-commits
  File "/odoo/sql_db.py", line 557, in commit
    self._cnx.commit()
"""
IN_A_HOOK = """\
  File "/odoo/service/model.py", line 234, in retrying
    env.cr.commit()  # effectively commits and execute post-commits
  File "/odoo/sql_db.py", line 562, in commit
    self.postcommit.run()
"""
IN_THE_SIGNALS = """\
  File "/odoo/service/model.py", line 235, in retrying
    env.registry.signal_changes()
  File "/odoo/orm/registry.py", line 1110, in signal_changes
    with self.cursor() as cr:
"""


def error_data(name: str, message: str, frames: str = IN_THE_METHOD) -> dict[str, object]:
    """Return what Odoo says of an exception of the class *name* that went through *frames*."""
    traceback = f"Traceback (most recent call last):\n{frames}" if frames else ""
    debug = f"{traceback}{name.removeprefix('builtins.')}: {message}\n"
    return {
        "name": name,
        "message": message,
        "arguments": [message],
        "context": {},
        "debug": debug,
    }


def error_answer(exchange: Exchange, data: object, **more: object) -> bytes:
    """Return the response in which Odoo reports an exception; *more* is of JSON-RPC's body."""
    if exchange.protocol == "json2":
        name = data.get("name") if isinstance(data, dict) else None
        status = STATUSES.get(name, 500) if isinstance(name, str) else 500
        return http_answer(status, json.dumps(data).encode(), "application/json; charset=utf-8")
    asked = json.loads(exchange.body or b"{}")
    number = asked.get("id") if isinstance(asked, dict) else None
    error = {"code": 0, "message": "Odoo Server Error", "data": data}
    body = json.dumps({"jsonrpc": "2.0", "id": number, "error": error, **more}).encode()
    return http_answer(200, body, "application/json")


def odoo_error(name: str, message: str, frames: str = IN_THE_METHOD, **more: object) -> Answer:
    """Return what answers a request, in its dialect, as Odoo reports an exception."""
    return lambda exchange: error_answer(exchange, error_data(name, message, frames), **more)


def part_of_an_error(**other: object) -> Answer:
    """Return what answers a request with an error of Odoo's that is not whole: None leaves out."""
    data = {**error_data("odoo.exceptions.UserError", "No."), **other}
    left = {name: value for name, value in data.items() if value is not None}
    return lambda exchange: error_answer(exchange, left)


def key_refused(exchange: Exchange) -> bytes:
    """Return the response to a password or key that is not, or no longer, right."""
    if exchange.protocol == "json2":
        data = error_data("werkzeug.exceptions.Unauthorized", "Invalid apikey")
    else:
        data = error_data("odoo.exceptions.AccessDenied", "Access Denied", frames="")
    return error_answer(exchange, data)


def of_another_request(exchange: Exchange) -> bytes:
    """Return the server's answer as if it were another request's.

    In JSON-RPC it has the other's id. JSON-2 has no ids, so that only an answer of another shape
    can be told: a text, which none of the methods here returns.
    """
    answer = (exchange.answer or b"").partition(b"\r\n\r\n")[2]
    body = json.dumps("Ann")
    if exchange.protocol == "jsonrpc":
        body = json.dumps({**json.loads(answer), "id": 1_000_000})  # of which there is none
    return http_answer(200, body.encode(), "application/json")


def with_result(change: Callable[[Any], object]) -> Answer:
    """Return what answers with another result than the server's: what *change* makes of that."""

    def answer(exchange: Exchange) -> bytes:
        said = json.loads((exchange.answer or b"").partition(b"\r\n\r\n")[2])
        if exchange.protocol == "json2":
            body = change(said)
        else:
            body = {**said, "result": change(said["result"])}
        return http_answer(200, json.dumps(body).encode(), "application/json")

    return answer


PAGES = {
    "500 page": http_answer(500, b"<h1>Internal Server Error</h1>"),
    "502": http_answer(502, b"<h1>Bad Gateway</h1>"),
    "503 without Retry-After": http_answer(503, b"<h1>Service Unavailable</h1>"),
    "504": http_answer(504, b"<h1>Gateway Time-out</h1>"),
    "200 login page": http_answer(200, b"<html><form action='/web/login'></form></html>"),
    "200 maintenance page": http_answer(200, b"<html>We are back soon</html>"),
    "200 without a body": http_answer(200),
    "200 with other JSON": http_answer(200, b'{"status": "ok"}', "application/json"),
}
MOMENTS: tuple[tuple[str, Action], ...] = (
    ("", "replace"),
    (" after the commit", "replace_answer"),
)
SOON = formatdate(time.time() + 1, usegmt=True)

FAULTS = (
    Fault("slow answer", "applied", "drip", seconds=0.2),
    Fault("refused connection", "never sent", "refuse"),
    Fault("closed unread", "unknown", "close_unread"),
    Fault("closed before the server saw it", "unknown", "close_before_forward"),
    Fault("reset before the server saw it", "unknown", "reset"),
    Fault("closed after the commit", "unknown", "drop_answer"),
    Fault("reset after the commit", "unknown", "reset_answer"),
    Fault("cut answer", "unknown", "cut"),
    Fault("late answer", "unknown", "hold", outlasts=True),
    Fault("carried out late", "unknown", "forward_late", seconds=0.2, outlasts=True),
    Fault("answer to another request", "unknown", "replace_answer", of_another_request),
    Fault("429 with seconds", "not run", "replace", http_answer(429, Retry_After="1")),
    Fault("429 with a date", "not run", "replace", http_answer(429, Retry_After=SOON)),
    Fault("429 without Retry-After", "not run", "replace", http_answer(429)),
    Fault("503 with seconds", "unknown", "replace", http_answer(503, Retry_After="1")),
    Fault("503 with a date", "unknown", "replace", http_answer(503, Retry_After=SOON)),
    Fault("404 page", "unknown", "replace", http_answer(404, b"<h1>Not Found</h1>")),
    *(Fault(name, "unknown", "replace", page) for name, page in PAGES.items()),
    *(
        Fault(f"{name} after the commit", "unknown", "replace_answer", PAGES[name])
        for name in ("500 page", "502", "504", "200 login page", "200 without a body")
    ),
    Fault(
        "no free database connection",
        "not run",
        "replace",
        odoo_error("psycopg2.pool.PoolError", "The Connection Pool Is Full"),
    ),
    Fault(
        "conflict that the server gave up on",
        "rolled back",
        "replace",
        odoo_error("psycopg2.errors.SerializationFailure", "could not serialize access"),
        told="applied",  # once it is sent again, when nothing is beside it
    ),
    Fault(
        "database lost after the commit",
        "unknown",
        "replace_answer",
        odoo_error("psycopg2.OperationalError", "server closed the connection unexpectedly"),
    ),
)

# The same, of who may not call: a wrong or ended login.
TURNED_AWAY = (Fault("login refused", "not run", "replace", key_refused),)

# What looks like a refusal and proves none, as it may be said after the call was carried out: each
# once in the server's place, and once after the commit.
FORBIDDEN = {
    f"{status} page": http_answer(status, b"<h1>No</h1>") for status in (400, 401, 403, 405, 408)
}
PARTS_OF_AN_ERROR = {
    "error whose name is no text": part_of_an_error(name=["odoo.exceptions.UserError"]),
    "error without a name": part_of_an_error(name=None),
    "error whose message is no text": part_of_an_error(message={"en_US": "No."}),
    "error without a traceback": part_of_an_error(debug=None),
    "error with an empty traceback": part_of_an_error(debug=""),
    "error without data": lambda exchange: error_answer(exchange, {}),
}
OF_JSONRPC = {
    "error without an id": odoo_error("odoo.exceptions.UserError", "No.", id=None),
    "error with another id": odoo_error("odoo.exceptions.UserError", "No.", id=1_000_000),
    "error beside a result": odoo_error("odoo.exceptions.UserError", "No.", result=True),
    "error beside no result": odoo_error("odoo.exceptions.UserError", "No.", result=None),
}
AT_THE_COMMIT = {
    "error of the commit": odoo_error("odoo.exceptions.UserError", "No.", IN_THE_COMMIT),
    "error of a hook": odoo_error("odoo.exceptions.UserError", "No.", IN_A_HOOK),
    "missing record of a hook": odoo_error("odoo.exceptions.MissingError", "Gone.", IN_A_HOOK),
    "conflict of a hook": odoo_error(
        "psycopg2.errors.SerializationFailure", "could not serialize access", IN_A_HOOK
    ),
    "no free database connection for the news": odoo_error(
        "psycopg2.pool.PoolError", "The Connection Pool Is Full", IN_THE_SIGNALS
    ),
}
UNPROVEN = (
    *(
        Fault(f"{name} after the commit", "unknown", "replace_answer", fault.answer)
        for name, fault in {fault.name: fault for fault in FAULTS}.items()
        if name in ("503 with seconds", "503 with a date", "503 without Retry-After", "404 page")
    ),
    *(
        Fault(name + when, "unknown", action, answer, protocol=protocol)
        for answers, protocol in (
            ({**FORBIDDEN, **PARTS_OF_AN_ERROR, **AT_THE_COMMIT}, ""),
            (OF_JSONRPC, "jsonrpc"),
        )
        for name, answer in answers.items()
        for when, action in MOMENTS
    ),
)
