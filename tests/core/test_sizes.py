"""How many records go into a call: as many as were asked for, or as many as suit the server."""

import heapq
import itertools

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from zenoo_rpc._core.call import cut
from zenoo_rpc._core.exchange import Answer
from zenoo_rpc._core.faults import Kind, transport_fault
from zenoo_rpc._core.run import Run
from zenoo_rpc._core.sizes import CLEAN, FEWEST_ROWS, MOST, MOST_ROWS, START, Limits, Pace, Pacing
from zenoo_rpc.batch.operations import CreateOperation, UpdateOperation
from zenoo_rpc.batch.streams import CreateStream

ADDRESS = "http://localhost:8069"
TARGET = 2.0
ROOMY = 2**20

LEARN = st.tuples(st.just("learn"), st.integers(1, 10_000), st.floats(0, 1000))
SHRINK = st.tuples(st.just("shrink"), st.integers(1, 10_000), st.just(0.0))
REFUSED = st.tuples(st.just("refused"), st.integers(1, 10_000), st.floats(0, 1000))
SKIPPED = st.tuples(st.just("skipped"), st.integers(1, 10_000), st.floats(0, 1000))
STEPS = st.lists(LEARN | SHRINK | REFUSED | SKIPPED, max_size=30)
TOO_LARGE = transport_fault(Kind.TOO_LARGE, ADDRESS, status=413)


def steps(limits, taken):
    """Tell the limits how calls ended."""
    for what, count, seconds in taken:
        if what == "learn":
            limits.learn(count, seconds)
        elif what == "refused":
            limits.refused(count, seconds)
        elif what == "skipped":
            limits.skipped(count, seconds)
        else:
            limits.shrink(count)


# -- rules for any calls ---------------------------------------------------------------------------


@given(st.integers(1, 10_000), st.integers(1, 10_000), STEPS)
def test_explicit_size_is_obeyed(size, bytes_, taken):
    """What was asked for stays, whatever the calls take."""
    limits = Limits(size, bytes_).of("m", "create")
    steps(limits, taken)

    assert (size, bytes_) == (limits.size, limits.bytes)


@given(st.floats(0.01, 60), STEPS)
def test_size_stays_within_its_bounds(target, taken):
    """It is never below 1 and never above what calls are fastest with."""
    pace = Pace(ROOMY, target)
    for step in taken:
        steps(pace, [step])
        assert 1 <= pace.size <= MOST


@given(STEPS, st.integers(1, 10_000), st.floats(0, 1000))
def test_no_call_that_is_slow_or_failed_makes_the_next_larger(taken, count, seconds):
    """The size grows only after a call that was well within its time."""
    pace = Pace(ROOMY, TARGET)
    steps(pace, taken)
    before = pace.size
    steps(pace, [("shrink", count, 0.0)])
    assert pace.size <= before

    before = pace.size
    steps(pace, [("learn", count, TARGET / 2 + seconds + 0.001)])
    assert pace.size <= before


@given(
    st.lists(st.integers(0, 60), min_size=1),
    st.lists(st.floats(0.001, 10), min_size=1),
    st.integers(1, 120),
)
def test_bytes_are_never_exceeded(lengths, speeds, bytes_):
    """However the size grows, a call has no more bytes than allowed; what is bigger goes alone."""
    pace = Pace(bytes_, TARGET)
    parts = [b"x" * length for length in lengths]
    calls = []
    for call in cut(iter(parts), pace, len):
        calls.append(call)
        pace.learn(len(call), speeds[len(calls) % len(speeds)])

    assert parts == [part for call in calls for part in call]
    assert all(len(call) == 1 or len(b",".join(call)) <= bytes_ for call in calls)


def full_calls(pace, count):
    """Let so many calls pass that are as large as they may be, in no time."""
    for _ in range(count):
        pace.learn(pace.size, 0.01)


def test_refused_imports_become_smaller():
    """They take the time of all their rows, one by one; small parts of them count no more."""
    pace = Pacing(ROOMY, TARGET).of("m", "load")
    full_calls(pace, CLEAN)
    assert MOST_ROWS == pace.size
    for _ in range(4):  # that were in flight together
        pace.refused(MOST_ROWS, 0.1)
    assert MOST_ROWS // 2 == pace.size
    sizes = []
    for _ in range(4):
        pace.refused(pace.size, 0.1)
        pace.refused(1, 0.1)
        sizes.append(pace.size)
    assert [100, 50, 50, 50] == sizes


