"""The rules of the house: who may import what, what is explained, what is too long."""

import ast
import graphlib
import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from pathlib import Path

import pytest

import zenoo_rpc

HOUSE = Path(zenoo_rpc.__file__).parent
LONGEST = 400
OWN = "zenoo_rpc"

MODULES = sorted(
    path
    for path in HOUSE.rglob("*.py")
    if not path.relative_to(HOUSE).as_posix().startswith("testing/")
)

# what may be imported only where the house allows it
ROOMS = {
    "asyncio": ["_compat.py"],
    "anyio": ["_compat.py"],
    "trio": [],
    "sniffio": [],
    "concurrent": ["_compat.py"],
    "threading": [
        "_compat.py",
        "_core/gate.py",
        "_core/journal.py",
        "_core/run.py",
        "_core/traffic.py",
    ],
    "httpx": ["_async/transport.py", "_sync/transport.py"],
    "httpcore": [],
    "tqdm": ["progress.py"],
}


# the rooms, from the ground up: one may import from its own floor and from those below
FLOORS = [
    ["errors", "_version"],
    ["wire"],
    ["batch"],
    ["_core"],
    ["_compat", "progress"],
    ["_async", "_sync"],
    ["", "sync", "transaction"],
]
# paths that users know, and what they import; they stand at the top
RE_EXPORTS = ["batch.context", "_async.api", "_sync.api"]
# the way of a call, from its end: each may import from those before
WAY = ["transport", "session", "caller", "execution", "context", "manager", "client", "api"]


def name_of(path: Path) -> str:
    """Return the path inside the package, as a test's id."""
    return path.relative_to(HOUSE).as_posix()


def imported(path: Path) -> Iterator[str]:
    """Yield the full name of everything that a module imports, inside of functions as well."""
    package = [OWN, *path.relative_to(HOUSE).parent.parts]
    for node in ast.walk(ast.parse(path.read_text())):
        match node:
            case ast.Import(names=names):
                yield from (each.name for each in names)
            case ast.ImportFrom(module=module, names=names, level=level):
                above = package[: len(package) - level + 1] if level else []
                origin = ".".join([*above, *([module] if module else [])])
                yield from (f"{origin}.{each.name}" for each in names)


def within(name: str, package: str) -> bool:
    """Return whether *name* is *package* or something inside of it."""
    return name == package or name.startswith(package + ".")


def test_there_is_a_house():
    """The rules below look at something."""
    assert {"_compat.py", "_core/run.py", "_async/client.py", "_sync/client.py"} <= {
        name_of(path) for path in MODULES
    }
    assert "zenoo_rpc._compat.ACrew" in set(imported(HOUSE / "_async" / "execution.py"))


@pytest.mark.parametrize("module", ROOMS)
def test_what_knows_the_colours_stays_in_its_room(module):
    """Loops, threads and HTTP are imported by just the files that are there for them."""
    where = [name_of(p) for p in MODULES if any(within(name, module) for name in imported(p))]

    assert ROOMS[module] == where


@pytest.mark.parametrize("path", sorted((HOUSE / "_core").rglob("*.py")), ids=name_of)
def test_the_core_knows_no_colour(path):
    """Nothing in `_core` leads to code that waits, to a socket or to a clock."""
    outside = {"_async", "_sync", "_compat", "sync", "progress", "testing"}
    forbidden = [f"{OWN}.{name}" for name in outside] + ["socket", "time", "select", "http"]

    assert [] == [name for name in imported(path) if any(within(name, f) for f in forbidden)]
    assert not any(
        isinstance(node, ast.AsyncFunctionDef | ast.AsyncFor | ast.AsyncWith | ast.Await)
        for node in ast.walk(ast.parse(path.read_text()))
    )


@pytest.mark.parametrize("path", sorted((HOUSE / "batch").rglob("*.py")), ids=name_of)
def test_what_a_batch_is_made_of_knows_no_colour(path):
    """Only the import path that users know, `batch.context`, leads from `batch` to a colour."""
    coloured = [
        name
        for name in imported(path)
        if any(within(name, f"{OWN}.{room}") for room in ("_async", "_sync", "_compat"))
    ]

    assert [] == [n for n in coloured if path.name != "context.py" or within(n, f"{OWN}._sync")]


