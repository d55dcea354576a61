"""What would take a write back: what is known of it, what is written back, what is left alone."""

import json
from array import array

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zenoo_rpc._core.exchange import Answer, Request
from zenoo_rpc._core.faults import Kind, odoo_fault, transport_fault
from zenoo_rpc._core.imports import imported_ids
from zenoo_rpc._core.journal import Journal
from zenoo_rpc._core.undo import (
    CONFLICT,
    TOGETHER,
    UNSEEN,
    Compensation,
    Created,
    Entry,
    Following,
    Held,
    Updated,
    begun,
    created,
    deletions,
    final,
    gathered,
    left_nothing,
    may_be_gone,
    why_to_give_up,
    without_later,
)
from zenoo_rpc._core.writes import (
    is_known,
    not_restorable,
    rows_of,
    write_of,
)
from zenoo_rpc.batch.operations import UnlinkOperation
from zenoo_rpc.batch.results import BatchExecutionError, BatchResult, OperationResult
from zenoo_rpc.batch.status import Status
from zenoo_rpc.batch.transaction import (
    Change,
    TransactionReport,
    TransactionRollbackError,
    TransactionSettings,
    TransactionState,
    TransactionStateError,
)
from zenoo_rpc.errors import (
    AccessError,
    AuthenticationError,
    ClientClosedError,
    ConflictError,
    GatewayError,
    InvalidValueError,
    MissingError,
    NotBegunError,
    OutcomeUnknownError,
    QuestionError,
    RefusedConnectionError,
    ServerError,
    TooLargeError,
)
from zenoo_rpc.wire.encoding import encode

FIELDS = {
    "name": {"type": "char"},
    "country_id": {"type": "many2one", "store": True},
    "tag_ids": {"type": "many2many"},
    "child_ids": {"type": "one2many"},
    "line_ids": {"type": "one2many"},
    "price": {"type": "float", "store": False, "company_dependent": True},
    "word": {"type": "char", "translate": True},
    "page": {"type": "html", "translate": True},
    "total": {"type": "float", "store": False},
    "title": {"type": "char", "store": False, "related": "template_id.title"},
}
LOST = transport_fault(Kind.CLOSED, "http://localhost:8069")
REFUSED = odoo_fault("odoo.exceptions.UserError", "No.", (), "")


def request(method, *args, **options):
    """Return the request of a call."""
    return Request("m", method, [encode(arg) for arg in args], {}, {"lang": "x"}, False, **options)


def write(**values):
    """Return a write of these values."""
    return write_of(request("write", [1], values))


@pytest.mark.parametrize(
    ("call", "ids", "names", "count"),
    [
        (request("create", [{}, {}]), (), (), 2),
        (request("create", {}), (), (), 1),
        (request("write", [1, 2], {"x": 1}), (1, 2), (), 0),
        (request("write", 1, {"x": 1}), (1,), (), 0),
        (request("unlink", [1, 2]), (1, 2), (), 0),
        (request("unlink", 1), (1,), (), 0),
        (request("load", ["id", "a/.id", "a/id"], [["m.x", "1", ""]]), (), ("m.x",), 0),
        (request("write", [1, 2, 1], {"x": 1}), (1, 2), (), 0),
        (request("write", [[1]], {"x": 1}), (), (), 0),
        (request("write", [True], {"x": 1}), (), (), 0),
        (Request("m", "write", [b"[1]"], {"vals": {"x": 1}}, {}, False), (1,), (), 0),
        (Request("m", "create", [], {"vals_list": [{}]}, {}, False), (), (), 1),
        (request("load", ["name"], [["x"]]), (), (), 0),
        (request("load", ["id", "name"], [["x"]]), (), (), 0),
        (request("copy", [1]), (), (), 0),
    ],
)
def test_what_a_request_writes(call, ids, names, count):
    """The ids, external ids or number of records; nothing is known of any other method."""
    found = write_of(call)
    assert (ids, names, count) == (found.ids, found.names, found.count)
    assert bool(ids or names or count) is is_known(found)
    assert call.method == found.method


def test_what_only_reads():
    """There is nothing to take back."""
    assert write_of(request("search_read", [])) is None
    assert write_of(request("load", ["id", "name"], [])) is None
    assert write_of(request("create", [])) is None
    assert write_of(request("write", [], {"x": 1})) is None
    assert write_of(request("unlink", [])) is None


