"""What became of a batch: one outcome for each record, by the caller's own index."""

import pickle
from array import array
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zenoo_rpc.batch.exceptions import BatchExecutionError, BatchStateError, NotSentError
from zenoo_rpc.batch.handles import OperationHandle
from zenoo_rpc.batch.operations import (
    CreateOperation,
    UnlinkOperation,
    UpdateOperation,
    WriteManyOperation,
)
from zenoo_rpc.batch.results import BatchResult, OperationResult, RecordOutcome
from zenoo_rpc.batch.status import Status
from zenoo_rpc.batch.transaction import HeldBackError
from zenoo_rpc.errors import (
    AnswerTimeoutError,
    RefusedConnectionError,
    ServerError,
    ValidationError,
)

NOT_SENT, APPLIED, REFUSED, UNKNOWN = Status
ADDRESS = "http://localhost:8069"

NO_NAME = ValidationError("The operation cannot be completed: Contacts require a name")
WRONG_TYPE = ServerError("Wrong value for m.type: 'bogus'", "builtins.ValueError")
WRONG_TYPE_TOLD = "refused, field 'type': ValueError: Wrong value for m.type: 'bogus'"
TIMEOUT = AnswerTimeoutError(ADDRESS)
UNREACHABLE = RefusedConnectionError(ADDRESS)


def result(operation, states, created=None, errors=None):
    """Return the result of *operation*: a state, and for a create an id, for each record."""
    created = created or [0] * len(states)
    return OperationResult(operation, bytes(states), array("q", created), errors or {})


def create(count, secret="hunter2"):
    return CreateOperation("m", [{"name": secret}] * count)


MIXED = result(
    create(4), [APPLIED, REFUSED, UNKNOWN, NOT_SENT], [7, 0, 0, 0], {1: WRONG_TYPE, 2: TIMEOUT}
)
DELETED = result(UnlinkOperation("m", [8, 9]), [APPLIED, REFUSED], errors={1: NO_NAME})
BATCH = BatchResult((MIXED, DELETED))


# -- outcomes --------------------------------------------------------------------------------------


def test_outcomes():
    """Each record has its index, its status, its id where there is one, and its error."""
    expected = [
        RecordOutcome(MIXED.operation, 0, APPLIED, 7, None, created=True),
        RecordOutcome(MIXED.operation, 1, REFUSED, None, WRONG_TYPE),
        RecordOutcome(MIXED.operation, 2, UNKNOWN, None, TIMEOUT),
        RecordOutcome(MIXED.operation, 3, NOT_SENT, None, None),
    ]

    assert expected == list(MIXED)
    assert expected == [MIXED.outcome(index) for index in range(4)]


def test_status_is_a_status():
    """An outcome's status is one of the four, not the number that stands for it."""
    assert [Status] * 4 == [type(outcome.status) for outcome in MIXED]
    assert ["not sent", "applied", "refused", "unknown"] == [status.label for status in Status]


def test_ids_of_a_create():
    """There is an id for each record, in order, or None."""
    assert [7, None, None, None] == MIXED.ids == MIXED.value


@pytest.mark.parametrize(
    "operation",
    [
        UnlinkOperation("m", [8, 9]),
        UpdateOperation("m", [8, 9], {"x": 1}),
        WriteManyOperation("m", {8: {"x": 1}, 9: {"x": 2}}),
    ],
    ids=lambda each: type(each).__name__,
)
def test_ids_of_other_operations(operation):
    """An operation on records has their ids, whatever became of them."""
    told = result(operation, [APPLIED, REFUSED], errors={1: NO_NAME})

    assert [8, 9] == told.ids == [outcome.id for outcome in told]
    assert False is told.value
    assert True is result(operation, [APPLIED, APPLIED]).value


def test_field():
    """The field that the server's message names is the outcome's; there may be none."""
    assert [None, "type", None, None] == [outcome.field for outcome in MIXED]


