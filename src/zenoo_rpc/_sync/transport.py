"""Sends bodies and brings replies: the only file that knows httpx."""

from __future__ import annotations

import math
import os
import socket
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from functools import cache, partial
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any, Self

import httpx

from .._compat import Event, caller, home
from .._core.exchange import CONTENT_TYPE, Wire
from .._core.faults import Fault, Kind, never_sent, transport_fault
from .._core.foreign import Reply
from .._core.gate import Gate
from .._version import __version__
from ..errors import ClientClosedError, InvalidValueError, UsageError
from ..wire import arguments
from ..wire.encoding import is_header

CONNECT_TIMEOUT = 10.0

# Odoo closes after every answer; a proxy in front keeps alive, most for a minute or more. A short
# life in the pool keeps a request off a connection that the other side is about to close.
KEEPALIVE_EXPIRY = 2.0

# The moment by which the call of this task or thread must have its answer.
ENDS: ContextVar[float] = ContextVar("zenoo_rpc_ends", default=math.inf)

# A worker of Odoo's hangs up when nothing comes for 2 s, as when our event loop is busy that long.
FRESH = 1.0

INSIDE = (
    "close() was called in the middle of a call of the same thread, as by a signal handler: it "
    "would wait for itself. Raise an exception there instead, and close the client afterwards"
)


class NoProxyError(httpx.ConnectError):
    """The proxy was not reached; httpx has the same exception for proxy and server."""


# httpx's exception -> what happened; the first class that fits decides
KINDS: tuple[tuple[type[Exception], Kind], ...] = (
    (NoProxyError, Kind.PROXY),
    (httpx.ConnectTimeout, Kind.CONNECT_TIMEOUT),
    (httpx.ConnectError, Kind.NO_CONNECTION),
    (httpx.PoolTimeout, Kind.NO_CONNECTION),
    (httpx.UnsupportedProtocol, Kind.NO_CONNECTION),
    (httpx.ProxyError, Kind.PROXY),
    (httpx.LocalProtocolError, Kind.NO_CONNECTION),
    (httpx.InvalidURL, Kind.UNKNOWN_HOST),
    (UnicodeError, Kind.UNKNOWN_HOST),  # a name that DNS cannot carry
    (httpx.ReadTimeout, Kind.READ_TIMEOUT),
    (httpx.WriteTimeout, Kind.READ_TIMEOUT),
    (httpx.HTTPError, Kind.CLOSED),
)

# What is told instead of texts that quote what was sent, or what somebody answered.
WORDS: tuple[tuple[type[Exception], str], ...] = (
    (httpx.ProxyError, "it refused the connection that was asked for"),
    (httpx.LocalProtocolError, "the request is no HTTP"),
    (httpx.RemoteProtocolError, "what came is no whole HTTP answer"),
    (httpx.DecodingError, "what came cannot be decompressed"),
    (httpx.InvalidURL, "the address is none"),
    (UnicodeError, "its name cannot be looked up"),
)

# why there is no connection: what the operating system said
REASONS: tuple[tuple[type[Exception], Kind], ...] = (
    (ssl.SSLError, Kind.TLS),
    (socket.gaierror, Kind.UNKNOWN_HOST),
    (ConnectionRefusedError, Kind.REFUSED),
)


# where httpx looks for a proxy
PROXIES = tuple(
    name for each in ("HTTP", "HTTPS", "ALL") for name in (f"{each}_PROXY", f"{each}_proxy".lower())
)

# where httpx and Python look for certificates to trust, and for a place to log keys
TLS_VARIABLES = ("SSL_CERT_FILE", "SSL_CERT_DIR", "SSLKEYLOGFILE")


def _trusting(verify: bool | str | ssl.SSLContext) -> bool | ssl.SSLContext:
    """Return what httpx takes for the client's option `verify`."""
    if verify is True:
        return _usual_context(*map(os.environ.get, TLS_VARIABLES))
    if isinstance(verify, bool | ssl.SSLContext):
        return verify
    if not isinstance(verify, str):
        kind = type(verify).__name__
        raise InvalidValueError(f"verify must be True, False, a file or an SSLContext, not {kind}")
    try:
        return ssl.create_default_context(cafile=verify)
    except OSError as error:
        raise InvalidValueError(f"verify: {verify!r} has no certificates ({error})") from None


