"""A manager's settings and a batch's options: checked where they are given."""

import datetime
import itertools
import math

import attrs
import pytest

from zenoo_rpc.batch.options import BatchOptions, ManagerSettings, Way
from zenoo_rpc.errors import InvalidValueError, UsageError

NO_COUNT = [0, -1, 1.0, 1.5, "4", True, math.inf, [1]]


def test_default_settings():
    """A manager without settings has those of the documentation."""
    expected = {
        "max_chunk_size": None,
        "max_chunk_bytes": 8 * 1024 * 1024,
        "max_concurrency": 4,
        "call_seconds": 2.0,
        "timeout": None,
        "quiet": False,
        "rate": None,
        "update_by": Way.SAVE,
        "context": {},
    }

    assert expected == attrs.asdict(ManagerSettings())


def test_default_options():
    """A batch without options keeps the order, isolates refused records and draws nothing."""
    expected = {
        "chunk_size": None,
        "quiet": None,
        "ordered": True,
        "on_error": "continue",
        "on_unknown": "continue",
        "skip_unchanged": True,
        "time_limit": None,
        "progress_callback": None,
        "progress": False,
    }

    assert expected == attrs.asdict(BatchOptions())


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *itertools.product(["max_chunk_size", "max_chunk_bytes", "max_concurrency"], NO_COUNT),
        ("max_chunk_bytes", None),
        ("max_concurrency", None),
    ],
    ids=repr,
)
def test_setting_that_is_no_count(name, value):
    """Sizes and limits are whole numbers of at least 1; only a chunk's size may be left open."""
    with pytest.raises(InvalidValueError) as caught:
        ManagerSettings(**{name: value})

    assert f"{name} must be a whole number of at least 1, not {value!r}" == str(caught.value)


@pytest.mark.parametrize("value", [0, -1.5, math.nan, math.inf, "10", True, None], ids=repr)
def test_call_seconds(value):
    """What a call aims at is a number of seconds above 0, and always one."""
    with pytest.raises(InvalidValueError) as caught:
        ManagerSettings(call_seconds=value)

    assert f"call_seconds must be a number of seconds above 0, not {value!r}" == str(caught.value)
    assert 0.5 == ManagerSettings(call_seconds=0.5).call_seconds


@pytest.mark.parametrize("value", ["save", "", "WRITE", 7, None], ids=repr)
def test_update_by(value):
    """There are three methods that write different values."""
    with pytest.raises(InvalidValueError) as caught:
        ManagerSettings(update_by=value)

    words = f'must be one of "web_save_multi", "load", "write", not {value!r}'
    assert f"update_by {words}" == str(caught.value)
    assert Way.LOAD is ManagerSettings(update_by="load").update_by


@pytest.mark.parametrize("value", NO_COUNT, ids=repr)
def test_chunk_size_that_is_no_count(value):
    """A batch's own chunk size is a whole number of at least 1."""
    with pytest.raises(InvalidValueError, match="chunk_size must be a whole number of at least 1"):
        BatchOptions(chunk_size=value)


@pytest.mark.parametrize("value", [0, -1.5, math.nan, math.inf, "10", True, [1]], ids=repr)
def test_timeout_that_is_none(value):
    """A timeout is a number of seconds above 0."""
    with pytest.raises(InvalidValueError, match="timeout must be a number of seconds above 0"):
        ManagerSettings(timeout=value)


def test_values_that_fit():
    """What is in range is taken as it is."""
    settings = ManagerSettings(max_chunk_size=1, max_chunk_bytes=1, max_concurrency=64, timeout=3)

    assert (1, 1, 64, 3.0) == (
        settings.max_chunk_size,
        settings.max_chunk_bytes,
        settings.max_concurrency,
        settings.timeout,
    )
    assert 500 == BatchOptions(chunk_size=500).chunk_size


@pytest.mark.parametrize("name", ["ordered", "skip_unchanged", "progress", "quiet"])
@pytest.mark.parametrize("value", ["no", "False", 0, 1, []], ids=repr)
def test_yes_or_no(name, value):
    """Something that might mean either is neither."""
    with pytest.raises(InvalidValueError, match=f"^{name} must be True or False, not "):
        BatchOptions(**{name: value})
    assert getattr(BatchOptions(**{name: False}), name) is False


def test_context_is_copied():
    """A manager has its own copy of the context, in wire values."""
    context = {"day": datetime.date(2024, 2, 29), "ids": (1, 2)}
    settings = ManagerSettings(context=context)
    context.clear()

    assert {"day": "2024-02-29", "ids": [1, 2]} == settings.context


@pytest.mark.parametrize("context", ["lang", [("lang", "de_CH")], {"x": object()}, {1: 2}])
def test_context_that_is_none(context):
    """A context is a mapping of names to values that have a wire form."""
    with pytest.raises(InvalidValueError):
        ManagerSettings(context=context)


@pytest.mark.parametrize("value", ["raise", "", None, True, "CONTINUE"])
def test_on_error(value):
    """There are two ways to go on after a refusal."""
    with pytest.raises(InvalidValueError, match='on_error must be "continue" or "stop"'):
        BatchOptions(on_error=value)

    assert "stop" == BatchOptions(on_error="stop").on_error


@pytest.mark.parametrize("value", ["", "ask", None, True], ids=repr)
def test_on_unknown(value):
    """It is one of four words."""
    with pytest.raises(InvalidValueError, match='on_unknown must be "continue" or "stop"'):
        BatchOptions(on_unknown=value)

    assert "report" == BatchOptions(on_unknown="report").on_unknown


def test_callback():
    """A progress callback can be called."""
    assert print is BatchOptions(progress_callback=print).progress_callback
    with pytest.raises(InvalidValueError, match="progress_callback must be callable"):
        BatchOptions(progress_callback="print")


@pytest.mark.parametrize("build", [ManagerSettings, BatchOptions])
def test_unknown_keyword(build):
    """A keyword that does not exist is told, not ignored."""
    with pytest.raises(TypeError, match="chunksize"):
        build(chunksize=5)


def test_error_is_a_usage_error():
    """A bad option is the caller's error, and a ValueError of Python's."""
    assert issubclass(InvalidValueError, UsageError)
    assert issubclass(InvalidValueError, ValueError)


@pytest.mark.parametrize("value", [0, -1, float("inf"), float("nan"), "1", True], ids=repr)
def test_rate(value):
    """Calls per second, more than none."""
    with pytest.raises(InvalidValueError, match="rate must be a number per second above 0"):
        ManagerSettings(rate=value)

    assert 0.5 == ManagerSettings(rate=0.5).rate
