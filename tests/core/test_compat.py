"""What comes in two colours: crews that finish their calls, readers, callbacks of either."""

import asyncio
import contextlib
import gc
import inspect
import signal
import sys
import threading
import time
import traceback
from contextvars import ContextVar

import anyio.lowlevel
import pytest

from zenoo_rpc import _compat
from zenoo_rpc._compat import (
    ASTREAM,
    STREAM,
    AClosable,
    ACrew,
    ASemaphore,
    Closable,
    Crew,
    Semaphore,
    aacquire,
    acquire,
    adraw,
    anotify,
    ashielded,
    draw,
    notify,
    shielded,
)

WAIT = 60  # seconds that a test waits for what should come at once

request_id: ContextVar[str] = ContextVar("request_id", default="none")


class Failed(Exception):  # noqa: N818  it is what a worker raises, not an error of ours
    pass


class Calls:
    """A run of a few calls, which can be stopped."""

    def __init__(self):
        self.ended = 0
        self.stopped = threading.Event()

    def stop(self, error):
        self.stopped.set()


def never(error):
    """What is to be stopped where nothing fails."""
    pytest.fail("it was stopped")


# -- crews -----------------------------------------------------------------------------------------


async def test_async_crew_works_side_by_side():
    """All that was started is on its way at once, and has returned at the end."""
    begun, ended = [], []
    together = anyio.Event()

    async def work(number):
        begun.append(number)
        if len(begun) == 3:
            together.set()
        await together.wait()
        ended.append(number)

    with anyio.fail_after(WAIT):
        async with ACrew(never, 1) as crew:
            for number in range(3):
                crew.start(work, number)
            assert (3, 0) == (crew.busy, crew.returned)

    assert ([0, 1, 2], [0, 1, 2]) == (sorted(begun), sorted(ended))
    assert (0, 3) == (crew.busy, crew.returned)


def test_crew_works_side_by_side():
    """All that was started is on its way at once, in threads that have ended at the end."""
    together = threading.Barrier(3)
    seen, numbers = set(), []

    def work(number):
        together.wait(WAIT)
        seen.add(threading.current_thread())
        numbers.append(number)

    with Crew(never, 3) as crew:
        for number in range(3):
            crew.start(work, number)

    assert [0, 1, 2] == sorted(numbers)
    assert (0, 3) == (crew.busy, crew.returned)
    assert 3 == len(seen)
    assert not any(thread.is_alive() for thread in seen)
    assert {"zenoo_rpc"} == {thread.name.partition("_0")[0][:9] for thread in seen}


def test_crew_has_no_more_threads_than_its_size():
    """What is started beyond that waits for its turn."""
    counting = threading.Lock()
    now, most = 0, 0

    def work():
        nonlocal now, most
        with counting:
            now += 1
            most = max(most, now)
        time.sleep(0.01)
        with counting:
            now -= 1

    with Crew(never, 2) as crew:
        for _ in range(6):
            crew.start(work)

    assert (6, 2) == (crew.returned, most)


@pytest.mark.parametrize("moment", range(10))
def test_ctrl_c_in_the_midst_of_start(moment):
    """It ends the crew, and what was handed over is carried out.

    Left out is the inside of Python's own locks, which do not survive it everywhere.
    """
    stopped, begun, calls = threading.Event(), [], 0

    def at_a_call(frame, event, _):  # there Python looks for signals
        nonlocal calls
        calls += frame.f_code.co_filename != threading.__file__
        if calls > moment:
            sys.settrace(tracing)
            raise KeyboardInterrupt

    tracing = sys.gettrace()  # what measures the coverage
    before = threading.active_count()
    gc.disable()  # what it calls would be interrupted in our place, and swallow that
    with contextlib.suppress(KeyboardInterrupt), Crew(lambda _: stopped.set(), 2) as crew:
        crew.start(begun.append, "before")
        sys.settrace(at_a_call)
        try:
            crew.start(begun.append, "in the midst")
        finally:
            sys.settrace(tracing)
            gc.enable()
    assert (0, len(begun)) == (crew.busy, crew.returned)
    assert stopped.is_set() or ["before", "in the midst"] == begun
    deadline = time.monotonic() + WAIT
    while threading.active_count() > before and time.monotonic() < deadline:
        time.sleep(0.001)
    assert before == threading.active_count()