def test_what_an_import_writes():
    """Of each field it is known whether every row has a value."""
    rows = [["m.x", "1", "CH", "A"], ["m.y", "", "DE", "B"]]
    loaded = write_of(request("load", ["id", "a/.id", "a/id", "name"], rows))
    assert {"a": False, "name": True} == loaded.values
    assert ("m.x", "m.y") == loaded.names


def test_what_a_create_creates_along():
    """What its commands create is what is in its sets and was not linked; so for theirs."""
    inner = {
        "line_ids": [
            [0, 0, {"tag_ids": [[0, 0, {}]]}],
            [4, 7],
            [6, 0, [8]],
            [4, [9]],
            [4, {}],
            [5],
            "x",
        ]
    }
    call = write_of(request("create", [inner, {"name": "x"}, {"line_ids": [[1, 5, {}]]}]))
    [(name, along)] = call.along.items()
    rows = rows_of([{"id": 1, "line_ids": [10, 9, 7, 8]}, {"id": 2, "line_ids": []}], FIELDS)
    assert ("line_ids", (10,)) == (name, along.made(rows, name))
    assert ["tag_ids"] == list(along.fields)
    assert {} == write_of(request("create", {"name": "x"})).along

    entry = Following(Change("create", "m", (1, 2, 3)))
    [left] = entry.left([3, 1, 9])
    assert (1, 3) == left.change.ids
    assert [] == entry.left([])


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"name": "x", "country_id": 1, "title": "x", "tag_ids": [[6, 0, [1]]]}, None),
        ({"nope": 1}, "it is not there, or may not be read"),
        ({"tag_ids": [[4, 1], [3, 2], [5], [6, 0, []]], "price": 1}, None),
        ({"tag_ids": [1, 2]}, None),
        ({"tag_ids": True}, None),
        ({"tag_ids": [[1, 5, {"name": "x"}]]}, "its commands create, change or delete records"),
        ({"word": "x"}, None),
        ({"word": False}, "what it says in other languages would be lost"),
        ({"page": "x"}, "what it says in other languages would be lost"),
        ({"child_ids": []}, "a one2many field cannot be restored"),
        ({"total": 1}, "it is not stored"),
        ({"tag_ids": [[0, 0, {}]]}, "its commands create, change or delete records"),
    ],
)
def test_fields_that_cannot_be_restored(values, reason):
    """Each with the reason."""
    reasons = not_restorable(write(**values), FIELDS)
    assert ([reason] if reason else []) == list(reasons.values())


def test_what_was_read_can_be_written():
    """A many2one as its id, a many2many as the full set."""
    row = {"id": 7, "name": False, "country_id": [43, "CH"], "tag_ids": [3, 1], "new": 1}
    plain = {"name": False, "country_id": 43, "tag_ids": [[6, 0, [1, 3]]], "new": 1}
    assert {7: plain} == rows_of([row], FIELDS)
    assert {7: {"country_id": False}} == rows_of([{"id": 7, "country_id": False}], FIELDS)
    assert rows_of(None, FIELDS) is None
    assert rows_of([1], FIELDS) is None


def updated(before, after_it=None, **options):
    """Return the entry of an update of field x to 5."""
    change = Change("update", "m", tuple(before))
    wrap = {number: {"x": value} for number, value in before.items()}
    after = after_it and {number: {"x": value} for number, value in after_it.items()}
    return Updated(change, {}, options.pop("unknown", False), {"x": 5}, wrap, after)


