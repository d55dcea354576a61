"""The oracle finds what was told and is not true; it is told lies here, and true things."""

import json
from array import array

import attrs
import pytest

from zenoo_rpc.batch.operations import (
    CreateOperation,
    Operation,
    UnlinkOperation,
    UpdateOperation,
    WriteManyOperation,
)
from zenoo_rpc.batch.results import BatchResult, OperationResult
from zenoo_rpc.batch.status import Status
from zenoo_rpc.sync import ZenooClient

from .._sync.accounts import log_in
from ..oracle import WRITES, Snapshot, check, examine, parts_in, parts_of, repeated, report
from ..proxy import FAULTS, Exchange, http_answer
from ..servers import Row, Server

APPLIED, REFUSED, UNKNOWN, NOT_SENT = (
    Status.APPLIED,
    Status.REFUSED,
    Status.UNKNOWN,
    Status.NOT_SENT,
)


class Database:
    """A server whose records a test plants by hand."""

    def __init__(self, **names: int) -> None:
        self.stored: dict[int, Row] = {}
        for name, number in names.items():
            self.put(number, name)

    def put(self, number: int, name: str) -> None:
        self.stored[number] = {"id": number, "name": name, "write_date": len(self.stored)}

    def rows(self, model: str) -> list[Row]:
        return [dict(row) for _, row in sorted(self.stored.items())]

    def snapshot(self) -> Snapshot:
        return Snapshot.take(self, ["res.partner"])  # type: ignore[arg-type]  # all it needs


def told(operation: Operation, *outcomes: tuple[Status, int]) -> OperationResult:
    """Return a result that tells these outcomes, with these ids of created records."""
    states = bytes(status for status, _ in outcomes)
    return OperationResult(operation, states, array("q", [number for _, number in outcomes]), {})


def kinds(database: Database, before: Snapshot, *results: OperationResult) -> list[str]:
    """Return the kinds of the oracle's verdicts."""
    verdicts = examine(database, BatchResult(results), before)  # type: ignore[arg-type]  # as above
    return [verdict.kind for verdict in verdicts]


def create(*names: str) -> CreateOperation:
    """Return a create of records with these names."""
    return CreateOperation("res.partner", [{"name": name} for name in names])


def rename(name: str, *ids: int) -> UpdateOperation:
    """Return an update that gives records a name."""
    return UpdateOperation("res.partner", ids, {"name": name})


@pytest.mark.parametrize(
    ("status", "there", "expected"),
    [
        (APPLIED, ["Ann"], []),
        (APPLIED, [], ["lost"]),
        (APPLIED, ["Bob"], ["misreported"]),
        (APPLIED, ["Ann", "Ann"], ["doubled"]),
        (UNKNOWN, [], []),
        (UNKNOWN, ["Ann"], []),
        (UNKNOWN, ["Ann", "Ann"], ["doubled"]),
        (UNKNOWN, ["Bob"], ["foreign"]),
        (REFUSED, [], []),
        (REFUSED, ["Ann"], ["misreported"]),
        (NOT_SENT, [], []),
        (NOT_SENT, ["Ann"], ["misreported"]),
        (NOT_SENT, ["Bob"], ["foreign"]),
    ],
)
def test_creates(status: Status, there: list[str], expected: list[str]) -> None:
    """What was created is there once as it was sent, what was not is not, unknown is either."""
    database = Database(Old=1)
    before = database.snapshot()
    for place, name in enumerate(there):
        database.put(10 + place, name)

    assert expected == kinds(
        database, before, told(create("Ann"), (status, 10 if status is APPLIED else 0))
    )


