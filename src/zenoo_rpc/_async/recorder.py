"""Carries the writes of a transaction out, and notes in its journal what would take them back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress

import attrs

from .._core.exchange import Answer, Request, value_of
from .._core.faults import Fault, Proof, not_answered
from .._core.imports import imported_ids
from .._core.journal import Journal
from .._core.steps.known import found, question
from .._core.terms import Terms
from .._core.undo import (
    Created,
    Entry,
    Following,
    Unanswered,
    Updated,
    begun,
    created,
    final,
    left_nothing,
)
from .._core.writes import (
    KEPT,
    Along,
    Write,
    is_known,
    not_restorable,
    rows_of,
)
from ..batch.transaction import Change, NotUndoableError
from ..errors import ServerError, ZenooError
from ..wire.encoding import encode
from ..wire.typed import Fields
from ..wire.values import WireRecord, is_ids
from .session import Session

ATTRIBUTES = ["type", "relation", "translate", *KEPT]


@attrs.define(eq=False)
class Errand:
    """One write of a transaction on its way; what `run` raises says that nothing was sent.

    What cannot be taken back is not sent, unless *partly* is enough.
    """

    session: Session
    journal: Journal
    partly: bool
    write: Write
    terms: Terms

    async def run(self) -> Answer | Fault:
        """Carry the call out; what it writes is noted before it is sent, and after."""
        if self.write.updates:
            return await self._update()
        if self.write.method == "load" and is_known(self.write):
            return await self._load()
        entry = begun(self.write)
        reply = await self._deliver([entry])
        if isinstance(reply, Answer):
            if self.write.method == "create":
                await self._created(entry, reply.value)
            else:
                self.journal.replace(entry, [final(entry, "it cannot be taken back")])
        return reply

    async def _created(self, entry: Unanswered, value: object) -> None:
        """Note what a create made: to delete by ids that cannot be its own would hit others."""
        ids = value if isinstance(value, list) else [value]
        made = created(entry, ids) if is_ids(ids, self.write.count, new=True) else None
        if made and self.write.along:
            await self._look_along(entry, made)
        else:
            self.journal.replace(entry, [made or final(entry, "which records it made is not told")])

    async def _look_along(self, entry: Unanswered, made: Created) -> None:
        """Note what a create's commands created; it is looked for after that was taken back."""
        unseen = final(made, "what its commands created is not known")
        self.journal.replace(entry, [unseen, made])
        with suppress(ZenooError):  # the create is done, whatever becomes of the questions
            following = await self._following(made.change.model, made.change.ids, self.write.along)
            self.journal.replace(unseen, following)

    async def _following(
        self, model: str, ids: tuple[int, ...], along: Mapping[str, Along]
    ) -> list[Entry]:
        """Return the entries of what was created along with records."""
        fields = await self._fields(model)
        sets = [name for name in along if fields.get(name, {}).get("relation")]
        rows = rows_of(value_of(await self._read(model, ids, sets)), fields)
        if rows is None:
            raise ServerError("the answer to read is no list of records")
        entries: list[Entry] = []
        for name in sets:
            comodel, numbers = fields[name]["relation"], along[name].made(rows, name)
            entries.append(Following(Change("create", comodel, numbers), self._context()))
            if along[name].fields and numbers:
                entries += await self._following(comodel, numbers, along[name].fields)
        return entries

    async def _update(self) -> Answer | Fault:
        entries: list[Entry] = []
        for part in self.write.alike():
            entries += await self._before(part, part.ids)
        reply = await self._deliver(entries)
        await self._look_again(entries, reply)
        return reply

    async def _load(self) -> Answer | Fault:
        """An import creates records and updates others, which have to be told apart first."""
        there = await self._there()
        old = tuple(dict.fromkeys(number for number in there or () if number))
        new = begun(self.write)
        new.names = tuple(
            name for name, number in zip(self.write.names, there or (), strict=False) if not number
        )
        entries = await self._before(self.write, old) if old else []
        reply = await self._deliver([*entries, new])
        if isinstance(reply, Answer) and not left_nothing(self.write, reply):
            known = set(old)
            told = imported_ids(reply.value, len(self.write.names))
            ids = [number for number in told if number not in known]
            made = created(new, dict.fromkeys(ids)) if there is not None else None
            what = final(new, "which of its records are new is not known")
            self.journal.replace(new, [made] if made else [what] if there is None else [])
            await self._look_again(entries, reply)
        return reply

    async def _there(self) -> list[int | None] | None:
        """Return which external ids are there already; None where the user may not ask."""
        reply = await self._ask("ir.model.data", "search_read", question(self.write.names))
        if isinstance(reply, Answer):
            return found(reply.value, self.write.names)
        self._refuse("which of its records are new cannot be asked", reply)
        return None

    async def _before(self, write: Write, ids: tuple[int, ...]) -> list[Entry]:
        """Return the entries of an update, with what the records hold now."""
        request = write.request
        change = Change("update", request.model, ids)
        fields = await self._fields(request.model)
        reasons = not_restorable(write, fields)
        what = "; ".join(f"field '{name}': {why}" for name, why in reasons.items())
        entries: list[Entry] = []
        if reasons:
            self._refuse(what, fields=reasons)
            entries.append(Entry(attrs.evolve(change, reason=what)))
        names = [name for name in write.values if name in fields and name not in reasons]
        if names:
            reply = await self._read(request.model, ids, names)
            rows = rows_of(reply.value, fields) if isinstance(reply, Answer) else None
            if rows is None:
                what = "what its records hold cannot be read"
                self._refuse(what, reply)
                return [Entry(attrs.evolve(change, reason=what))]
            written = {name: write.values[name] for name in names}
            updated = Updated(change, self._context(), True, written, rows, each=write.each)
            entries.insert(0, updated)
        return entries

    async def _look_again(self, entries: list[Entry], reply: Answer | Fault) -> None:
        for entry in entries if isinstance(reply, Answer) else ():
            entry.is_unknown = False
            if isinstance(entry, Updated):
                model = entry.change.model
                again = await self._read(model, entry.change.ids, list(entry.written))
                if isinstance(again, Answer):
                    entry.after_it = rows_of(again.value, await self._fields(model))

    async def _fields(self, model: str) -> Fields:
        if model not in self.journal.fields:
            reply = await self._ask(model, "fields_get", [encode(None), encode(ATTRIBUTES)])
            if isinstance(reply, Fault):
                self._refuse("what its fields are cannot be asked", reply)
                return {}
            self.journal.fields[model] = reply.value
        return self.journal.fields[model]

    def _refuse(
        self, reason: str, reply: Answer | Fault | None = None, fields: Iterable[str] = ()
    ) -> None:
        """Raise the reason why nothing is sent, unless such writes are wanted all the same."""
        model = self.write.request.model
        if isinstance(reply, Fault) and reply.proof is not Proof.ROLLED_BACK:
            never = reply.proof is Proof.NEVER_SENT
            raise reply.error if never else not_answered(model, reply)
        if not self.partly:
            words = f" ({reply.error})" if isinstance(reply, Fault) else ""
            raise NotUndoableError(f"{self.write.method} {model}", reason + words, fields)

    async def _read(self, model: str, ids: Iterable[int], names: list[str]) -> Answer | Fault:
        return await self._ask(model, "read", [encode(list(ids)), encode(names)])

    async def _ask(self, model: str, method: str, arguments: list[bytes]) -> Answer | Fault:
        request = Request(model, method, arguments, {}, self._context(), True)
        return await self.session.deliver(request, self.terms)

    def _context(self) -> WireRecord:
        """The call's own context, in which sets are read with what is archived, files in full."""
        own = self.write.request.context
        sizes = {name: False for name in ("bin_size", *own) if name.startswith("bin_size")}
        return {**own, **sizes, "active_test": False}

    async def _deliver(self, entries: list[Entry]) -> Answer | Fault:
        """Send the call; *entries* are in the journal until it is known that it left nothing."""
        for entry in entries:
            self.journal.add(entry)
        reply = await self.session.deliver(self.write.request, self.terms)
        if left_nothing(self.write, reply):
            for entry in entries:
                self.journal.replace(entry)
        return reply
