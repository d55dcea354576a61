"""One batch on its way: calls are taken from a run and sent side by side until there is none."""

from __future__ import annotations

import logging
import time
import traceback

import attrs

from .._compat import ACrew, ALock, ASemaphore, aacquire, adraw, anotify
from .._core.call import Call
from .._core.deadline import Deadline
from .._core.run import Run
from .._core.steps.base import Step
from .._core.steps.server_back import AnswersAgain
from .._core.terms import Course, Terms
from .._core.traffic import Traffic
from ..batch.options import QUIET, BatchOptions, ManagerSettings
from ..batch.source import Source
from ..progress import ProgressBar
from .caller import Caller
from .session import stopped_after

logger = logging.getLogger("zenoo_rpc")

TIME_OVER = "the time limit was over"
NOT_READ = "reading its records ended with {}"


class Execution:
    """Carries out one run, in the caller's task or thread; only the calls themselves go beside it.

    So records are read where their iterator was made, and none before there is need of it.
    """

    def __init__(
        self,
        client: Caller,
        slots: ASemaphore,
        traffic: Traffic,
        settings: ManagerSettings,
        run: Run,
        options: BatchOptions,
    ) -> None:
        quiet = settings.quiet if options.quiet is None else options.quiet
        context = {**settings.context, **(QUIET if quiet else {})}
        self._client = client
        self._slots = slots
        self._traffic = traffic
        self._settings = attrs.evolve(settings, context=context)
        self._run = run
        self._deadline = Deadline(options.time_limit, time.monotonic)
        self._terms = Terms(settings.timeout, self._deadline, traffic, wanted=run.goes_on)
        self._patiently = attrs.evolve(self._terms, patient=options.on_unknown != "stop")
        self._reporter = _Reporter(run, options)
        self.failure: Exception | None = None  # of an iterator that was to be read

    async def carry_out(self) -> None:
        """Send all calls, and tell the progress."""
        try:
            async with self.crew() as crew:
                while self.advance():
                    await self._carry_on(crew)
            await self.finish()
        finally:
            self.close()

    async def carry_on(self) -> bool:
        """Send the calls of the next round; False when there is none."""
        if not self.advance():
            return False
        async with self.crew() as crew:
            await self._carry_on(crew)
        return True

    async def _carry_on(self, crew: ACrew) -> None:
        while await self.begin_call(crew):
            pass
        while crew.busy:  # the next round may need what these bring
            await crew.another(crew.returned)

    async def finish(self) -> None:
        """Tell the last progress: all is done that will be. Raise what reading ended with."""
        if self.failure is not None:
            raise self.failure
        await self._reporter.report(ended=True)

    def close(self) -> None:
        """Hand out no other call, and let go of what was to be read."""
        self._run.close()
        self._reporter.close()

    def crew(self) -> ACrew:
        """Return what runs the calls side by side."""
        return ACrew(self._run.cut_off, self._settings.max_concurrency)

    def has_room(self, crew: ACrew) -> bool:
        """Whether one more call may be in flight."""
        return crew.busy < self._traffic.room

    def advance(self) -> bool:
        """Go on to the next round; False when there is none, or no time."""
        return self._has_time() and self._run.advance()

    def _has_time(self) -> bool:
        passed = self._deadline.passed
        if passed:
            self._run.stop(TIME_OVER)
        return not passed

    async def begin_call(self, crew: ACrew) -> bool:
        """Send the next call as soon as there is a slot; False when the round has no other."""
        while self._has_time() and (wanted := self._run.wanted()):
            await self._read(*wanted)
        while not self.has_room(crew):  # a call ends when its progress was told
            await crew.another(crew.returned)
        if not await aacquire(self._slots, self._deadline.left):
            self._run.stop(TIME_OVER)
            return False
        call = None
        try:
            call = self._run.take() if self._has_time() else None
            if call is not None:
                crew.start(self._send, call)
        finally:
            if call is None:
                self._slots.release()
        return call is not None

    async def _read(self, source: Source, count: int) -> None:
        items: list[object] = []
        try:
            await adraw(source.items, count, items)
        except Exception as error:  # it comes out when all that is in flight was told
            self.failure = error
            self._run.stop(NOT_READ.format(type(error).__name__), error)
        except BaseException as error:
            self._run.stop(NOT_READ.format(type(error).__name__), error)
            raise
        finally:
            self._run.feed(items)

    async def _send(self, call: Step | Call) -> None:
        try:
            if await self._has_its_turn(call):
                await self._carry_out_call(call)
        finally:
            self._slots.release()
        await self._reporter.report()

    async def _has_its_turn(self, call: Step | Call) -> bool:
        """Wait for a call's turn; put it back and end, and return False, if there is no time."""
        seconds = self._traffic.turn(time.monotonic())
        begins = not seconds
        in_time = self._deadline.allows(seconds)
        try:
            if seconds and in_time:
                begins = not await stopped_after(seconds, self._run.goes_on)
        finally:
            if not begins:
                self._traffic.give_back()
                self._run.put_back(call)
                self._run.stop("" if in_time else TIME_OVER)
        return begins

    async def _carry_out_call(self, call: Step | Call) -> None:
        """Send a call and file its reply; one that is cut off before it ran was not sent."""
        terms = self._terms if isinstance(call, Call) else self._patiently
        terms = attrs.evolve(terms, course=Course())
        began = time.monotonic()
        if isinstance(call, AnswersAgain):
            unknown = self._run.progress()["stats"]["unknown"]
            logger.warning(
                "%s: the server does not answer; %d records are unknown, and the rest waits for it",
                self._run.label,
                unknown,
            )
        try:
            reply = await self._client.send_call(call, self._settings, terms)
        except BaseException:
            if not terms.course.may_have_run:
                self._run.put_back(call)
            raise
        self._run.record(call, reply, time.monotonic() - began)
        if isinstance(call, AnswersAgain) and self._run.goes_on():
            logger.warning("%s: the server answers again; the batch goes on", self._run.label)


class _Reporter:
    """Tells progress to whoever asked for it: one call at a time, never backwards."""

    def __init__(self, run: Run, options: BatchOptions) -> None:
        self._run = run
        self._bar = ProgressBar(run.label) if options.progress else None
        callbacks = (options.progress_callback, self._bar)
        self._callbacks = [callback for callback in callbacks if callback is not None]
        self._told = -1
        self._turn = ALock()

    async def report(self, *, ended: bool = False) -> None:
        if not self._callbacks:
            return
        async with self._turn:
            progress = self._run.progress(ended=ended)
            if progress["completed"] == self._told:
                return
            self._told = progress["completed"]
            for callback in self._callbacks:
                try:
                    await anotify(callback, progress)
                except Exception as error:
                    kind = type(error).__name__
                    logger.warning("the progress callback raised %s; the batch goes on", kind)
                    logger.debug("the progress callback raised it here:%s", _places(error))

    def close(self) -> None:
        if self._bar is not None:
            self._bar.close()


def _places(error: Exception) -> str:
    """Return the traceback without the text of the error and the code, which may tell values."""
    return "".join(
        f'\n  File "{frame.f_code.co_filename}", line {line}, in {frame.f_code.co_name}'
        for frame, line in traceback.walk_tb(error.__traceback__)
    )
