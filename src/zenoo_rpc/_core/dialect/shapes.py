"""What the methods of a model answer: anything else is the answer of somebody else."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeGuard

from ...errors import ServerError

NOTHING = object()  # what is no JSON


def _is_ids(body: object) -> bool:
    return isinstance(body, list) and all(type(each) is int for each in body)


def is_rows(body: object) -> TypeGuard[list[dict[str, Any]]]:
    """Whether it is a list of mappings, as the values of records are told."""
    return isinstance(body, list) and all(isinstance(each, dict) for each in body)


def _is_description(body: object) -> bool:
    return isinstance(body, dict) and is_rows(list(body.values()))


def _is_loaded(body: object) -> bool:
    return isinstance(body, dict) and {"ids", "messages"} <= body.keys()


def _is_context(body: object) -> bool:
    return isinstance(body, dict) and type(body.get("uid")) is int


def _is_done(body: object) -> bool:
    # An addon's own may forget to return (`stock.quant.write` of 19 does).
    return body is None or isinstance(body, bool)


# What these methods answer; anything else is the answer of somebody else.
ANSWERS: Mapping[str, Callable[[object], bool]] = {
    "check_access_rights": _is_done,
    "context_get": _is_context,
    "create": _is_ids,
    "fields_get": _is_description,
    "load": _is_loaded,
    "read": is_rows,
    "search": _is_ids,
    "search_count": lambda body: type(body) is int,
    "search_read": is_rows,
    "unlink": _is_done,
    "web_save_multi": lambda body: isinstance(body, list),
    "write": _is_done,
}


def is_answer(method: str, body: object) -> bool:
    """Whether a body is what *method* answers; any JSON is, of a method that is not known."""
    fits = ANSWERS.get(method)
    return body is not NOTHING and (fits is None or fits(body))


def checked(method: str, value: Any, kind: type | None = None) -> Any:
    """Return what *method* answered; ServerError, which does not quote it, if it is no answer.

    It is one if it is of the *kind*, or else of the kind that all such answers are.
    """
    if isinstance(value, kind) if kind else is_answer(method, value):
        return value
    raise ServerError(
        f"what came is no answer to {method}: is there something else that answers in Odoo's place?"
    )
