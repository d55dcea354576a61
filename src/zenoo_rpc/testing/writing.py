"""Create, write and unlink: values in, rows out, or a refusal that undoes the whole call.

Relations to many records are changed by commands: ``[0, 0, values]`` to ``[6, 0, ids]``.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from attrs import frozen

from . import external_ids, fields, rules
from .database import NotUniqueError, Row, Table
from .env import Env
from .fields import SHAPES, TO_MANY, Field
from .models import MAGIC, Model

CREATE, UPDATE, DELETE, UNLINK, LINK, CLEAR, SET = range(7)


def create(env: Env, name: str, vals_list: Sequence[Any]) -> list[int]:
    """Create one record for each mapping and return their ids, in the same order.

    Raises:
        RefusalError: a value is refused; then none of the records exists.
    """
    table = env.table(name)
    if vals_list:
        env.check(table.model, "create")
    return [_create_one(env, table, vals) for vals in vals_list]


def _create_one(env: Env, table: Table, vals: Any) -> int:
    model = table.model
    _require_mapping(env, vals)
    vals = {**_context_defaults(env, model), **vals}
    row = _defaults(env, model)
    special = _fill(env, model, row, vals, "create")
    row |= {"create_uid": env.uid, "write_uid": env.uid}
    row |= {"create_date": env.now, "write_date": env.now}
    if model.name == "res.users":
        _give_partner(env, row, vals)
    rules.check_row(env, table, row, model.references)
    row_id = _put(env, table, None, row)
    for field, value in special:
        _Relation(env, table, row_id, field, creating=True).write(value)
    rules.check_record(env, model, row_id)
    return row_id


def _require_mapping(env: Env, vals: Any) -> None:
    if not isinstance(vals, Mapping):
        text = f"'{type(vals).__name__}' object has no attribute 'get'"
        raise env.words("AttributeError", text=text)


def _give_partner(env: Env, row: Row, vals: Mapping[str, Any]) -> None:
    """Make the partner of a new user, unless it has one."""
    if row.get("partner_id") is None and row.get("login"):
        shared = {name: vals[name] for name in ("name", "email", "lang", "tz") if name in vals}
        shared.setdefault("email", row["login"] if "@" in row["login"] else False)
        [row["partner_id"]] = create(env.as_trusted(), "res.partner", [shared])


def _context_defaults(env: Env, model: Model) -> dict[str, Any]:
    """Return what the context gives for fields that a caller leaves out."""
    given = {key.removeprefix("default_"): key for key in env.context if key[:8] == "default_"}
    return {name: env.context[key] for name, key in given.items() if name in model.fields}


def _defaults(env: Env, model: Model) -> Row:
    found: Row = {}
    for name, field in model.fields.items():
        if field.stamped:
            found[name] = env.now[: SHAPES[field.type][1]]
        elif field.store and field.default is not None:
            found[name] = field.default
    return found


def _fill(
    env: Env, model: Model, row: Row, vals: Mapping[str, Any], doing: str
) -> list[tuple[Field, Any]]:
    """Put the values into *row* and return those of relations to many records."""
    special = []
    for name, value in vals.items():
        field = model.fields.get(name)
        if field is None:
            if env.new and (model.name, doing) == ("res.partner", "write"):
                raise env.words("key", field=name)
            raise env.words("field", field=name, model=model.name, where="in")
        if field.store and name not in MAGIC:
            if field.type in TO_MANY:
                special.append((field, value))
            else:
                row[name] = fields.column(env.words, model.name, field, value)
        elif name == "company_type":
            row["is_company"] = value == "company"
        elif name == "password":
            row[name] = str(value) if value else None
    return special


def _put(env: Env, table: Table, row_id: int | None, row: Row) -> int:
    """Write one row, a new one when it has no id, and return the id."""
    try:
        if row_id is None:
            return env.db.add(table, row)
        env.db.put(table, row_id, row)
        return row_id
    except NotUniqueError as clash:
        raise rules.not_unique(env, table.model, row, clash) from None


def write(env: Env, name: str, ids: Sequence[int], vals: Any) -> None:
    """Write the same values to every record.

    Raises:
        RefusalError: a value is refused or, on models that track changes, a record is not there;
            then nothing is written.
    """
    table = env.table(name)
    model = table.model
    _require_mapping(env, vals)
    if not ids:
        return
    rules.guard(env, table, ids, "write", "modify")
    changes: Row = {}
    special = _fill(env, model, changes, vals, "write")
    if name == "res.partner" and changes.get("active") is False:
        rules.refuse_archiving(env, ids)
    touched = [field for field in model.references if field in changes]
    changes |= {"write_uid": env.uid, "write_date": env.now}
    for row_id, old in env.existing(table, dict.fromkeys(ids)):
        row = {**old, **changes}
        rules.check_row(env, table, row, touched)
        _put(env, table, row_id, row)
        for field, value in special:
            _Relation(env, table, row_id, field, creating=False).write(value)
        if "parent_id" in touched and model.fields["parent_id"].relation == name:
            rules.refuse_circle(env, model, row_id)
        _write_through(env, model, row, vals)
        rules.check_record(env, model, row_id)


def _write_through(env: Env, model: Model, row: Row, vals: Mapping[str, Any]) -> None:
    """Write the values of fields that are those of another record."""
    for name, value in vals.items():
        through = model.fields[name].through
        if through:
            relation = model.fields[through].relation
            write(env.as_trusted(), relation, [row[through]], {name: value})


def unlink(env: Env, name: str, ids: Sequence[int]) -> None:
    """Delete the records and what belongs to them.

    Raises:
        RefusalError: another record needs one of them or, on models that track changes, one is not
            there; then all of them stay.
    """
    table = env.table(name)
    if not ids:
        return
    rules.guard(env, table, ids, "unlink", "delete")
    present = [row_id for row_id in dict.fromkeys(ids) if row_id in table.rows]
    if name == "res.users" and 1 in present:
        raise env.words("admin")
    for row_id in present:
        _release(env, table.model, row_id, doomed=present)
    for row_id in present:
        if row_id in table.rows:
            env.db.put(table, row_id, None)
            external_ids.forget(env, name, row_id)


def _release(env: Env, model: Model, row_id: int, *, doomed: Collection[int]) -> None:
    """Let go of everything that refers to a record that is about to be deleted.

    Args:
        doomed: the ids of the same model that the call deletes too.

    Raises:
        RefusalError: a record that stays needs this one.
    """
    for table in list(env.db.tables.values()):
        for field in table.model.fields.values():
            if field.relation != model.name or not field.store or field.name in MAGIC:
                continue
            if field.type == "many2one":
                users = table.having(field.name, row_id)
                if table.model.name == model.name:
                    users = [one for one in users if one not in doomed]
                _release_references(env, table, field, users)
            elif field.type == "many2many":
                for other_id, row in list(table.rows.items()):
                    if row_id in (row.get(field.name) or ()):
                        held = tuple(one for one in row[field.name] if one != row_id)
                        env.db.put(table, other_id, {**row, field.name: held})


def _release_references(env: Env, table: Table, field: Field, users: Iterable[int]) -> None:
    for user in users:
        if field.ondelete == "restrict":
            raise rules.refers(env, table.model, field.name)
        if field.ondelete == "cascade":
            unlink(env.as_trusted(), table.model.name, [user])
        else:
            env.db.put(table, user, {**table.rows[user], field.name: None})


@frozen
class _Relation:
    """A one2many or many2many field of one record, which commands change."""

    env: Env
    table: Table
    row_id: int
    field: Field
    creating: bool

    def write(self, value: Any) -> None:
        """Carry out a list of commands, or hold what a list of ids names."""
        if value is None or value is False:
            value = [] if self.creating else [[CLEAR]]
        if not isinstance(value, list | tuple):
            names = {"model": self.table.model.name, "field": self.field.name}
            raise self.env.words("commands", value=value, **names)
        if value and all(type(item) is int for item in value):
            value = [[SET, 0, value]]
        for command in value:
            if not isinstance(command, list | tuple) or not command or type(command[0]) is not int:
                continue
            self._carry_out(*[*command, 0, 0][:3])

    def _carry_out(self, code: int, target: Any, vals: Any) -> None:
        env, relation = self.env, self.env.other(self.field).model.name
        if code == CREATE and self.field.type == "one2many":
            create(env, relation, [{**vals, self.field.relation_field: self.row_id}])
        elif code == CREATE:
            self._change([], create(env, relation, [vals]))
        elif code == UPDATE:
            write(env, relation, [target], vals)
        elif code == DELETE:
            unlink(env, relation, [target])
        elif code == UNLINK:
            self._change([target], [])
        elif code == LINK:
            self._change([], [target])
        elif code in (CLEAR, SET):
            wanted = vals if code == SET else []
            self._change([one for one in self._held() if one not in wanted], wanted)

    def _held(self) -> list[int]:
        """Return what it holds; archived links are not seen, and so not taken away."""
        other = self.env.other(self.field)
        if self.field.type == "one2many":
            return other.having(self.field.relation_field, self.row_id)
        held = list(self.table.rows[self.row_id].get(self.field.name) or ())
        if "active" not in other.model.fields or not self.env.context.get("active_test", True):
            return held
        return [one for one in held if other.rows[one].get("active")]

    def _change(self, gone: Sequence[int], added: Sequence[int]) -> None:
        """Take some away and add others."""
        if self.field.type == "one2many":
            self._move(gone, added)
        else:
            self._relink(gone, added)

    def _relink(self, gone: Sequence[int], added: Sequence[int]) -> None:
        env, name, relation = self.env, self.field.name, self.field.relation
        for target in added:
            if target not in env.other(self.field).rows:
                if env.new and self.creating:  # 19 sees it itself, else the database does
                    raise env.missing(relation, target)
                names = (self.table.model.name, relation, "rel", name, "fkey")
                raise env.words("link", constraint="_".join(names).replace(".", "_"))
        row = self.table.rows[self.row_id]
        kept = [one for one in row.get(name) or () if one not in gone]
        row = {**row, name: tuple(dict.fromkeys([*kept, *added]))}
        env.db.put(self.table, self.row_id, row)

    def _move(self, gone: Sequence[int], added: Sequence[int]) -> None:
        env, name, relation = self.env, self.field.relation_field, self.field.relation
        other = env.other(self.field)
        gone = [one for one in gone if other.rows.get(one, {}).get(name) == self.row_id]
        if other.model.fields[name].ondelete == "cascade":  # it cannot be without a parent
            unlink(env, relation, gone)
        else:
            write(env, relation, gone, {name: False})
        env.require(other, added)
        write(env, relation, added, {name: self.row_id})
