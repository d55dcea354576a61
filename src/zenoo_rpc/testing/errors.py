"""What the stand-in answers when it refuses, in the words of the release it plays.

Odoo's texts differ between releases, and programs read them. `Wording` has one method per refusal
and returns the `OdooError` to raise; every text was recorded from a real server (14.0 and 19.0).
"""

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
    """

    def __init__(
        self,
        name: str,
        message: str,
        arguments: list[Any] | None = None,
        violation: Violation | None = None,
    ) -> None:
        super().__init__(name, message, arguments)
        self.name = name
        self.message = message
        self.arguments = [message] if arguments is None else arguments
        self.violation = violation

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
        return f"Traceback (most recent call last):\n  ...\n{last}"


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


def builtin(kind: str, message: str) -> OdooError:
    """Return an ordinary Python exception that reached the edge, such as ``ValueError``."""
    return OdooError(f"builtins.{kind}", message)


def postgres(kind: str, message: str) -> OdooError:
    """Return an error of the database driver; PostgreSQL ends its texts with a new line."""
    return OdooError(f"psycopg2.errors.{kind}", message + "\n")


def not_an_integer(value: object) -> OdooError:
    """Return what PostgreSQL says about text where an integer belongs."""
    return postgres(
        "InvalidTextRepresentation", f'invalid input syntax for type integer: "{value}"'
    )


@frozen
class Wording:
    """The refusals whose text or class depends on the release *series* (14 or 19)."""

    series: int

    def no_database(self, name: str) -> OdooError:
        """Return the answer to a database that is not there."""
        text = f'FATAL:  database "{name}" does not exist\n'
        if self.series >= 19:
            text = f'connection to server on socket "/path" failed: {text}'
        return OdooError("psycopg2.OperationalError", text)

    def private(self, model: str, method: str) -> OdooError:
        """Return the refusal of a method that is not for callers from outside."""
        subject = f"'{model}.{method}'" if self.series >= 19 else method
        text = f"Private methods (such as {subject}) cannot be called remotely."
        return access_error(text)

    def no_method(self, model: str, method: str) -> OdooError:
        """Return the answer to a method that is not there."""
        if self.series >= 19:
            return builtin("AttributeError", f"The method '{model}.{method}' does not exist")
        return builtin("AttributeError", f"type object '{model}' has no attribute '{method}'")

    def no_ids(self) -> OdooError:
        """Return the answer to a record method that was called without any argument."""
        kind = "list" if self.series >= 19 else "tuple"
        return builtin("IndexError", f"{kind} index out of range")

    def unknown_field(self, model: str, field: str, doing: str) -> OdooError:
        """Return the refusal of a field; *doing* is create, write, read or order."""
        if self.series >= 19 and doing == "write" and model == "res.partner":
            return builtin("KeyError", field)
        where = {"create": "in", "write": "in", "read": "on"}.get(doing, "on model")
        if self.series < 19:
            where = "on model"
        return builtin("ValueError", f"Invalid field '{field}' {where} '{model}'")

    def unknown_in_domain(self, model: str, leaf: tuple[Any, ...]) -> OdooError:
        """Return the refusal of a field in a domain."""
        what = "condition" if self.series >= 19 else "leaf"
        return builtin("ValueError", f"Invalid field {model}.{leaf[0]} in {what} {leaf!r}")

    def access(self, verb: str, label: str, model: str, group: str) -> OdooError:
        """Return the refusal of an operation; *verb* is create, modify, delete or access."""
        who = f"This operation is allowed for the following groups:\n\t- {group}"
        if not group:
            who = "No group currently allows this operation."
        return access_error(
            f"You are not allowed to {verb} '{label}' ({model}) records.\n\n{who}\n\n"
            "Contact your administrator to request access if necessary.",
        )

    def hidden(self, label: str, model: str, user: str, operation: str) -> OdooError:
        """Return the refusal of a record that a rule hides; *operation* is read, write, unlink.

        That of 19 was recorded for `read`; the others are read off `ir_rule.py`.
        """
        if self.series < 19:
            verb = {"read": "access", "write": "modify", "unlink": "delete"}[operation]
            return access_error(
                f"Due to security restrictions, you are not allowed to {verb} '{label}' ({model})"
                " records.\n\nContact your administrator to request access if necessary."
            )
        return access_error(
            "Uh-oh! Looks like you have stumbled upon some top-secret records.\n\n"
            f"Sorry, {user} doesn't have '{operation}' access to:\n- {label} ({model})\n\n"
            "If you really, really need access, perhaps you can win over your friendly"
            " administrator with a batch of freshly baked cookies.",
        )

    def required(self, label: str, model: str, string: str, field: str) -> OdooError:
        """Return the refusal of a record without a mandatory value."""
        found = Violation(kind="required", model=model, field=field, string=string)
        if self.series >= 19:
            return validation_error(
                "The operation cannot be completed: Missing required value for the field"
                f" '{string}' ({field}).\nModel: '{label}' ({model})\n"
                "- create/update: a mandatory field is not set\n"
                "- delete: another model requires the record being deleted, you can archive it"
                " instead\n",
                found,
            )
        return validation_error(
            "The operation cannot be completed:\n- Create/update: a mandatory field is not set.\n"
            "- Delete: another model requires the record being deleted. If possible, archive it"
            f" instead.\n\nModel: {label} ({model}), Field: {string} ({field})",
            found,
        )

    def foreign_key(self, label: str, model: str, string: str, field: str) -> OdooError:
        """Return the refusal of a reference to nothing, and of deleting what is referred to."""
        if self.series >= 19:
            found = Violation(kind="reference", model=model, field=field, string=string)
            return validation_error(
                "The operation cannot be completed: Another model is using the record you are"
                f" trying to delete.\n\nThe troublemaker is: '{label}' ({model})\n"
                f"Thanks to the following constraint: '{string}' ({field})\n"
                "How about archiving the record instead?",
                found,
            )
        table = model.replace(".", "_")
        return self.foreign_key_named(f"{label} ({model})", f"{table}_{field}_fkey")

    def link_to_nothing(self, constraint: str) -> OdooError:
        """Return the refusal of a many2many link to a record that is not there."""
        if self.series < 19:
            return self.foreign_key_named("Unknown (Unknown)", constraint)
        return validation_error(
            "The operation cannot be completed: Another model is using the record you are trying to"
            " delete.\n\nThe troublemaker is: Unknown\n"
            f"Thanks to the following constraint: {constraint}\n"
            "How about archiving the record instead?"
        )

    def foreign_key_named(self, subject: str, constraint: str) -> OdooError:
        """Return the refusal of a reference in the words of 14, which name the constraint."""
        return validation_error(
            "The operation cannot be completed: another model requires the record being deleted."
            f" If possible, archive it instead.\n\nModel: {subject}, Constraint: {constraint}"
        )

    def constraint(self, name: str, found: Violation) -> OdooError:
        """Return the refusal by a constraint of the table; 14 has no text, only its *name*."""
        if self.series >= 19:
            return validation_error(f"The operation cannot be completed: {found.text}", found)
        return validation_error(name, found)

    def index(self, name: str, found: Violation) -> OdooError:
        """Return the refusal by a unique index that is no constraint and has no text."""
        text = f'duplicate key value violates unique constraint "{name}"\n{found.text}\n'
        if self.series >= 19:
            return validation_error(f"The operation cannot be completed: {text}", found)
        return validation_error(text, found)

    def bad_date(self, value: object, kind: str) -> OdooError:
        """Return the refusal of a date (*kind* ``date`` or ``timestamp``)."""
        if self.series >= 19:
            shape = "%Y-%m-%d" if kind == "date" else "%Y-%m-%d %H:%M:%S"
            return builtin("ValueError", f"time data {value!r} does not match format '{shape}'")
        return postgres("InvalidDatetimeFormat", f'invalid input syntax for type {kind}: "{value}"')

    def user_from_here(self) -> OdooError:
        """Return the `RedirectWarning` of 14 about a user without a login."""
        text = "You cannot create a new user from here.\n"
        text += " To create new user please go to configuration panel."
        return self._redirect(text, 70, "Go to the configuration panel")

    def linked_to_user(self, message: str, user_id: int) -> OdooError:
        """Return the `RedirectWarning` of 19 that sends the reader to a user."""
        action = {
            "type": "ir.actions.act_window",
            "res_model": "res.users",
            "context": {"create": False},
            "view_mode": "form",
            "views": [[167, "form"]],
            "res_id": user_id,
        }
        return self._redirect(message, action, "Go to users")

    def _redirect(self, message: str, action: object, button: str) -> OdooError:
        arguments = [message, action, button, None]
        text = "\n".join(str(argument) for argument in arguments)
        return OdooError(EXCEPTIONS + "RedirectWarning", text, arguments)
