"""Records that are read while they are sent, and outcomes that are told while others are made."""

import threading
from contextlib import nullcontext, suppress

import pytest

from zenoo_rpc.sync import (
    BatchExecutionError,
    BatchStateError,
    BatchValidationError,
    InvalidValueError,
    NoAnswerError,
    Status,
    StreamStoppedError,
    ZenooClient,
)

from ..oracle import Snapshot
from ..proxy import Proxy
from .accounts import QUICK, log_in
from .together import side_by_side

APPLIED, REFUSED, UNKNOWN, NOT_SENT = (
    Status.APPLIED,
    Status.REFUSED,
    Status.UNKNOWN,
    Status.NOT_SENT,
)


class SourceError(Exception):
    """What goes wrong where the records come from."""


class Source:
    """An iterator of records that counts how many were read, and where."""

    def __init__(self, count, bad=(), fails_at=None):
        self.read = 0
        self.threads = set()
        self._count = count
        self._bad = bad
        self._fails_at = fails_at

    def __iter__(self):
        return self

    def __next__(self):
        number = self.read
        if number == self._fails_at:
            raise SourceError
        if number == self._count:
            raise StopIteration
        self.read += 1
        self.threads.add(threading.get_ident())
        if number in self._bad:
            return {"name": f"Partner {number:03}", "ref": object()}
        return {"name": f"Partner {number:03}", "ref": f"p{number}"}


def plain(count):
    """Yield records."""
    for number in range(count):
        yield {"name": f"Partner {number:03}", "ref": f"p{number}"}


def asks_for(method):
    """Return what tells the requests that call a method."""
    return lambda body: b'"%s"' % method.encode() in body


def names(server):
    """Return the names of the partners that are there, by id."""
    return {row["id"]: row["name"] for row in server.rows("res.partner")}


@pytest.mark.parametrize("make", [Source, plain])
def test_an_iterator_is_created(client, server, make):
    """Each record is there once; the ids are in the order of the records, and compact."""
    ids = client.batch_manager.bulk_create("res.partner", make(23), chunk_size=5)

    assert 23 == len(ids)
    assert list(ids) == ids
    assert [f"Partner {n:03}" for n in range(23)] == [names(server)[number] for number in ids]


def test_an_iterator_among_others(client, server):
    """Operations keep their order around one whose records nobody knows beforehand."""
    with client.batch(chunk_size=3) as batch:
        first = batch.create("res.partner", [{"name": "First"}])
        streamed = batch.create("res.partner", Source(7))
        empty = batch.create("res.partner", Source(0))
        last = batch.create("res.partner", [{"name": "Last"}])

    assert (1, 7, 0, 1) == tuple(len(each.ids) for each in (first, streamed, empty, last))
    [one], [other] = first.ids, last.ids
    assert one < min(streamed.ids) < max(streamed.ids) < other
    assert sorted([one, *streamed.ids, other]) == sorted(names(server))
    assert batch.results.ok


def test_it_is_collected(client, server):
    """A collector takes iterators between single records, and reads them at the end."""
    source = Source(5)
    with client.batch_operation("res.partner", "create", chunk_size=2) as collector:
        collector.add({"name": "First"})
        collector.add_many(source)
        collector.add_many([{"name": "In between"}])
        collector.add_many(plain(2))
        assert 0 == source.read

    rows = names(server)
    expected = ["First", *(f"Partner {n:03}" for n in range(5)), "In between"]
    expected += ["Partner 000", "Partner 001"]
    assert expected == [rows[number] for number in collector.results.ids]


