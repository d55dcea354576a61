"""What comes in two colours: workers that finish their call, and callbacks of either colour."""

import contextlib
import inspect
import signal
import threading
import time
from contextvars import ContextVar

import anyio.lowlevel
import pytest

from zenoo_rpc import _compat
from zenoo_rpc._compat import AClosable, Closable, anotify, arun_workers, notify, run_workers

WAIT = 5  # seconds that a test waits for what should come at once

request_id: ContextVar[str] = ContextVar("request_id", default="none")


class Failed(Exception):  # noqa: N818  it is what a worker raises, not an error of ours
    pass


class Calls:
    """A run of a few calls, which can be stopped."""

    def __init__(self, count=20):
        self.left = count
        self.ended = 0
        self.stopped = False

    def stop(self):
        self.stopped = True

    def take(self):
        if self.stopped or not self.left:
            return False
        self.left -= 1
        return True


# -- workers ---------------------------------------------------------------------------------------


async def test_async_workers_share_the_work():
    """Each of the workers takes part, and all have returned at the end."""
    calls, seen = Calls(), set()

    async def worker():
        me = object()
        while calls.take():
            seen.add(me)
            await anyio.lowlevel.checkpoint()
            calls.ended += 1

    await arun_workers(worker, 4, calls.stop)

    assert (20, 4, False) == (calls.ended, len(seen), calls.stopped)


def test_workers_share_the_work():
    """Each of the workers takes part, in a thread of its own, and all have returned at the end."""
    together = threading.Barrier(4)
    seen = set()

    def worker():
        together.wait(WAIT)
        seen.add(threading.current_thread())

    run_workers(worker, 4, pytest.fail)

    assert 4 == len(seen)
    assert not any(thread.is_alive() for thread in seen)
    assert {"zenoo_rpc"} == {thread.name.partition("_0")[0][:9] for thread in seen}


async def test_async_failure_lets_siblings_finish():
    """A failing worker stops the run; its siblings end their call and take no other."""
    calls = Calls()
    begun, failed = anyio.Event(), anyio.Event()
    names = iter(["sibling", "failing"])

    async def worker():
        if next(names) == "failing":
            await begun.wait()
            failed.set()
            raise Failed("in the middle")
        while calls.take():
            begun.set()
            await failed.wait()
            await anyio.sleep(0.01)
            calls.ended += 1

    with pytest.raises(Failed, match="in the middle"):
        await arun_workers(worker, 2, calls.stop)

    assert (1, True) == (calls.ended, calls.stopped)


@pytest.mark.parametrize("first", ["failing", "sibling"])
def test_failure_lets_siblings_finish(first):
    """A failing worker stops the run; its siblings end their call and take no other."""
    calls, starting = Calls(), threading.Lock()
    names = iter([first, "sibling" if first == "failing" else "failing"])
    begun, failed, stopped = threading.Event(), threading.Event(), threading.Event()

    def stop():
        calls.stop()
        stopped.set()

    def worker():
        with starting:
            name = next(names)
        if name == "failing":
            begun.wait(WAIT)
            failed.set()
            raise Failed("in the middle")
        while calls.take():
            begun.set()
            failed.wait(WAIT)
            stopped.wait(0.2)  # its call ends a little after the failure
            calls.ended += 1
            if calls.ended == 3:
                return

    with pytest.raises(Failed, match="in the middle"):
        run_workers(worker, 2, stop)

    assert (1, True) == (calls.ended, calls.stopped)


async def test_async_first_failure_is_raised():
    """Of several failures the first in time is raised, bare, not in a group."""
    order = iter([2, 1])

    async def worker():
        number = next(order)
        await anyio.sleep(0.05 * number)
        raise Failed(f"number {number}")

    with pytest.raises(Failed, match="number 1"):
        await arun_workers(worker, 2, lambda: None)


def test_first_failure_is_raised():
    """Of several failures the first in time is raised, as in the other twin."""
    order, starting, other = iter([2, 1]), threading.Lock(), threading.Event()

    def worker():
        with starting:
            number = next(order)
        if number == 2:
            other.wait(WAIT)
        else:
            threading.Timer(0.05, other.set).start()
        raise Failed(f"number {number}")

    with pytest.raises(Failed, match="number 1"):
        run_workers(worker, 2, lambda: None)


@pytest.mark.parametrize("interruption", [KeyboardInterrupt, SystemExit])
async def test_async_interruption(interruption):
    """An interruption inside a worker stops the run and comes out bare."""
    calls = Calls()

    async def worker():
        raise interruption

    with pytest.raises(interruption):
        await arun_workers(worker, 1, calls.stop)
    assert calls.stopped


