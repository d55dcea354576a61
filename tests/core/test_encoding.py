"""Wire values <-> JSON: the same with the fast encoder and without it."""

import importlib.util
import json
import math
import sys

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from zenoo_rpc.errors import InvalidValueError
from zenoo_rpc.wire import encoding
from zenoo_rpc.wire.values import INT_MAX, INT_MIN, to_wire

TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
WIRE_VALUES = st.recursive(
    st.booleans()
    | st.integers(INT_MIN, INT_MAX)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
)


def loaded(fast):
    """Return the module as it is where orjson is installed, or is not."""
    spec = importlib.util.find_spec(encoding.__name__)
    module = importlib.util.module_from_spec(spec)
    with pytest.MonkeyPatch.context() as patch:
        if not fast:
            patch.setitem(sys.modules, "orjson", None)
        spec.loader.exec_module(module)
    assert fast is module.FAST
    return module


FAST, PLAIN = loaded(fast=True), loaded(fast=False)
BOTH = pytest.mark.parametrize("module", [FAST, PLAIN], ids=["orjson", "json"])


@given(WIRE_VALUES)
def test_encoders_agree(value):
    """Either way the JSON is read as the value that was written, by whatever reads JSON."""
    for module in (FAST, PLAIN):
        content = module.encode(value)
        for read in (json.loads, FAST.decode, PLAIN.decode):
            assert repr(value) == repr(read(content))


@given(st.recursive(st.booleans() | st.integers(INT_MIN, INT_MAX) | TEXTS, st.lists))
def test_encoders_write_the_same(value):
    """Byte for byte, but for how they write a fraction."""
    assert FAST.encode(value) == PLAIN.encode(value)


@BOTH
def test_compact_utf8(module):
    """Bytes on the wire are few: no blanks, no escapes for what UTF-8 can say."""
    expected = '{"name":"Zürich","ids":[1,2],"ok":true}'.encode()

    assert expected == module.encode({"name": "Zürich", "ids": [1, 2], "ok": True})


@BOTH
@pytest.mark.parametrize("value", [("id", "name"), ["id", "name"]], ids=["tuple", "list"])
def test_columns(module, value):
    """A tuple is written as a list."""
    assert b'["id","name"]' == module.encode(value)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 2**63, -(2**63) - 1, "\ud800"])
def test_what_has_no_json_is_no_wire_value(value):
    """It never comes as far as an encoder, where one would write `null` and the other fail."""
    with pytest.raises(InvalidValueError):
        to_wire({"x": [value]})


@BOTH
@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"null", None),
        (b" [1, 2.5] ", [1, 2.5]),
        (b'"Z\\u00fcrich"', "Zürich"),
        (b'[NaN, "x"]', [math.nan, "x"]),
        (b"-Infinity", -math.inf),
        (b'"\\ud800"', "\ud800"),
        (b'{"a": 1, "a": 2}', {"a": 2}),
        (b"[" * 300 + b"]" * 300, json.loads("[" * 300 + "]" * 300)),
    ],
    ids=["null", "blanks", "escape", "NaN", "infinity", "surrogate", "repeated", "deep"],
)
def test_decode(module, content, expected):
    """What Python's JSON reads is read, as Odoo is written in Python."""
    assert repr(expected) == repr(module.decode(content))


@BOTH
@given(content=st.binary(max_size=8))
@example(content=b"")
@example(content=b'{"a": 1')
@example(content=b"\xff\xfe")
@example(content=b"<html>")
@example(content=b"[" * 100_000)
def test_what_is_no_json(module, content):
    """It is refused, and by errors that whoever reads a reply expects."""
    try:
        expected = repr(json.loads(content))
    except (ValueError, RecursionError):
        expected = None
    try:
        found = repr(module.decode(content))
    except (ValueError, RecursionError):
        found = None

    assert expected == found


@BOTH
@given(items=st.lists(WIRE_VALUES, max_size=4))
def test_array(module, items):
    """An array of encoded items is the encoded list."""
    assert module.encode(items) == module.array(map(module.encode, items))
