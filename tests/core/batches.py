"""Random operations, whose records can be told apart on the wire."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Sequence

from hypothesis import strategies as st

from zenoo_rpc._core.call import Call
from zenoo_rpc._core.exchange import Answer
from zenoo_rpc._core.faults import Fault
from zenoo_rpc._core.run import Run
from zenoo_rpc._core.steps.fields import FieldTypes
from zenoo_rpc.batch.operations import (
    CreateOperation,
    Operation,
    UnlinkOperation,
    UpdateOperation,
    WriteManyOperation,
)
from zenoo_rpc.batch.options import Way
from zenoo_rpc.batch.streams import CreateStream

Mark = tuple[int, int]  # the place of an operation in the batch, and of a record in the operation

WITHOUT_STREAMS = ["create", "create", "update", "write_many", "unlink"]
ALL_KINDS = [*WITHOUT_STREAMS, "stream", "stream"]
MODELS = ["m", "n"]
FIELDS = {"x": {"type": "integer"}, "y": {"type": "char"}}
IDS = st.lists(st.integers(1, 9), min_size=1, max_size=6, unique=True)
VALUES = st.one_of(
    st.builds(lambda x: {"x": x}, st.integers(1, 4)),
    st.builds(lambda x: {"x": x, "y": "ä"}, st.integers(1, 2)),
    st.just({"x": False}),  # which no import can carry
    st.just({"y": [[6, 0, [7]]]}),
)
UNSENDABLE = st.sampled_from([7, "text", None, {"x": object()}, {7: 8}, {"x": float("nan")}])


def tell_fields(run: Run, reply: Answer | Fault) -> list[str]:
    """Answer the questions that come before the first round; return what models they are about.

    Afterwards the run is in its first round, unless it is over.
    """
    asked = []
    while run.advance() and not run._agenda._preparation.is_done:
        while question := run.take():
            assert isinstance(question, FieldTypes)
            run.record(question, reply)
            asked.append(question.model)
    return asked


class Batch(list[Operation]):
    """Operations, and all *items* of those that are streams, by their place."""

    def __init__(self) -> None:
        super().__init__()
        self.items: dict[int, list[object]] = {}


@st.composite
def batches(
    draw: st.DrawFn, max_operations: int = 5, *, kinds: Sequence[str] = WITHOUT_STREAMS
) -> Batch:
    """Draw operations on few models and few ids, so that they meet.

    Each created record has its mark as value; every other operation has its place in its context.
    """
    batch = Batch()
    for place in range(draw(st.integers(1, max_operations))):
        model = draw(st.sampled_from(MODELS))
        context = {"place": place}
        match draw(st.sampled_from(kinds)):
            case "create":
                records = draw(_records(place, max_size=7, min_size=1))
                context = draw(st.sampled_from([{}, {"lang": "de_CH"}]))
                batch.append(CreateOperation(model, records, context=context))
            case "stream":
                items = draw(_records(place, max_size=15))
                for index in draw(st.sets(st.integers(0, 14), max_size=2)):
                    items[index : index + 1] = [draw(UNSENDABLE)] if index < len(items) else []
                batch.items[place] = items
                cut = draw(st.integers(0, len(items)))
                sources = [iter(items[:cut]), iter(items[cut:])]
                batch.append(CreateStream(model, sources, context=context))
            case "update":
                batch.append(UpdateOperation(model, draw(IDS), {"x": place}, context=context))
            case "write_many":
                updates = {number: draw(VALUES) for number in draw(IDS)}
                batch.append(WriteManyOperation(model, updates, context=context))
            case "unlink":
                batch.append(UnlinkOperation(model, draw(IDS), context=context))
    return batch


@st.composite
def _records(draw: st.DrawFn, place: int, max_size: int, min_size: int = 0) -> list[object]:
    sizes = draw(st.lists(st.integers(0, 20), min_size=min_size, max_size=max_size))
    return [{"mark": [place, index], "fill": "x" * size} for index, size in enumerate(sizes)]


def marks(operations: Sequence[Operation]) -> list[Mark]:
    """Return the mark of each record, as results have them; of streams those that were read."""
    return [
        (place, index)
        for place, operation in enumerate(operations)
        for index in range(len(operation))
    ]


def all_marks(batch: Batch) -> list[Mark]:
    """Return the marks of all records, those of streams that nobody has read yet as well."""
    streamed = [(place, n) for place, items in batch.items.items() for n in range(len(items))]
    return sorted({*marks(batch), *streamed})


def unsendable(batch: Batch) -> set[Mark]:
    """Return the marks of the items of streams that the server never gets."""
    return {
        (place, index)
        for place, items in batch.items.items()
        for index, item in enumerate(items)
        if not isinstance(item, dict) or "mark" not in item
    }


def marks_on_wire(operations: Sequence[Operation], call: Call) -> list[Mark]:
    """Return the marks of the records that the server sees in *call*, in its order."""
    if call.method == "create":
        return [tuple(record["mark"]) for record in json.loads(call.arguments[0])]
    place = call.context["place"]
    return [(place, operations[place].ids.index(number)) for number in ids_on_wire(call)]


def ids_on_wire(call: Call) -> list[int]:
    """Return the ids of the records that the server sees in a *call* that is no create."""
    if call.method == Way.LOAD:
        return [int(row[0]) for row in json.loads(call.arguments[1])]
    return json.loads(call.arguments[0])


def values_on_wire(call: Call) -> Iterator[dict[str, object]]:
    """Yield the values that the server sees for each record of a *call* that writes."""
    first, *rest = map(json.loads, call.arguments)
    match call.method:
        case Way.SAVE:
            yield from rest[0]
        case Way.LOAD:
            for row in rest[0]:
                cells = dict(zip(first[1:], row[1:], strict=True))
                yield {name: int(t) if name == "x" else t for name, t in cells.items()}
        case Way.WRITE:
            yield from itertools.repeat(rest[0], len(first))


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