@pytest.mark.parametrize("interruption", [KeyboardInterrupt, SystemExit])
def test_interruption(interruption):
    """An interruption inside a worker stops the run and comes out bare."""
    calls = Calls()

    def worker():
        raise interruption

    with pytest.raises(interruption):
        run_workers(worker, 1, calls.stop)
    assert calls.stopped


@pytest.mark.skipif(not hasattr(signal, "pthread_kill"), reason="signals a thread")
def test_interruption_of_the_caller():
    """On Ctrl-C no other call begins, and the one in flight is waited for."""
    calls = Calls()
    main, stopped = threading.get_ident(), threading.Event()

    def stop():
        calls.stop()
        stopped.set()

    def worker():
        while calls.take():
            time.sleep(0.05)  # until the caller waits
            signal.pthread_kill(main, signal.SIGINT)
            stopped.wait(WAIT)
            time.sleep(0.05)
            calls.ended += 1

    with pytest.raises(KeyboardInterrupt):
        run_workers(worker, 1, stop)

    assert (1, True) == (calls.ended, calls.stopped)


async def test_async_cancellation():
    """A cancelled batch ends at once and leaves no task behind."""
    ended = []

    async def worker():
        try:
            await anyio.sleep(WAIT)
        finally:
            ended.append(True)

    with anyio.move_on_after(0.01) as scope:
        await arun_workers(worker, 3, lambda: None)

    assert scope.cancelled_caught
    assert [True] * 3 == ended


async def test_async_context_variables():
    """Workers see the caller's context variables."""
    request_id.set("r-7")
    seen = []

    async def worker():
        seen.append(request_id.get())

    await arun_workers(worker, 2, pytest.fail)

    assert ["r-7", "r-7"] == seen


def test_context_variables():
    """Workers see the caller's context variables, though they run in other threads."""
    token = request_id.set("r-7")
    seen = []

    run_workers(lambda: seen.append(request_id.get()), 2, pytest.fail)

    request_id.reset(token)
    assert ["r-7", "r-7"] == seen


# -- callbacks -------------------------------------------------------------------------------------


async def test_async_notify():
    """A callback may be plain or async; what it gets is what was told."""
    told = []

    async def slow(argument):
        await anyio.lowlevel.checkpoint()
        told.append(argument)

    await anotify(told.append, 1)
    await anotify(slow, 2)

    assert [1, 2] == told


def test_notify():
    """A plain callback is called."""
    told = []

    notify(told.append, 1)

    assert [1] == told


def test_notify_async_callback_that_does_not_wait():
    """An async callback that waits for nothing runs to its end in the blocking twin too."""
    told = []

    async def callback(argument):
        told.append(argument)

    notify(callback, 1)

    assert [1] == told


class Pause:
    """What a callback may wait for."""

    def __await__(self):
        yield


def test_notify_async_callback_that_waits():
    """An async callback that has to wait is closed, and told apart from its own errors."""
    begun = []

    async def callback(argument):
        await Pause()

    def kept(argument):
        begun.append(callback(argument))
        return begun[0]

    with pytest.raises(TypeError, match="make it a plain function"):
        notify(kept, 1)
    assert [inspect.CORO_CLOSED] == [inspect.getcoroutinestate(each) for each in begun]


async def test_async_notify_raises():
    """What a callback raises comes through."""

    def callback(argument):
        raise Failed(argument)

    async def async_callback(argument):
        raise Failed(argument)

    for each in (callback, async_callback):
        with pytest.raises(Failed):
            await anotify(each, 1)


def test_notify_raises():
    """What a callback raises comes through."""

    def callback(argument):
        raise Failed(argument)

    async def async_callback(argument):
        raise Failed(argument)

    for each in (callback, async_callback):
        with pytest.raises(Failed):
            notify(each, 1)


# -- closing ---------------------------------------------------------------------------------------


async def test_async_closing():
    """What is closed by `close` is closed by `contextlib.aclosing` too."""
    closed = []

    class Client(AClosable):
        async def close(self):
            closed.append(True)

    async with contextlib.aclosing(Client()):
        assert [] == closed
    assert [True] == closed


async def test_async_closing_of_nothing():
    """Whoever is closable says how."""
    with pytest.raises(NotImplementedError):
        await AClosable().close()


def test_closing():
    """`contextlib.closing` asks for `close`, so the blocking colour adds nothing."""
    assert not {name for name in vars(Closable) if not name.startswith("__")}


def test_names_in_pairs():
    """What the docstring lists in two colours is what the module has."""
    lines = [line.split() for line in _compat.__doc__.splitlines() if line.startswith("    ")]

    assert sorted(_compat.__all__) == sorted(name for pair in lines for name in pair)
    assert all(hasattr(_compat, name) for name in _compat.__all__)
