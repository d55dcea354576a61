"""The import path that users know: what a transaction is made of, and what it raises.

The classes that wait are those of the async API; `zenoo_rpc.sync` has the blocking ones.
"""

from ._async.transaction import Transaction, TransactionManager
from .batch.transaction import (
    Change,
    NotUndoableError,
    TransactionError,
    TransactionOptions,
    TransactionReport,
    TransactionRollbackError,
    TransactionState,
    TransactionStateError,
)

__all__ = [
    "Change",
    "NotUndoableError",
    "Transaction",
    "TransactionError",
    "TransactionManager",
    "TransactionOptions",
    "TransactionReport",
    "TransactionRollbackError",
    "TransactionState",
    "TransactionStateError",
]
