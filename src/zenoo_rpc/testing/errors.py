"""Refusals as they go over the wire, and those that every release words alike."""

from typing import Any

from attrs import frozen


@frozen(kw_only=True)
class Violation:
    """What the database found wrong, from which an import makes a message of its own.

    Args:
        kind: ``required``, ``unique``, ``check`` or ``reference``.
        model: the model of the table.
        field: the column, empty when there are several.
        string: the label of the field.
        text: what the constraint says.
    """

    kind: str
    model: str
    field: str = ""
    string: str = ""
    text: str = ""


class OdooError(Exception):
    """A refusal as it goes over the wire: *name*, *message* and *arguments* of `error.data`.

    Args:
        name: the dotted class, such as ``odoo.exceptions.ValidationError``.
        message: the text.
        arguments: what the exception was made of; the message alone by default.
        violation: what the database found, when it was the database that refused.
        hint: what the traceback says besides.
    """

    def __init__(
        self,
        name: str,
        message: str,
        arguments: list[Any] | None = None,
        violation: Violation | None = None,
        hint: str = "",
    ) -> None:
        super().__init__(name, message, arguments)
        self.name = name
        self.message = message
        self.arguments = [message] if arguments is None else arguments
        self.violation = violation
        self.hint = hint

    @property
    def is_for_users(self) -> bool:
        """Return whether it is a `UserError` or one of its children."""
        return self.name in _FOR_USERS

    @property
    def as_text(self) -> str:
        """Return it as Python writes the exception."""
        if self.name == "builtins.KeyError":
            return repr(self.message)
        return self.message if len(self.arguments) == 1 else repr(tuple(self.arguments))

    @property
    def debug(self) -> str:
        """Return a text in the form of a traceback, without any frame."""
        text = repr(self.message) if self.name == "builtins.KeyError" else self.message
        last = f"{self.name.removeprefix('builtins.')}: {text}\n"
        if self.name == ACCESS_DENIED:
            return last
        return self.as_traceback(last)

    def as_traceback(self, last: str) -> str:
        """Return a traceback that ends with a line, and has the hint for its frames."""
        return f"Traceback (most recent call last):\n  {self.hint or '...'}\n{last}"


EXCEPTIONS = "odoo.exceptions."
ACCESS_DENIED = EXCEPTIONS + "AccessDenied"
_FOR_USERS = frozenset(
    EXCEPTIONS + kind for kind in ("UserError", "ValidationError", "AccessError", "MissingError")
)


def user_error(message: str) -> OdooError:
    """Return a `UserError`."""
    return OdooError(EXCEPTIONS + "UserError", message)


def validation_error(message: str, violation: Violation | None = None) -> OdooError:
    """Return a `ValidationError`."""
    return OdooError(EXCEPTIONS + "ValidationError", message, violation=violation)


def access_error(message: str) -> OdooError:
    """Return an `AccessError`."""
    return OdooError(EXCEPTIONS + "AccessError", message)


def access_denied() -> OdooError:
    """Return the answer to a wrong password or key."""
    return OdooError(ACCESS_DENIED, "Access Denied")


def missing(model: str, record_id: object, uid: int) -> OdooError:
    """Return the `MissingError` about one record."""
    text = "Record does not exist or has been deleted."
    return OdooError(
        EXCEPTIONS + "MissingError", f"{text}\n(Record: {model}({record_id!r},), User: {uid})"
    )


def builtin(kind: str, message: str, hint: str = "") -> OdooError:
    """Return an ordinary Python exception that reached the edge, such as ``ValueError``."""
    return OdooError(f"builtins.{kind}", message, hint=hint)


NO_MODEL = "The stand-in has no such model: `add_model` adds one."
NO_METHOD = "The stand-in has no such method."
NO_FIELD = "The stand-in has no such field: `add_field` adds one."


def not_here(what: str) -> OdooError:
    """Return what only the stand-in says: that it has not got what real Odoo may have."""
    return builtin("NotImplementedError", f"The stand-in has {what}")


def postgres(kind: str, message: str) -> OdooError:
    """Return an error of the database driver; PostgreSQL ends its texts with a new line."""
    return OdooError(f"psycopg2.errors.{kind}", message + "\n")


def not_an_integer(value: object) -> OdooError:
    """Return what PostgreSQL says about text where an integer belongs."""
    return postgres(
        "InvalidTextRepresentation", f'invalid input syntax for type integer: "{value}"'
    )