def test_bad_records_are_refused_by_themselves(client, server):
    """What cannot be sent, and what the server refuses, is told by index; the rest is there."""
    before = Snapshot.take(server, ["res.partner"])

    def records():
        for number, record in enumerate(plain(20)):
            yield {**record, "country_id": 99_999_999} if number in (4, 11) else record

    with pytest.raises(BatchExecutionError) as caught:
        client.batch_manager.bulk_create("res.partner", records(), chunk_size=5)
    assert [4, 11] == [outcome.index for outcome in caught.value.result.refused]
    assert 18 == server.count("res.partner")

    batch = client.batch(chunk_size=5)
    batch.create("res.partner", Source(12, bad=[0, 7]))
    with pytest.raises(BatchExecutionError, match="record 7: refused: field 'ref'") as caught:
        batch.execute()
    failures = batch.results.refused
    assert [0, 7] == [outcome.index for outcome in failures]
    assert all(isinstance(outcome.error, BatchValidationError) for outcome in failures)
    assert before.rows["res.partner"].keys() < names(server).keys() or not before.rows
    assert 18 + 10 == server.count("res.partner")


def test_stop_reads_no_further(client, server):
    """With on_error="stop" a bad record ends it; what was read is told."""
    source = Source(100, bad=[12])
    batch = client.batch(chunk_size=5, max_concurrency=1, on_error="stop")
    batch.create("res.partner", source)
    with pytest.raises(BatchExecutionError, match="not all of its records were read"):
        batch.execute()

    told = [outcome.status for outcome in batch.results]
    assert [APPLIED] * 10 + [NOT_SENT] * 2 + [REFUSED] + [NOT_SENT] * (source.read - 13) == told
    assert 10 == server.count("res.partner")
    assert source.read <= 16


def test_a_slow_server_makes_the_source_wait(server, proxy):
    """No more is read than the calls in flight and one more, by whoever carries the batch out."""
    source = Source(200)
    proxy.rule("hold", nth=[3, 4], when=asks_for("create"))
    seen = []

    with ZenooClient(proxy.url) as client:
        log_in(client, server)
        batch = client.batch(chunk_size=10, max_concurrency=2)
        batch.create("res.partner", source)

        def watch():
            with ZenooClient(server.url) as other:
                while source.read < 50 or sum(e.action == "hold" for e in proxy.exchanges[:]) < 2:
                    other.version()  # takes its time
                for _ in range(5):
                    other.version()
            seen.append(source.read)
            proxy.release()

        side_by_side(watch, batch.execute)

    assert [50] == seen  # two that were answered, two in flight, and one
    assert 200 == server.count("res.partner") == source.read
    assert 1 == len(source.threads)


def test_a_source_that_fails(client, server):
    """Its exception comes out; what was read before is sent or told, and nothing is lost."""
    batch = client.batch(chunk_size=5)
    handle = batch.create("res.partner", Source(100, fails_at=17))
    with pytest.raises(SourceError):
        batch.execute()

    told = [outcome.status for outcome in handle.result]
    assert 17 == len(told)
    assert told.count(APPLIED) == server.count("res.partner") <= 15
    assert {APPLIED, NOT_SENT} == set(told)
    again = client.batch_manager.execute_operations(batch.results.resendable_operations())
    assert again.ok
    assert sorted(names(server).values()) == [f"Partner {n:03}" for n in range(17)]


def test_a_lost_answer_ends_it(server, proxy):
    """A plain create without an answer is unknown, and nothing more is read, if that is wanted."""
    source = Source(100)
    proxy.rule("drop_answer", nth=2, when=asks_for("create"))
    with ZenooClient(proxy.url) as client:
        log_in(client, server)
        before = Snapshot.take(server, ["res.partner"])
        batch = client.batch(chunk_size=5, max_concurrency=1, on_unknown="stop")
        handle = batch.create("res.partner", source)
        with pytest.raises(BatchExecutionError, match="not all of its records were read"):
            batch.execute()

    told = [outcome.status for outcome in handle.result]
    assert [APPLIED] * 5 + [UNKNOWN] * 5 == told[:10]
    assert {NOT_SENT} >= set(told[10:])
    assert source.read == len(told) <= 15
    assert 10 == len(names(server)) - len(before.rows["res.partner"])


