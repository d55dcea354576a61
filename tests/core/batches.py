"""Random operations, whose records can be told apart on the wire."""

from __future__ import annotations

import itertools
import json
from collections.abc import Sequence

from hypothesis import strategies as st

from zenoo_rpc._core.planner import Call
from zenoo_rpc.batch.operations import (
    CreateOperation,
    Operation,
    UnlinkOperation,
    UpdateOperation,
    WriteManyOperation,
)

Mark = tuple[int, int]  # the place of an operation in the batch, and of a record in the operation

MODELS = ["m", "n"]
IDS = st.lists(st.integers(1, 9), min_size=1, max_size=6, unique=True)


@st.composite
def batches(draw: st.DrawFn, max_operations: int = 5) -> list[Operation]:
    """Draw operations on few models and few ids, so that they meet.

    Each created record has its mark as value; every other operation has its place in its context.
    """
    batch: list[Operation] = []
    for place in range(draw(st.integers(1, max_operations))):
        model = draw(st.sampled_from(MODELS))
        context = {"place": place}
        match draw(st.sampled_from(["create", "create", "update", "write_many", "unlink"])):
            case "create":
                sizes = draw(st.lists(st.integers(0, 20), min_size=1, max_size=7))
                records = [
                    {"mark": [place, index], "fill": "x" * size} for index, size in enumerate(sizes)
                ]
                context = draw(st.sampled_from([{}, {"lang": "de_CH"}]))
                batch.append(CreateOperation(model, records, context=context))
            case "update":
                batch.append(UpdateOperation(model, draw(IDS), {"x": place}, context=context))
            case "write_many":
                updates = {number: {"x": draw(st.integers(0, 1))} for number in draw(IDS)}
                batch.append(WriteManyOperation(model, updates, context=context))
            case "unlink":
                batch.append(UnlinkOperation(model, draw(IDS), context=context))
    return batch


def marks(operations: Sequence[Operation]) -> list[Mark]:
    """Return the mark of each record, by its number in the batch."""
    return [
        (place, index)
        for place, operation in enumerate(operations)
        for index in range(len(operation))
    ]


def marks_on_wire(operations: Sequence[Operation], call: Call) -> list[Mark]:
    """Return the marks of the records that the server sees in *call*, in its order."""
    seen = json.loads(call.arguments[0])
    if call.method == "create":
        return [tuple(record["mark"]) for record in seen]
    place = call.context["place"]
    return [(place, operations[place].ids.index(number)) for number in seen]


def blocks(operations: Sequence[Operation]) -> list[int]:
    """Return for each operation which block it is in: neighbouring creates of one kind are one."""
    numbers = [0]
    for one, other in itertools.pairwise(operations):
        together = (
            isinstance(one, CreateOperation)
            and isinstance(other, CreateOperation)
            and (one.model, one.context) == (other.model, other.context)
        )
        numbers.append(numbers[-1] + (not together))
    return numbers