@pytest.mark.parametrize(
    ("status", "name", "expected"),
    [
        (APPLIED, "New", []),
        (APPLIED, "Old", ["lost"]),
        (APPLIED, "Else", ["foreign"]),
        (UNKNOWN, "New", []),
        (UNKNOWN, "Old", []),
        (UNKNOWN, "Else", ["foreign"]),
        (REFUSED, "Old", []),
        (REFUSED, "New", ["misreported"]),
        (NOT_SENT, "Old", []),
        (NOT_SENT, "New", ["misreported"]),
        (NOT_SENT, "Else", ["foreign"]),
    ],
)
@pytest.mark.parametrize(
    "operation", [rename("New", 1), WriteManyOperation("res.partner", {1: {"name": "New"}})]
)
def test_updates(operation: Operation, status: Status, name: str, expected: list[str]) -> None:
    """What was written has the new values, what was not has the old ones, unknown has either."""
    database = Database(Old=1)
    before = database.snapshot()
    database.put(1, name)

    assert expected == kinds(database, before, told(operation, (status, 0)))


@pytest.mark.parametrize(
    ("status", "there", "expected"),
    [
        (APPLIED, False, []),
        (APPLIED, True, ["lost"]),
        (UNKNOWN, False, []),
        (UNKNOWN, True, []),
        (REFUSED, True, []),
        (REFUSED, False, ["misreported"]),
        (NOT_SENT, True, []),
        (NOT_SENT, False, ["misreported"]),
    ],
)
def test_deletes(status: Status, there: bool, expected: list[str]) -> None:
    """What was deleted is gone, what was not is there, unknown is either."""
    database = Database(Old=1)
    before = database.snapshot()
    if not there:
        del database.stored[1]

    assert expected == kinds(
        database, before, told(UnlinkOperation("res.partner", [1]), (status, 0))
    )


def test_several_writes_to_one_record() -> None:
    """They count in their order: an applied one hides what was before it, an unknown may or not."""
    database = Database(Old=1)
    before = database.snapshot()
    first, second = rename("First", 1), rename("Second", 1)

    database.put(1, "Second")
    assert [] == kinds(database, before, told(first, (APPLIED, 0)), told(second, (APPLIED, 0)))
    assert [] == kinds(database, before, told(first, (APPLIED, 0)), told(second, (UNKNOWN, 0)))
    database.put(1, "First")
    assert [] == kinds(database, before, told(first, (APPLIED, 0)), told(second, (UNKNOWN, 0)))
    assert [] == kinds(database, before, told(first, (UNKNOWN, 0)), told(second, (REFUSED, 0)))
    assert ["lost"] == kinds(
        database, before, told(first, (APPLIED, 0)), told(second, (APPLIED, 0))
    )
    database.put(1, "Old")
    assert ["lost"] == kinds(
        database, before, told(first, (APPLIED, 0)), told(second, (UNKNOWN, 0))
    )


def test_a_write_after_a_delete() -> None:
    """It may be told as applied, because Odoo says yes to it for some models; it brings nothing."""
    database = Database(Old=1)
    before = database.snapshot()
    delete, write = UnlinkOperation("res.partner", [1]), rename("New", 1)

    database.put(1, "New")
    assert [] == kinds(database, before, told(delete, (UNKNOWN, 0)), told(write, (APPLIED, 0)))
    del database.stored[1]
    assert [] == kinds(database, before, told(delete, (APPLIED, 0)), told(write, (REFUSED, 0)))
    assert [] == kinds(database, before, told(delete, (APPLIED, 0)), told(write, (APPLIED, 0)))
    database.put(1, "New")
    assert ["lost"] == kinds(
        database, before, told(delete, (APPLIED, 0)), told(write, (APPLIED, 0))
    )


def test_a_foreign_change() -> None:
    """A record that the batch did not name must not change, vanish or appear."""
    database = Database(Ann=1, Bob=2)
    before = database.snapshot()
    nothing = told(rename("New", 3), (NOT_SENT, 0))

    assert [] == kinds(database, before, nothing)
    database.put(1, "Eve")
    assert ["foreign"] == kinds(database, before, nothing)
    del database.stored[2]
    database.put(7, "Zoe")
    assert ["foreign", "foreign", "foreign"] == sorted(kinds(database, before, nothing))