async def test_async_failure_lets_siblings_finish():
    """A failing call stops the run; its siblings end, and the failure is raised then."""
    calls, failed = Calls(), anyio.Event()

    async def failing():
        failed.set()
        raise Failed("in the middle")

    async def sibling():
        await failed.wait()
        await anyio.sleep(0.01)
        calls.ended += 1

    with pytest.raises(Failed, match="in the middle"):
        async with ACrew(calls.stop, 2) as crew:
            crew.start(sibling)
            crew.start(failing)

    assert (1, True) == (calls.ended, calls.stopped.is_set())


@pytest.mark.parametrize("first", ["failing", "sibling"])
def test_failure_lets_siblings_finish(first):
    """A failing call stops the run; its siblings end, and the failure is raised then."""
    calls, begun = Calls(), threading.Event()

    def failing():
        begun.wait(WAIT)
        raise Failed("in the middle")

    def sibling():
        begun.set()
        calls.stopped.wait(WAIT)  # it ends a little after the failure
        time.sleep(0.05)
        calls.ended += 1

    order = [failing, sibling] if first == "failing" else [sibling, failing]
    with pytest.raises(Failed, match="in the middle"), Crew(calls.stop, 2) as crew:
        for function in order:
            crew.start(function)

    assert (1, True) == (calls.ended, calls.stopped.is_set())


async def test_async_first_failure_is_raised():
    """Of several failures the first in time is raised, bare, not in a group."""
    calls, first = Calls(), anyio.Event()

    async def failing(number):
        if number == 2:
            await first.wait()
        first.set()
        raise Failed(f"number {number}")

    with pytest.raises(Failed, match="number 1"):
        async with ACrew(calls.stop, 2) as crew:
            crew.start(failing, 2)
            crew.start(failing, 1)


def test_first_failure_is_raised():
    """Of several failures the first in time is raised, as in the other twin."""
    calls = Calls()

    def failing(number):
        if number == 2:
            calls.stopped.wait(WAIT)
        raise Failed(f"number {number}")

    with pytest.raises(Failed, match="number 1"), Crew(calls.stop, 2) as crew:
        crew.start(failing, 2)
        crew.start(failing, 1)


async def test_async_exception_in_the_block_lets_siblings_finish():
    """It stops the run, waits for what is on its way and comes out, even if that fails too."""
    calls = Calls()

    async def sibling():
        await anyio.sleep(0.01)
        calls.ended += 1
        raise Failed("of a call")

    with pytest.raises(Failed, match="of the source"):
        async with ACrew(calls.stop, 2) as crew:
            crew.start(sibling)
            raise Failed("of the source")

    assert (1, True) == (calls.ended, calls.stopped.is_set())


def test_exception_in_the_block_lets_siblings_finish():
    """It stops the run, waits for what is on its way and comes out, even if that fails too."""
    calls = Calls()

    def sibling():
        calls.stopped.wait(WAIT)
        time.sleep(0.01)
        calls.ended += 1
        raise Failed("of a call")

    with pytest.raises(Failed, match="of the source"), Crew(calls.stop, 2) as crew:
        crew.start(sibling)
        raise Failed("of the source")

    assert (1, True) == (calls.ended, calls.stopped.is_set())


@pytest.mark.parametrize("interruption", [KeyboardInterrupt, SystemExit])
async def test_async_interruption(interruption):
    """An interruption inside a call stops the run and comes out bare."""
    calls = Calls()

    async def interrupted():
        raise interruption

    with pytest.raises(interruption):
        async with ACrew(calls.stop, 1) as crew:
            crew.start(interrupted)
    assert calls.stopped.is_set()


@pytest.mark.parametrize("interruption", [KeyboardInterrupt, SystemExit])
def test_interruption(interruption):
    """An interruption inside a call stops the run and comes out bare."""
    calls = Calls()

    def interrupted():
        raise interruption

    with pytest.raises(interruption), Crew(calls.stop, 1) as crew:
        crew.start(interrupted)
    assert calls.stopped.is_set()


