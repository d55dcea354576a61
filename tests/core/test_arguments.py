"""Arguments of the client's methods: what they are made of, and what they must be."""

import pytest

from zenoo_rpc import InvalidValueError
from zenoo_rpc.wire import arguments


def test_a_page():
    """What was not given is left out; a limit of 0 was given."""
    assert {} == arguments.page(offset=0, limit=None, order=None)
    page = arguments.page(offset=7, limit=0, order="name")
    assert {"offset": 7, "limit": 0, "order": "name"} == page


@pytest.mark.parametrize("bad", [1.5, "5", True, -1, None, []], ids=repr)
def test_a_count(bad):
    """It is a whole number of at least 0."""
    with pytest.raises(InvalidValueError, match=r"^offset must be a whole number of at least 0$"):
        arguments.page(offset=bad, limit=None, order=None)


def test_names():
    """Any iterable of texts will do; None is left out, an empty one is not."""
    assert {"fields": ["name"], "attributes": []} == arguments.names(
        fields=(name for name in ["name"]), attributes=(), more=None
    )
    assert {"fields": ["name"]} == arguments.names(fields={"name": 1})
    for bad in ("name", b"name", 7):
        with pytest.raises(InvalidValueError, match=f"^fields must be a list, not {_kind(bad)}$"):
            arguments.names(fields=bad)
    with pytest.raises(InvalidValueError, match=r"^fields\[1\] must be a text, not int$"):
        arguments.names(fields=["name", 7])


def test_ids():
    """One id stands for a list of one; any iterable of ids will do."""
    assert [7] == arguments.ids(7)
    assert [7, 8] == arguments.ids((7, 8)) == arguments.ids(n for n in (7, 8))
    for bad in (None, 1.5, "7", 0, -1, True, [7]):
        told = bad if bad in (0, -1) else f"this {_kind(bad)}"
        with pytest.raises(InvalidValueError, match=rf"^ids\[1\]: an id .*, not {told}$"):
            arguments.ids([7, bad])


def test_contexts():
    """The later ones stand over the earlier ones; None is an empty one."""
    assert {"lang": "de_CH", "tz": False} == arguments.merged(
        {"lang": "en_US", "tz": None}, None, {"lang": "de_CH"}
    )
    with pytest.raises(InvalidValueError, match=r"^context must be a mapping, not str$"):
        arguments.merged({}, "lang")
    with pytest.raises(InvalidValueError, match=r"^field 'context\.a\[0\]': NaN") as caught:
        arguments.merged({"a": [float("nan")]})
    assert "context.a[0]" == caught.value.path


def test_records():
    """One record, or a list of them; the error names the record, and the field."""
    assert {"name": "Ann"} == arguments.records({"name": "Ann", "id": None})
    assert [{"name": "Ann"}, {}] == arguments.records(({"name": "Ann"}, {}))
    with pytest.raises(InvalidValueError, match=r"^values\[1\]: '\.id' is no field"):
        arguments.records([{}, {".id": 7}])
    with pytest.raises(InvalidValueError, match=r"^field 'values\[0\]\.price': NaN"):
        arguments.records([{"price": float("nan")}])
    with pytest.raises(InvalidValueError, match=r"^values: it is a list, not a mapping"):
        arguments.values([])


def test_instances():
    """All of them must be."""
    assert [True, 7] == arguments.instances("numbers", iter((True, 7)), int)
    with pytest.raises(InvalidValueError, match=r"^numbers\[1\] must be a int, not str$"):
        arguments.instances("numbers", [7, "8"], int)


def test_checks_of_options():
    """They return what they let pass."""
    assert 16 == arguments.count("max_connections", 16)
    assert None is arguments.seconds_or_none("timeout", None)
    assert 0.5 == arguments.seconds_or_none("timeout", 0.5)
    assert arguments.yes_or_no("trust_env", True)
    arguments.texts(database="demo", username="")


def _kind(value):
    return type(value).__name__
