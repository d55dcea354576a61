"""The methods that can be called from outside.

They are Python methods, so that a wrong call is refused in the words of Python itself; arguments
have the names that they have in 19.
"""

from collections.abc import Callable, Mapping
from typing import Any

from attrs import frozen

from . import external_ids, load, search, values, writing
from .env import VERBS, Env
from .models import Model
from .refusals import RefusalError

ONLY = {"web_save_multi": 19, "name_get": 14, "exists": 14}  # the others are those of both releases


def of_model(method: Callable[..., Any]) -> Callable[..., Any]:
    """Mark a method that works on no ids."""
    method.of_model = True  # type: ignore[attr-defined]
    return method


@frozen
class BaseModel:
    """Some records of a model, on behalf of a caller; each method does what Odoo's does."""

    _env: Env
    _model: Model
    _ids: list[int]

    @of_model
    def create(self, vals_list: Any) -> Any:
        """Create records; one mapping gives one id."""
        if isinstance(vals_list, Mapping):
            return writing.create(self._env, self._model.name, [vals_list])[0]
        return writing.create(self._env, self._model.name, list(vals_list))

    def write(self, vals: Any) -> bool:
        """Write the same values to all records."""
        writing.write(self._env, self._model.name, self._ids, vals)
        return True

    def web_save_multi(self, vals_list: Any, specification: Any) -> Any:
        """Write different values, and read what is wished for."""
        if len(self._ids) != len(vals_list):
            raise self._env.words("vals")
        for row_id, vals in zip(self._ids, vals_list, strict=True):
            writing.write(self._env, self._model.name, [row_id], vals)
        # without a wish nothing is read: every id is believed
        wanted = list(specification) or ["id"]
        return values.read(self._env, self._model, self._ids, wanted, load=None)

    def unlink(self) -> bool:
        """Delete the records."""
        writing.unlink(self._env, self._model.name, self._ids)
        return True

    def read(self, fields: Any = None, load: Any = "_classic_read") -> Any:
        """Return what the records hold."""
        return values.read(self._env, self._model, self._ids, fields, load)

    @of_model
    def search(
        self, domain: Any, offset: Any = 0, limit: Any = None, order: Any = None
    ) -> list[int]:
        """Return the ids of the records that match."""
        paging = {"order": order, "offset": offset, "limit": limit}
        return search.ids(self._env, self._model.name, domain, **paging)

    @of_model
    def search_count(self, domain: Any, limit: Any = None) -> int:
        """Return how many records match."""
        return len(search.ids(self._env, self._model.name, domain, limit=limit))

    @of_model
    def search_read(
        self,
        domain: Any = None,
        fields: Any = None,
        offset: Any = 0,
        limit: Any = None,
        order: Any = None,
        **read_kwargs: Any,
    ) -> Any:
        """Return what the records that match hold."""
        found = self.search(domain, offset, limit, order)
        return values.read(self._env, self._model, found, fields, **read_kwargs)

    @of_model
    def fields_get(self, allfields: Any = None, attributes: Any = None) -> dict[str, Any]:
        """Describe the fields."""
        return {
            name: {
                key: value
                for key, value in field.describe(new=self._env.new).items()
                if not attributes or key in attributes
            }
            for name, field in self._model.fields.items()
            if not allfields or name in allfields
        }

    @of_model
    def name_search(
        self, name: Any = "", domain: Any = None, operator: Any = "ilike", limit: Any = 100
    ) -> list[Any]:
        """Return ids and names of the records that a text names."""
        how = {"operator": operator, "domain": domain or (), "limit": limit}
        return self._named(search.by_name(self._env, self._model.name, name, **how))

    def name_get(self) -> list[Any]:
        """Return ids and names."""
        self._env.require(self._env.table(self._model.name), self._ids)
        return self._named(self._ids)

    @of_model
    def name_create(self, name: Any) -> Any:
        """Create a record with a name, and return both."""
        vals = {self._model.name_field or "name": name}
        return self._named(writing.create(self._env, self._model.name, [vals]))[0]

    def _named(self, ids: list[int]) -> list[Any]:
        return [[one, values.display_name(self._env, self._model.name, one)] for one in ids]

    def exists(self) -> list[int]:
        """Return the ids of those that are there."""
        return [one for one, _ in self._env.existing(self._env.table(self._model.name), self._ids)]

    @of_model
    def default_get(self, fields: Any) -> dict[str, Any]:
        """Return the defaults of fields, of those that have one."""
        about = {name: self._model.fields[name] for name in fields if name in self._model.fields}
        return {name: one.default for name, one in about.items() if one.default is not None}

    def copy(self, default: Any = None) -> Any:
        """Create records like these, without the lines; 14 takes one and returns its id."""
        rows, made = self._env.table(self._model.name).rows, []
        for row_id in self._ids:
            if row_id not in rows:
                raise self._env.missing(self._model.name, row_id)
            own = {name: rows[row_id].get(name) for name, f in self._model.fields.items() if f.copy}
            vals = {name: value for name, value in own.items() if value is not None}
            if "name" in vals:
                vals["name"] = f"{vals['name']} (copy)"
            made += writing.create(self._env, self._model.name, [{**vals, **(default or {})}])
        return made if self._env.new else made[0]

    def action_archive(self) -> None:
        """Archive those that are not."""
        self._set_active(False)

    def action_unarchive(self) -> None:
        """Bring those back that are archived."""
        self._set_active(True)

    def _set_active(self, active: bool) -> None:
        table = self._env.table(self._model.name)
        self._env.require(table, self._ids)
        ids = [one for one in self._ids if table.rows[one]["active"] is not active]
        writing.write(self._env, self._model.name, ids, {"active": active})

    @of_model
    def load(self, fields: Any, data: Any) -> dict[str, Any]:
        """Import rows of texts."""
        return load.load(self._env, self._model, fields, data)

    def get_external_id(self) -> dict[str, str]:
        """Return the external ids; the oldest of a record that has several."""
        found = {one: external_ids.of(self._env, self._model.name, one) for one in self._ids}
        return {str(one): values.external_id(row) if row else "" for one, row in found.items()}

    @of_model
    def check_access_rights(self, operation: Any, raise_exception: Any = True) -> bool:
        """Return whether the caller has a right."""
        try:
            self._env.check(self._model, VERBS.get(operation, "access"))
        except RefusalError:
            if raise_exception:
                raise
            return False
        return True


class Users(BaseModel):
    """What users have besides."""

    @of_model
    def context_get(self) -> dict[str, Any]:
        """Return the context that the caller prefers."""
        user = self._env.table("res.users").rows[self._env.uid]
        partner = self._env.table("res.partner").rows[user["partner_id"]]
        about = {name: partner.get(name) or False for name in ("lang", "tz")}
        return {**about, "uid": self._env.uid} if self._env.new else about