@pytest.mark.parametrize("interruption", [KeyboardInterrupt, SystemExit])
async def test_async_interruption_of_the_block(interruption):
    """It stops the run, cuts off what is on its way and comes out bare."""
    calls = Calls()

    async def sibling():
        try:
            await anyio.sleep(WAIT)
        finally:
            calls.ended += 1

    with pytest.raises(interruption):
        async with ACrew(calls.stop, 1) as crew:
            crew.start(sibling)
            await anyio.lowlevel.checkpoint()
            raise interruption
    assert (1, True) == (calls.ended, calls.stopped.is_set())


def waits(thread):
    """Whether a thread waits for the calls of its crew."""
    frames = traceback.walk_stack(sys._current_frames()[thread])
    codes = [frame.f_code for frame, _ in frames]
    own = {code.co_name for code in codes if code.co_filename == _compat.__file__}
    return codes[0].co_filename == threading.__file__ and own & {"__exit__", "another"}


def interrupt(main):
    """Send what Ctrl-C sends, once the caller waits."""
    while not waits(main):
        time.sleep(0.001)
    signal.pthread_kill(main, signal.SIGINT)


@pytest.mark.skipif(not hasattr(signal, "pthread_kill"), reason="signals a thread")
@pytest.mark.parametrize("waiting", ["at the end", "for another"])
def test_interruption_of_the_caller(waiting):
    """On Ctrl-C no other call begins, and the one in flight is waited for."""
    calls, main = Calls(), threading.get_ident()

    def work():
        interrupt(main)
        calls.stopped.wait(WAIT)
        time.sleep(0.05)
        calls.ended += 1

    with pytest.raises(KeyboardInterrupt), Crew(calls.stop, 1) as crew:
        crew.start(work)
        if waiting == "for another":
            crew.another(0)

    assert (1, True) == (calls.ended, calls.stopped.is_set())


@pytest.mark.skipif(not hasattr(signal, "pthread_kill"), reason="signals a thread")
def test_second_interruption_of_the_caller():
    """Whoever presses Ctrl-C again does not wait for the call in flight."""
    calls, main, released = Calls(), threading.get_ident(), threading.Event()

    def work():
        interrupt(main)
        released.wait(WAIT)
        calls.ended += 1

    with pytest.raises(KeyboardInterrupt), Crew(calls.stop, 1) as crew:
        crew.start(work)
        raise KeyboardInterrupt

    assert (0, 1) == (calls.ended, crew.busy)
    released.set()
    crew.another(0)
    assert (1, 0) == (calls.ended, crew.busy)


async def test_async_cancellation():
    """A cancelled batch ends at once and leaves no task behind."""
    ended = []

    async def work():
        try:
            await anyio.sleep(WAIT)
        finally:
            ended.append(True)

    with anyio.move_on_after(0.01) as scope:
        async with ACrew(lambda _: None, 3) as crew:
            for _ in range(3):
                crew.start(work)

    assert scope.cancelled_caught
    assert [True] * 3 == ended


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
@pytest.mark.parametrize("interruption", [KeyboardInterrupt, SystemExit, Failed])
def test_one_exception_comes_out_bare(backend, interruption):
    """Under either event loop an exception in the block is not wrapped in a group."""

    async def main():
        async with ACrew(lambda _: None, 1) as crew:
            crew.start(anyio.sleep, 0)
            raise interruption

    with pytest.raises(interruption):
        anyio.run(main, backend=backend)


async def test_async_context_variables():
    """Calls see the caller's context variables."""
    token = request_id.set("r-7")
    seen = []

    async def work():
        seen.append(request_id.get())

    async with ACrew(never, 2) as crew:
        crew.start(work)
        crew.start(work)

    request_id.reset(token)
    assert ["r-7", "r-7"] == seen


def test_context_variables():
    """Calls see the context variables of whoever starts them, though in other threads."""
    seen = []

    with Crew(never, 2) as crew:
        for name in ("r-7", "r-8"):
            token = request_id.set(name)
            crew.start(lambda: seen.append(request_id.get()))
            request_id.reset(token)

    assert ["r-7", "r-8"] == sorted(seen)


