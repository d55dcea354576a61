"""Options and fixtures for all tests; those that talk to a server take the fixture `server`."""

from collections.abc import Iterator

import hypothesis
import pytest

from .servers import NAMES, REAL, Server, running

# How long an example takes says nothing about a rule, least of all on a busy machine.
hypothesis.settings.register_profile("patient", hypothesis.settings(), deadline=None)
hypothesis.settings.load_profile("patient")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--servers",
        default="standin",
        help=f"what wire tests run against, comma-separated: {', '.join(NAMES)} (default: standin)",
    )


def chosen_servers(config: pytest.Config) -> list[str]:
    """Return the names given by --servers; a wrong one ends the run."""
    names: list[str] = config.getoption("servers").split(",")
    if unknown := sorted(set(names) - set(NAMES)):
        raise pytest.UsageError(f"--servers: {', '.join(unknown)} not in {', '.join(NAMES)}")
    return names


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers", "real_odoo: about real Odoo only; not run when --servers names none"
    )


@pytest.hookimpl(tryfirst=True)  # test ids start with the server
def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "running_server" not in metafunc.fixturenames:
        return
    names = chosen_servers(metafunc.config)
    if metafunc.definition.get_closest_marker("real_odoo"):
        names = [name for name in names if name in REAL] or list(REAL)
    metafunc.parametrize("running_server", names, indirect=True, scope="session")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselect tests of real Odoo when none was chosen (an empty parameter set would skip)."""
    chosen = chosen_servers(config)
    for item in list(items):
        callspec = getattr(item, "callspec", None)
        if callspec and callspec.params.get("running_server", chosen[0]) not in chosen:
            items.remove(item)
            config.hook.pytest_deselected(items=[item])


@pytest.fixture(scope="session")
def running_server(request: pytest.FixtureRequest) -> Iterator[Server]:
    """One of the chosen servers, for the whole run; that it does not start is a failure."""
    with running(request.param) as server:
        yield server


@pytest.fixture
def server(running_server: Server) -> Iterator[Server]:
    """A server at its baseline: what a test leaves behind is gone before the next."""
    yield running_server
    running_server.store.reset()


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
