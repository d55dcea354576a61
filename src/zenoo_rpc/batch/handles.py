"""What adding an operation to a batch returns."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from typing import Self

import attrs

from .errors import BatchStateError
from .operations import Operation
from .results import OperationResult


@attrs.define(eq=False, repr=False)
class OperationHandle:
    """What adding to a batch returns: the operation, and after the batch's end its result.

    It may be awaited where the batch's methods may; that changes nothing and sends nothing.
    """

    operation: Operation
    _result: OperationResult | None = None
    _read: Callable[[], OperationResult] | None = None

    def __await__(self) -> Generator[None, None, Self]:
        return self
        yield  # what makes this a generator

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {self._result or self.operation!r}>"

    def settle(
        self, result: OperationResult, read: Callable[[], OperationResult] | None = None
    ) -> None:
        """Take the result, and what gives it anew if it may still change; the batch calls this."""
        self._result, self._read = result, read

    @property
    def result(self) -> OperationResult:
        """The operation's result; BatchStateError before the batch was executed.

        What a transaction holds back is told as that, and after its end as what became of it.
        """
        if self._result is None:
            raise BatchStateError(f"{self.operation.label}: the batch was not executed yet")
        if self._read is not None and self._result.held_back:
            self._result = self._read()
        return self._result

    @property
    def ids(self) -> Sequence[int | None]:
        """A database id for each record, as `result.ids`."""
        return self.result.ids