async def test_async_another():
    """It waits for one more to return than had, and not for the others."""
    first, second = anyio.Event(), anyio.Event()

    with anyio.fail_after(WAIT):
        async with ACrew(never, 2) as crew:
            await crew.another(0)  # none is busy
            crew.start(first.wait)
            crew.start(second.wait)
            first.set()
            await crew.another(0)
            assert (1, 1) == (crew.busy, crew.returned)
            await crew.another(0)  # it has returned already
            second.set()
            await crew.another(1)
            assert (0, 2) == (crew.busy, crew.returned)
            await crew.another(2)  # none is busy any more


def test_another():
    """It waits for one more to return than had, and not for the others."""
    first, second = threading.Event(), threading.Event()

    with Crew(never, 2) as crew:
        crew.another(0)  # none is busy
        crew.start(lambda: first.wait(WAIT) and None)
        crew.start(lambda: second.wait(WAIT) and None)
        threading.Timer(0.05, first.set).start()
        crew.another(0)
        assert (1, 1) == (crew.busy, crew.returned)
        crew.another(0)  # it has returned already
        second.set()
        crew.another(1)
        assert (0, 2) == (crew.busy, crew.returned)
        crew.another(2)  # none is busy any more


def test_waiting_outlasts_one_look(monkeypatch):
    """A thread that waits wakes now and then, for signals, and goes on waiting."""
    monkeypatch.setattr(_compat, "SIGNALS", 0.01)
    slots = Semaphore(1)

    with Crew(never, 1) as crew:
        crew.start(time.sleep, 0.05)
        crew.another(0)
        assert 1 == crew.returned
    acquire(slots)
    threading.Timer(0.05, slots.release).start()
    acquire(slots)
    slots.release()


async def test_async_failing_crew_wakes_who_waits():
    """A call that failed has returned, too."""
    calls = Calls()

    async def failing():
        raise Failed

    with pytest.raises(Failed), anyio.fail_after(WAIT):
        async with ACrew(calls.stop, 1) as crew:
            crew.start(failing)
            await crew.another(0)
            assert (0, 1) == (crew.busy, crew.returned)


def test_failing_crew_wakes_who_waits():
    """A call that failed has returned, too."""
    calls = Calls()

    def failing():
        raise Failed

    with pytest.raises(Failed), Crew(calls.stop, 1) as crew:
        crew.start(failing)
        crew.another(0)
        assert (0, 1) == (crew.busy, crew.returned)


# -- slots -----------------------------------------------------------------------------------------


async def test_async_acquire():
    """A slot is taken as soon as there is one."""
    slots = ASemaphore(1)
    await aacquire(slots)

    with anyio.move_on_after(0.01) as scope:
        await aacquire(slots)
    assert scope.cancelled_caught
    slots.release()
    with anyio.fail_after(WAIT):
        await aacquire(slots)


def test_acquire():
    """A slot is taken as soon as there is one."""
    slots, order = Semaphore(1), []
    acquire(slots)

    def release():
        order.append("released")
        slots.release()

    threading.Timer(0.05, release).start()
    acquire(slots)

    assert ["released"] == order


# -- reading ---------------------------------------------------------------------------------------


async def arange(*items):
    """Yield the items, as an async source does."""
    for item in items:
        await anyio.lowlevel.checkpoint()
        if isinstance(item, Exception):
            raise item
        yield item


def plain(*items):
    """Yield the items, as a plain source does."""
    for item in items:
        if isinstance(item, Exception):
            raise item
        yield item


async def adrawn(sources, count):
    """Return what is drawn from the sources at once, and how many of them are left."""
    items = []
    await adraw(sources, count, items)
    return items, len(sources)


def drawn(sources, count):
    """Return what is drawn from the sources at once, and how many of them are left."""
    items = []
    draw(sources, count, items)
    return items, len(sources)


