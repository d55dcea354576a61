"""Database ids, compactly: a sequence like a list of them."""

from array import array

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zenoo_rpc.wire.ids import Ids
from zenoo_rpc.wire.values import to_wire

NUMBERS = st.lists(st.integers(0, 2**63 - 1), max_size=9)


def ids(numbers):
    """Return ids, of which 0 is none, and the list that they stand for."""
    return Ids(array("q", numbers)), [number or None for number in numbers]


@given(NUMBERS, st.data())
def test_it_is_like_a_list(numbers, data):
    """Length, places, slices, order, membership and equality are those of the list."""
    compact, plain = ids(numbers)
    cut = data.draw(st.slices(len(plain)))

    assert plain == list(compact) == compact[:]
    assert (len(plain), plain[cut]) == (len(compact), compact[cut])
    assert [plain[place] for place in range(-len(plain), len(plain))] == [
        compact[place] for place in range(-len(plain), len(plain))
    ]
    assert compact == plain
    assert compact == ids(numbers)[0]
    assert hash(compact) == hash(ids(numbers)[0])
    assert all(each in compact for each in plain)


@given(NUMBERS, NUMBERS)
def test_it_adds_up_with_lists(one, other):
    """The sum is a list, whichever comes first."""
    compact, plain = ids(one)
    others = ids(other)[1]

    assert plain + others == compact + others == compact + ids(other)[0]
    assert others + plain == others + compact


@pytest.mark.parametrize("other", [[7, 0], [7], (7, None), "7", None], ids=repr)
def test_unequal(other):
    """It equals no other ids, and nothing that is no list."""
    assert ids([7, 0])[0] != other
    assert ids([7, 0])[0] != ids([7, 8])[0]


def test_repr():
    """A million ids are not to fill the screen."""
    assert "<Ids: 1,000, the first ones [1, 2, 3, 4, 5]>" == repr(ids(range(1, 1001))[0])


def test_it_is_a_value():
    """What one batch created can be what the next one writes to."""
    assert [7, 8] == to_wire(ids([7, 8])[0])
