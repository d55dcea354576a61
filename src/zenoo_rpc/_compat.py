"""What cannot be had by taking the `async` out: each name here comes in two colours.

`_async/` uses the one with an `a` before it (`asleep`, `ACrew`, `ASTREAM`), and the generator takes
that away; so whatever `__all__` has both with and without it is such a pair.
"""

from __future__ import annotations

import inspect
import os
from collections import deque
from collections.abc import AsyncIterable, Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from functools import partial
from itertools import islice
from math import inf
from threading import BoundedSemaphore as Semaphore
from threading import Condition, Event, Lock
from threading import get_ident as caller
from time import monotonic, sleep
from types import TracebackType
from typing import Any, Self

import anyio
import anyio.lowlevel
from anyio import Event as AEvent
from anyio import Lock as ALock
from anyio import Semaphore as ASemaphore
from anyio import sleep as asleep

_LOOP: anyio.lowlevel.RunVar[object] = anyio.lowlevel.RunVar("zenoo_rpc_loop")

SIGNALS = 0.5  # seconds; a signal that comes just before a thread waits is lost to that wait


class AClosable:
    """Gives `aclose`, which `contextlib.aclosing` asks for, beside `close`."""

    async def close(self) -> None:
        """Close it for good."""
        raise NotImplementedError

    async def aclose(self) -> None:
        """Like `close`, by the name that `contextlib.aclosing` calls."""
        await self.close()


class Closable:
    """Like `AClosable`; `contextlib.closing` asks for `close` itself."""


async def acall(function: Callable[..., object], *arguments: object) -> object:
    """Call *function*, which may be plain or async, and return what it returns."""
    result = function(*arguments)
    return await result if inspect.isawaitable(result) else result


def acaller() -> int:
    """Return the number of the task that runs."""
    return anyio.get_current_task().id


def ahome() -> object:
    """Return what a connection belongs to: the process and the event loop."""
    try:
        loop = _LOOP.get()
    except LookupError:
        loop = object()
        _LOOP.set(loop)
    return os.getpid(), loop


def home() -> object:
    """Like `ahome`: the process."""
    return os.getpid()


async def anotify(callback: Callable[[Any], object], argument: object) -> None:
    """Call *callback*, which may be plain or async."""
    await acall(callback, argument)


