"""Relations to many records: the commands that change them, and what a deletion does to them."""

from collections.abc import Collection, Sequence
from typing import Any

from . import writing
from .database import Row, Table
from .env import Env
from .errors import builtin, missing
from .fields import Field
from .models import MAGIC, Model

CREATE, UPDATE, DELETE, UNLINK, LINK, CLEAR, SET = range(7)


def apply(env: Env, model: Model, row_id: int, field: Field, value: Any, *, creating: bool) -> None:
    """Change what a one2many or many2many field of one record holds.

    Args:
        value: a list of commands (``[0, 0, values]`` to ``[6, 0, ids]``) or of ids.
    """
    if value is None or value is False:
        if creating:
            return
        value = [[CLEAR, 0, 0]]
    if not isinstance(value, list | tuple):
        raise builtin("ValueError", f"Wrong value for {model.name}.{field.name}: {value}")
    if value and all(type(item) is int for item in value):
        value = [[SET, 0, value]]
    for command in value:
        if not isinstance(command, list | tuple) or not command or type(command[0]) is not int:
            continue
        if field.type == "one2many":
            _children(env, row_id, field, command)
        else:
            _links(env, model, row_id, field, command, creating=creating)


def _part(command: Sequence[Any], place: int) -> Any:
    if len(command) <= place:
        raise builtin("IndexError", "list index out of range")
    return command[place]


def _links(
    env: Env,
    model: Model,
    row_id: int,
    field: Field,
    command: Sequence[Any],
    *,
    creating: bool,
) -> None:
    """Carry out one command on a many2many."""
    table = env.table(model.name)
    other = env.other(field)
    held: tuple[int, ...] = table.rows[row_id].get(field.name) or ()
    code = command[0]
    if code == CREATE:
        held += tuple(writing.create(env, field.relation, [_part(command, 2)]))
    elif code == UPDATE:
        present = [one for one in [_part(command, 1)] if one in other.rows]
        writing.write(env, field.relation, present, _part(command, 2))
    elif code == DELETE:
        present = [one for one in [_part(command, 1)] if one in other.rows]
        writing.unlink(env, field.relation, present)
        held = tuple(one for one in held if one not in present)
    elif code == UNLINK:
        held = tuple(one for one in held if one != _part(command, 1))
    elif code == LINK:
        held = (*held, _part(command, 1))
        _require_known(env, model, field, other, held, creating=creating)
    elif code == CLEAR:
        held = _archived(env, other, held)
    elif code == SET:
        chosen = tuple(_part(command, 2))
        _require_known(env, model, field, other, chosen, creating=creating)
        held = (*_archived(env, other, held), *chosen)
    row: Row = {**table.rows[row_id], field.name: tuple(dict.fromkeys(held))}
    env.db.put(table, row_id, row)


def _archived(env: Env, other: Table, held: tuple[int, ...]) -> tuple[int, ...]:
    """Return the links that are not seen, and so not taken away."""
    if "active" not in other.model.fields or not env.context.get("active_test", True):
        return ()
    return tuple(one for one in held if not other.rows[one].get("active"))


def _require_known(
    env: Env, model: Model, field: Field, other: Table, ids: Sequence[int], *, creating: bool
) -> None:
    """Refuse a link to nothing; 19 sees it itself while creating, else the database does."""
    for target in ids:
        if target in other.rows:
            continue
        if env.series >= 19 and creating:
            raise missing(field.relation, target, env.uid)
        mine, theirs = (name.replace(".", "_") for name in (model.name, field.relation))
        raise env.words.link_to_nothing(f"{mine}_{theirs}_rel_{field.name}_fkey")


def _children(env: Env, row_id: int, field: Field, command: Sequence[Any]) -> None:
    """Carry out one command on a one2many."""
    other = env.other(field)
    code = command[0]
    if code == CREATE:
        vals = {**_part(command, 2), field.inverse: row_id}
        writing.create(env, field.relation, [vals])
    elif code == UPDATE:
        writing.write(env, field.relation, [_part(command, 1)], _part(command, 2))
    elif code == DELETE:
        writing.unlink(env, field.relation, [_part(command, 1)])
    elif code == UNLINK:
        _let_go(env, field, row_id, [_part(command, 1)])
    elif code == LINK:
        target = _part(command, 1)
        env.require(other, [target])
        writing.write(env, field.relation, [target], {field.inverse: row_id})
    elif code == CLEAR:
        _let_go(env, field, row_id, other.users_of(field.inverse, row_id))
    elif code == SET:
        wanted = _part(command, 2)
        env.require(other, wanted)
        held = other.users_of(field.inverse, row_id)
        _let_go(env, field, row_id, [one for one in held if one not in wanted])
        writing.write(env, field.relation, wanted, {field.inverse: row_id})


def _let_go(env: Env, field: Field, row_id: int, ids: Sequence[int]) -> None:
    """Take children from their parent: those that cannot be without one are deleted."""
    other = env.table(field.relation)
    mine = [one for one in ids if other.rows.get(one, {}).get(field.inverse) == row_id]
    if other.model.fields[field.inverse].ondelete == "cascade":
        writing.unlink(env, field.relation, mine)
    else:
        writing.write(env, field.relation, mine, {field.inverse: False})


def release(env: Env, model: Model, row_id: int, *, doomed: Collection[int]) -> None:
    """Let go of everything that refers to a record that is about to be deleted.

    Args:
        doomed: the ids of the same model that the call deletes too.

    Raises:
        OdooError: a record that stays needs this one.
    """
    for table in list(env.db.tables.values()):
        for field in table.model.fields.values():
            if field.relation != model.name or not field.store or field.name in MAGIC:
                continue
            if field.type == "many2one":
                _release_references(env, table, field, row_id, model, doomed)
            elif field.type == "many2many":
                for other_id, row in list(table.rows.items()):
                    if row_id in (row.get(field.name) or ()):
                        held = tuple(one for one in row[field.name] if one != row_id)
                        env.db.put(table, other_id, {**row, field.name: held})


def _release_references(
    env: Env, table: Table, field: Field, row_id: int, model: Model, doomed: Collection[int]
) -> None:
    for other_id in table.users_of(field.name, row_id):
        if table.model.name == model.name and other_id in doomed:
            continue
        if field.ondelete == "restrict":
            label = table.model.label
            raise env.words.foreign_key(label, table.model.name, field.string, field.name)
        if field.ondelete == "cascade":
            writing.unlink(env.as_trusted(), table.model.name, [other_id], by_database=True)
        else:
            env.db.put(table, other_id, {**table.rows[other_id], field.name: None})
