"""What the stand-in answers when it refuses, in the words of the release it plays.

Odoo's texts differ between releases, and programs read them. `Wording` has one method per refusal
and returns the `OdooError` to raise; every text was recorded from a real server (14.0 and 19.0).
"""

from typing import Any

from attrs import frozen

from .errors import (
    EXCEPTIONS,
    NO_FIELD,
    NO_METHOD,
    OdooError,
    Violation,
    access_error,
    builtin,
    postgres,
    validation_error,
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
            text = f"The method '{model}.{method}' does not exist"
        else:
            text = f"type object '{model}' has no attribute '{method}'"
        return builtin("AttributeError", text, NO_METHOD)

    def no_ids(self) -> OdooError:
        """Return the answer to a record method that was called without any argument."""
        kind = "list" if self.series >= 19 else "tuple"
        return builtin("IndexError", f"{kind} index out of range")

    def unknown_field(self, model: str, field: str, doing: str) -> OdooError:
        """Return the refusal of a field; *doing* is create, write, read or order."""
        if self.series >= 19 and doing == "write" and model == "res.partner":
            return builtin("KeyError", field, NO_FIELD)
        where = {"create": "in", "write": "in", "read": "on"}.get(doing, "on model")
        if self.series < 19:
            where = "on model"
        return builtin("ValueError", f"Invalid field '{field}' {where} '{model}'", NO_FIELD)

    def unknown_in_domain(self, model: str, leaf: tuple[Any, ...]) -> OdooError:
        """Return the refusal of a field in a domain."""
        what = "condition" if self.series >= 19 else "leaf"
        text = f"Invalid field {model}.{leaf[0]} in {what} {leaf!r}"
        return builtin("ValueError", text, NO_FIELD)

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
