"""Options and fixtures for all tests; those that talk to a server take the fixture `server`.

Which of them run is a matter of servers and twins, and each pair of them is a leg: the blocking
twin on Odoo 14, say. `--servers` runs legs whole, `--slice` takes one case of each test.
"""

import os
import signal
import zlib
from collections import defaultdict
from collections.abc import Iterable, Iterator

import hypothesis
import pytest

from .leaks import Leaks, listening
from .servers import NAMES, REAL, Server, running, running_threaded

# How long an example takes says nothing about a rule, least of all on a busy machine. The same
# examples each time, so that a commit either passes or does not; `nox -s soak` looks for others.
hypothesis.settings.register_profile(
    "same",
    deadline=None,
    derandomize=True,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.register_profile(
    "explore",
    parent=hypothesis.settings.get_profile("same"),
    derandomize=False,
    max_examples=2000,
    print_blob=True,
)
hypothesis.settings.load_profile("explore" if "ZENOO_EXPLORE" in os.environ else "same")

TWINS = ("asyncio", "trio", "sync")
TWIN = "anyio_backend"  # the parameter that names it in tests of the async one
SEEDS = 10  # that one test carries out, of trials drawn at random
Leg = tuple[str, str | None]  # server, twin


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--servers",
        help="what wire tests run against, comma-separated, each with a twin after a colon or "
        f"with all: {', '.join(NAMES)}; {', '.join(TWINS)} (default: standin, unless --slice "
        "is given). Real servers run trio only where it is named",
    )
    parser.addoption(
        "--slice",
        default="",
        help="the same, but just one case of each test, always the same one",
    )
    parser.addoption(
        "--deal",
        action="store_true",
        help="run each case of a long table on one of the chosen real servers, and on one "
        "stand-in and loop of each twin",
    )


def legs(config: pytest.Config, option: str) -> list[Leg]:
    """Return what an option names, as server and twin; a wrong name ends the run."""
    text: str | None = config.getoption(option)
    if text is None:
        text = "" if config.getoption("slice") else "standin"
    found: list[Leg] = []
    for each in filter(None, text.split(",")):
        name, _, twin = each.partition(":")
        if name not in NAMES or (twin and twin not in TWINS):
            raise pytest.UsageError(
                f"--{option}: {each} is none of {', '.join(NAMES)}, with or without :TWIN"
            )
        usual = [twin for twin in TWINS if twin != "trio" or name not in REAL]
        found += [(name, one) for one in ([twin] if twin else usual)]
    return found


def chosen_servers(config: pytest.Config) -> list[str]:
    """Return the names of the servers that are needed."""
    return list(
        dict.fromkeys(name for each in ("servers", "slice") for name, _ in legs(config, each))
    )


def pytest_configure(config: pytest.Config) -> None:
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as a shell leaves it in the background
        signal.signal(signal.SIGINT, signal.default_int_handler)
    config.addinivalue_line(
        "markers", "real_odoo: about real Odoo only; not run when --servers names none"
    )
    config.addinivalue_line("markers", "long_table: see --deal")
    config.addinivalue_line("markers", "on_standins: with --deal not run on real servers")
    config.addinivalue_line(
        "markers",
        "drawn(variable, count): carries out what the fixture `seeds` draws; how many seeds there "
        "are says the environment, or the count",
    )


@pytest.hookimpl(tryfirst=True)  # test ids start with the server
def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "running_server" in metafunc.fixturenames:
        names = chosen_servers(metafunc.config) or list(NAMES)
        if metafunc.definition.get_closest_marker("real_odoo"):
            names = [name for name in names if name in REAL] or list(REAL)
        metafunc.parametrize("running_server", names, indirect=True, scope="session")
    if drawn := metafunc.definition.get_closest_marker("drawn"):
        groups = grouped_seeds(*drawn.args)
        metafunc.parametrize("seeds", groups, ids=[f"{each[0]}-{each[-1]}" for each in groups])


