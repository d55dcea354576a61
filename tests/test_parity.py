"""Both twins are the same library: names, signatures, docstrings and the shared classes."""

import importlib
import inspect
import re
import subprocess
import sys
from pathlib import Path

import pytest

import zenoo_rpc
import zenoo_rpc.sync
from zenoo_rpc import _compat

HOUSE = Path(zenoo_rpc.__file__).parent
COLOURED = [
    "ApiKeys",
    "BatchCollector",
    "BatchContext",
    "BatchManager",
    "OutcomeStream",
    "Transaction",
    "TransactionManager",
    "ZenooClient",
]
DUNDERS = {
    "__aenter__": "__enter__",
    "__aexit__": "__exit__",
    "__aiter__": "__iter__",
    "__anext__": "__next__",
}
FILES = sorted(path.relative_to(HOUSE / "_async") for path in (HOUSE / "_async").rglob("*.py"))

HEAVY = {"tqdm", "pytest", "_pytest", "werkzeug", "trio", "pytest_httpserver", "unasync"}


def public(cls):
    """Return a class's members by name, those of its bases too, as its users see them."""
    names = {name for base in cls.__mro__[:-1] for name in vars(base)}
    return {
        name: inspect.getattr_static(cls, name)
        for name in names
        if not name.startswith("_") or name in {"__init__", *DUNDERS, *DUNDERS.values()}
    }


def signature(member):
    """Return how a function or a property is called, whatever its colour."""
    if isinstance(member, property):
        return f"property{inspect.signature(member.fget)}"
    if not inspect.isfunction(member):
        return type(member).__name__
    return str(inspect.signature(member)).replace("_async", "_sync")


def blocking(doc):
    """Return a docstring as the generator converts it."""
    doc = re.sub(r"\b(?:async (?=(?:with|for|def)\b)|await (?=\S))", "", doc or "")
    return doc.replace("from zenoo_rpc import", "from zenoo_rpc.sync import")


def test_the_names_are_the_same():
    """Changing the import line is enough, because each name is there."""
    assert zenoo_rpc.__all__ == zenoo_rpc.sync.__all__
    assert sorted(zenoo_rpc.__all__) == zenoo_rpc.__all__
    assert [] == [name for name in zenoo_rpc.__all__ if not hasattr(zenoo_rpc.sync, name)]


@pytest.mark.parametrize("name", [name for name in zenoo_rpc.__all__ if name not in COLOURED])
def test_what_does_not_wait_is_one_object(name):
    """Errors, operations and results of one twin are caught, built and read by the other."""
    assert getattr(zenoo_rpc, name) is getattr(zenoo_rpc.sync, name)


@pytest.mark.parametrize("name", COLOURED)
def test_what_waits_has_a_twin(name):
    """The coloured classes are two, under one name."""
    one, other = getattr(zenoo_rpc, name), getattr(zenoo_rpc.sync, name)

    assert one is not other
    assert one.__qualname__ == other.__qualname__
    assert one.__module__.replace("_async", "_sync") == other.__module__
    assert [re.sub("^A(?=[A-Z])", "", base.__name__) for base in one.__mro__] == [
        base.__name__ for base in other.__mro__
    ]


@pytest.mark.parametrize("name", COLOURED)
def test_the_members_are_the_same(name):
    """The one name more is `aclose`, which `contextlib.aclosing` asks for."""
    one, other = public(getattr(zenoo_rpc, name)), public(getattr(zenoo_rpc.sync, name))
    names = {DUNDERS.get(member, member) for member in one}

    assert set() == other.keys() - names
    assert ({"aclose"} if name == "ZenooClient" else set()) == names - other.keys()
    assert len(names) > 1


@pytest.mark.parametrize("name", COLOURED)
def test_the_signatures_are_the_same(name):
    """Arguments, defaults and types are spelled alike."""
    one, other = public(getattr(zenoo_rpc, name)), public(getattr(zenoo_rpc.sync, name))
    one.pop("aclose", None)

    assert {DUNDERS.get(n, n): signature(member) for n, member in one.items()} == {
        n: signature(member) for n, member in other.items()
    }
    assert not any(inspect.iscoroutinefunction(member) for member in other.values())


@pytest.mark.parametrize("name", COLOURED)
def test_the_docstrings_are_the_same(name):
    """What is said of one twin is said of the other, its examples converted."""
    one, other = getattr(zenoo_rpc, name), getattr(zenoo_rpc.sync, name)
    members = public(other)

    assert blocking(one.__doc__) == other.__doc__
    assert {
        DUNDERS.get(n, n): blocking(member.__doc__)
        for n, member in public(one).items()
        if n != "aclose"
    } == {n: member.__doc__ or "" for n, member in members.items()}


@pytest.mark.parametrize("file", FILES, ids=str)
def test_each_file_has_its_twin_line_for_line(file):
    """A line number in a traceback of one twin is right in the other."""
    one, other = HOUSE / "_async" / file, HOUSE / "_sync" / file

    assert one.read_text().count("\n") == other.read_text().count("\n")


def test_no_twin_is_left_over():
    """The blocking tree has no file that the other has not."""
    assert FILES == sorted(p.relative_to(HOUSE / "_sync") for p in (HOUSE / "_sync").rglob("*.py"))


@pytest.mark.parametrize("file", FILES, ids=str)
def test_private_functions_have_twins_too(file):
    """Each module has the same functions and constants, and constants have the same values."""
    name = "" if file.name == "__init__.py" else f".{file.stem}"
    one = dict(vars(importlib.import_module(f"zenoo_rpc._async{name}")))
    other = vars(importlib.import_module(f"zenoo_rpc._sync{name}"))
    swapped = {n: n[1:] for n in _compat.__all__ if n[0] in "aA" and n[1:] in _compat.__all__}

    def constants(found):
        return {n: v for n, v in found.items() if n.isupper() and isinstance(v, int | float | str)}

    one.pop("__warningregistry__", None)  # Python's own, once something has warned
    assert {swapped.get(n, n) for n in one} == set(other) - {"__warningregistry__"}
    assert constants(one) == constants(other)


@pytest.mark.parametrize("module", ["zenoo_rpc", "zenoo_rpc.sync", "zenoo_rpc.batch.context"])
def test_the_import_is_light(module):
    """Importing either twin imports nothing that only tests, bars or other loops need."""
    script = f"import {module}, sys; print(*{{name.partition('.')[0] for name in sys.modules}})"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", script], capture_output=True, text=True, check=True
    )

    assert set() == HEAVY & set(done.stdout.split())
    assert "zenoo_rpc" in done.stdout.split()