def test_external_ids_in_a_stream(client, server):
    """A second run doubles nothing, and tells apart what was there."""
    create = client.batch_manager.bulk_create
    ids = create("res.partner", Source(8), external_ids="ref", chunk_size=3)
    batch = client.batch(chunk_size=3)
    handle = batch.create("res.partner", plain(11), external_ids=lambda record: record["ref"])
    batch.execute()

    assert ids == handle.ids[:8]
    assert [False] * 8 + [True] * 3 == [outcome.created for outcome in handle.result]
    assert 11 == server.count("res.partner")


def test_external_ids_that_are_none(client, server):
    """A second record with the same external id, and one without, are refused by themselves."""
    records = [{"name": "A", "ref": "a"}, {"name": "B", "ref": "a"}, {"name": "C"}]
    with pytest.raises(BatchExecutionError) as caught:
        client.batch_manager.bulk_create("res.partner", iter(records), external_ids="ref")
    assert [1, 2] == [outcome.index for outcome in caught.value.result.refused]
    assert "that of record 0" in str(caught.value)

    def no_name(record):
        raise KeyError("no such thing")

    with pytest.raises(BatchExecutionError, match="external_ids raised KeyError"):
        client.batch_manager.bulk_create("res.partner", plain(1), external_ids=no_name)
    with pytest.raises(BatchValidationError, match="a field's name or a function"):
        client.batch_manager.bulk_create("res.partner", plain(1), external_ids=["a"])
    assert 1 == server.count("res.partner")


def test_lost_imports_are_settled_in_the_middle(server, proxy):
    """An import without an answer is settled while others wait; then it is read on."""
    for name in (b'"p4"', b'"p10"'):
        proxy.rule(
            "drop_answer", nth=1, when=lambda body, name=name: b'"load"' in body and name in body
        )
    with ZenooClient(proxy.url, retry=None) as client:
        log_in(client, server)
        ids = client.batch_manager.bulk_create(
            "res.partner", Source(20), external_ids="ref", chunk_size=2
        )
    assert sorted(names(server)) == sorted(ids)
    assert 20 == len(ids)


# -- outcomes, one by one --------------------------------------------------------------------------


def test_outcomes_come_in_order(server):
    """Whatever call is answered first, outcomes are told in the order of the records."""
    with Proxy(server.host, server.port, jitter=0.05) as proxy:
        with ZenooClient(proxy.url) as client:
            log_in(client, server)
            with client.batch_manager.stream(
                "res.partner", Source(60, bad=[7]), chunk_size=4
            ) as outcomes:
                told = [(each.index, each.status, each.id) for each in outcomes]

    assert list(range(60)) == [index for index, _, _ in told]
    assert [7] == [index for index, status, _ in told if status is REFUSED]
    rows = names(server)
    assert all(rows[number] == f"Partner {index:03}" for index, _, number in told if index != 7)
    assert 59 == len(rows)
    assert [] == outcomes.rest
    assert 59 == client.batch_manager.get_stats()["applied"]


def test_it_runs_no_further_ahead_than_it_may(client):
    """Who takes outcomes slowly is not run ahead of; who asks for none starts nothing."""
    source = Source(1000)
    manager = client.setup_batch_manager(max_chunk_size=2, max_concurrency=2)
    with manager.stream("res.partner", source) as outcomes:
        assert 0 == source.read
        for _ in range(3):
            outcome = outcomes.__next__()
            assert source.read <= outcome.index + 2 * 2 * 4 + 2
    assert source.read == 3 + len(outcomes.rest)
    assert {APPLIED} == {outcome.status for outcome in outcomes.rest}


def test_refused_ones_are_told_in_their_place(client, server):
    """A refused record holds up nobody for longer than it takes to find it."""

    def records():
        for number, record in enumerate(plain(30)):
            yield {**record, "country_id": 99_999_999} if number % 10 == 3 else record

    with client.batch_manager.stream("res.partner", records(), chunk_size=5) as outcomes:
        told = {outcome.index: outcome.status for outcome in outcomes}
    assert [3, 13, 23] == [index for index, status in told.items() if status is REFUSED]
    assert list(range(30)) == list(told)
    assert 27 == server.count("res.partner")