def test_the_twins_do_not_know_each_other():
    """Neither tree imports from the other."""
    trees = {"_async": "_sync", "_sync": "_async"}

    assert [] == [
        (name_of(path), name)
        for tree, other in trees.items()
        for path in (HOUSE / tree).rglob("*.py")
        for name in imported(path)
        if within(name, f"{OWN}.{other}")
    ]


def graph() -> dict[str, set[str]]:
    """Return which module imports which; imports for type checkers count as well."""
    names = {
        ".".join(path.relative_to(HOUSE).with_suffix("").parts).removesuffix("__init__").strip(".")
        for path in MODULES
    }
    found: dict[str, set[str]] = {}
    for path in MODULES:
        parts = path.relative_to(HOUSE).with_suffix("").parts
        name = ".".join(parts).removesuffix("__init__").strip(".")
        own = [each.removeprefix(OWN).strip(".") for each in imported(path) if within(each, OWN)]
        found[name] = {each if each in names else each.rpartition(".")[0] for each in own} - {name}
    return found


def floor_of(module: str) -> int:
    """Return the number of a module's floor."""
    room = module.partition(".")[0]
    top = len(FLOORS) - 1
    return top if module in RE_EXPORTS else next(n for n, e in enumerate(FLOORS) if room in e)


def test_nothing_is_imported_in_a_circle():
    """Not even where only a type checker sees it."""
    order = list(graphlib.TopologicalSorter(graph()).static_order())
    assert {"errors", "wire.values", "_core.run", "_async.client", "_sync.client"} <= {*order}


def test_no_arrow_runs_up():
    """A room is built on those below it."""
    up = [
        (module, other)
        for module, others in graph().items()
        for other in others
        if floor_of(other) > floor_of(module)
    ]
    assert [] == up


@pytest.mark.parametrize("tree", ["_async", "_sync"])
def test_the_way_of_a_call_is_one_way(tree):
    """From the client down to the transport."""
    arrows = graph()
    for place, module in enumerate(WAY):
        later = {f"{tree}.{each}" for each in WAY[place + 1 :]}
        assert set() == later & arrows[f"{tree}.{module}"]
    assert {f"{tree}.transport"} <= arrows[f"{tree}.session"]
    assert {f"{tree}.execution", f"{tree}.context"} <= arrows[f"{tree}.manager"]


def modules() -> list[str]:
    """Return the names of the modules whose docstrings are written by hand."""
    found = [each.name for each in pkgutil.walk_packages([str(HOUSE)], OWN + ".")]
    rooms = (f"{OWN}._sync", f"{OWN}.testing")
    return [OWN, *(name for name in found if not any(within(name, room) for room in rooms))]


def undocumented(module_name: str) -> Iterator[str]:
    """Yield what is public in a module and explains itself neither here nor in a base class."""
    module = importlib.import_module(module_name)
    if not module.__doc__ and module_name != f"{OWN}._version":
        yield module_name
    for name, item in vars(module).items():
        if name.startswith("_") or getattr(item, "__module__", None) != module_name:
            continue
        if inspect.isfunction(item) and not item.__doc__:
            yield f"{module_name}.{name}"
        if inspect.isclass(item):
            if not item.__doc__:
                yield f"{module_name}.{name}"
            for member, value in vars(item).items():
                documentable = inspect.isfunction(value) or isinstance(
                    value, property | classmethod | staticmethod
                )
                explained = inspect.getdoc(getattr(item, member))
                if documentable and not member.startswith("_") and not explained:
                    yield f"{module_name}.{name}.{member}"


@pytest.mark.parametrize("module", modules())
def test_what_is_public_is_explained(module):
    """Every module, and each public function, class, method and property, has a docstring."""
    assert [] == list(undocumented(module))


def test_no_module_is_too_long():
    """A module fits on a few screens."""
    lengths = {name_of(path): len(path.read_text().splitlines()) for path in MODULES}

    assert {} == {name: length for name, length in lengths.items() if length > LONGEST}