async def ashielded(job: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Carry *job* out to its end, whoever cancels; a cancellation goes on afterwards."""
    import asyncio

    with anyio.CancelScope(shield=True):
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:  # trio knows no other way to cancel
            await job()
            return
        # From asyncio's own ways (Task.cancel, wait_for, Ctrl+C) only a task of its own is safe.
        task = loop.create_task(job())
        cancelled = None
        while not task.done():
            try:
                await asyncio.wait([task])
            except asyncio.CancelledError as error:
                cancelled = error
        task.result()
        if cancelled is not None:
            raise cancelled


def shielded(job: Callable[[], None]) -> None:
    """Like `ashielded`; a thread cannot be cancelled, and Ctrl+C does cut it off."""
    job()


def call(function: Callable[..., object], *arguments: object) -> object:
    """Like `acall`; an async function runs as far as it goes without waiting for anything."""
    result = function(*arguments)
    if inspect.iscoroutine(result):
        try:
            result.send(None)
        except StopIteration as ended:
            value: object = ended.value
            return value
        result.close()
        raise TypeError("a callback of the blocking API cannot wait: make it a plain function")
    return result


def notify(callback: Callable[[Any], object], argument: object) -> None:
    """Like `anotify`; for an async callback see `call`."""
    call(callback, argument)


def _only(error: BaseException) -> BaseException:
    """Return what a group holds, if that is one exception."""
    while isinstance(error, BaseExceptionGroup) and len(error.exceptions) == 1:
        error = error.exceptions[0]
    return error


def _comes_out(failure: BaseException, error: BaseException | None) -> bool:
    """Whether a failure is raised, though there is an *error*: Ctrl+C is, and so is `sys.exit`."""
    return error is None or (isinstance(error, Exception) and not isinstance(failure, Exception))


class ACrew:
    """Runs functions side by side, each in a task of its own; leaving the block waits for all.

    A failing one does not cut the others off: a call on the wire may already have changed
    something. It calls *stop* with the failure, so that no other is begun; the first is raised at
    the end. So it is with an exception in the block. Being cancelled cancels them all.
    """

    def __init__(self, stop: Callable[[BaseException], None], size: int) -> None:
        self._stop = stop
        self._group = anyio.create_task_group()
        self._failures: list[BaseException] = []
        self._returned = anyio.Event()
        self.busy = self.returned = 0  # how many have not returned yet, and how many have

    async def __aenter__(self) -> Self:
        await self._group.__aenter__()
        return self

    def start(self, function: Callable[..., Coroutine[Any, Any, None]], *arguments: Any) -> None:
        """Run a function beside the others."""
        self.busy += 1
        self._group.start_soon(self._guarded, function, arguments)

    async def another(self, returned: int) -> None:
        """Wait until more than so many have returned, or none is busy."""
        if self.busy and self.returned <= returned:
            self._returned = anyio.Event()
            await self._returned.wait()

    async def _guarded(
        self, function: Callable[..., Coroutine[Any, Any, None]], arguments: tuple[Any, ...]
    ) -> None:
        try:
            await function(*arguments)
        except anyio.get_cancelled_exc_class():
            raise
        except BaseException as failure:
            self._stop(failure)
            self._failures.append(failure)
        finally:
            self.busy -= 1
            self.returned += 1
            self._returned.set()

    async def __aexit__(
        self,
        error_class: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if error is not None:
            self._stop(error)
        try:
            if isinstance(error, Exception):
                await self._group.__aexit__(None, None, None)
            else:
                await self._group.__aexit__(error_class, error, traceback)
        except BaseExceptionGroup as several:  # trio raises KeyboardInterrupt inside the group
            raise _only(several) from None
        if self._failures and _comes_out(self._failures[0], error):
            raise self._failures[0]


class Crew:
    """Like `ACrew`, in at most *size* threads, which see the caller's context variables.

    A thread cannot be cut off: on KeyboardInterrupt the calls in flight are waited for.
    """

    def __init__(self, stop: Callable[[BaseException], None], size: int) -> None:
        self._stop = stop
        self._pool = ThreadPoolExecutor(size, thread_name_prefix="zenoo_rpc")
        # What no thread has begun. One append hands it over: Ctrl+C cannot come in between.
        self._waiting: deque[Callable[[], None]] = deque()
        self._changed = Condition()
        self._failures: list[BaseException] = []
        self._running = self.returned = 0

    def __enter__(self) -> Self:
        return self

    @property
    def busy(self) -> int:
        """How many have not returned yet."""
        with self._changed:
            return len(self._waiting) + self._running

    def start(self, function: Callable[..., None], *arguments: Any) -> None:
        """Run a function beside the others."""
        self._waiting.append(partial(copy_context().run, function, *arguments))
        self._pool.submit(self._next)

    def another(self, returned: int) -> None:
        """Wait until more than so many have returned, or none is busy."""
        self._wait(lambda: not self.busy or self.returned > returned)

    def _wait(self, until: Callable[[], bool]) -> None:
        with self._changed:
            while not self._changed.wait_for(until, SIGNALS):
                pass

    def _next(self) -> None:
        with self._changed:
            if not self._waiting:
                return
            function = self._waiting.popleft()
            self._running += 1
        try:
            function()
        except BaseException as failure:
            self._stop(failure)
            self._failures.append(failure)
        finally:
            with self._changed:
                self._running -= 1
                self.returned += 1
                self._changed.notify_all()

    def __exit__(
        self,
        error_class: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if error is not None:
            self._stop(error)
            if self._waiting:  # it may have come in the midst of `start`
                self._pool.submit(self._next)
        try:
            self._wait(lambda: not self.busy)
        except BaseException as second:
            self._stop(second)
            if error is None:  # a second Ctrl+C does not wait
                self._wait(lambda: not self.busy)
            raise
        finally:
            self._pool.shutdown(wait=not self.busy)
        if self._failures and _comes_out(self._failures[0], error):
            raise self._failures[0]


async def aacquire(slots: ASemaphore, seconds: float | None = None) -> bool:
    """Wait for a slot, at most so long, and take it; whether there was one."""
    with anyio.move_on_after(seconds):
        await slots.acquire()
        return True
    return False


def acquire(slots: Semaphore, seconds: float | None = None) -> bool:
    """Like `aacquire`."""
    ends = inf if seconds is None else monotonic() + seconds
    while not slots.acquire(timeout=max(0.0, min(SIGNALS, ends - monotonic()))):
        if monotonic() >= ends:
            return False
    return True


async def adraw(sources: list[Any], count: int, items: list[object]) -> None:
    """Append *count* items to *items*, or as many as the sources, plain or async, have left.

    Each is an iterator; one that has ended is taken out of the list.
    """
    while sources and len(items) < count:
        if hasattr(sources[0], "__anext__"):
            try:
                items.append(await anext(sources[0]))
            except StopAsyncIteration:
                del sources[0]
        else:
            _draw(sources, count, items)


def draw(sources: list[Any], count: int, items: list[object]) -> None:
    """Like `adraw`, from plain iterators."""
    while sources and len(items) < count:
        _draw(sources, count, items)


def _draw(sources: list[Any], count: int, items: list[object]) -> None:
    before = len(items)
    items.extend(islice(sources[0], count - before))  # keeps what came before a failure
    if len(items) < count:
        del sources[0]


# What may be read while it is sent.
ASTREAM: tuple[type, ...] = (Iterator, AsyncIterable)
STREAM: tuple[type, ...] = (Iterator,)


__all__ = [
    "ASTREAM",
    "STREAM",
    "AClosable",
    "ACrew",
    "AEvent",
    "ALock",
    "ASemaphore",
    "Closable",
    "Crew",
    "Event",
    "Lock",
    "Semaphore",
    "aacquire",
    "acall",
    "acaller",
    "acquire",
    "adraw",
    "ahome",
    "anotify",
    "ashielded",
    "asleep",
    "call",
    "caller",
    "draw",
    "home",
    "notify",
    "shielded",
    "sleep",
]
