"""The methods that can be called from outside, with the arguments they take in each release.

They are Python methods, so that a wrong call is refused in the words of Python itself.
"""

from collections.abc import Callable, Mapping
from typing import Any

from attrs import frozen

from . import external_ids, load, search, values, writing
from .env import VERBS, Env
from .models import Model
from .refusals import RefusalError


def of_model(method: Callable[..., Any]) -> Callable[..., Any]:
    """Mark a method that works on no ids."""
    method.of_model = True  # type: ignore[attr-defined]
    return method


@frozen
class BaseModel:
    """Some records of a model, on behalf of a caller, and the methods of 19."""

    _env: Env
    _model: Model
    _ids: list[int]

    @of_model
    def create(self, vals_list: Any) -> Any:
        if isinstance(vals_list, Mapping):
            return writing.create(self._env, self._model.name, [vals_list])[0]
        return writing.create(self._env, self._model.name, list(vals_list))

    def write(self, vals: Any) -> bool:
        writing.write(self._env, self._model.name, self._ids, vals)
        return True

    def unlink(self) -> bool:
        writing.unlink(self._env, self._model.name, self._ids)
        return True

    def read(self, fields: Any = None, load: Any = "_classic_read") -> Any:
        return values.read(self._env, self._model, self._ids, fields, load)

    @of_model
    def search(self, domain: Any, offset: Any = 0, limit: Any = None, order: Any = None) -> Any:
        paging = {"order": order, "offset": offset, "limit": limit}
        return search.ids(self._env, self._model.name, domain, **paging)

    @of_model
    def search_count(self, domain: Any, limit: Any = None) -> Any:
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
        found = BaseModel.search(self, domain, offset, limit, order)
        return values.read(self._env, self._model, found, fields, **read_kwargs)

    @of_model
    def fields_get(self, allfields: Any = None, attributes: Any = None) -> dict[str, Any]:
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
    ) -> Any:
        how = {"operator": operator, "domain": domain or (), "limit": limit}
        return self._named(search.by_name(self._env, self._model.name, name, **how))

    def _named(self, ids: list[int]) -> list[Any]:
        return [[one, values.display_name(self._env, self._model.name, one)] for one in ids]

    @of_model
    def name_create(self, name: Any) -> Any:
        vals = {self._model.name_field or "name": name}
        return self._named(writing.create(self._env, self._model.name, [vals]))[0]

    @of_model
    def default_get(self, fields: Any) -> Any:
        about = self._model.fields
        return {
            name: about[name].default
            for name in fields
            if name in about and about[name].default is not None
        }

    def copy(self, default: Any = None) -> Any:
        table = self._env.table(self._model.name)
        self._env.require(table, self._ids)
        made: list[int] = []
        for row_id in self._ids:
            vals: dict[str, Any] = {}
            for name, field in self._model.fields.items():
                if field.copy and field.store and field.type != "one2many":
                    value = table.rows[row_id].get(name)
                    vals[name] = [[6, 0, list(value)]] if isinstance(value, tuple) else value
            if "name" in vals:
                vals["name"] = f"{vals['name'] or ''} (copy)"
            made += writing.create(self._env, self._model.name, [{**vals, **(default or {})}])
        return made

    def action_archive(self) -> None:
        self._set_active([], False)

    def action_unarchive(self) -> None:
        self._set_active([], True)

    def toggle_active(self) -> None:
        rows = self._env.table(self._model.name).rows
        shown = [one for one in self._ids if rows.get(one, {}).get("active")]
        self._set_active([one for one in self._ids if one not in shown], False)
        self._set_active(shown, True)

    def _set_active(self, but: list[int], active: bool) -> None:
        """Archive records, or bring them back, where that is not so already."""
        table = self._env.table(self._model.name)
        self._env.require(table, self._ids)
        ids = [one for one in self._ids if one not in but and table.rows[one]["active"] != active]
        writing.write(self._env, self._model.name, ids, {"active": active})

    @of_model
    def load(self, fields: Any, data: Any) -> dict[str, Any]:
        return load.load(self._env, self._model, fields, data)

    def get_external_id(self) -> dict[str, str]:
        found = {one: external_ids.of(self._env, self._model.name, one) for one in self._ids}
        return {
            str(one): values.external_id(rows[0]) if rows else "" for one, rows in found.items()
        }

    @of_model
    def check_access_rights(self, operation: Any, raise_exception: Any = True) -> bool:
        try:
            self._env.check(self._model, VERBS.get(operation, "access"))
        except RefusalError:
            if raise_exception:
                raise
            return False
        return True


class Base(BaseModel):
    """What 19 has besides, in a class of that name there too."""

    def web_save_multi(self, vals_list: Any, specification: Any) -> Any:
        if len(self._ids) != len(vals_list):
            raise self._env.words("vals")
        for row_id, vals in zip(self._ids, vals_list, strict=True):
            writing.write(self._env, self._model.name, [row_id], vals)
        # without a wish nothing is read: every id is believed
        wanted = list(specification) or ["id"]
        return values.read(self._env, self._model, self._ids, wanted, load=None)


class Old(BaseModel):
    """The methods of 14 that differ."""

    @of_model
    def search(
        self, args: Any, offset: Any = 0, limit: Any = None, order: Any = None, count: Any = False
    ) -> Any:
        if count:
            return len(search.ids(self._env, self._model.name, args))
        return super().search(args, offset, limit, order)

    @of_model
    def search_count(self, args: Any) -> Any:
        return super().search_count(args)

    @of_model
    def search_read(
        self,
        domain: Any = None,
        fields: Any = None,
        offset: Any = 0,
        limit: Any = None,
        order: Any = None,
    ) -> Any:
        return super().search_read(domain, fields, offset, limit, order)

    @of_model
    def name_search(
        self, name: Any = "", args: Any = None, operator: Any = "ilike", limit: Any = 100
    ) -> Any:
        return super().name_search(name, args, operator, limit)

    @of_model
    def default_get(self, fields_list: Any) -> Any:
        return super().default_get(fields_list)

    def copy(self, default: Any = None) -> Any:
        if len(self._ids) > 1:
            ids = ", ".join(map(str, self._ids))
            raise self._env.words("singleton", model=self._model.name, ids=ids)
        return super().copy(default)[0]

    def name_get(self) -> list[Any]:
        self._env.require(self._env.table(self._model.name), self._ids)
        return self._named(self._ids)

    def exists(self) -> list[int]:
        return [one for one in self._ids if one in self._env.table(self._model.name).rows]


class Users(BaseModel):
    """What users have besides."""

    @of_model
    def context_get(self) -> dict[str, Any]:
        user = self._env.table("res.users").rows[self._env.uid]
        partner = self._env.table("res.partner").rows[user["partner_id"]]
        about = {name: partner.get(name) or False for name in ("lang", "tz")}
        return {**about, "uid": self._env.uid} if self._env.new else about