def _checked(headers: Mapping[str, str]) -> Mapping[str, str]:
    """Return headers that HTTP can carry; the error does not tell what is in them."""
    for name, value in arguments.mapping("headers", headers).items():
        texts: tuple[object, object] = (name, value)
        if not all(isinstance(text, str) and is_header(text) for text in texts):
            raise InvalidValueError(f"headers: {name!a} or its value is no printable ASCII")
    return headers


@cache
def _usual_context(*_: str | None) -> ssl.SSLContext:
    """Return httpx's own settings, shared by all clients: loading them takes longer than a call."""
    return httpx.create_ssl_context()


class Body(httpx.SyncByteStream):
    """A body in one part; httpx's own leaves a generator behind when sending fails half-way."""

    def __init__(self, content: bytes) -> None:
        self._left = [content]

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> bytes:
        if not self._left:
            raise StopIteration
        return self._left.pop()


class UsedConnectionError(Exception):
    """The connection is not a new one, so the other side may be closing it at this moment."""


class Connection:
    """What httpx tells of the connection that one request goes out on.

    It is *used* when an earlier request went over it, or when it was opened a while ago. Where it
    must not be, nothing is sent: UsedConnectionError is raised instead, which closes it. *wanted*
    is the host and port that is just being connected to.
    """

    def __init__(self, *, may_be_used: bool) -> None:
        self.may_be_used = may_be_used
        self.used = False
        self.wanted: tuple[str, int] | None = None
        self._opened = -math.inf

    def trace(self, event: str, info: Mapping[str, Any]) -> None:
        """Take note of what happens, just before it does."""
        if not event.startswith("http11."):
            self._opened = time.monotonic()
            if event.endswith(".connect_tcp.started"):
                self.wanted = info["host"], info["port"]
            elif event.endswith(".connect_tcp.complete"):
                self.wanted = None
            if event.endswith((".connect_tcp.complete", ".start_tls.complete")):
                stream = info["return_value"]
                stream.read = partial(_read_in_time, stream.read)
        elif event == "http11.send_request_headers.started":
            self.used = time.monotonic() - self._opened > FRESH
            if self.used and not self.may_be_used:
                raise UsedConnectionError