def test_a_stream_that_breaks_off(server, proxy):
    """Outcomes of all that was read are told, then an error says that this was not all."""
    source = Source(100)
    proxy.rule("drop_answer", nth=2, when=asks_for("create"))
    told = []
    with ZenooClient(proxy.url) as client:
        log_in(client, server)
        manager = client.setup_batch_manager(max_chunk_size=5, max_concurrency=1)
        with pytest.raises(StreamStoppedError, match="5 applied, 5 unknown") as caught:
            with manager.stream("res.partner", source, on_unknown="stop") as outcomes:
                for outcome in outcomes:
                    told.append(outcome.status)  # noqa: PERF401  it ends with an exception
    assert [APPLIED] * 5 + [UNKNOWN] * 5 == told[:10]
    assert source.read == len(told)
    assert isinstance(caught.value.__cause__, NoAnswerError)


def test_a_stream_without_time(client):
    """Where nothing was read at all, it says why."""
    manager, source = client.batch_manager, Source(9)
    limited = manager.stream("res.partner", source, time_limit=1e-9)
    with pytest.raises(StreamStoppedError, match=r"\(the time limit was over\).*: nothing\. "):
        limited.__next__()
    with pytest.raises(BatchExecutionError, match="records were read: the time limit was over"):
        manager.bulk_create("res.partner", source, time_limit=1e-9)
    assert 0 == source.read


@pytest.mark.parametrize("opened", [True, False], ids=["opened", "at once"])
def test_what_a_source_raises_comes_last(client, server, opened):
    """First come the outcomes of all that was read; what was not sent says what ended it."""
    source, told = Source(20, fails_at=9), []
    stream = client.batch_manager.stream("res.partner", source, chunk_size=2)
    with stream if opened else nullcontext():
        with pytest.raises(SourceError):
            for outcome in stream:
                told.append((outcome.status, str(outcome.error)))  # noqa: PERF401  it raises
    assert [(APPLIED, "None")] * 8 == told[:-1]
    assert (NOT_SENT, "reading its records ended with SourceError") == told[-1]
    assert ([], 8) == (stream.rest, server.count("res.partner"))


def test_what_cuts_the_reading_off_is_no_end(client, server):
    """A generator that was cut off, by a time-out say, has ended; its records have not."""

    class Interruption(BaseException):
        pass

    def records():
        yield from plain(5)
        raise Interruption

    with client.batch_manager.stream("res.partner", records(), chunk_size=2) as outcomes:
        with pytest.raises(Interruption):
            while True:
                outcomes.__next__()
        with pytest.raises(StreamStoppedError, match="reading its records ended with Interrup"):
            while True:
                outcomes.__next__()
    assert ([], 4) == (outcomes.rest, server.count("res.partner"))


def test_what_cuts_a_stream_off_leaves_the_rest(client, server):
    """Iterated at once it has no block whose end would tell the rest."""
    stopped, source = [], Source(1000)

    def stop(progress):
        if progress["completed"] >= 6 and not stopped:
            stopped.append(progress)
            raise KeyboardInterrupt

    stream = client.batch_manager.stream(
        "res.partner", source, chunk_size=2, progress_callback=stop
    )
    told = 0
    with pytest.raises(KeyboardInterrupt) as caught:
        for _ in stream:
            told += 1
    assert f"{len(stream.rest):,} outcomes more" in caught.value.__notes__[-1]
    assert source.read == told + len(stream.rest)
    applied = sum(outcome.status is APPLIED for outcome in stream.rest)
    assert server.count("res.partner") - told == applied
    left = [each for each in stream.rest if each.status is not APPLIED]
    assert all("cut off by KeyboardInterrupt" in str(each.error) for each in left)
    with pytest.raises(StreamStoppedError, match="cut off by KeyboardInterrupt"):
        stream.__next__()


