"""What the stand-in knows as data: JSON files, in which a value may depend on the release."""

import json
from functools import cache
from pathlib import Path
from typing import Any


@cache
def read(file: str, series: int) -> Any:
    """Return what a file of this package says of a release, 14 or 19."""
    text = Path(__file__).with_name(file).read_text("utf-8")
    return _of_release(json.loads(text), str(series))


def _of_release(value: Any, series: str) -> Any:
    """Take the value of a release from ``{"14": ..., "19": ...}``; what is null is not there."""
    if isinstance(value, list):
        return [_of_release(item, series) for item in value]
    if not isinstance(value, dict):
        return value
    if set(value) == {"14", "19"}:
        return _of_release(value[series], series)
    found = {key: _of_release(item, series) for key, item in value.items()}
    return {key: item for key, item in found.items() if item is not None}
