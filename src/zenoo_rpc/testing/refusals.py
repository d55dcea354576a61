"""Refusals as they go over the wire. Odoo's texts differ between releases: see `words.json`."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from attrs import define, frozen

from . import data

EXCEPTIONS = "odoo.exceptions."
DENIED = EXCEPTIONS + "AccessDenied"
_OF_ODOO = {
    "UserError": 422,
    "ValidationError": 422,
    "AccessError": 403,
    "AccessDenied": 403,
    "MissingError": 404,
}
_OF_HTTP = {
    "BadRequest": 400,
    "Unauthorized": 401,
    "NotFound": 404,
    "RequestEntityTooLarge": 413,
    "UnprocessableEntity": 422,
}


@define
class RefusalError(Exception):
    """A refusal as it goes over the wire.

    Args:
        name: the dotted class, such as ``odoo.exceptions.ValidationError``.
        message: the text.
        hint: what the traceback says besides.
        in_import: what an import says instead; the same when it is empty.
        at: the model and the column that the database found wrong, the column empty when there are
            several; None when it was not the database that refused.
    """

    name: str
    message: str
    hint: str = ""
    in_import: str = ""
    at: tuple[str, str] | None = None

    @property
    def kind(self) -> str:
        """Return the class without its module."""
        return self.name.rpartition(".")[2]

    @property
    def status(self) -> int:
        """Return the status with which JSON-2 answers it."""
        return {**_OF_ODOO, **_OF_HTTP}.get(self.kind, 500)

    @property
    def is_for_users(self) -> bool:
        """Return whether it is a `UserError` or one of its children."""
        return self.kind in _OF_ODOO and self.name != DENIED

    @property
    def text(self) -> str:
        """Return it as Python writes the exception."""
        if self.kind in _OF_HTTP:
            title = re.sub(r"\B([A-Z])", r" \1", self.kind)
            return f"{self.status} {title}: {self.message}"
        return repr(self.message) if self.kind == "KeyError" else self.message

    @property
    def body(self) -> dict[str, Any]:
        """Return what a client is told."""
        last = f"{self.name.removeprefix('builtins.')}: {self.text}\n"
        frames = f"Traceback (most recent call last):\n  {self.hint or '...'}\n"
        of_http = self.kind in _OF_HTTP
        return {
            "name": self.name,
            "message": self.message,
            "arguments": [self.message, self.status] if of_http else [self.message],
            "context": {},
            "debug": last if self.name == DENIED else frames + last,
        }


@frozen
class Words:
    """The refusals of a release, 14 or 19; every text was recorded from a real server."""

    series: int

    @property
    def new(self) -> bool:
        """Return whether this is 19."""
        return self.series >= 19

    def __call__(
        self, about: str, at: tuple[str, str] | None = None, /, **values: Any
    ) -> RefusalError:
        """Return the refusal that `words.json` has under a name, its blanks filled in."""
        kind, text, *more = data.read("words.json", self.series)[about]
        module = "" if "." in kind else EXCEPTIONS if kind in _OF_ODOO else "builtins."
        hint, in_import = [*more, "", ""][:2]
        text, in_import = (one.format(**values) for one in (text, in_import))
        return RefusalError(module + kind, text, hint, in_import, at)


@contextmanager
def told() -> Iterator[None]:
    """Make a refusal of what Python itself says of a call, as Odoo does."""
    try:
        yield
    except RefusalError:
        raise
    except Exception as error:
        text = str(error.args[0] if error.args else "")
        hint = "The stand-in raised this while it carried the call out."
        raise RefusalError(f"builtins.{type(error).__name__}", text, hint) from error
