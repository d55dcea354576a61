"""Wire values <-> JSON: by orjson where it is installed, which is several times as fast."""

from __future__ import annotations

import json
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

from ..errors import InvalidValueError

try:
    import orjson
except ImportError:
    FAST = False
else:
    FAST = True


def encode(value: object) -> bytes:
    """Return the JSON of a wire value (see `values.to_wire`); InvalidValueError if it has none."""
    if FAST:
        with suppress(TypeError):  # it is for what is nested more deeply than orjson goes
            return orjson.dumps(value)
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    try:
        return text.encode()
    except UnicodeEncodeError:  # it would carry the text along
        raise InvalidValueError("a text with a lone surrogate has no UTF-8 form") from None


def decode(content: bytes) -> Any:
    """Return what JSON says; ValueError or RecursionError for what is none."""
    if FAST:
        with suppress(ValueError):  # Odoo is written in Python, whose JSON knows NaN
            return orjson.loads(content)
    return json.loads(content)


def array(items: Iterable[bytes]) -> bytes:
    """Return the JSON array of items that are JSON already."""
    return b"[%b]" % b",".join(items)


def is_header(text: str) -> bool:
    """Whether a header can carry a text as it is."""
    return text.isascii() and text.isprintable()