def test_updates_are_taken_back_together():
    """Those of other records, of the same fields, while they are neighbours, and not too many."""
    one, two, three = (updated({n: n}, {n: 5}) for n in (1, 2, 3))
    [both] = gathered([one, two])
    assert ((1, 2), {1: {"x": 1}, 2: {"x": 2}}) == (both.change.ids, both.before)
    assert {1: {"x": 5}, 2: {"x": 5}} == both.after_it
    assert (1,) == one.change.ids

    copied = Entry(Change("copy", "m", (9,)))
    other_model = attrs.evolve(two, change=Change("update", "n", (2,)))
    other_field = attrs.evolve(two, written={"y": 5})
    for between in (
        [one, updated({2: 2}, {2: 5}, unknown=True)],  # may be in effect or not
        [one, updated({2: 2})],  # what it was afterwards is not known
        [one, updated({1: 3}, {1: 5})],  # the same record
        [one, other_model],
        [one, other_field],
        [one, copied, two],
        [copied, copied],
    ):
        assert between == gathered(between)

    many = [updated({n: n}, {n: 5}) for n in range(TOGETHER + 1)]
    assert [TOGETHER, 1] == [len(entry.change.ids) for entry in gathered(many)]
    assert [(1, 2), (2, 3)] == [
        entry.change.ids for entry in gathered([one, two, updated({2: 5}, {2: 6}), three])
    ]
    assert [] == gathered([])


VALUES = st.integers(1, 6)


@given(
    st.dictionaries(st.integers(1, 9), VALUES, min_size=1),
    st.dictionaries(st.integers(1, 9), VALUES),
    st.dictionaries(st.integers(1, 9), VALUES),
    st.booleans(),
    st.booleans(),
)
def test_what_is_written_back(before, after, now, overwrite, unknown):
    """The old value goes where ours is; another's value stays, unless told to overwrite."""
    entry = updated(before, after, unknown=unknown)
    rows = {number: {"x": value} for number, value in now.items()}
    operation, left = entry.restoration(rows, overwrite=overwrite)
    updates = dict(operation.updates) if operation else {}
    kept = {number: change.change.reason for change in left for number in change.change.ids}
    for number, old in before.items():
        value = now.get(number)
        ours = value == after.get(number, 5)
        if value is None:
            assert number not in updates.keys() | kept.keys()
        elif value == old:
            assert number not in updates
            assert (UNSEEN if unknown else None) == kept.get(number)
        elif ours or overwrite:
            assert {"x": old} == updates[number]
        else:
            assert CONFLICT == kept[number]
    assert updates.keys() | kept.keys() <= before.keys()


def result(*outcomes):
    """Return the result of an unlink: a status and an error for each record, with ids from 1."""
    operation = UnlinkOperation("m", range(1, len(outcomes) + 1))
    states = bytes(status for status, _ in outcomes)
    errors = {index: error for index, (_, error) in enumerate(outcomes) if error}
    return BatchResult(
        (OperationResult(operation, states, array("q", [0] * len(outcomes)), errors),)
    )


def test_what_came_of_it():
    """What is gone already counts as undone; what is left is told with the reason."""
    entry = Created(Change("create", "m", (1, 2, 3, 4)))
    assert [1, 2, 3, 4] == list(entry.deletion().ids)
    undone, left = entry.settled(
        result(
            (Status.APPLIED, None),
            (Status.REFUSED, MissingError("gone")),
            (Status.REFUSED, AccessError("not you")),
            (Status.NOT_SENT, None),
        )
    )
    assert (1, 2) == undone.ids
    told = {each.change.reason: each.change.ids for each in left}
    assert {"refused: not you": (3,), "not sent": (4,)} == told
    assert (None, []) == (
        entry.settled(result((Status.NOT_SENT, None)))[0],
        entry.settled(result((Status.APPLIED, None)))[1],
    )


def test_what_a_reply_makes_of_it():
    """Until the answer comes it is unknown; a refusal proves that there is nothing to undo."""
    call = write_of(request("create", [{}, {}], places=[4, 5]))
    entry = begun(call)
    assert entry.is_unknown
    assert ((4, 5), 2) == (entry.change.records, len(entry.change))
    assert (1, 2) == created(entry, [1, 2]).change.ids
    assert created(entry, [None]) is None
    assert "why" == final(entry, "why").change.reason
    assert left_nothing(call, REFUSED)
    assert not left_nothing(call, REFUSED.seen_after(LOST))
    assert not left_nothing(call, LOST)
    assert not left_nothing(call, Answer([1, 2]))

    load = write_of(request("load", ["id"], [["m.x"]]))
    refused = Answer({"ids": False, "messages": [{"type": "error", "message": "no"}]})
    assert left_nothing(load, refused)
    assert not left_nothing(load, refused.seen_after(LOST))
    assert not left_nothing(load, Answer({"ids": [1]}))
    answers = ({"ids": [1]}, {"ids": [7, 1]}, {"ids": False}, None)
    assert [[1], [1], [], []] == [imported_ids(answer, 1) for answer in answers]


