"""Write to Odoo in bulk: one record, one outcome, always told.

This is the async API; `zenoo_rpc.sync` has the blocking one under the same names.
"""

from typing import TYPE_CHECKING

from . import errors as errors  # light, and what the others begin with
from ._version import __version__ as __version__

if TYPE_CHECKING:
    from ._async.api import *  # noqa: F403
    from ._async.api import __all__ as __all__
else:

    def __getattr__(name: str) -> object:
        """Import what is used, when it is used: httpx, attrs and cattrs take their time."""
        from ._async import api

        try:
            return getattr(api, name)
        except AttributeError:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}") from None

    def __dir__() -> list[str]:
        from ._async import api

        return [*globals(), *api.__all__]
