"""The exceptions of batches."""

import pytest

from zenoo_rpc.batch.exceptions import (
    BatchError,
    BatchExecutionError,
    BatchStateError,
    BatchValidationError,
    StreamStoppedError,
)
from zenoo_rpc.errors import UsageError, ZenooError


@pytest.mark.parametrize(
    ("index", "expected"),
    [
        (None, "create m: there is nothing in it"),
        (0, "create m: record 0: there is nothing in it"),
        (7, "create m: record 7: there is nothing in it"),
    ],
)
def test_validation_error(index, expected):
    """An operation that cannot be built says which, where and why, in words and as attributes."""
    error = BatchValidationError("create m", "there is nothing in it", index)

    assert expected == str(error)
    assert ("create m", "there is nothing in it", index) == (
        error.operation,
        error.reason,
        error.index,
    )


@pytest.mark.parametrize(
    ("error_class", "bases"),
    [
        (BatchValidationError, (BatchError, UsageError, ValueError, ZenooError)),
        (BatchStateError, (BatchError, UsageError, ZenooError)),
        (BatchExecutionError, (BatchError, ZenooError)),
    ],
)
def test_bases(error_class, bases):
    """Whoever catches batch errors, usage errors or ValueError catches what belongs there."""
    assert all(issubclass(error_class, base) for base in bases)


def test_server_is_not_the_callers_fault():
    """What the server refused is no usage error."""
    assert not issubclass(BatchExecutionError, UsageError | ValueError)


@pytest.mark.parametrize(
    ("counts", "told"),
    [
        ({"not sent": 0, "applied": 1200, "refused": 1}, "1,200 applied, 1 refused"),
        ({"applied": 0}, "nothing"),
    ],
)
def test_stream_stopped(counts, told):
    """It says what became of the records that were read, in words and as an attribute."""
    error = StreamStoppedError("create m", counts)

    words = f"create m: not all of its records were read; of those that were: {told}. "
    assert str(error).startswith(words)
    assert ("create m", counts, "") == (error.operation, error.counts, error.reason)

    error = StreamStoppedError("create m", counts, "why not")
    assert str(error).startswith("create m: not all of its records were read (why not); of those ")
    assert "why not" == error.reason
