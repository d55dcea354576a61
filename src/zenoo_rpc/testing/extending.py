"""What users add to the stand-in for their own integration: it stays until `reset`."""

from collections.abc import Mapping, Sequence
from typing import Any

from attrs import evolve

from . import models
from .database import Check, Database, NotUniqueError
from .env import VERBS
from .service import Service

Description = Mapping[str, Any]


class Extensible:
    """The part of `OdooStandIn` by which models, fields, constraints and rights are added."""

    _service: Service

    @property
    def _db(self) -> Database:
        return self._service.db

    def add_model(
        self,
        name: str,
        fields: Mapping[str, Description],
        *,
        label: str = "",
        order: str = "id",
    ) -> None:
        """Add a model. Everyone may read its records, and only the administrator write them.

        Sales orders and journal entries, which the stand-in has, give way while they are not used.

        Args:
            name: the model, such as ``x.asset``.
            fields: by name what `fields_get` answers of each field, such as ``{"type": "char"}``.
                ``default``, ``ondelete`` and ``copy`` are understood besides, other attributes are
                ignored. The fields that every model has (``id``, ``create_date`` ...) come by
                themselves. A relation may lead to a model that is added later.
            label: what refusals call it.
            order: the order of its records when a caller names none.

        Raises:
            ValueError: the model is there already, or a description cannot be followed.
        """
        db = self._db
        with db.lock:
            if name in db.tables or (name in db.models and not db.models[name].is_open):
                raise ValueError(f"there is a model {name!r} already: add_field adds to it")
            words = self._service.words
            made = models.described(words, name, fields, label, order=order, is_open=True)
            db.define(made, {})

    def add_field(self, model: str, name: str, description: Description) -> None:
        """Add a field to a model; in records that are there it is empty or has its default.

        Args:
            description: as for `add_model`.

        Raises:
            KeyError: no such model.
            ValueError: the field is there already, the description cannot be followed, or records
                would lack a field that is required.
        """
        db, words = self._db, self._service.words
        with db.lock:
            table = db.tables[model]
            if name in table.model.fields:
                raise ValueError(f"there is a field {model}.{name} already")
            field = models.field_of(words, model, name, description)
            lacking = field.required and field.store and field.default is None
            if lacking and table.rows:
                raise ValueError(f"{model}.{name}: records are there: give them a default")
            filled = {} if field.default is None else {name: field.default}
            db.define(table.model.with_field(field), filled)

    def add_unique(self, model: str, fields: Sequence[str], text: str) -> None:
        """Let no two records share the values of fields; records that lack one do not count.

        Args:
            text: what 19 answers. 14 answers the name of the constraint (``x_asset_code_uniq``).

        Raises:
            KeyError: no such model.
            ValueError: a field that is no column, or records that share the values already.
        """
        db = self._db
        with db.lock:
            found = db.tables[model].model
            for name in fields:
                if not found.has_column(name):
                    raise ValueError(f"{model}.{name} is no field that can be unique")
            constraint = f"{model.replace('.', '_')}_{'_'.join(fields)}_uniq"
            unique = (*found.unique, (",".join(fields), constraint, text))
            try:
                db.define(evolve(found, unique=unique), {})
            except NotUniqueError as clash:
                raise ValueError(f"{model}: two records share their {clash.name}") from None

    def add_constraint(self, model: str, check: Check) -> None:
        """Let a function look at each record of a model that is created or changed.

        Args:
            check: gets the record as it would be, as `records` shows it, and returns the text of
                the `ValidationError` that refuses it, or None. It runs inside of the call, so it
                must not call the server.

        Raises:
            KeyError: no such model.
        """
        db = self._db
        with db.lock:
            db.checks.setdefault(db.models[model].name, []).append(check)

    def allow(self, login: str, model: str, *rights: str) -> None:
        """Let a user do more with a model than its groups allow.

        Args:
            login: the user, such as ``limited``.
            rights: ``read``, ``create``, ``write`` or ``unlink``.

        Raises:
            KeyError: no such user or model.
            ValueError: no such right.
        """
        wrong = set(rights) - set(VERBS)
        if wrong:
            raise ValueError(f"rights are {', '.join(VERBS)}, not {', '.join(sorted(wrong))}")
        db = self._db
        with db.lock:
            user = (self._service.user(login), db.models[model].name)
            db.allowed.setdefault(user, set()).update(VERBS[right] for right in rights)

    def refuse(self, model: str, method: str, text: str, times: int = 1) -> None:
        """Refuse the next calls of a method with a `UserError`; nothing of them is done.

        Args:
            method: any name: ``create``, or one that the stand-in has not, ``action_confirm``.
            text: what the error says.
            times: how many calls. A batch may make several calls of its records, as it looks for
                those that are refused.

        Raises:
            KeyError: no such model.
            ValueError: *times* is less than one.
        """
        if times < 1:
            raise ValueError(f"times is how many calls are refused, at least one, not {times}")
        db = self._db
        with db.lock:
            key = (db.models[model].name, method)
            db.refusals.setdefault(key, []).extend([text] * times)
