"""Creates with external ids under any accident: what is told is true, and no record is doubled."""

import json

import attrs
from hypothesis import event, given, settings
from hypothesis import strategies as st

from zenoo_rpc._compat import draw as draw_items
from zenoo_rpc._core.call import Call
from zenoo_rpc._core.exchange import Answer
from zenoo_rpc._core.faults import Kind, Proof, odoo_fault, transport_fault
from zenoo_rpc._core.run import Run
from zenoo_rpc._core.sizes import Limits
from zenoo_rpc._core.steps.known import KnownExternalIds
from zenoo_rpc.batch.operations import CreateOperation, UpdateOperation
from zenoo_rpc.batch.status import Status
from zenoo_rpc.batch.streams import CreateStream

from .batches import tell_fields

ADDRESS = "http://localhost:8069"
FIELDS = {"x": {"type": "integer"}}
FORBIDDEN = odoo_fault("odoo.exceptions.AccessError", "not you", (), "")

STRANGE = Answer({"ids": [1] * 99})
LOST = transport_fault(Kind.READ_TIMEOUT, ADDRESS)
TRIED_AGAIN = "tried again"  # the first try was lost and not carried out, and could be repeated

# what can happen to a call -> whether it is carried out, and what comes back
ACCIDENTS = {
    "answer lost": (True, LOST),
    "never arrived": (False, transport_fault(Kind.CLOSED, ADDRESS)),
    "no connection": (False, transport_fault(Kind.REFUSED, ADDRESS)),
    "conflict": (False, odoo_fault("psycopg2.errors.SerializationFailure", "again", (), "")),
    "strange answer": (True, STRANGE),
}


@attrs.define
class Server:
    """Keeps records by external id; refuses a call with a bad row, and names it or not."""

    bad: set[str]
    names_rows: bool
    may_ask: bool
    there: dict[str, int] = attrs.Factory(dict)
    values: dict[str, int] = attrs.Factory(dict)
    others: int = 0

    def serve(self, call):
        """Return what Odoo would answer."""
        if isinstance(call, KnownExternalIds):
            if not self.may_ask:
                return FORBIDDEN
            return Answer(
                [
                    {"module": "__import__", "name": name, "res_id": number}
                    for name, number in self.there.items()
                ]
            )
        if not isinstance(call, Call):
            return Answer(True)  # a probe: every right
        if call.method != "load":
            self.others += 1
            return Answer(True)
        _, rows = map(json.loads, call.arguments)
        names = [name.removeprefix("__import__.") for name, _ in rows]
        if refused := [place for place, name in enumerate(names) if name in self.bad]:
            record = refused[0] if self.names_rows else None
            message = {"type": "error", "message": "no", "record": record}
            return Answer({"ids": False, "messages": [message]})
        for name, (_, value) in zip(names, rows, strict=True):
            self.there.setdefault(name, 100 + len(self.there))
            self.values[name] = int(value)
        return Answer({"ids": [self.there[name] for name in names], "messages": []})


@st.composite
def imports(draw):
    """Draw one to three imports, sometimes of the same records, and an update now and then.

    Return the operations, and the external ids of each by its place. The value of a record tells
    which it is. Some items of a stream cannot be sent.
    """
    batch, names = [], {}
    for _ in range(draw(st.integers(1, 3))):
        if draw(st.integers(0, 4)) == 0:
            model, context = draw(st.sampled_from("mn")), {"place": len(batch)}
            batch.append(UpdateOperation(model, [7], {"x": 1}, context=context))
        place = len(batch)
        own = draw(st.lists(st.sampled_from("abcdefgh"), min_size=1, max_size=6, unique=True))
        records = [{"x": 10 * place + index} for index in range(len(own))]
        names[place] = own
        if draw(st.booleans()):
            batch.append(CreateOperation("m", records, external_ids=own))
            continue
        for index in draw(st.sets(st.integers(0, len(own) - 1), max_size=2)):
            records[index]["nope"] = 1
        batch.append(
            CreateStream(
                "m", [iter(records)], external_ids=lambda each, own=own: own[each["x"] % 10]
            )
        )
    return batch, names


