"""API keys: which argument is one, when they end, how they are made."""

import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zenoo_rpc import errors
from zenoo_rpc._core.keys import (
    CHECK,
    DURATIONS,
    SOON,
    ApiKey,
    Door,
    description,
    door,
    ending,
    in_order,
    key_text,
    listed,
    proof_asked,
    refusal,
    shown,
)

TODAY = datetime.date(2026, 11, 25)
KEYS = st.text("0123456789abcdef", min_size=40, max_size=40)
NAMES = st.text().filter(lambda name: len(name) != 40)


def source():
    """Give a key."""
    return "0" * 40


@given(KEYS | st.just(source), NAMES)
def test_the_key_is_told_from_the_name_in_either_order(key, name):
    """By its form, or by being a function."""
    assert (key, name) == in_order(key, name)
    assert (key, name) == in_order(name, key)
    if isinstance(key, str):
        assert (f"{key}\n", name) == in_order(name, f"{key}\n")


@given(st.text() | st.just(source))
def test_alone_it_is_the_key(key):
    """There is no name then."""
    assert (key, None) == in_order(key, None)


@given(KEYS, KEYS)
def test_of_two_that_look_like_keys_the_first_is_the_key(key, name):
    """As the signature says."""
    assert (key, name) == in_order(key, name)


def test_of_two_functions_the_first_is_the_key():
    """The other is no name."""
    assert (source, None) == in_order(source, source)


def rows(*days):
    """Return keys that end in so many days, or never."""
    ends = [day if day is None else TODAY + datetime.timedelta(day) for day in days]
    return [{"expiration_date": end and f"{end} 00:00:00"} for end in ends]


@given(st.text() | st.just("\n" + "f" * 40 + "\n") | st.none() | st.binary())
def test_a_key_is_sent_only_if_a_header_can_carry_it(key):
    """Without the space around it; what is refused is not shown."""
    text = key.strip() if isinstance(key, str) else ""
    if text and text.isascii() and text.isprintable():
        assert text == key_text(key)
        return
    with pytest.raises(errors.UsageError) as told:
        key_text(key)
    kind = "text that is none" if isinstance(key, str) else type(key).__name__
    assert f"an API key is a text of ASCII characters, not a {kind}" == str(told.value)


@given(st.lists(st.integers(-1000, 1000)))
def test_a_warning_comes_when_the_last_key_ends_soon(days):
    """Whichever is used, it ends by then; a key that ends late, or no key at all, says nothing."""
    words = ending(rows(*days), TODAY)

    assert (bool(days) and max(days) <= SOON.days) is bool(words)
    if words:
        assert str(TODAY + datetime.timedelta(max(days))) in words


@given(st.lists(st.integers(0, 9), max_size=3), st.sampled_from([False, None]))
def test_a_key_that_never_ends_may_be_the_one(days, never):
    """Then there is nothing to warn of."""
    assert "" == ending([*rows(*days), {"expiration_date": never}], TODAY)
    assert "" == ending([*rows(*days), {}], TODAY)


def test_keys_are_listed_without_what_opens():
    """Times are in UTC; what is empty is None."""
    new = {"id": 3, "name": "etl", "scope": "rpc", "expiration_date": "2027-01-31 00:00:00"}
    old = {"id": 4, "name": "old", "scope": False, "create_date": "2020-01-01 00:00:00"}
    end = datetime.datetime(2027, 1, 31, tzinfo=datetime.UTC)

    assert [ApiKey(3, "etl", end, "rpc"), ApiKey(4, "old", None, None)] == listed([new, old])
    assert [ApiKey(4, "old", None, None)] == listed([{**old, "expiration_date": False}])


@given(st.integers(0, 30))
def test_there_is_a_door_only_where_it_was_seen(version):
    """With a key over JSON-2; with a password on 14, and from 19 on."""
    assert Door.KEY is door("json2", version)
    if version == 14:
        assert Door.JSONRPC is door("jsonrpc", version)
    elif version >= 19:
        assert Door.SESSION is door("jsonrpc", version)
    else:
        with pytest.raises(errors.UsageError, match=r"not known\. A person makes") as told:
            door("jsonrpc", version)
        assert (f"release {version})" if version else "does not tell") in str(told.value)


@given(st.integers(1, 5000), st.sampled_from([Door.KEY, Door.SESSION]))
def test_a_key_ends_after_its_days(days, way):
    """By one of the wizard's durations, or by a date."""
    told = description("etl", days, way, TODAY)

    if days in DURATIONS:
        assert {"name": "etl", "duration": str(days)} == told
    else:
        end = f"{TODAY + datetime.timedelta(days)} 00:00:00"
        assert {"name": "etl", "duration": "-1", "expiration_date": end} == told


def test_keys_that_do_not_end():
    """None says so where keys end; where they do not, nothing is said."""
    assert {"name": "etl", "duration": "0"} == description("etl", None, Door.KEY, TODAY)
    for days in (None, 1, 45):
        assert {"name": "etl"} == description("etl", days, Door.JSONRPC, TODAY)


@pytest.mark.parametrize("days", [0, -1, 1.5, True, "7"])
@pytest.mark.parametrize("way", Door)
def test_days_that_are_none(days, way):
    """A number of days is at least one."""
    with pytest.raises(errors.InvalidValueError, match="days"):
        description("etl", days, way, TODAY)


def test_what_the_server_asks_for():
    """The record that waits for the password, unless it wants none."""
    assert 7 == proof_asked({"res_model": CHECK, "res_id": 7})
    for other in ({"res_model": "res.users.apikeys.show", "res_id": 7}, {}, None, True, [7]):
        assert proof_asked(other) is None


def test_the_key_that_is_shown():
    """It is in the context of the window that opens; without one that is told."""
    assert "k" * 40 == shown({"context": {"default_key": "k" * 40}})
    for other in ({"context": {}}, {"context": {"default_key": 5}}, {"context": []}, {}, None):
        with pytest.raises(errors.ServerError, match=r"showed no key\. A person"):
            shown(other)


def test_refusals_say_what_a_person_can_do():
    """Unless they say themselves what is wrong with what was given."""
    name, arguments = "odoo.exceptions.AccessError", ("Not you.",)
    told = refusal(errors.AccessError("Not you.", name, arguments, "Traceback"))

    assert str(told).startswith("Not you. A person makes one in Odoo: My Preferences")
    parts = (type(told), told.name, told.arguments, told.debug)
    assert (errors.AccessError, name, arguments, "Traceback") == parts
    for kept in (errors.AuthenticationError, errors.MissingError, errors.ValidationError):
        error = kept("no")
        assert error is refusal(error)