def test_columns_that_the_server_keeps_for_itself() -> None:
    """When a record was written is not compared."""
    database = Database(Ann=1)
    before = database.snapshot()
    database.stored[1]["write_date"] = "later"

    assert [] == kinds(database, before, told(rename("New", 1), (REFUSED, 0)))


def test_ids_belong_to_their_records() -> None:
    """Two records told with one id, swapped ids, and an id for nothing are found."""
    database = Database()
    before = database.snapshot()
    database.put(10, "Ann")
    database.put(11, "Bob")
    both = create("Ann", "Bob")

    assert [] == kinds(database, before, told(both, (APPLIED, 10), (APPLIED, 11)))
    assert ["misreported", "misreported"] == kinds(
        database, before, told(both, (APPLIED, 11), (APPLIED, 10))
    )
    assert "lost" in kinds(database, before, told(both, (APPLIED, 10), (APPLIED, 10)))
    assert ["misreported"] == kinds(database, before, told(both, (APPLIED, 10), (UNKNOWN, 11)))
    assert "misreported" in kinds(database, before, told(both, (APPLIED, 10), (APPLIED, 0)))


def test_it_asks_the_database_itself(server: Server) -> None:
    """On a server: a true result passes; a planted duplicate, loss and change are found."""
    models = ["res.partner", "res.partner.category", "product.product"]
    values = {
        "res.partner": {"name": "Ann", "ref": "x", "color": 3},
        "res.partner.category": {"name": "Ann", "color": 3},
        "product.product": {"name": "Ann", "default_code": "x", "weight": 1.5},
    }
    with ZenooClient(server.url) as client:
        log_in(client, server)
        for model in models:
            (old,) = client.create(model, [{**values[model], "name": "Old"}])
            before = Snapshot.take(server, models)
            batch = client.batch()
            batch.create(model, [values[model], values[model]])
            batch.unlink(model, [old])
            batch.execute()
            check(server, batch.results, before)

            ids = batch.results.ids
            client.create(model, values[model])
            assert ["doubled"] == [v.kind for v in examine(server, batch.results, before)]
            client.unlink(model, ids[:1])
            with pytest.raises(AssertionError, match="lost: create"):
                check(server, batch.results, before)
            client.write(model, ids[1:2], {"active": False, values_key(values[model]): "changed"})
            with pytest.raises(AssertionError, match="misreported: create"):
                check(server, batch.results, before)


def values_key(values: Row) -> str:
    """Return a column by which a record is known."""
    return next(key for key in ("default_code", "ref", "name") if key in values)


def test_what_a_request_does() -> None:
    """The parts of a request are those of its operation, whatever else it carries."""

    def request(*arguments: object) -> bytes:
        params = {"service": "object", "args": ["db", 2, "pw", *arguments, {"context": {}}]}
        return json.dumps({"params": params}).encode()

    for operation, body in (
        (
            create("Ann", "Bob"),
            request("res.partner", "create", [[{"name": "Ann"}, {"name": "Bob"}]]),
        ),
        (rename("New", 1, 2), request("res.partner", "write", [[1, 2], {"name": "New"}])),
        (
            WriteManyOperation("res.partner", {1: {"name": "New"}}),
            request("res.partner", "write", [[1], {"name": "New"}]),
        ),
        (UnlinkOperation("res.partner", [1, 2]), request("res.partner", "unlink", [[1, 2]])),
        (
            CreateOperation("res.partner", [{"name": "Ann"}], external_ids=["x"]),
            request("res.partner", "load", [["id", "name"], [["__import__.x", "Ann"]]]),
        ),
    ):
        assert parts_of(operation) == parts_in(body)
        assert len(operation) == len(parts_in(body))
    assert [] == parts_in(request("res.partner", "read", [[1]]))
    assert [] == parts_in(b"")


