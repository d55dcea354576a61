"""What operations touch, and whether two touch the same: the one definition of it.

Two that do are never in flight together, and a call is repeated only if no later operation meets
its own: a try without an answer may still land, late, and would undo that.
"""

from __future__ import annotations

from collections import defaultdict

from ..batch.operations import CreateOperation, Operation
from ..batch.streams import StreamOperation


class Footprints:
    """The footprints of operations in groups, which are numbered from 0.

    An operation touches records of its model by their ids, or by external ids. Two meet where they
    name the same record; and an import may be of any record of its model, so it meets whatever
    touches one by its id. What a stream touches is not known beforehand: it may be any. Plain
    creates meet nothing.
    """

    def __init__(self) -> None:
        # the last group that touched a record, or any of a model in that way
        self._records: dict[tuple[str, int | str], int] = {}
        self._by_id: defaultdict[str, int] = defaultdict(lambda: -1)
        self._imported: defaultdict[str, int] = defaultdict(lambda: -1)
        self._streamed: defaultdict[str, int] = defaultdict(lambda: -1)

    def last_met(self, operation: Operation) -> int:
        """Return the last group that an operation meets, -1 if it meets none."""
        model, names = operation.model, _names(operation)
        groups = [self._records.get((model, name), -1) for name in names]
        if _is_streamed(operation):
            groups += [self._by_id[model], self._imported[model]]
        elif operation.ids:
            groups.append(self._imported[model])
        elif names:
            groups += [self._by_id[model], self._streamed[model]]
        return max(groups, default=-1)

    def add(self, operation: Operation, group: int = 0) -> None:
        """Take an operation into a group, which is not before any that it meets."""
        model, names = operation.model, _names(operation)
        self._records.update(dict.fromkeys(((model, name) for name in names), group))
        if operation.ids:
            self._by_id[model] = max(group, self._by_id[model])
        elif names or _is_streamed(operation):
            self._imported[model] = max(group, self._imported[model])
        if _is_streamed(operation):
            self._streamed[model] = max(group, self._streamed[model])


def _names(operation: Operation) -> tuple[int, ...] | tuple[str, ...]:
    """Return what names the records that an operation touches: ids, or external ids."""
    return operation.external_ids if isinstance(operation, CreateOperation) else operation.ids


def _is_streamed(operation: Operation) -> bool:
    return isinstance(operation, StreamOperation) and operation.touches_any