def test_counts():
    """The counts of a batch are the sums of its operations'."""
    assert {NOT_SENT: 1, APPLIED: 1, REFUSED: 1, UNKNOWN: 1} == MIXED.counts
    assert {NOT_SENT: 1, APPLIED: 2, REFUSED: 2, UNKNOWN: 1} == BATCH.counts
    assert (4, 6) == (len(MIXED), len(BATCH))


def test_views_by_status():
    """Each record is in one of the four lists, by operation and index."""

    def places(outcomes):
        return [(outcome.operation.verb, outcome.index) for outcome in outcomes]

    assert [("create", 0), ("unlink", 0)] == places(BATCH.applied)
    assert [("create", 1), ("unlink", 1)] == places(BATCH.refused)
    assert [("create", 2)] == places(BATCH.unknown)
    assert [("create", 3)] == places(BATCH.not_sent)


def test_batch_in_order():
    """A batch's outcomes, ids and values follow the operations."""
    assert [*MIXED, *DELETED] == list(BATCH)
    assert [7, None, None, None, 8, 9] == BATCH.ids
    assert [[7, None, None, None], False] == BATCH.values()


@given(st.lists(st.lists(st.sampled_from(Status), min_size=1), max_size=4))
def test_each_record_is_in_one_view(batches):
    """The four lists together are the batch, whatever happened."""
    batch = BatchResult(tuple(result(create(len(states)), states) for states in batches))
    views = [batch.applied, batch.refused, batch.unknown, batch.not_sent]

    assert sum(map(len, batches)) == len(batch) == sum(map(len, views))
    assert [s for states in batches for s in states] == [outcome.status for outcome in batch]
    assert batch.ok == all(status is APPLIED for states in batches for status in states)


@pytest.mark.parametrize("status", [NOT_SENT, REFUSED, UNKNOWN])
def test_ok_is_all_or_nothing(status):
    """One record that was not applied, and it is not ok."""
    assert result(create(2), [APPLIED, APPLIED]).ok
    assert not result(create(2), [APPLIED, status]).ok
    assert not BatchResult((DELETED, result(create(1), [APPLIED]))).ok


def test_empty_batch():
    """A batch without operations is ok."""
    empty = BatchResult(())

    assert empty.ok
    assert ([], [], 0, "0 records: nothing") == (
        empty.ids,
        empty.values(),
        len(empty),
        empty.summary(),
    )


ASKED = []


class Counted(WriteManyOperation):
    """Counts how often its ids are gathered."""

    @property
    def ids(self):
        ASKED.append(self)
        return tuple(self.updates)


@pytest.fixture
def counted():
    """The result of an operation on 100 records that counts how often its ids are gathered."""
    ASKED.clear()
    operation = Counted("m", {number: {"x": 1} for number in range(1, 101)})
    return result(operation, [REFUSED] * 100, errors=dict.fromkeys(range(100), NO_NAME))


def test_ids_are_gathered_once(counted):
    """Looking at n records does not gather n ids for each of them."""
    assert list(range(1, 101)) == [outcome.id for outcome in counted] == counted.ids
    assert 100 == len(BatchResult((counted,)).refused)
    assert 1 == len(ASKED)


def test_texts_gather_no_ids(counted):
    """Printing n failures does not gather n ids for each of them."""
    texts = [str(outcome) for outcome in counted]

    assert "update m: record 99: refused (id 100)" in texts[99]
    assert 1 >= len(ASKED)


# -- texts -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("outcome", "expected"),
    [
        (MIXED.outcome(0), "create m: record 0: applied"),
        (
            MIXED.outcome(1),
            f"create m: record 1: {WRONG_TYPE_TOLD}",
        ),
        (MIXED.outcome(2), f"create m: record 2: unknown: {TIMEOUT}"),
        (MIXED.outcome(3), "create m: record 3: not sent"),
        (DELETED.outcome(1), f"unlink m: record 1: refused (id 9): {NO_NAME}"),
    ],
    ids=["applied", "refused", "unknown", "not sent", "refused unlink"],
)
def test_outcome_text(outcome, expected):
    """An outcome says which record, what became of it, and in whose words why."""
    assert expected == str(outcome)