def test_refused_imports_take_no_longer_than_others():
    """However few rows are refused in one: what takes too long becomes smaller."""
    pace = Pacing(ROOMY, TARGET).of("m", "load")
    pace.refused(START, 0.1)
    pace.refused(FEWEST_ROWS, 10 * TARGET)
    assert FEWEST_ROWS // 10 == pace.size


def test_imports_of_which_nothing_is_sent_grow_too():
    """A load that changes nothing is as long as any other; slow comparisons do not grow."""
    pace = Pacing(ROOMY, TARGET).of("m", "load")
    pace.skipped(START, TARGET)
    pace.skipped(START - 1, 0.1)
    assert START == pace.size
    for _ in range(9):
        pace.skipped(pace.size, 0.1)
    assert MOST_ROWS == pace.size
    pace.learn(MOST_ROWS, TARGET / 2)  # much slower than to compare, and no reason to shrink
    assert MOST_ROWS == pace.size


def test_imports_grow_again_when_many_have_passed():
    """By and by, as what was refused may have been at one place of a long load."""
    pace = Pacing(ROOMY, TARGET).of("m", "load")
    pace.refused(START, 0.1)
    full_calls(pace, CLEAN - 1)
    assert START // 2 == pace.size
    full_calls(pace, 1)
    assert START == pace.size
    full_calls(pace, 10 * CLEAN)
    assert MOST_ROWS == pace.size


# -- a simulated server ----------------------------------------------------------------------------


def carry_out(pace, calls, seconds, slots=1):
    """Send calls of the pace's size, so many side by side; return the sizes that were sent."""
    now = 0.0
    order = itertools.count()
    in_flight, sizes = [], []
    for _ in range(calls):
        if len(in_flight) == slots:
            now, _, count, took = heapq.heappop(in_flight)
            pace.learn(count, took)
        took = seconds(pace.size)
        heapq.heappush(in_flight, (now + took, next(order), pace.size, took))
        sizes.append(pace.size)
    return sizes


@settings(max_examples=200)
@given(
    st.floats(0.0, 0.2),
    st.floats(0.0001, 3.0),
    st.integers(1, 4),
    st.randoms(use_true_random=False),
)
@example(0.05, 0.001, 4, None)
def test_size_converges_to_the_target(overhead, each, slots, random):
    """On a server with an overhead and a time for each record, calls come to take their time.

    The time of single calls scatters by a fifth. What is too slow for one record is sent alone.
    """
    pace = Pace(ROOMY, TARGET)

    def seconds(count):
        noise = random.uniform(0.8, 1.2) if random else 1.0
        return noise * (overhead + count * each)

    sizes = carry_out(pace, 60, seconds, slots)

    ideal = (TARGET - overhead) / each
    for size in sizes[-10:]:
        assert 1 <= size <= MOST
        assert size <= 1.5 * max(ideal, 1)
        assert size >= min(MOST, 0.3 * ideal) or size >= MOST // 2 or ideal < 4


def test_rate_that_falls_ends_the_growth():
    """Where larger calls are slower for each record, they do not grow until they fill the time."""
    pace = Pace(ROOMY, TARGET)

    sizes = carry_out(pace, 20, lambda count: (0.0001 if count <= 400 else 0.001) * count)

    assert 800 == max(sizes)


@pytest.mark.parametrize("outlier", [(1, 2.5), (1, 60.0), (400, 30.0)], ids=repr)
def test_outlier_is_got_over(outlier):
    """After one call that waited for something else, calls become about as large as they were."""
    pace = Pace(ROOMY, TARGET)

    def seconds(count):
        return 0.05 + 0.001 * count

    before = carry_out(pace, 20, seconds)[-1]
    pace.learn(*outlier)
    assert pace.size < before

    assert before / 2 < carry_out(pace, 40, seconds)[-1] < before * 2


def test_time_outs_are_got_over():
    """After calls that failed for their time, calls become about as large as they were."""
    pace = Pace(ROOMY, TARGET)

    def seconds(count):
        return 0.05 + 0.001 * count

    before = carry_out(pace, 20, seconds)[-1]
    for _ in range(12):
        pace.shrink(pace.size)
    assert 1 == pace.size

    assert before / 2 < carry_out(pace, 40, seconds)[-1] < before * 2


def test_size_is_halved_once():
    """Four calls in flight that fail for their size say the same thing, once."""
    pace = Pace(ROOMY, TARGET)
    for _ in range(4):
        pace.shrink(START)

    assert START // 2 == pace.size


