"""A refused call -> what of it is bad, and what to send again: as few calls as will tell.

Only for calls that surely left nothing behind (`Fault.may_isolate`). Where the server's words
name the bad records they are taken at their word; else the call goes again in halves. A missing
right or model concerns all records alike, so the server is asked about that first.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

import attrs

from ..batch.options import Way
from ..errors import AccessError, MissingError, OdooError, ServerError, UserError, ZenooError
from ..wire.encoding import array, encode
from ..wire.values import WireRecord
from .call import AboutCall, Call
from .exchange import Answer
from .faults import NOT_FOUND, Fault, Proof

# Neither text is translated (`odoo/models.py`, `odoo/orm/models.py`, `odoo/exceptions.py`).
INVALID_FIELD = re.compile(r"^Invalid field '(\w+)' (?:in|on model) '([\w.]+)'$")
MISSING_RECORD = re.compile(r"\b([\w.]+)\((\d+),\)")


UNKNOWN_METHOD = ("builtins.AttributeError", NOT_FOUND)  # over JSON-RPC, over JSON-2


@attrs.frozen
class Split:
    """What a refusal tells: the records that are *refused* for sure, and the calls to send now."""

    refused: Call | None
    again: Sequence[Call]


@attrs.frozen
class Probe:
    """A harmless question to the server: does it refuse the model, or the records?

    `check_access_rights(right, False)` exists from 14 on, answers False without the right, and
    fails with the same words as the call for a model that does not exist. *waiting* are the
    refused calls that the answer decides about.
    """

    model: str
    right: str
    context: WireRecord
    waiting: list[tuple[Call, Fault]] = attrs.field(eq=False)

    method = "check_access_rights"
    idempotent = True

    @property
    def arguments(self) -> list[bytes]:
        """The method's positional arguments, each as JSON."""
        return [encode(self.right), encode(False)]


@attrs.frozen
class Survey(AboutCall):
    """A question to the server: which records of an unlink that may be done are still there?

    `unlink` answers MissingError as soon as one of its records is gone, so one that was sent
    twice has to be settled record by record. `search` would say of a record that a rule hides what
    it says of one that is gone; `read` of a column leaves out what is gone, and refuses what is
    hidden (`_read` in `odoo/models.py` of 14, `fetch` in `odoo/orm/models.py` of 19).
    """

    error: ZenooError

    method = "read"

    @property
    def arguments(self) -> list[bytes]:
        """The method's positional arguments, each as JSON: the ids, and a column of most tables."""
        return [array(self.call.parts), encode(["create_date"])]

    def parts(self, reply: Answer | Fault) -> list[Survey]:
        """Return what to ask instead, where one of several records is hidden; else nothing."""
        if len(self.call) == 1 or not _is_hidden(reply):
            return []
        return [Survey(half, self.error) for half in self.call.halves()]

    def sort(self, reply: Answer | Fault) -> tuple[Call | None, Call | None] | None:
        """Return the call's records that are gone and those that are not; None for no answer."""
        if _is_hidden(reply):
            return None, self.call
        rows = reply.value if isinstance(reply, Answer) else None
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            return None
        there = {b"%d" % row["id"] for row in rows if type(row.get("id")) is int}
        places = {n for n, part in enumerate(self.call.parts) if part in there}
        if len(places) != len(rows):
            return None
        left = self.call.only(places) if places else None
        return self.call.without(places), left

    def reason(self, reply: Answer | Fault) -> ZenooError:
        """Return why nothing is settled: no answer came, or else what the unlink was told."""
        if isinstance(reply, Fault) and reply.proof is not Proof.ROLLED_BACK:
            return reply.error
        return self.error


def _is_hidden(reply: Answer | Fault) -> bool:
    return isinstance(reply, Fault) and isinstance(reply.error, AccessError)


def needs_survey(call: Call, fault: Fault) -> bool:
    """Whether it must be asked what an unlink that was sent twice has left."""
    twice = call.maybe_applied or fault.maybe_applied
    return call.method == "unlink" and twice and isinstance(fault.error, MissingError)


def needs_reconcile(call: Call, fault: Fault) -> bool:
    """Whether it can be found out what became of an import without an answer: once it is tried."""
    return call.is_import and fault.proof is Proof.UNKNOWN and not call.maybe_applied


def is_missing(call: Call, fault: Fault) -> bool:
    """Whether the server does not have the method that was to write different values."""
    error = fault.error
    if call.method != Way.SAVE or not isinstance(error, ServerError):
        return False
    if fault.proof is not Proof.ROLLED_BACK:
        return False
    return error.name in UNKNOWN_METHOD and Way.SAVE in error.message


def needs_probe(fault: Fault) -> bool:
    """Whether the reason may lie in the model as well as in the records."""
    return isinstance(fault.error, AccessError | UserError)


def concerns_all(reply: Answer | Fault, fault: Fault) -> bool:
    """Whether the reply to a probe says that no record of the call that failed so can pass."""
    if isinstance(reply, Answer):
        return reply.value is False
    return _same(reply.error, fault.error)


def isolate(call: Call, fault: Fault) -> Split:
    """Return what the refusal of *call*, of more than one record, tells and what to send now."""
    error = fault.error
    bad = _named(call, error)
    if not bad:
        return Split(None, call.halves())
    rest = call.without(bad)
    if rest is None:
        return Split(call, ())
    # A message names one missing record, even where there are more.
    more = isinstance(error, MissingError) and len(rest) > 1
    return Split(call.only(bad), rest.halves() if more else (rest,))


def _named(call: Call, error: ZenooError) -> set[int]:
    """Return the places in the call of the records that the server's message names."""
    if isinstance(error, MissingError) and (match := MISSING_RECORD.search(error.message)):
        model, part = match[1], match[2].encode()
        if model == call.model:  # no part of a create is a bare id
            return {n for n, each in enumerate(call.parts) if each == part}
    field = _invalid_field(call, error)
    if field is None:
        return set()
    if call.values is not None:
        return set(range(len(call))) if _has(call.values, field) else set()
    return {n for n, part in enumerate(call.each or call.parts) if _has(part, field)}


def _invalid_field(call: Call, error: ZenooError) -> str | None:
    """Return the field that the model does not have, by the server's words."""
    if not isinstance(error, ServerError):
        return None
    if match := INVALID_FIELD.search(error.message):
        return match[1] if match[2] == call.model else None
    writes = call.method in (Way.WRITE, Way.SAVE)
    if error.name == "builtins.KeyError" and writes:  # 19: just the field's name
        return error.message.strip("'")
    return None


def _has(part: bytes, field: str) -> bool:
    values = json.loads(part)
    return isinstance(values, dict) and field in values


def _same(one: ZenooError, other: ZenooError) -> bool:
    return (
        isinstance(one, OdooError)
        and isinstance(other, OdooError)
        and (one.name, one.message) == (other.name, other.message)
    )