def test_terse_error_has_its_name():
    """A Python error of the server's is told with its name, which says more than its words."""
    told = result(create(1), [REFUSED], errors={0: ServerError("'x'", "builtins.KeyError")})

    assert "create m: record 0: refused: KeyError: 'x'" == str(told.outcome(0))


def test_message_of_many_lines():
    """Odoo's messages have many lines; a record has one."""
    many_lines = ValidationError("Model: Country\n\n  Field: Name\n")
    told = result(create(1), [REFUSED], errors={0: many_lines})

    assert "create m: record 0: refused: Model: Country Field: Name" == str(told.outcome(0))


def test_summary():
    """A summary counts, then quotes what went wrong: refused, unknown, then turned away."""
    batch = BatchResult(
        (MIXED, result(create(2), [NOT_SENT, NOT_SENT], errors={0: UNREACHABLE}), DELETED)
    )

    assert [
        "8 records: 3 not sent, 2 applied, 2 refused, 1 unknown",
        f"  create m (operation 0): record 1: {WRONG_TYPE_TOLD}",
        f"  unlink m: record 1: refused (id 9): {NO_NAME}",
        f"  create m (operation 0): record 2: unknown: {TIMEOUT}",
        f"  create m (operation 1): record 0: not sent: {UNREACHABLE}",
        "  3 may be sent again safely: result.resendable_operations()",
        "  1 may be there or not: look up what is unknown before you send it again",
    ] == batch.summary().splitlines()


def test_summary_of_what_may_be_there():
    """What is unknown and may be sent again without harm, such as an import, is none of it."""
    named = CreateOperation("m", [{"x": 1}] * 2, external_ids=["a", "b"])
    known = result(named, [UNKNOWN, APPLIED], [0, 7])
    assert [
        "2 records: 1 applied, 1 unknown",
        "  create m: record 0: unknown",
        "  1 may be sent again safely: result.resendable_operations()",
    ] == BatchResult((known,)).summary().splitlines()
    deleted = result(UnlinkOperation("m", [8, 9]), [UNKNOWN, UNKNOWN])
    [*_, last] = BatchResult((deleted, known, MIXED)).summary().splitlines()
    assert "  3 may be there or not: look up what is unknown before you send it again" == last


def test_summary_of_operations_that_are_alike():
    """They have their place in the batch, as in a BatchValidationError; one by itself has none."""
    one = result(create(1), [REFUSED], errors={0: NO_NAME})
    cut = attrs.evolve(result(create(1), [NOT_SENT]), unread=True)

    assert [
        "5 records: 1 not sent, 1 applied, 3 refused",
        f"  create m (operation 0): record 0: refused: {NO_NAME}",
        f"  unlink m: record 1: refused (id 9): {NO_NAME}",
        f"  create m (operation 2): record 0: refused: {NO_NAME}",
        "  create m (operation 3): not all of its records were read",
        "  1 may be sent again safely: result.resendable_operations()",
    ] == BatchResult((one, DELETED, one, cut)).summary().splitlines()


def test_failures_are_all_that_was_not_applied():
    """In order, whatever became of them; what a transaction holds back is none of them."""
    states = [APPLIED, REFUSED, UNKNOWN, NOT_SENT, NOT_SENT]
    one = result(UnlinkOperation("m", range(1, 6)), states, errors={3: HeldBackError()})
    batch = BatchResult((one,))
    assert [1, 2, 4] == [each.index for each in batch.failures]
    assert [[1], [2]] == [[each.index for each in some] for some in (batch.refused, batch.unknown)]


def test_summary_of_many_failures():
    """Only the first failures are quoted; how many more there are is said."""
    many = result(create(2005), [REFUSED] * 2005, errors=dict.fromkeys(range(2005), NO_NAME))

    lines = BatchResult((many,)).summary().splitlines()

    assert "2,005 records: 2,005 refused" == lines[0]
    assert [f"  create m: record {n}: refused: {NO_NAME}" for n in range(5)] == lines[1:6]
    assert ["  ... and 2,000 more in result.failures"] == lines[6:]