def test_an_interruption_of_a_callback_comes_out(client):
    """Also where others are in flight beside it."""

    def stop(_):
        raise KeyboardInterrupt

    stream = client.batch_manager.stream(
        "res.partner", Source(1000), chunk_size=2, progress_callback=stop
    )
    with pytest.raises(KeyboardInterrupt):
        with stream as outcomes:
            for _ in outcomes:
                pass


def test_what_fails_beside_a_stream_is_its_cause(client):
    """A call that could not be made of a context, say."""
    client.context["x"] = object()
    stream = client.batch_manager.stream("res.partner", plain(100), chunk_size=2)
    with pytest.raises(StreamStoppedError, match="cut off by InvalidValueError") as caught:
        with stream as outcomes:
            for outcome in outcomes:
                assert "cut off by InvalidValueError" in str(outcome.error)
    assert isinstance(caught.value.__cause__, InvalidValueError)


def test_a_stream_is_left(client, server):
    """Leaving the block, even by an exception, reads and sends nothing more."""
    source = Source(1000)
    with suppress(SourceError):
        with client.batch_manager.stream("res.partner", source, chunk_size=3) as outcomes:
            for outcome in outcomes:
                if outcome.index == 4:
                    raise SourceError
    assert source.read == 5 + len(outcomes.rest) < 100
    assert server.count("res.partner") == 5 + sum(o.status is APPLIED for o in outcomes.rest)


def test_a_stream_with_external_ids(client, server):
    """Twice the same: told as there."""
    for expected in (True, False):
        with client.batch_manager.stream(
            "res.partner", plain(9), external_ids="ref", chunk_size=2
        ) as outcomes:
            assert [expected] * 9 == [outcome.created for outcome in outcomes]
    assert 9 == server.count("res.partner")


def test_progress_of_a_stream(client):
    """It grows with what was read, and ends with 100 %; the manager counts it once."""
    for opened in (True, False):
        told = []
        manager = client.setup_batch_manager(max_chunk_size=4)
        outcomes = manager.stream("res.partner", plain(10), progress_callback=told.append)
        if opened:
            with outcomes:
                count = sum([outcome.status is APPLIED for outcome in outcomes])
        else:
            count = sum([outcome.status is APPLIED for outcome in outcomes])
        assert 10 == count == told[-1]["completed"] == told[-1]["total"]
        assert 100 == told[-1]["percentage"]
        assert (1, 10) == (manager.get_stats()["batches"], manager.get_stats()["applied"])


def test_a_stream_out_of_turn(client):
    """It is opened before it is read, and once."""
    stream = client.batch_manager.stream("res.partner", plain(1))
    with stream:
        assert APPLIED is (stream.__next__()).status
        with pytest.raises(BatchStateError, match="begun already"):
            stream.__enter__()
    stream = client.batch_manager.stream("res.partner", plain(1))
    assert [APPLIED] == [outcome.status for outcome in stream]
    with pytest.raises(BatchStateError, match="begun already"):
        stream.__enter__()


def test_a_stream_that_is_not_opened(client, server, proxy):
    """It is iterated at once, in bursts; whoever leaves it leaves no call behind."""
    told = client.batch_manager.stream("res.partner", Source(100, bad=[3]), chunk_size=2)
    statuses = [outcome.status for outcome in told]
    assert [APPLIED] * 3 + [REFUSED] + [APPLIED] * 96 == statuses
    assert 99 == server.count("res.partner")

    source = Source(1000)
    for outcome in client.batch_manager.stream("res.partner", source, chunk_size=2):
        if outcome.index == 5:
            break
    assert 99 + source.read == server.count("res.partner") < 200