def test_what_was_sent_twice() -> None:
    """A part may be sent again only after an answer that says that it left nothing behind."""
    args = ["db", 2, "pw", "res.partner", "create", [[{"name": "Ann"}]], {}]
    body = json.dumps({"params": {"args": args}}).encode()
    faults = {fault.name: fault for fault in FAULTS}

    def exchange(fault: str = "", answer: str = "result") -> Exchange:
        response = http_answer(200, json.dumps({answer: {}}).encode())
        met = faults[fault] if fault else None
        return Exchange(1, "/jsonrpc", body, forwarded=True, answer=response, fault=met)

    def again(*exchanges: Exchange, times: int = 1, methods: tuple[str, ...] = WRITES) -> int:
        operation = CreateOperation("res.partner", [{"name": "Ann"}])
        return len(repeated(exchanges, [operation] * times, methods))

    def over_json2(status: int, answer: bytes) -> Exchange:
        made = exchange()
        made.path, made.answer = "/json/2/res.partner/create", http_answer(status, answer)
        return made

    assert 0 == again(exchange())
    assert 0 == again(over_json2(422, b'{"name": "x"}'), over_json2(200, b"[1]"))
    assert 1 == again(over_json2(200, b"[1]"), over_json2(200, b"[1]"))
    assert 0 == again(exchange(answer="error"), exchange())
    assert 0 == again(exchange("429 with seconds"), exchange())
    assert 1 == again(exchange(), exchange())
    assert 1 == again(exchange("504"), exchange())
    assert 1 == again(exchange("cut answer"), exchange(answer="error"))
    assert 0 == again(exchange("504"), exchange(), methods=("unlink",))
    assert 0 == again(exchange("504"), exchange(), times=2)
    assert 1 == again(exchange("504"), exchange(), exchange(), times=2)
    assert 0 == again(exchange("slow answer", "error"), exchange())
    assert 1 == again(exchange("slow answer"), exchange())
    assert 1 == again(exchange("slow answer"), exchange(answer="error"))


def test_two_operations_that_write_the_same() -> None:
    """Each of them may do it once; a third time is a repeat, whichever way it is sent."""
    operations = [rename("New", 1, 2), WriteManyOperation("res.partner", {2: {"name": "New"}})]

    def exchange(method: str, *arguments: object) -> Exchange:
        args = ["db", 2, "pw", "res.partner", method, arguments, {}]
        body = json.dumps({"params": {"args": args}}).encode()
        return Exchange(1, "/jsonrpc", body, answer=http_answer(200, b'{"result": true}'))

    first = exchange("write", [1, 2], {"name": "New"})
    second = exchange("write", [2], {"name": "New"})
    third = exchange("web_save_multi", [2], [{"name": "New"}], {})

    assert [] == repeated([first, second], operations)
    assert [] == repeated([first, third], operations)
    assert 1 == len(repeated([first, second, third], operations))
    assert 2 == len(repeated([first, first], operations[:1]))


def test_the_report(server: Server, tmp_path, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    """One line for each schedule, with what was found, where an environment variable says."""
    report(server, "502", "create", [])
    monkeypatch.setenv("ZENOO_FAULT_REPORT", str(tmp_path / "report"))
    database = Database(Ann=1)
    before = database.snapshot()
    del database.stored[1]
    result = BatchResult((told(rename("New", 1), (NOT_SENT, 0)),))

    report(
        server,
        "502",
        "create",
        examine(attrs.evolve(server, store=_Store(database)), result, before),
    )

    line = {"fault": "502", "operation": "create", "server": server.name, "twin": "sync"}
    line |= {
        "schedules": 1,
        "lost": 0,
        "doubled": 0,
        "misreported": 0,
        "foreign": 1,
        "seconds": None,
    }
    assert [line] == [json.loads(each) for each in (tmp_path / "report").read_text().splitlines()]


class _Store:
    """A planted database in a server's place."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def rows(self, model: str, ids: object) -> list[Row]:
        return self._database.rows(model)

    def reset(self) -> None:
        raise NotImplementedError
