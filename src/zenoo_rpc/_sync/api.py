"""What users import, in this colour."""

from __future__ import annotations

from .. import errors
from .._core.keys import ApiKey
from .._core.retry import RetryPolicy
from .._core.ways import Capabilities
from .._version import __version__
from ..batch.context import batch_context, batch_operation
from ..batch.exceptions import (
    BatchError,
    BatchExecutionError,
    BatchStateError,
    BatchValidationError,
    NotSentError,
    StreamStoppedError,
    UnansweredError,
)
from ..batch.handles import OperationHandle
from ..batch.operations import CreateOperation, UnlinkOperation, UpdateOperation, WriteManyOperation
from ..batch.options import Options, Progress
from ..batch.results import BatchResult, OperationResult, RecordOutcome
from ..batch.status import Status
from ..batch.streams import CreateStream
from ..batch.transaction import (
    Change,
    HeldBackError,
    NotUndoableError,
    TransactionError,
    TransactionReport,
    TransactionRollbackError,
    TransactionState,
    TransactionStateError,
)
from ..errors import (
    AccessError,
    AddressError,
    AuthenticationError,
    ClientClosedError,
    ConflictError,
    ConnectionFailedError,
    DatabaseNotFoundError,
    GatewayError,
    InvalidValueError,
    MissingError,
    MissingExtraError,
    NoAnswerError,
    NotBegunError,
    NotLoggedInError,
    NotOdooError,
    NotThereError,
    OdooError,
    OutcomeUnknownError,
    QuestionError,
    ServerBusyError,
    ServerError,
    TooLargeError,
    TransportError,
    UnknownOptionError,
    UsageError,
    UserError,
    ValidationError,
    ZenooError,
)
from ..wire.ids import Ids
from ..wire.values import from_wire
from .client import ZenooClient
from .context import BatchCollector, BatchContext
from .keys import ApiKeys
from .manager import BatchManager
from .stream import OutcomeStream
from .transaction import Transaction, TransactionManager

__all__ = [
    "AccessError",
    "AddressError",
    "ApiKey",
    "ApiKeys",
    "AuthenticationError",
    "BatchCollector",
    "BatchContext",
    "BatchError",
    "BatchExecutionError",
    "BatchManager",
    "BatchResult",
    "BatchStateError",
    "BatchValidationError",
    "Capabilities",
    "Change",
    "ClientClosedError",
    "ConflictError",
    "ConnectionFailedError",
    "CreateOperation",
    "CreateStream",
    "DatabaseNotFoundError",
    "GatewayError",
    "HeldBackError",
    "Ids",
    "InvalidValueError",
    "MissingError",
    "MissingExtraError",
    "NoAnswerError",
    "NotBegunError",
    "NotLoggedInError",
    "NotOdooError",
    "NotSentError",
    "NotThereError",
    "NotUndoableError",
    "OdooError",
    "OperationHandle",
    "OperationResult",
    "Options",
    "OutcomeStream",
    "OutcomeUnknownError",
    "Progress",
    "QuestionError",
    "RecordOutcome",
    "RetryPolicy",
    "ServerBusyError",
    "ServerError",
    "Status",
    "StreamStoppedError",
    "TooLargeError",
    "Transaction",
    "TransactionError",
    "TransactionManager",
    "TransactionReport",
    "TransactionRollbackError",
    "TransactionState",
    "TransactionStateError",
    "TransportError",
    "UnansweredError",
    "UnknownOptionError",
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
