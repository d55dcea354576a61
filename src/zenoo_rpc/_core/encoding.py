"""Wire values <-> JSON: by orjson where it is installed, which is several times as fast."""

from __future__ import annotations

import json
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

try:
    import orjson
except ImportError:
    FAST = False
else:
    FAST = True


def encode(value: object) -> bytes:
    """Return the JSON of a wire value (see `values.to_wire`)."""
    if FAST:
        with suppress(TypeError):  # it is for what is nested more deeply than orjson goes
            return orjson.dumps(value)
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()


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
