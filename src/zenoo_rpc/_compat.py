"""What cannot be had by taking the `async` out: each name here comes in two colours.

`_async/` uses the left-hand name; the generator swaps in the right-hand one.

    anotify      notify
    arun_workers run_workers
    AClosable    Closable
    AEvent       Event
    ALock        Lock
    ASemaphore   Semaphore
    asleep       sleep
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor, wait
from contextvars import copy_context
from threading import BoundedSemaphore as Semaphore
from threading import Event, Lock
from time import sleep
from typing import Any

import anyio
from anyio import Event as AEvent
from anyio import Lock as ALock
from anyio import Semaphore as ASemaphore
from anyio import sleep as asleep


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


async def anotify(callback: Callable[[Any], object], argument: object) -> None:
    """Call *callback*, which may be plain or async."""
    result = callback(argument)
    if inspect.isawaitable(result):
        await result


def notify(callback: Callable[[Any], object], argument: object) -> None:
    """Like `anotify`; an async callback runs as far as it goes without waiting for anything."""
    result = callback(argument)
    if inspect.iscoroutine(result):
        try:
            result.send(None)
        except StopIteration:
            return
        result.close()
        raise TypeError("a callback of the blocking API cannot wait: make it a plain function")


async def arun_workers(
    worker: Callable[[], Coroutine[Any, Any, None]], count: int, stop: Callable[[], None]
) -> None:
    """Run *count* copies of *worker* side by side until all have returned.

    A failing worker does not cut its siblings off: a call on the wire may already have changed
    something. It calls *stop*, so that they begin no other; the first failure is raised at the end.
    """
    failures: list[BaseException] = []

    async def guarded() -> None:
        try:
            await worker()
        except anyio.get_cancelled_exc_class():
            raise
        except BaseException as failure:
            stop()
            failures.append(failure)

    try:
        async with anyio.create_task_group() as group:
            for _ in range(count):
                group.start_soon(guarded)
    except BaseExceptionGroup as several:  # trio raises KeyboardInterrupt inside the group
        raise _only(several) from None
    if failures:
        raise failures[0]


def _only(error: BaseException) -> BaseException:
    """Return what a group holds, if that is one exception."""
    while isinstance(error, BaseExceptionGroup) and len(error.exceptions) == 1:
        error = error.exceptions[0]
    return error


def run_workers(worker: Callable[[], None], count: int, stop: Callable[[], None]) -> None:
    """Like `arun_workers`, in threads that see the caller's context variables.

    A thread cannot be cut off: on KeyboardInterrupt the calls in flight are waited for.
    """
    failures: list[BaseException] = []

    def guarded() -> None:
        try:
            worker()
        except BaseException as failure:
            stop()
            failures.append(failure)

    with ThreadPoolExecutor(count, thread_name_prefix="zenoo_rpc") as pool:
        try:
            futures = [pool.submit(copy_context().run, guarded) for _ in range(count)]
            while wait(futures, timeout=0.5).not_done:  # a signal just before a wait is lost to it
                pass
        except BaseException:
            stop()
            raise
    if failures:
        raise failures[0]


__all__ = [
    "AClosable",
    "AEvent",
    "ALock",
    "ASemaphore",
    "Closable",
    "Event",
    "Lock",
    "Semaphore",
    "anotify",
    "arun_workers",
    "asleep",
    "notify",
    "run_workers",
    "sleep",
]
