"""The pytest plugin: the fixture `odoo_standin`, a stand-in with a new database for each test.

One server runs for the whole session, because starting and stopping it costs more than a test.
Nothing is imported before a test asks for the fixture.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from .server import OdooStandIn


@pytest.fixture(scope="session")
def _odoo_standin_server() -> "Iterator[OdooStandIn]":
    from .server import OdooStandIn

    with OdooStandIn() as odoo:
        yield odoo


@pytest.fixture
def odoo_standin(_odoo_standin_server: "OdooStandIn") -> "OdooStandIn":
    """A running stand-in for Odoo 19 in the state of a new database."""
    _odoo_standin_server.reset()
    return _odoo_standin_server