def test_texts_hold_no_values():
    """No text about a result shows what the records hold."""
    handle = OperationHandle(MIXED.operation)
    handle.settle(MIXED)
    texts = [BATCH.summary(), str(BatchExecutionError(BATCH)), *map(str, BATCH)]
    texts += map(repr, [BATCH, MIXED, DELETED, handle, *BATCH, BatchExecutionError(BATCH)])

    assert [] == [text for text in texts if "hunter2" in text]


def test_repr():
    """A result's repr counts."""
    assert "<OperationResult: create m, 1 not sent, 1 applied, 1 refused, 1 unknown>" == repr(MIXED)
    assert "<BatchResult: 6 records, 1 not sent, 2 applied, 2 refused, 1 unknown>" == repr(BATCH)


# -- raising ---------------------------------------------------------------------------------------


def test_raise_for_failures():
    """A result is returned if all was applied, and raised whole if not."""
    good = BatchResult((result(create(1), [APPLIED], [7]),))

    assert good is good.raise_for_failures()
    with pytest.raises(BatchExecutionError) as caught:
        BATCH.raise_for_failures()
    assert BATCH is caught.value.result
    assert BATCH.summary() == str(caught.value)


def test_error_pickles():
    """The error that carries a batch's result survives pickling, result and all."""
    copy = pickle.loads(pickle.dumps(BatchExecutionError(BATCH)))

    assert BATCH.summary() == str(copy)
    assert BATCH.ids == copy.result.ids
    assert [o.status for o in BATCH] == [o.status for o in copy.result]
    assert [7, None, None, None] == copy.result.operations[0].ids
    assert MIXED.operation == copy.result.operations[0].operation


def test_error_leaves_another_process():
    """A batch that fails in a worker process raises its whole result in the parent."""
    fresh = get_context("spawn")  # the same on every system; no fork beside other threads
    with ProcessPoolExecutor(1, fresh) as pool, pytest.raises(BatchExecutionError) as caught:
        pool.submit(BATCH.raise_for_failures).result(timeout=60)

    assert BATCH.summary() == str(caught.value)
    assert BATCH.counts == caught.value.result.counts


# -- handles ---------------------------------------------------------------------------------------


def test_handle_before_the_end():
    """Before the batch was carried out there is no result to be had."""
    handle = OperationHandle(create(2))

    assert "<OperationHandle: <CreateOperation: create m, 2 records>>" == repr(handle)
    with pytest.raises(BatchStateError, match="create m: the batch was not executed yet"):
        assert handle.result
    with pytest.raises(BatchStateError, match="create m: the batch was not executed yet"):
        assert handle.ids


def test_handle_after_the_end():
    """After the batch was carried out the handle has the result of its operation."""
    handle = OperationHandle(MIXED.operation)
    handle.settle(MIXED)

    assert MIXED is handle.result
    assert [7, None, None, None] == handle.ids
    assert f"<OperationHandle: {MIXED!r}>" == repr(handle)


def test_handles_are_apart():
    """Two equal operations have two handles."""
    assert OperationHandle(create(1)) != OperationHandle(create(1))


async def test_handle_may_be_awaited():
    """Waiting for a handle gives the handle, as often as one likes."""
    handle = OperationHandle(create(1))

    assert handle is await handle
    assert handle is await handle


@pytest.mark.parametrize("kept", [MIXED, MIXED.outcome(0), BATCH], ids=lambda k: type(k).__name__)
def test_results_are_frozen(kept):
    """What became of a record does not change afterwards."""
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        kept.operation = None


def test_nothing_was_sent():
    """Each record has an outcome that says why, and may be sent again."""
    operations = [UpdateOperation("m", [7, 8], {"x": 1}), CreateOperation("m", [{"x": 1}])]
    result = BatchResult.of_nothing_sent(operations, NotSentError("because"))
    assert [(7, NOT_SENT), (8, NOT_SENT), (None, NOT_SENT)] == [(o.id, o.status) for o in result]
    assert {"because"} == {str(outcome.error) for outcome in result}
    assert not result.ok
    assert operations == result.resendable_operations()
