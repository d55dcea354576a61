"""Options and fixtures for all tests; those that talk to a server take the fixture `server`."""

import signal
from collections.abc import Iterator

import hypothesis
import pytest

from .leaks import Leaks, listening
from .servers import NAMES, REAL, Server, running, running_threaded

# How long an example takes says nothing about a rule, least of all on a busy machine.
hypothesis.settings.register_profile("patient", hypothesis.settings(), deadline=None)
hypothesis.settings.load_profile("patient")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--servers",
        default="standin",
        help=f"what wire tests run against, comma-separated: {', '.join(NAMES)} (default: standin)",
    )
    parser.addoption(
        "--all-loops",
        action="store_true",
        help="run the async twin on real servers under trio too, not just under asyncio",
    )


def chosen_servers(config: pytest.Config) -> list[str]:
    """Return the names given by --servers; a wrong one ends the run."""
    names: list[str] = config.getoption("servers").split(",")
    if unknown := sorted(set(names) - set(NAMES)):
        raise pytest.UsageError(f"--servers: {', '.join(unknown)} not in {', '.join(NAMES)}")
    return names


def pytest_configure(config: pytest.Config) -> None:
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as a shell leaves it in the background
        signal.signal(signal.SIGINT, signal.default_int_handler)
    config.addinivalue_line(
        "markers", "real_odoo: about real Odoo only; not run when --servers names none"
    )
    config.addinivalue_line("markers", "loops_share: each loop runs another part of it")


@pytest.hookimpl(tryfirst=True)  # test ids start with the server
def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "running_server" not in metafunc.fixturenames:
        return
    names = chosen_servers(metafunc.config)
    if metafunc.definition.get_closest_marker("real_odoo"):
        names = [name for name in names if name in REAL] or list(REAL)
    metafunc.parametrize("running_server", names, indirect=True, scope="session")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselect what is of no use here.

    That is tests of real Odoo when none was chosen (an empty parameter set would skip), and on real
    servers, which take their time, trio: what they answer does not depend on the loop. What the
    loops share among them stays.
    """
    chosen = chosen_servers(config)
    for item in list(items):
        callspec = getattr(item, "callspec", None)
        parameters = callspec.params if callspec else {}
        server = parameters.get("running_server", chosen[0])
        shared = "share" in item.fixturenames or item.get_closest_marker("loops_share")
        spare = server in REAL and parameters.get("anyio_backend") == "trio" and not shared
        if server not in chosen or (spare and not config.getoption("all_loops")):
            items.remove(item)
            config.hook.pytest_deselected(items=[item])


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


@pytest.fixture(params=["workers", "threaded"])
def either(request: pytest.FixtureRequest, server: Server) -> Server:
    """Real Odoo as it runs with workers, and without."""
    if request.param == "workers":
        return server
    threaded: Server = request.getfixturevalue("threaded_server")
    return threaded


@pytest.fixture
def share(request: pytest.FixtureRequest) -> int:
    """Which third of a long table a test runs on real servers: one for each loop and twin."""
    name = request.node.name
    return 0 if "asyncio" in name else 1 if "trio" in name else 2


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    """Both event loops run every async test."""
    backend: str = request.param
    return backend
