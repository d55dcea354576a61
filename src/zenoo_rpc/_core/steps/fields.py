"""Fields of models: which have to be known before an operation, and what follows from their types.

They are asked for once for each model and client; a stream with external ids asks anew, and so does
an import of a field that was not there.
"""

from __future__ import annotations

from typing import ClassVar

import attrs

from ...batch.operations import CreateOperation, Operation, UpdateOperation
from ...batch.status import Status
from ...batch.streams import StreamOperation
from ...batch.validate import Checker
from ...errors import AuthenticationError, InvalidValueError, QuestionError, ZenooError
from ...wire.encoding import encode
from ...wire.typed import Fields, Known, MarkedRecord, typed, unknown
from ...wire.values import WireRecord
from ..exchange import Answer
from ..faults import Fault, not_answered
from .base import Book


@attrs.frozen
class FieldTypes:
    """A question to the server: of what types are a model's fields, and to what do they refer?"""

    model: str

    method = "fields_get"
    idempotent = True
    context: ClassVar[dict[str, object]] = {}
    arguments = (encode(None), encode(["type", "relation", "store", "related"]))

    def decide(self, reply: Answer | Fault, book: Book) -> None:
        """Keep what was told; what cannot go without it is not sent."""
        book.describe(self.model, reply)


def described(reply: Answer | Fault) -> Fields | None:
    """Return the fields that were told, None if none were."""
    fields = reply.value if isinstance(reply, Answer) else None
    if not isinstance(fields, dict) or not all(map(_is_told, fields.values())):
        return None
    return fields


def _is_told(about: object) -> bool:
    if not isinstance(about, dict) or not isinstance(about.get("type"), str):
        return False
    return isinstance(about.get("relation", ""), str)


def not_described(model: str, reply: Answer | Fault) -> tuple[Status, ZenooError]:
    """Return what is told of the records of a model whose fields are not known."""
    if isinstance(reply, Answer):
        return Status.NOT_SENT, QuestionError(model, "the answer to fields_get tells of no fields")
    if reply.status is Status.REFUSED or isinstance(reply.error, AuthenticationError):
        return reply.status, reply.error  # there is no such model, or the login was rejected
    return Status.NOT_SENT, not_answered(model, reply)


def lacking(operation: Operation, known: Known) -> set[str]:
    """Return the models whose fields must be known before an operation, and are not."""
    if isinstance(operation, StreamOperation):
        source = operation.source
        return {operation.model} if source.imports and source.fields is None else source.lacking()
    if isinstance(operation, CreateOperation) and operation.imports:
        fields = known.get(operation.model)
        there = fields is not None and fields.keys() >= set[str]().union(*operation.records)
        return set() if there else {operation.model}
    return {model for each in _marked(operation) for model in unknown(each, operation.model, known)}


def check_types(operation: Operation, known: Known) -> None:
    """Raise BatchValidationError, by index, for values that are none of their fields."""
    if not _marked(operation):
        return
    check = Checker(operation.verb, operation.model)
    same = isinstance(operation, UpdateOperation)

    def fits(record: WireRecord, index: int) -> None:
        try:
            typed(record, operation.model, known)
        except InvalidValueError as error:
            raise check.error(str(error), None if same else index) from None

    check.all(operation.written, "", fits)


def _marked(operation: Operation) -> list[WireRecord]:
    return [each for each in operation.written if type(each) is MarkedRecord]