def test_an_import_without_an_answer():
    """What was not there before and is there now was created by it."""
    entry = begun(write_of(request("load", ["id"], [["m.x"], ["m.y"]])))
    entry.names = ("m.x",)
    [domain, _] = map(json.loads, entry.question().args)
    assert ["&", ["module", "=", "m"], ["name", "in", ["x"]]] == domain
    assert (7,) == entry.found([{"module": "m", "name": "x", "res_id": 7}]).change.ids
    assert entry.found([]) is None


def held(model, *ids, **context):
    """Return a deletion that waits."""
    return Held(Change("unlink", model, ids), context)


def test_deletions_at_the_end():
    """Neighbours of one model go together, and each record once."""
    waiting = [held("m", 1, 2), held("m", 2, 3), held("n", 1), held("m", 3), held("m", 4, lang="x")]
    calls = deletions([*waiting, held("n", 1)])
    assert [("m", (1, 2, 3)), ("n", (1,)), ("m", (4,))] == [
        (each.change.model, each.change.ids) for each in calls
    ]
    assert (1, 2, 3) == calls[0].deletion().ids
    assert ["why", "no answer came"] == [
        each.with_reason("why").change.reason
        for each in (calls[0], begun(write_of(request("copy", [1]))))
    ]

    done = calls[0].carried_out(result((Status.APPLIED, None), (Status.UNKNOWN, None)))
    assert [((1,), False), ((2,), True)] == [(each.change.ids, each.is_unknown) for each in done]


def test_a_journal():
    """Entries keep their order when one takes another's place; a journal takes over another."""
    journal, inner = Journal(), Journal()
    one, two, three = (Entry(Change("x", "m", (number,))) for number in range(3))
    journal.add(one)
    journal.add(two)
    journal.add(held("m", 1))
    journal.replace(one, [three, one])
    journal.replace(two)
    journal.replace(two, [one])  # it is gone
    left = [Entry(Change("x", "m", (number,))) for number in (8, 9)]
    inner.add(two)
    inner.add(held("m", 2))
    inner.fields["m"] = FIELDS
    journal.absorb(inner, left)
    assert [three, one, two, *left[::-1]] == journal.entries
    assert [(1,), (2,)] == [each.change.ids for each in journal.held]
    assert {"m": FIELDS} == journal.fields
    journal.remove([one, *left])
    assert [three, two] == journal.entries


def test_a_callback_in_a_journal():
    """It stands for what was done last, if nothing else takes that back; else for itself."""
    journal = Journal()
    journal.add(Entry(Change("copy", "m", (1,), "it cannot be taken back")))
    journal.compensate(print)
    journal.compensate(print)
    journal.add(created(begun(write_of(request("create", [{}]))), [1]))
    journal.compensate(Callback())
    told = [(str(each.change), type(each)) for each in journal.entries]
    assert [
        ("copy m, ids [1]", Compensation),
        ("call print, ids []", Compensation),
        ("create m, ids [1]", Created),
        ("call Callback, ids []", Compensation),
    ] == told


class Callback:
    """Has no name of its own."""

    def __call__(self):
        """Do nothing."""


def test_a_journal_that_is_closed():
    """Nothing comes in any more; at a good end only what was done is kept."""
    journal, inner = Journal(), Journal()
    entry = updated({1: 2}, unknown=True)
    journal.add(entry)
    journal.add(held("m", 1))
    inner.add(entry)
    journal.close()
    journal.forget()
    [kept] = journal.entries
    assert (Entry, entry.change, True) == (type(kept), kept.change, kept.is_unknown)
    assert [] == journal.held

    assert [kept] == journal.take()
    journal.absorb(inner, [])
    assert [] == journal.entries
    with pytest.raises(TransactionStateError):
        journal.add(entry)
    with pytest.raises(TransactionStateError):
        journal.compensate(print)