def grouped_seeds(variable: str, default: int) -> list[range]:
    """Return the seeds to try, some for each test: ZENOO_SEED, or so many as *variable* says."""
    if "ZENOO_SEED" in os.environ:
        seed = int(os.environ["ZENOO_SEED"])
        return [range(seed, seed + 1)]
    count = int(os.environ.get(variable, default))
    return [range(start, min(start + SEEDS, count)) for start in range(0, count, SEEDS)]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep what belongs to the chosen legs, and of those of a slice one case of each test."""
    whole, thin = legs(config, "servers"), legs(config, "slice")
    cases: defaultdict[tuple[str, Leg], list[pytest.Item]] = defaultdict(list)
    kept: set[pytest.Item] = set()
    for item in items:
        leg = leg_of(item)
        if leg is None or belongs(leg, whole):
            if not config.getoption("deal") or is_dealt_to(leg, whole, item):
                kept.add(item)
        elif belongs(leg, thin):
            cases[item.nodeid.partition("[")[0], leg].append(item)
    for (test, leg), choice in cases.items():
        kept.add(choice[zlib.crc32(f"{test} {leg}".encode()) % len(choice)])
    config.hook.pytest_deselected(items=[item for item in items if item not in kept])
    items[:] = [item for item in items if item in kept]


def is_dealt_to(leg: Leg | None, legs: Iterable[Leg], item: pytest.Item) -> bool:
    """Whether *leg* is the one of *legs* that runs an item, or all do.

    Of a long table, one of the real servers runs each case, and of the stand-ins one leg of each
    twin. Of what is drawn, real servers run the first seeds.
    """
    if leg is None or leg[1] is None:
        return True
    case = item.callspec.params
    if leg[0] in REAL and item.get_closest_marker("on_standins"):
        return False
    if item.get_closest_marker("drawn"):
        return leg[0] not in REAL or case["seeds"][0] == 0
    if not item.get_closest_marker("long_table"):
        return True
    sharing = [each for each in legs if table_of(each) == table_of(leg)]
    names = [str(case[name]) for name in sorted(case) if name not in ("running_server", TWIN)]
    return sharing[zlib.crc32(" ".join(names).encode()) % len(sharing)] == leg


def table_of(leg: Leg) -> str:
    """Return where the cases of a long table are dealt among the legs."""
    server, twin = leg
    return "real" if server in REAL else "sync" if twin == "sync" else "async"


def leg_of(item: pytest.Item) -> Leg | None:
    """Return the server that a test talks to, and the twin by which it does so if it is of one.

    What is about the lab is of the stand-in.
    """
    callspec = getattr(item, "callspec", None)
    parameters = callspec.params if callspec else {}
    if "running_server" not in parameters:
        return ("standin", None) if item.path.parent.name == "lab" else None
    twin = parameters.get(TWIN) or parameters.get("colour")
    if twin == "blocking" or item.path.parent.name == "_sync" or item.path.stem.endswith("_sync"):
        twin = "sync"
    return parameters["running_server"], twin


def belongs(leg: Leg, chosen: Iterable[Leg]) -> bool:
    """Whether *leg* was chosen; what is of no twin belongs to all legs of its server."""
    server, twin = leg
    return any(server == name and twin in (None, one) for name, one in chosen)


@pytest.fixture(scope="session")
def running_server(request: pytest.FixtureRequest) -> Iterator[Server]:
    """One of the chosen servers, for the whole run; that it does not start is a failure."""
    with running(request.param) as server:
        yield server


@pytest.fixture(scope="session")
def listener() -> Iterator[Leaks]:
    """What the whole run tells, in logs and exceptions."""
    with listening() as leaks:
        yield leaks


@pytest.fixture
def server(running_server: Server, listener: Leaks) -> Iterator[Server]:
    """A server at its baseline: what a test leaves behind is gone before the next.

    What was said in between must hold nothing of what was sent.
    """
    listener.secrets.update((running_server.api_key, running_server.limited_key))
    listener.values.add(running_server.password)  # "admin", a word that the server says as well
    yield running_server
    leaked = listener.found()
    running_server.store.reset()
    assert [] == leaked


@pytest.fixture(scope="session")
def threaded_server(running_server: Server) -> Iterator[Server]:
    """A real server without workers, for the database of the other one."""
    with running_threaded(running_server) as server:
        yield server


@pytest.fixture(scope="session")
def poor_server(running_server: Server) -> Iterator[Server]:
    """A real server without workers and with few connections to that database."""
    with running_threaded(running_server, "few") as server:
        yield server


@pytest.fixture(params=["workers", "threaded"])
def either(request: pytest.FixtureRequest, server: Server) -> Server:
    """Real Odoo as it runs with workers, and without."""
    if request.param == "workers":
        return server
    threaded: Server = request.getfixturevalue("threaded_server")
    return threaded


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    """Both event loops run every async test."""
    backend: str = request.param
    return backend
