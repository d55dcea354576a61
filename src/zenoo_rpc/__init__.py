"""Write to Odoo in bulk: one record, one outcome, always told.

This is the async API; `zenoo_rpc.sync` has the blocking one under the same names.
"""

from . import errors
from ._async.client import ZenooClient
from ._async.context import BatchCollector, BatchContext
from ._async.manager import BatchManager
from ._core.retry import RetryPolicy
from ._core.values import from_wire
from ._version import __version__
from .batch.context import batch_context, batch_operation
from .batch.exceptions import (
    BatchError,
    BatchExecutionError,
    BatchStateError,
    BatchValidationError,
)
from .batch.operations import (
    CreateOperation,
    UnlinkOperation,
    UpdateOperation,
    WriteManyOperation,
)
from .batch.options import Options, Progress
from .batch.results import BatchResult, OperationHandle, OperationResult, RecordOutcome, Status
from .errors import (
    AccessError,
    AddressError,
    AuthenticationError,
    ClientClosedError,
    ConflictError,
    ConnectionFailedError,
    DatabaseNotFoundError,
    InvalidValueError,
    MissingError,
    MissingExtraError,
    NoAnswerError,
    NotLoggedInError,
    NotOdooError,
    OdooError,
    ServerBusyError,
    ServerError,
    TransportError,
    UsageError,
    UserError,
    ValidationError,
    ZenooError,
)

__all__ = [
    "AccessError",
    "AddressError",
    "AuthenticationError",
    "BatchCollector",
    "BatchContext",
    "BatchError",
    "BatchExecutionError",
    "BatchManager",
    "BatchResult",
    "BatchStateError",
    "BatchValidationError",
    "ClientClosedError",
    "ConflictError",
    "ConnectionFailedError",
    "CreateOperation",
    "DatabaseNotFoundError",
    "InvalidValueError",
    "MissingError",
    "MissingExtraError",
    "NoAnswerError",
    "NotLoggedInError",
    "NotOdooError",
    "OdooError",
    "OperationHandle",
    "OperationResult",
    "Options",
    "Progress",
    "RecordOutcome",
    "RetryPolicy",
    "ServerBusyError",
    "ServerError",
    "Status",
    "TransportError",
    "UnlinkOperation",
    "UpdateOperation",
    "UsageError",
    "UserError",
    "ValidationError",
    "WriteManyOperation",
    "ZenooClient",
    "ZenooError",
    "__version__",
    "batch_context",
    "batch_operation",
    "errors",
    "from_wire",
]
