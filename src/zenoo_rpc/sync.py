"""The blocking API: the names of `zenoo_rpc`, for plain scripts and notebooks."""

from ._sync.api import *  # noqa: F403
from ._sync.api import __all__ as __all__  # noqa: PLC0414  so that it is exported
