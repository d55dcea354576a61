"""What operations touch: when two may be in flight together, and when a call may be repeated."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zenoo_rpc._core.footprint import Footprints
from zenoo_rpc._core.planner import stages
from zenoo_rpc.batch.operations import (
    CreateOperation,
    UnlinkOperation,
    UpdateOperation,
    WriteManyOperation,
)
from zenoo_rpc.batch.streams import CreateStream

BY_ID = {
    "update": lambda model="m": UpdateOperation(model, [7], {"x": 1}),
    "write_many": lambda model="m": WriteManyOperation(model, {7: {"x": 1}, 8: {"x": 2}}),
    "unlink": lambda model="m": UnlinkOperation(model, [7]),
}
IMPORTS = {
    "import": lambda model="m": CreateOperation(model, [{"x": 1}], external_ids=["a"]),
    "stream": lambda model="m": CreateStream(model, [iter([])], external_ids="a"),
}
PLAIN = {
    "create": lambda model="m": CreateOperation(model, [{"x": 1}]),
    "plain stream": lambda model="m": CreateStream(model, [iter([])]),
    "nothing": lambda model="m": UnlinkOperation(model, []),
}
ALL = {**BY_ID, **IMPORTS, **PLAIN}


def meet(first, second):
    """Whether an operation meets one that was taken before."""
    footprints = Footprints()
    footprints.add(first)
    return footprints.last_met(second) >= 0


@pytest.mark.parametrize("second", ALL)
@pytest.mark.parametrize("first", ALL)
def test_who_meets_whom(first, second):
    """All that name the same record, and imports whatever is by id; plain creates nobody."""
    expected = first not in PLAIN and second not in PLAIN
    assert expected == meet(ALL[first](), ALL[second]())
    assert not meet(ALL[first](), ALL[second]("n"))


def test_those_who_name_others_do_not_meet():
    """Other ids, other external ids."""
    assert not meet(UnlinkOperation("m", [7]), UpdateOperation("m", [8], {"x": 1}))
    other = CreateOperation("m", [{"x": 1}], external_ids=["b"])
    assert not meet(IMPORTS["import"](), other)
    assert meet(IMPORTS["stream"](), other)


@given(st.lists(st.tuples(st.sampled_from(sorted(ALL)), st.sampled_from("mn")), max_size=8))
def test_nobody_is_beside_one_that_it_meets(drawn):
    """In no stage do two meet, whoever was added first, and those that do keep their order."""
    operations = [ALL[kind](model) for kind, model in drawn]
    placed = [[each.operation for each in stage] for stage in stages(operations, ordered=False)]
    for stage in placed:
        for place, operation in enumerate(stage):
            assert not any(meet(other, operation) for other in stage[:place])
    sent = [id(each) for stage in placed for each in stage]
    for place, operation in enumerate(operations):
        for later in operations[place + 1 :]:
            if meet(operation, later):
                assert sent.index(id(operation)) < sent.index(id(later))


@given(st.lists(st.sampled_from(sorted(ALL)), min_size=1, max_size=6), st.booleans())
def test_who_may_be_repeated(kinds, ordered):
    """Whoever meets nobody that comes later."""
    operations = [ALL[kind]() for kind in kinds]
    last = {
        id(each.operation): each.last
        for stage in stages(operations, ordered=ordered)
        for each in stage
    }
    for place, operation in enumerate(operations):
        met = any(meet(operation, later) for later in operations[place + 1 :])
        assert last[id(operation)] != met