def test_reports():
    """They count records, and name the first changes that are still in effect."""
    state = TransactionState.PARTLY_ROLLED_BACK
    left = tuple(Change("copy", "m", (number,), "why") for number in range(7))
    unknown = (Change("create", "m", (), "no answer came", (0, 1)),)
    report = TransactionReport(state, (), (Change("update", "m", (1, 2)),), left, unknown)
    lines = report.summary().splitlines()
    assert "the transaction is partly rolled back: 2 undone, 7 not undone, 2 unknown" == lines[0]
    assert ["  copy m, ids [0]: why", "  ... and 3 more in the report"] == [lines[1], lines[-2]]
    assert "`tx.rollback()` tries once more what is left" == lines[-1]
    assert f"{report.summary()}; all is in `error.report`" == str(TransactionRollbackError(report))
    assert "create m, records [0, 1]: no answer came" == str(unknown[0])
    assert "nothing was written" == TransactionReport(TransactionState.COMMITTED).summary()[-19:]


def test_a_change_names_its_records():
    """The first of them, where they are many."""
    assert "update m, ids [0, 1, 2, 3, 4]" == str(Change("update", "m", tuple(range(5))))
    many = Change("update", "m", tuple(range(2000)), "why")
    assert "update m, ids [0, 1, 2, 3, 4, ... and 1,995 more]: why" == str(many)
    places = Change("create", "m", (), "", tuple(range(6)))
    assert "create m, records [0, 1, 2, 3, 4, ... and 1 more]" == str(places)


def test_deletions_in_a_report():
    """While they wait they are held back; after a rollback they will not come any more."""
    held = (Change("unlink", "m", (1, 2)), Change("unlink", "m", (3,)))
    for state in (TransactionState.ACTIVE, TransactionState.COMMITTED):
        assert "3 held back" in repr(TransactionReport(state, held=held))
    for state in (TransactionState.ROLLED_BACK, TransactionState.PARTLY_ROLLED_BACK):
        assert "3 deletions not carried out" in repr(TransactionReport(state, held=held))
        assert "1 deletion not carried out" in repr(TransactionReport(state, held=held[1:]))


@pytest.mark.parametrize(
    ("error", "doubtful"),
    [
        (RefusedConnectionError("x"), True),
        (GatewayError("x"), True),
        (QuestionError("m", "no answer came"), True),
        (NotBegunError("no connection"), True),
        (OutcomeUnknownError("the database is lost"), True),
        (BatchExecutionError(BatchResult(())), True),  # of a callback
        (TooLargeError("x"), False),
        (AccessError("not you"), False),
        (ConflictError("not now"), False),
        (AuthenticationError("who?"), False),
        (ServerError("?"), False),
        (ClientClosedError("x"), False),
        (ValueError(), False),
        (None, False),
    ],
)
def test_who_may_be_gone(error, doubtful):
    """The server, where no answer came; not where it refused a change, or the caller failed."""
    assert doubtful is may_be_gone(error)


def test_when_an_undo_gives_up():
    """When a question to the server gets no answer either; one that fails there is answered."""
    assert "" == why_to_give_up(Answer({}))
    assert "" == why_to_give_up(REFUSED)
    gone = transport_fault(Kind.REFUSED, "http://x", "detail")
    assert "the server does not answer (the connection was refused)" == why_to_give_up(gone)
    full = odoo_fault("psycopg2.pool.PoolError", "The Connection Pool Is Full", (), "")
    assert "(The Connection Pool Is Full" in why_to_give_up(full)


@pytest.mark.parametrize("options", [{"on_conflict": "?"}, {"unlink": "later"}])
def test_settings_that_are_none(options):
    """Each has two words."""
    with pytest.raises(InvalidValueError, match="must be"):
        TransactionSettings(**options)


def test_an_update_waits_for_the_later_ones_of_its_records():
    """What a record was before is written back only when all that came later was."""
    earlier = updated({7: {"x": 1}, 8: {"x": 1}})
    assert (earlier, []) == without_later(earlier, [])
    later = updated({8: {"x": 2}})
    now, [waits] = without_later(earlier, [later])
    assert ((7,), (8,)) == (now.change.ids, waits.change.ids)
    assert "a later change of the same records is left" in waits.change.reason
    nothing, [waits] = without_later(updated({8: {"x": 1}}), [later])
    assert (None, (8,)) == (nothing, waits.change.ids)
    create = Created(Change("create", "m", (8,)), {})
    assert (create, []) == without_later(create, [later])
    assert (earlier, []) == without_later(earlier, [create])