def test_a_model_that_is_not_there(client):
    """A question that is refused is told, for the records are not read then."""
    source = Source(10)
    with pytest.raises(BatchExecutionError, match=r"no\.such\.model"):
        client.batch_manager.bulk_create("no.such.model", source, external_ids="ref")
    with pytest.raises(StreamStoppedError):
        with client.batch_manager.stream(
            "no.such.model", source, external_ids="ref"
        ) as outcomes:
            for _ in outcomes:
                pass
    assert 0 == source.read


def test_an_outcome_has_its_own_record(client):
    """For files of what failed: each as it was given, bad ones too; only where that is wanted."""
    rows = [{"name": "Ann"}, {"name": "Bob", "country_id": 99999999}, 7, {"name": "Cid"}]
    manager = client.batch_manager
    with manager.stream("res.partner", rows, chunk_size=2, keep_records=True) as told:
        given = [(each.record, each.status) for each in told]
    assert all(row is record for row, (record, _) in zip(rows, given, strict=True))
    assert rows[1:3] == [record for record, status in given if status is REFUSED]
    with manager.stream("res.partner", rows[:1]) as told:
        assert [None] == [each.record for each in told]


# -- updates and unlinks ---------------------------------------------------------------------------


def test_updates_of_a_stream(client, server):
    """Each outcome has its id; what is no update or no record is refused in its place."""
    ids = client.batch_manager.bulk_create("res.partner", plain(12))

    def updates():
        for place, number in enumerate(ids):
            yield {"id": number, "city": f"City {place % 3}"}
        yield {"city": "Nowhere"}
        yield {"id": 99_999_999, "city": "Nowhere"}
        yield {"id": ids[0], "values": {"city": "Bern"}}

    with client.batch_manager.stream(
        "res.partner", updates(), operation="update", chunk_size=5, keep_records=True
    ) as outcomes:
        told = [(each.id, each.status, each.record["id"]) for each in outcomes if each.id]
    assert [number for number, _, _ in told] == [*ids, 99_999_999, ids[0]]
    assert [APPLIED] * 12 + [REFUSED, APPLIED] == [status for _, status, _ in told]
    assert all(number == given for number, _, given in told)
    cities = [row["city"] for row in server.rows("res.partner", ids)]
    assert ["Bern", *[f"City {place % 3}" for place in range(1, 12)]] == cities


def test_updates_by_an_iterator(client, server):
    """Batches and bulk methods read it while it is sent; an id that comes again waits its turn."""
    ids = client.batch_manager.bulk_create("res.partner", plain(6))
    read = []

    def updates(city):
        for number in ids:
            read.append(number)
            yield {"id": number, "city": city}
        yield {"id": ids[0], "city": f"Again {city}"}

    assert client.batch_manager.bulk_update("res.partner", updates("Bern"), chunk_size=2)
    cities = [row["city"] for row in server.rows("res.partner", ids)]
    assert ["Again Bern", *["Bern"] * 5] == cities

    read.clear()
    with client.batch(chunk_size=2) as batch:
        handle = batch.update("res.partner", updates("Basel"))
        last = batch.update("res.partner", {"city": "Last"}, record_ids=ids[5:])
        assert not read
    assert [*ids, ids[0]] == handle.ids
    assert handle.result.ok
    assert last.result.ok
    cities = [row["city"] for row in server.rows("res.partner", ids)]
    assert ["Again Basel", *["Basel"] * 4, "Last"] == cities


def test_updates_by_an_iterator_are_collected(client, server):
    """They come in the place where they were added."""
    ids = client.batch_manager.bulk_create("res.partner", plain(4))
    with client.batch_operation("res.partner", "update", chunk_size=2) as collector:
        collector.add({"id": ids[0], "city": "First"})
        collector.add_many({"id": number, "city": "Bern"} for number in ids)
        collector.add({"id": ids[3], "city": "Last"})
    assert [ids[0], *ids, ids[3]] == collector.results.ids
    cities = [row["city"] for row in server.rows("res.partner", ids)]
    assert ["Bern", "Bern", "Bern", "Last"] == cities


