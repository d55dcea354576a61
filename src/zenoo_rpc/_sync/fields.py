"""Values of single calls in the forms that their fields' types ask for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._core.descriptions import Description, described, not_described
from .._core.faults import Fault, Proof
from ..batch.options import ManagerSettings
from ..errors import InvalidValueError
from ..wire import arguments
from ..wire.typed import unknown
from ..wire.values import WireRecord
from .session import NO_DEADLINE

if TYPE_CHECKING:
    from .client import ZenooClient


def in_their_types(
    client: ZenooClient, model: str, values: WireRecord | list[WireRecord], context: object
) -> WireRecord | list[WireRecord]:
    """Return the values of a record, or of a list of them; the types are asked for once.

    Raises InvalidValueError for what is no value of its field, and QuestionError if the fields must
    be known and are not told.
    """
    arguments.text("model", model)
    arguments.merged(context)  # all is checked before anything is asked
    if not isinstance(values, list):
        return _typed(client, model, values, "values")
    return [
        _typed(client, model, record, f"values[{place}]")
        for place, record in enumerate(values)
    ]


def _typed(client: ZenooClient, model: str, values: WireRecord, name: str) -> WireRecord:
    while models := unknown(values, model, client.ways.fields):
        for each in sorted(models):
            _ask(client, each)
    try:
        return client.ways.typed(model, values)
    except InvalidValueError as error:
        raise error.within(name) from None


def _ask(client: ZenooClient, model: str) -> None:
    reply = client.send_call(Description(model), ManagerSettings(), NO_DEADLINE)
    fields = described(reply)
    if fields is None:
        if isinstance(reply, Fault) and reply.proof is not Proof.UNKNOWN:
            raise reply.error
        _, error = not_described(model, reply)
        raise error
    client.ways.fields[model] = fields
