"""An Odoo stand-in for tests: a small server in memory that answers as real Odoo does.

Install it with the extra ``testing``. `OdooStandIn` is the server, `ServedCall` an entry of its
log;
the fixture ``odoo_standin`` comes with the package's pytest plugin.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .server import OdooStandIn
    from .service import ServedCall

__all__ = ["OdooStandIn", "ServedCall"]


def __getattr__(name: str) -> Any:
    # The plugin lives in this package and is imported by every pytest run: the server waits to be
    # asked for.
    if name == "OdooStandIn":
        from .server import OdooStandIn

        return OdooStandIn
    if name == "ServedCall":
        from .service import ServedCall

        return ServedCall
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
