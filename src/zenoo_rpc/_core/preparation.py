"""What has to be known of models before a batch is sent, and what is made of its records then."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from ..batch.errors import BatchValidationError
from ..batch.operations import CreateOperation, Operation, WriteManyOperation
from ..batch.status import Status
from ..batch.streams import StreamOperation, UpdateStream
from ..errors import ZenooError
from .exchange import Answer
from .faults import Fault, Proof
from .imports import Import, prepare
from .ledger import Ledger
from .planner import numbered
from .steps.fields import FieldTypes, check_types, described, lacking, not_described
from .ways import Ways


class Preparation:
    """Asks for the fields of models, once each, and prepares the operations with what is told."""

    def __init__(self, operations: Sequence[Operation], ways: Ways, ledger: Ledger) -> None:
        self.is_done = False
        self.barred: set[int] = set()  # the `id` of what cannot be sent
        self.imports: dict[int, Import] = {}  # by the number of its first record
        self._asked: set[str] = set()  # models
        self._operations = operations
        self._ways = ways
        self._ledger = ledger

    def questions(self) -> list[FieldTypes]:
        """Return what has to be asked next."""
        models: dict[str, None] = {}
        for each in self._operations:
            models.update(dict.fromkeys(sorted(lacking(each, self._ways.fields))))
            if isinstance(each, UpdateStream) or (
                isinstance(each, WriteManyOperation) and each.updates
            ):
                models.update({each.model: None} if self._ways.wants_fields(each.model) else {})
        new = [model for model in models if model not in self._asked]
        self._asked.update(new)
        return [FieldTypes(model) for model in new]

    def is_new(self, model: str) -> bool:
        """Whether the fields of a model were not asked for, which they are now."""
        new = model not in self._ways.fields and model not in self._asked
        self._asked.add(model)
        return new

    def describe(
        self, model: str, reply: Answer | Fault
    ) -> Iterator[tuple[Operation, Sequence[int], Status, ZenooError]]:
        """Take what the fields of a model are; yield what cannot go without them, and why."""
        known = described(reply)
        if known is not None:
            self._ways.fields[model] = known
        elif isinstance(reply, Answer) or reply.proof is Proof.ROLLED_BACK:
            self._ways.fields.setdefault(model, None)
        for each, numbers in numbered(self._operations, {}):
            if isinstance(each, StreamOperation) and known is not None and each.model == model:
                each.source.fields = known
            elif known is None and self._waits_for(model, each):
                self.barred.add(id(each))
                yield each, numbers, *not_described(model, reply)

    def _waits_for(self, model: str, operation: Operation) -> bool:
        told = id(operation) in self.barred and not isinstance(operation, StreamOperation)
        return not told and model in lacking(operation, self._ways.fields)

    def finish(self) -> None:
        """Make the rows of imports, and check all values by the types of their fields.

        Raises BatchValidationError for what an import cannot carry, and for values that are none
        of their fields; the ledger has them then.
        """
        known = self._ways.fields
        bad: list[BatchValidationError] = []
        for place, (each, numbers) in enumerate(numbered(self._operations, {})):
            try:
                if isinstance(each, StreamOperation):
                    each.source.known = known
                elif id(each) in self.barred:
                    continue
                elif isinstance(each, CreateOperation) and each.imports:
                    self.imports[numbers.start] = prepare(each, known[each.model] or {})
                else:
                    check_types(each, known)
            except BatchValidationError as error:
                bad += self._blamed(place, numbers, error.errors)
        if bad:
            raise BatchValidationError.together(bad)
        self.is_done = True

    def _blamed(
        self, place: int, numbers: range, errors: Iterable[BatchValidationError]
    ) -> Iterator[BatchValidationError]:
        """Tell bad records as refused; yield their errors, with their operation's place."""
        for error in errors:
            own = numbers if error.index is None else [numbers[error.index]]
            self._ledger.mark(own, Status.REFUSED)
            self._ledger.blame(own, error)
            yield error.of_operation(place) if len(self._operations) > 1 else error