def test_size_grows_once():
    """Four calls in flight that were fast say the same thing, once."""
    pace = Pace(ROOMY, TARGET)
    for _ in range(4):
        pace.learn(START, 0.1)

    assert 2 * START == pace.size


def test_slow_calls_in_flight_say_the_same():
    """Four calls that took twice their time bring the size to a half, not to a sixteenth."""
    pace = Pace(ROOMY, TARGET)
    for _ in range(4):
        pace.learn(START, 2 * TARGET)

    assert START // 2 == pace.size


@pytest.mark.parametrize(("count", "seconds"), [(START - 1, 0.01), (START, 0.0), (START, 1.01)])
def test_what_says_nothing(count, seconds):
    """A last, smaller call, one without a time, and one that fills its time change nothing."""
    pace = Pace(ROOMY, TARGET)
    pace.learn(count, seconds)

    assert START == pace.size


def test_paces_are_apart():
    """Each model and method has its own, and keeps it."""
    pacing = Pacing(ROOMY, TARGET)
    pacing.of("m", "create").learn(START, 0.1)

    assert 2 * START == pacing.of("m", "create").size
    assert [START] * 2 == [pacing.of("m", "write").size, pacing.of("n", "create").size]
    assert ROOMY == pacing.of("n", "create").bytes


# -- a run over them -------------------------------------------------------------------------------


def test_next_call_has_the_right_size_already():
    """Calls are cut when they are taken, so what one call taught is true of the next."""
    run = Run([CreateOperation("m", [{"x": n} for n in range(1000)])], Pacing(ROOMY, TARGET))
    run.advance()
    first, second = run.take(), run.take()
    run.record(first, Answer(list(range(1, 101))), 0.1)
    third = run.take()
    run.record(second, Answer(list(range(101, 201))), 0.1)
    run.record(third, Answer(list(range(201, 401))), 4.0)

    assert [START, START, 2 * START, START] == [*map(len, (first, second, third, run.take()))]


def test_stream_is_asked_for_what_fits():
    """What is read at once follows the size of the next call."""
    run = Run([CreateStream("m", [iter(range(1000))])], Pacing(ROOMY, TARGET))
    run.advance()
    _, count = run.wanted()
    run.feed([{"x": n} for n in range(count)])
    run.record(run.take(), Answer(list(range(1, 101))), 0.1)

    assert (START, 2 * START) == (count, run.wanted()[1])


@pytest.mark.parametrize(
    "fault",
    [
        TOO_LARGE,
        transport_fault(Kind.READ_TIMEOUT, ADDRESS),
        *(transport_fault(Kind.GATEWAY, ADDRESS, status=status) for status in (503, 504, 524)),
    ],
    ids=["too large", "time-out", "Varnish", "gateway time-out", "Cloudflare"],
)
def test_what_halves_the_size(fault):
    """A body that is too large, and an answer that did not come in time, or may not have."""
    pacing = Pacing(ROOMY, TARGET)
    run = Run([UpdateOperation("m", range(1, 401), {"x": 1})], pacing)
    run.advance()
    for call in [run.take() for _ in range(4)]:
        run.record(call, fault)

    assert START // 2 == pacing.of("m", "write").size


@pytest.mark.parametrize(
    "reply",
    [
        transport_fault(Kind.REFUSED, ADDRESS),
        transport_fault(Kind.GATEWAY, ADDRESS, status=502),
        Answer(True).seen_after(TOO_LARGE),
    ],
    ids=["not reached", "bad gateway", "tried twice"],
)
def test_what_does_not(reply):
    """A failure that has nothing to do with the size, and a time that was not one call's."""
    pacing = Pacing(ROOMY, TARGET)
    run = Run([UpdateOperation("m", range(1, 401), {"x": 1})], pacing)
    run.advance()
    run.record(run.take(), reply, 60.0)

    assert START == pacing.of("m", "write").size


@given(st.integers(1, 300), st.integers(1, 50), st.floats(0.0, 10.0))
def test_run_obeys_an_explicit_size(count, size, seconds):
    """All calls but the last have exactly the size that was asked for."""
    run = Run([CreateOperation("m", [{}] * count)], Limits(size, ROOMY))
    run.advance()
    sizes = []
    while call := run.take():
        sizes.append(len(call))
        run.record(call, Answer(list(range(1, len(call) + 1))), seconds)

    whole, rest = divmod(count, size)
    assert [size] * whole + [rest] * bool(rest) == sizes