def test_bad_updates_of_an_iterator(client, server):
    """What is none, and what the server refuses, is told by index; the others are written."""
    ids = client.batch_manager.bulk_create("res.partner", plain(5))
    updates = [{"id": number, "city": "Bern"} for number in ids]
    updates[1] = {"city": "Nowhere"}
    updates[3] = {"id": ids[3], "city": "Bern", "country_id": 99_999_999}
    with pytest.raises(BatchExecutionError) as caught:
        client.batch_manager.bulk_update("res.partner", iter(updates), chunk_size=5)
    result = caught.value.result
    assert [1, 3] == [outcome.index for outcome in result.refused]
    assert [ids[0], None, *ids[2:]] == result.ids
    cities = [row["city"] for row in server.rows("res.partner", ids)]
    assert ["Bern", False, "Bern", False, "Bern"] == [city or False for city in cities]


def test_updates_by_an_iterator_are_taken_back(client, server):
    """A transaction that fails restores what each of their calls has overwritten."""
    ids = client.batch_manager.bulk_create("res.partner", plain(4))
    updates = ({"id": number, "city": "Bern", "ref": f"x{number}"} for number in ids)
    with pytest.raises(SourceError):
        with client.transaction():
            client.batch_manager.bulk_update("res.partner", updates, chunk_size=2)
            raise SourceError
    rows = server.rows("res.partner", ids)
    assert [f"p{number}" for number in range(4)] == [row["ref"] for row in rows]
    assert not any(row["city"] for row in rows)


def test_unlinks_of_a_stream(client, server):
    """Ids from an iterator of any length; a record that is gone already is refused."""
    ids = client.batch_manager.bulk_create("res.partner", plain(9))
    wanted = [*ids[:4], 99_999_999, *ids[4:8]]
    with client.batch_manager.stream(
        "res.partner", iter(wanted), operation="unlink", chunk_size=4
    ) as outcomes:
        told = [(outcome.id, outcome.status) for outcome in outcomes]
    assert wanted == [number for number, _ in told]
    assert [99_999_999] == [number for number, status in told if status is REFUSED]
    assert [ids[8]] == [row["id"] for row in server.rows("res.partner")]


def test_deletions_of_a_stream_in_a_transaction(client, server):
    """They are held back until its end, and told so."""
    ids = client.batch_manager.bulk_create("res.partner", plain(4))
    with client.transaction():
        with client.batch_manager.stream(
            "res.partner", iter(ids), operation="unlink", chunk_size=2
        ) as outcomes:
            told = [(outcome.id, outcome.status) for outcome in outcomes]
        assert 4 == server.count("res.partner")
    assert [(number, NOT_SENT) for number in ids] == told
    assert 0 == server.count("res.partner")


def test_a_lost_update_of_a_stream(server, proxy):
    """It is repeated, being harmless, unless a later one of the stream may be undone by it."""
    proxy.rule("drop_answer", nth=1, when=lambda body: b'"write"' in body or b"save" in body)
    with ZenooClient(proxy.url, retry=QUICK) as client:
        log_in(client, server)
        ids = client.batch_manager.bulk_create("res.partner", plain(6))
        updates = ({"id": number, "city": "Bern"} for number in ids)
        with client.batch_manager.stream(
            "res.partner", updates, operation="update", chunk_size=2
        ) as outcomes:
            told = [outcome.status for outcome in outcomes]
    assert [APPLIED] * 6 == told
    assert {"Bern"} == {row["city"] for row in server.rows("res.partner", ids)}


def test_what_a_stream_does(client):
    """Three things, and external ids are for one of them."""
    for options in ({"operation": "write"}, {"operation": "unlink", "external_ids": "ref"}):
        with pytest.raises(BatchValidationError):
            client.batch_manager.stream("res.partner", iter([]), **options)