class Transport:
    """One pool of connections to one server.

    *timeout* is how long an answer may keep the caller waiting, in seconds; None waits for ever.
    """

    def __init__(
        self,
        address: str,
        *,
        timeout: float | None,
        verify: bool | str | ssl.SSLContext,
        headers: Mapping[str, str],
        max_connections: int,
        proxy: str | None = None,
        trust_env: bool = True,
    ) -> None:
        if proxy is not None:
            arguments.text("proxy", proxy)
        arguments.yes_or_no("trust_env", trust_env)
        self.address = address
        self.cookie = ""
        self._gate = Gate()
        self.timeout = timeout
        self._pool = partial(
            httpx.Client,
            headers={"User-Agent": f"zenoo-rpc/{__version__}", **_checked(headers)},
            verify=_trusting(verify),
            limits=httpx.Limits(max_connections=max_connections, keepalive_expiry=KEEPALIVE_EXPIRY),
            proxy=proxy,
            trust_env=trust_env,
        )
        self._proxy = proxy
        self._home: object = None
        self._http = self._open()

    def _open(self) -> httpx.Client:
        # Calls carry their own login; a cookie that is needed nevertheless is set by hand.
        jar = CookieJar(DefaultCookiePolicy(allowed_domains=[]))
        try:
            return self._pool(cookies=jar)
        except (ValueError, ImportError, httpx.InvalidURL):  # whose texts quote the proxy's login
            found = ["proxy"] if self._proxy else [name for name in PROXIES if name in os.environ]
            names = " or ".join(found)
            raise InvalidValueError(f"{names}: no proxy that can be used; http:// is") from None

    def _go_home(self) -> None:
        """Leave the connections alone that were made in another process or event loop."""
        here = home()
        if self._home not in (None, here):
            self._http = self._open()
        self._home = here

    @property
    def closed(self) -> bool:
        """Whether the connections are closed for good, or about to be."""
        return self._gate.is_shut

    def disconnect(self) -> None:
        """Close the connections, as soon as the requests in flight have their answers."""
        if self._gate.holds(caller()):
            raise UsageError(INSIDE)
        empty = Event()
        self._gate.shut(empty.set)
        try:
            if not empty.is_set():
                empty.wait()
        finally:
            self._http.close()

    def post(
        self, wire: Wire, timeout: float | None = None, *, reads: bool = False
    ) -> Reply | Fault:
        """Send a request and return the reply, or what the failure proves.

        Only a call that *reads* may go over a connection that was used before, and goes once more
        over a new one if that was dead. Any other call has a connection of its own: one that died
        in the pool would make it unknown, though the server never saw it.
        """
        return self._request("POST", wire, timeout, reads)

    def get(self, path: str) -> Reply | Fault:
        """Fetch *path* and return the reply, or what the failure proves."""
        return self._request("GET", Wire(path, b""), None, True)

    def _request(
        self, method: str, wire: Wire, timeout: float | None, reads: bool
    ) -> Reply | Fault:
        seconds = self.timeout if timeout is None else timeout
        who = caller()
        if not self._gate.enter(who):
            return never_sent(ClientClosedError(f"{self.address}: the client was closed"))
        try:
            return self._exchange(method, wire, seconds, reads)
        except (httpx.HTTPError, httpx.InvalidURL, UnicodeError) as error:
            kind, detail = _told(error)
            return transport_fault(kind, self.address, detail)
        finally:
            self._gate.leave(who)

    def _exchange(self, method: str, wire: Wire, seconds: float | None, reads: bool) -> Reply:
        ends = math.inf if seconds is None else time.monotonic() + seconds
        ENDS.set(ends)
        self._go_home()
        while True:
            connection = Connection(may_be_used=reads)
            request = self._built(method, wire, seconds, connection)
            try:
                response = self._http.send(request, stream=True)
                content = _content(response, ends)
                return Reply(response.status_code, response.headers, content)
            except UsedConnectionError:  # there may be more of them
                if time.monotonic() > ends:
                    raise httpx.PoolTimeout("there was no new connection in time") from None
            except httpx.HTTPError as error:
                if connection.wanted not in (None, _end(request.url)):
                    host, port = connection.wanted
                    raise NoProxyError(f"{host}:{port}: {_told(error)[1]}") from error
                late = time.monotonic() > ends
                if late or not connection.used or _told(error)[0] is not Kind.CLOSED:
                    raise
                reads = False

    def _built(
        self, method: str, wire: Wire, seconds: float | None, connection: Connection
    ) -> httpx.Request:
        headers = {} if connection.may_be_used else {"Connection": "close"}
        headers.update(wire.headers)
        if wire.body:
            headers["Content-Type"] = CONTENT_TYPE
        if self.cookie:
            headers["Cookie"] = self.cookie
        request = self._http.build_request(
            method,
            self.address + wire.path,
            content=wire.body or None,
            headers=headers,
            timeout=httpx.Timeout(seconds, connect=min(CONNECT_TIMEOUT, seconds or math.inf)),
            extensions={"trace": connection.trace},
        )
        if wire.body:
            request.stream = Body(wire.body)
        return request


def _read_in_time(read: Callable[..., Any], size: int, timeout: float | None = None) -> bytes:
    """Read from a connection: httpx's time-out is for each piece, ours for the whole answer."""
    left = ENDS.get() - time.monotonic()
    if left <= 0:
        raise httpx.ReadTimeout("the answer did not end in time")
    received: bytes = read(size, left if timeout is None else min(timeout, left))
    return received


def _content(response: httpx.Response, ends: float) -> bytes:
    """Return the whole answer; one that still trickles in after the moment *ends* is none."""
    parts = []
    late = False
    try:
        for part in response.iter_bytes():
            parts.append(part)
            late = time.monotonic() > ends
            if late:  # leaving the loop would leave its generators open; this ends them
                response.close()
    except httpx.HTTPError:
        if not late:
            raise
    finally:
        response.close()
    if late:
        raise httpx.ReadTimeout("the answer did not end in time")
    return b"".join(parts)


def _end(url: httpx.URL) -> tuple[str, int]:
    """Return the host and port that a connection without a proxy leads to."""
    return url.raw_host.decode("ascii"), url.port or (443 if url.scheme == "https" else 80)


def _told(error: Exception) -> tuple[Kind, str]:
    """Return what happened, and what was said of it by whoever knows best."""
    kind = next(kind for error_class, kind in KINDS if isinstance(error, error_class))
    if kind is Kind.NO_CONNECTION:
        for cause in _causes(error):
            for error_class, reason in REASONS:
                if isinstance(cause, error_class):
                    return reason, str(cause)
    words = (words for error_class, words in WORDS if isinstance(error, error_class))
    return kind, next(words, str(error))


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield *error* and all that it was raised from; the causes may be kept in a group."""
    yield error
    for cause in (error.__cause__ or error.__context__, *getattr(error, "exceptions", ())):
        if cause is not None:
            yield from _causes(cause)
