"""What became of each record, by its number: one byte, one id, and an error where needed."""

from array import array

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zenoo_rpc import errors
from zenoo_rpc._core.ledger import HELD, IN_FLIGHT, Ledger
from zenoo_rpc.batch.operations import UnlinkOperation
from zenoo_rpc.batch.status import Existence, Status
from zenoo_rpc.batch.transaction import HeldBackError

ERROR = errors.ServerError("no")


def numbers(known):
    """Return a strategy for some of the numbers that are known, as a range or as a list."""
    if not known:
        return st.just([])
    places = st.integers(known[0], known[-1])
    ranges = st.builds(lambda one, other: range(min(one, other), max(one, other)), places, places)
    return ranges | st.lists(places, unique=True)


@attrs.define
class Entry:
    """What is to be known of one record."""

    state: int = Status.NOT_SENT
    id: int = 0
    told: int = Existence.UNKNOWN


@given(st.data())
def test_each_record_has_its_own_entry(data):
    """Whatever is marked, named, told, forgotten or added: the others stay as they were."""
    count = data.draw(st.integers(0, 6))
    ledger = Ledger(count)
    entries = {number: Entry() for number in range(count)}
    forgotten = []
    for _ in range(data.draw(st.integers(0, 12))):
        known = list(entries)
        step = data.draw(st.sampled_from(["mark", "name", "tell", "grow", "forget"]))
        match step:
            case "mark":
                state = data.draw(st.sampled_from([*Status, IN_FLIGHT]))
                chosen = data.draw(numbers(known))
                ledger.mark(chosen, state)
                for number in chosen:
                    entries[number].state = state
            case "name":
                chosen = data.draw(numbers(known))
                ids = [data.draw(st.integers(1, 2**63 - 1)) for _ in chosen]
                ledger.name(chosen, ids)
                for number, record_id in zip(chosen, ids, strict=True):
                    entries[number].id = record_id
            case "tell":
                for number in data.draw(numbers(known)):
                    entries[number].told = data.draw(st.sampled_from(Existence))
                    ledger.find(number, entries[number].told)
            case "grow":
                more = data.draw(st.integers(0, 3))
                entries |= {number: Entry() for number in range(len(ledger), len(ledger) + more)}
                ledger.grow(more)
            case "forget":
                before = data.draw(st.integers(ledger.first, len(ledger)))
                ledger.forget(before)
                forgotten += [entries[number].state for number in known if number < before]
                entries = {number: each for number, each in entries.items() if number >= before}

    assert [each.state for each in entries.values()] == list(ledger.states)
    assert [each.id for each in entries.values()] == list(ledger.ids)
    told = list(ledger.existence) or [Existence.UNKNOWN] * len(entries)
    assert [each.told for each in entries.values()] == told
    new = [each.told == Existence.ABSENT for each in entries.values()]
    assert new == [ledger.was_new(number) for number in entries]
    assert len(ledger) == ledger.first + len(entries)
    states = [*forgotten, *(each.state for each in entries.values())]
    assert {each: states.count(each) for each in Status} == ledger.counts(ended=False)


def test_a_million_records():
    """They are nine bytes each, and not a million objects."""
    ledger = Ledger(1_000_000)

    assert (1_000_000, 8_000_000) == (len(ledger.states), len(ledger.ids) * ledger.ids.itemsize)
    assert (0, 0) == (len(ledger.existence), len(ledger.errors))
    assert isinstance(ledger.ids, array)


@pytest.mark.parametrize("chosen", [range(1, 3), [1, 2]], ids=["range", "list"])
def test_errors(chosen):
    """A record has its last error, and none once it is excused."""
    ledger = Ledger(4)
    ledger.excuse(chosen)
    ledger.blame(range(4), errors.ServerError("before"))
    ledger.blame(chosen, ERROR)
    assert [ERROR, ERROR] == [ledger.errors[number] for number in chosen]

    ledger.excuse(chosen)
    ledger.excuse(chosen)

    assert [0, 3] == sorted(ledger.errors)


def test_ids_must_be_as_many_as_their_records():
    """Neither more nor fewer."""
    ledger = Ledger(3)
    for ids in ([7], [7, 8, 9]):
        with pytest.raises(ValueError, match=r"zip\(\)"):
            ledger.name([0, 2], ids)


OPERATION = UnlinkOperation("m", [7, 8, 9])


def told(ledger):
    """Return the statuses and errors of a ledger with three records."""
    result = ledger.result(OPERATION, range(3), final=False)
    return [outcome.status for outcome in result], [outcome.error for outcome in result]


def test_what_is_in_flight_at_the_end():
    """It is unknown; the ledger itself does not change."""
    ledger = Ledger(3)
    ledger.mark([1], IN_FLIGHT)
    ledger.mark([2], Status.APPLIED)

    assert [Status.NOT_SENT, Status.UNKNOWN, Status.APPLIED] == told(ledger)[0]
    assert (1, 0) == tuple(ledger.counts(ended=end)[Status.UNKNOWN] for end in (True, False))
    assert IN_FLIGHT == ledger.states[1]


def test_what_a_transaction_holds_back():
    """It is not sent, for a reason that is no failure; at the end it is told what became of it."""
    ledger = Ledger(3)
    ledger.mark([0], Status.APPLIED)
    ledger.mark([1, 2], HELD)

    statuses, errors = told(ledger)
    assert [Status.APPLIED, Status.NOT_SENT, Status.NOT_SENT] == statuses
    assert [True, False, False] == [error is None for error in errors]
    assert {} == ledger.errors
    assert 2 == ledger.counts(ended=True)[Status.NOT_SENT]

    refused = HeldBackError(is_over=True)
    ledger.end([1, 2], [(Status.APPLIED, None), (Status.NOT_SENT, refused)])
    statuses, errors = told(ledger)
    assert [Status.APPLIED, Status.APPLIED, Status.NOT_SENT] == statuses
    assert [None, None, refused] == errors


def test_what_was_held_back_may_end_after_it_was_told():
    """A stream has told and forgotten it by then; only the counts can still tell."""
    ledger = Ledger(5)
    ledger.mark(range(5), HELD)
    ledger.forget(3)
    ledger.end(range(1, 5), [(Status.APPLIED, None)] * 2 + [(Status.REFUSED, ERROR)] * 2)
    counts = ledger.counts(ended=True)
    told = (counts[Status.NOT_SENT], counts[Status.APPLIED], counts[Status.REFUSED])
    assert (1, 2, 2) == told
    told = ledger.result(UnlinkOperation("m", [7, 8]), range(3, 5), final=True)
    assert [ERROR, ERROR] == [outcome.error for outcome in told]
    assert [Status.REFUSED] * 2 == [outcome.status for outcome in told]


def test_what_is_in_flight_at_the_end_says_why_nothing_is_known():
    """Of a list and of a stream; not while an answer may still come."""
    ledger = Ledger(2)
    ledger.mark([0], IN_FLIGHT)
    operation = UnlinkOperation("m", [7, 8])
    assert None is ledger.result(operation, range(2), final=False).outcome(0).error
    ledger.close("it was cut off", ERROR)
    first, second = ledger.result(operation, range(2), final=True)
    told = ledger.outcome(operation, 0, ended=True)
    assert "it was sent, and no answer was waited for, as it was cut off" == str(first.error)
    assert (str(first.error), ERROR) == (str(told.error), told.error.__cause__)
    assert (Status.UNKNOWN, "it was cut off") == (told.status, str(second.error))