@pytest.mark.parametrize("first", [arange, plain])
@pytest.mark.parametrize("second", [arange, plain])
async def test_async_draw(first, second):
    """Sources of either colour are read one after the other, no further than is asked for."""
    sources = [first(1, 2, 3), second(4, 5)]

    assert ([1, 2], 2) == await adrawn(sources, 2)
    assert ([3, 4], 1) == await adrawn(sources, 2)
    assert ([5], 0) == await adrawn(sources, 2)
    assert ([], 0) == await adrawn(sources, 2)


def test_draw():
    """Sources are read one after the other, no further than is asked for."""
    sources = [plain(1, 2, 3), plain(4, 5)]

    assert ([1, 2], 2) == drawn(sources, 2)
    assert ([3, 4], 1) == drawn(sources, 2)
    assert ([5], 0) == drawn(sources, 2)
    assert ([], 0) == drawn(sources, 2)


@pytest.mark.parametrize("count", [0, 3, 4, 10])
async def test_draw_reads_alike(count):
    """Both colours read the same of the same plain sources, and leave the same."""
    sources, others = ([iter([1, 2, 3]), iter([]), iter([4])] for _ in range(2))

    assert drawn(sources, count) == await adrawn(others, count)
    assert list(map(list, sources)) == list(map(list, others))


@pytest.mark.parametrize("source", [arange, plain])
async def test_async_source_that_raises_half_way(source):
    """What came before is kept, and the source is still known as one not read to its end."""
    sources, items = [source(1, 2, Failed("in the middle"), 3)], []

    with pytest.raises(Failed, match="in the middle"):
        await adraw(sources, 9, items)
    assert ([1, 2], 1) == (items, len(sources))


def test_source_that_raises_half_way():
    """What came before is kept, and the source is still known as one not read to its end."""
    sources, items = [plain(1, 2, Failed("in the middle"), 3)], []

    with pytest.raises(Failed, match="in the middle"):
        draw(sources, 9, items)
    assert ([1, 2], 1) == (items, len(sources))


@pytest.mark.parametrize(
    ("given", "either", "blocking"),
    [
        (plain(1), True, True),
        (iter([1]), True, True),
        (map(str, [1]), True, True),
        (arange(1), True, False),
        ([1], False, False),
        ({1: 2}, False, False),
        ((1,), False, False),
    ],
    ids=["generator", "iterator", "map", "async generator", "list", "mapping", "tuple"],
)
def test_what_is_read_while_it_is_sent(given, either, blocking):
    """An iterator, or an async one where one can wait; what can be read twice is read at once."""
    assert (either, blocking) == (isinstance(given, ASTREAM), isinstance(given, STREAM))


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
    """Each name comes with an `a` before it and without."""
    coloured = {name for name in _compat.__all__ if name[0] in "aA" and name[1:] in _compat.__all__}
    assert sorted(_compat.__all__) == sorted(name[start:] for name in coloured for start in (0, 1))


async def test_a_shielded_job_ends():
    """A cancelled scope waits for its end, and is cancelled then."""
    done = []

    async def job():
        await anyio.sleep(0.05)
        done.append(scope.cancel_called)

    with anyio.CancelScope() as scope:
        async with anyio.create_task_group() as group:
            group.start_soon(anyio.lowlevel.checkpoint)
            scope.cancel()
            await ashielded(job)
            done.append("after")
            await anyio.sleep(1)
    assert [True, "after"] == done
    assert scope.cancelled_caught


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
@pytest.mark.parametrize("failure", [None, Failed])
async def test_a_shielded_job_ends_in_a_cancelled_task(failure):
    """However often asyncio's own way is taken; a failure of the job's own goes first."""
    done = []

    async def job():
        await asyncio.sleep(0.05)
        done.append(1)
        if failure is not None:
            raise failure

    task = asyncio.create_task(ashielded(job))
    for _ in range(3):
        await asyncio.sleep(0.01)
        task.cancel()
    with pytest.raises(failure or asyncio.CancelledError):
        await task
    assert [1] == done


async def test_a_shielded_job_raises():
    """What it raises comes through, in both twins."""

    async def job():
        raise Failed

    def blocking():
        raise Failed

    with pytest.raises(Failed):
        await ashielded(job)
    with pytest.raises(Failed):
        shielded(blocking)
