"""A refused call -> what of it is bad, and what to send again: as few calls as will tell.

Only for calls that surely left nothing behind (`Fault.may_isolate`). Where the server's words
name the bad records they are taken at their word; else the call goes again in halves.
"""

from __future__ import annotations

import json
import re
from collections.abc import Container, Sequence

import attrs

from ...batch.options import Way
from ...errors import MissingError, ServerError, ZenooError
from ..call import Call, Save
from ..faults import NOT_FOUND, Fault, Proof

# Neither text is translated (`odoo/models.py`, `odoo/orm/models.py`, `odoo/exceptions.py`).
INVALID_FIELD = re.compile(r"^Invalid field '(\w+)' (?:in|on model) '([\w.]+)'$")
MISSING_RECORD = re.compile(r"\b([\w.]+)\((\d+),\)")

UNKNOWN_METHOD = ("builtins.AttributeError", NOT_FOUND)  # over JSON-RPC, over JSON-2


@attrs.frozen
class Split:
    """What a refusal tells: the records that are *refused* for sure, and the calls to send now."""

    refused: Call | None
    again: Sequence[Call]


def is_missing(call: Call, fault: Fault) -> bool:
    """Whether the server does not have the method that was to write different values."""
    error = fault.error
    if not isinstance(call, Save) or not isinstance(error, ServerError):
        return False
    if fault.proof is not Proof.ROLLED_BACK:
        return False
    return error.name in UNKNOWN_METHOD and Way.SAVE in error.message


def names_a_field(call: Call, error: ZenooError) -> str | None:
    """Return the key of a KeyError (19), which is the name of a field that is not there, maybe."""
    writes = call.method in (Way.WRITE, Way.SAVE)
    if writes and isinstance(error, ServerError) and error.name == "builtins.KeyError":
        return error.message.strip("'")
    return None


def isolate(call: Call, fault: Fault, fields: Container[str] | None) -> Split:
    """Return what the refusal of *call*, of more than one record, tells and what to send now.

    *fields* are those of the model, None if they are not known.
    """
    error = fault.error
    bad = _named(call, error, fields)
    if not bad:
        return Split(None, call.halves())
    rest = call.without(bad)
    if rest is None:
        return Split(call, ())
    # A message names one missing record, even where there are more.
    more = isinstance(error, MissingError) and len(rest) > 1
    return Split(call.only(bad), rest.halves() if more else (rest,))


def _named(call: Call, error: ZenooError, fields: Container[str] | None) -> set[int]:
    """Return the places in the call of the records that the server's message names."""
    if isinstance(error, MissingError) and (match := MISSING_RECORD.search(error.message)):
        model, part = match[1], match[2].encode()
        if model == call.model:  # no part of a create is a bare id
            return {n for n, each in enumerate(call.parts) if each == part}
    field = _invalid_field(call, error, fields)
    if field is None:
        return set()
    return {n for n, part in enumerate(call.written) if _has(part, field)}


def _invalid_field(call: Call, error: ZenooError, fields: Container[str] | None) -> str | None:
    """Return the field that the model does not have, by the server's words."""
    if not isinstance(error, ServerError):
        return None
    if match := INVALID_FIELD.search(error.message):
        return match[1] if match[2] == call.model else None
    field = names_a_field(call, error)
    return field if field and fields is not None and field not in fields else None


def _has(part: bytes, field: str) -> bool:
    values = json.loads(part)
    return isinstance(values, dict) and field in values