def marks_on_wire(call):
    """Return the places of the operations, and of the records in them, that the server sees."""
    if not isinstance(call, Call):
        return []
    if call.method == "write":
        return [(call.context["place"], 0)]
    return [divmod(int(row[1]), 10) for row in map(json.loads, call.parts)]


def taken(run):
    """Read what is wanted, and return the next call."""
    while wanted := run.wanted():
        source, count = wanted
        items = []
        draw_items(source.items, count, items)
        run.feed(items)
    return run.take()


def carry_out(run, server, accidents, random):
    """Carry a run out; return the marks of what was written, and of what may have been."""
    done, lost = set(), set()
    sent, more = 0, True
    while more:
        in_flight = []
        while True:
            call = taken(run) if len(in_flight) < 3 else None
            if call is not None:
                accident = accidents.get(sent)
                carried_out, reply = ACCIDENTS.get(accident, (True, None))
                sent += 1
                served = server.serve(call) if carried_out else None
                if reply is None or (reply is STRANGE and not _written(served)):
                    reply = served
                if _written(served) or (call.method == "write" and served is not None):
                    done.update(marks_on_wire(call))
                if accident == TRIED_AGAIN and isinstance(call, Call) and call.idempotent:
                    reply = served.seen_after(LOST)
                    lost.update(marks_on_wire(call))
                elif reply is STRANGE or (
                    not isinstance(reply, Answer) and reply.proof is Proof.UNKNOWN
                ):
                    lost.update(marks_on_wire(call))
                in_flight.append((call, reply))
            elif in_flight:
                run.record(*in_flight.pop(random.randrange(len(in_flight))))
            else:
                break
        more = run.advance()
    return done, lost


@settings(max_examples=400)
@given(
    given_imports=imports(),
    bad=st.sets(st.sampled_from("abcdefgh"), max_size=2),
    before=st.sets(st.sampled_from("abcdefgh"), max_size=3),
    size=st.integers(1, 4),
    accidents=st.dictionaries(
        st.integers(0, 9), st.sampled_from([*sorted(ACCIDENTS), TRIED_AGAIN]), max_size=4
    ),
    named=st.booleans(),
    may_ask=st.booleans(),
    ordered=st.booleans(),
    on_unknown=st.sampled_from(["reconcile", "report"]),
    random=st.randoms(use_true_random=False),
)
def test_outcomes_are_true(
    given_imports, bad, before, size, accidents, named, may_ask, ordered, on_unknown, random
):
    """Applied was carried out, refused and not sent was not; a record is unknown for a reason."""
    batch, names = given_imports
    server = Server(bad, named, may_ask, {name: 50 + n for n, name in enumerate(sorted(before))})
    run = Run(batch, Limits(size, 10**6), ordered=ordered, on_unknown=on_unknown)
    tell_fields(run, Answer(FIELDS))
    done, lost = carry_out(run, server, accidents, random)

    result = run.result()
    harmless = []
    for place, of_operation in enumerate(result.operations):
        for outcome in of_operation:
            event(outcome.status.label)
            mark = place, outcome.index
            match outcome.status:
                case Status.APPLIED:
                    assert mark in done
                    assert outcome.error is None
                case Status.UNKNOWN:
                    assert mark in lost
                    assert outcome.error is not None
                case _:
                    assert mark not in done
                    assert outcome.status is Status.NOT_SENT or outcome.error is not None
            if outcome.status in (Status.NOT_SENT, Status.UNKNOWN) and place in names:
                harmless.append(10 * place + outcome.index)
            if outcome.status is Status.APPLIED and place in names:
                name = names[place][outcome.index]
                assert server.there[name] == outcome.id
                assert outcome.created in (None, name not in before) or _earlier(names, place, name)
    assert len(set(server.there.values())) == len(server.there)
    again = [each for each in result.resendable_operations() if isinstance(each, CreateOperation)]
    assert harmless == [record["x"] for each in again for record in each.records]


def _written(answer):
    """Whether an answer of `load` says that the rows were written."""
    value = answer.value if isinstance(answer, Answer) else None
    return isinstance(value, dict) and bool(value["ids"])


def _earlier(names, place, name):
    """Whether an operation before this one may have made the record."""
    return any(name in own for other, own in names.items() if other < place)
