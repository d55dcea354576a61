"""Creates with external ids: sent again, they update instead of doubling."""

import threading
from contextlib import suppress

import pytest

from zenoo_rpc.sync import BatchExecutionError, BatchValidationError, RetryPolicy, ZenooClient
from zenoo_rpc.batch.status import Status
from zenoo_rpc.errors import ConflictError

from ..oracle import Snapshot, check
from ..proxy import FAULTS, Proxy, odoo_error, with_result
from .accounts import log_in


def people(count):
    """Return records that can be told apart, each with a reference."""
    return [{"name": f"Partner {number:02}", "ref": f"p{number}"} for number in range(count)]


def loads(body):
    """Whether a request is an import."""
    return b'"load"' in body


@pytest.mark.parametrize("names", ["ref", [f"p{n}" for n in range(7)], lambda each: each["ref"]])
def test_a_second_run_doubles_nothing(client, server, names):
    """The same records again, changed or not, keep their ids; the outcome tells them apart."""
    ids = client.batch_manager.bulk_create(
        "res.partner", people(5), external_ids=names if callable(names) else names[:5]
    )
    changed = [{**each, "city": "Bern"} for each in people(7)]
    with client.batch(chunk_size=3) as batch:
        partners = batch.create("res.partner", changed, external_ids=names)

    assert ids == partners.ids[:5]
    assert [False] * 5 + [True] * 2 == [outcome.created for outcome in partners.result]
    rows = {row["id"]: (row["name"], row["city"]) for row in server.rows("res.partner")}
    assert {number: (f"Partner {n:02}", "Bern") for n, number in enumerate(partners.ids)} == rows


def family(count):
    """Return companies and their people, two each, and of each two tags; the people come first."""
    people_ = [
        {
            "name": f"Person {n}",
            "ref": f"person{n}",
            "parent_id": f"__import__.company{n % count}",
            "country_id": 43,
            "color": n,
        }
        for n in range(2 * count)
    ]
    companies = [
        {"name": f"Company {n}", "ref": f"company{n}", "is_company": True} for n in range(count)
    ]
    return people_ + companies


def test_what_is_unchanged_is_not_written(flaky, proxy, server):
    """A load that is started again sends what differs, and nothing else."""
    records = family(6)
    manager = flaky.batch_manager
    ids = manager.bulk_create("res.partner", records, external_ids="ref", chunk_size=5)
    before = {row["id"]: row for row in server.rows("res.partner")}
    sent = len([each for each in proxy.exchanges if loads(each.body)])

    records[0] |= {"color": 99}
    records.append({"name": "New", "ref": "new"})
    with flaky.batch() as batch:
        partners = batch.create("res.partner", records, external_ids="ref")

    assert ids == partners.ids[:-1]
    assert 2 == len([each for each in proxy.exchanges if loads(each.body)]) - sent
    told = [(outcome.created, outcome.changed) for outcome in partners.result]
    assert [(False, True), *[(False, False)] * 17, (True, None)] == told
    after = {row["id"]: row for row in server.rows("res.partner")}
    differ = {number for number in ids if before[number] != after[number]}
    assert {ids[0]} == differ

    with flaky.batch(skip_unchanged=False) as batch:
        partners = batch.create("res.partner", records, external_ids="ref")
    assert [None] * 19 == [outcome.changed for outcome in partners.result]
    assert ids == partners.ids[:-1]


def test_threads_serve_a_whole_batch(client):
    """Where there are threads, a later round goes on with those of the first."""
    seen = set()
    client.setup_batch_manager(max_concurrency=1)
    client.batch_manager.bulk_create(
        "res.partner",
        [
            {"name": "Child", "parent_id": "__import__.b"},
            {"name": "Parent", "parent_id": "__import__.c"},
            {"name": "Grandparent"},
        ],
        external_ids=["a", "b", "c"],
        progress_callback=lambda _: seen.add(threading.current_thread()),
    )
    assert 1 == len(seen - {threading.main_thread()} or seen)


def test_links_to_archived_records_stay(client):
    """An import sets the links that are seen, as any write does, and changes no others."""
    manager = client.batch_manager
    shown, hidden, other = manager.bulk_create(
        "res.partner.category", [{"name": name} for name in ("shown", "hidden", "other")]
    )
    everything = {"active_test": False}

    def load(*tags):
        with client.batch() as batch:
            values = {"name": "Ann", "category_id": list(tags)}
            batch.create("res.partner", [values], external_ids=["ann"])
        [outcome] = batch.results
        number = outcome.id
        [row] = client.read("res.partner", number, ["category_id"], context=everything)
        return outcome.changed, set(row["category_id"])

    assert (None, {shown, hidden}) == load(shown, hidden)
    client.write("res.partner.category", hidden, {"active": False})
    assert (False, {shown, hidden}) == load(shown)
    assert (True, {other, hidden}) == load(other)


def test_what_only_looks_unchanged_is_written(client, server):
    """A record of another model with the same number, a text for a boolean."""
    first = {"name": "Ann", "parent_id": 1, "is_company": False}
    client.batch_manager.bulk_create("res.partner", [first], external_ids=["ann"])

    def load(**other):
        with client.batch() as batch:
            loaded = batch.create("res.partner", [{**first, **other}], external_ids=["ann"])
        [outcome] = loaded.result
        return outcome.changed

    assert not load()
    assert load(is_company="true")
    assert [True] == [row["is_company"] for row in server.rows("res.partner")]
    with pytest.raises(BatchExecutionError, match="1 refused"):
        load(parent_id="base.main_company")


@pytest.mark.parametrize("size", [5, 100])
def test_parents_and_children_in_any_order(client, server, size):
    """What others refer to goes first; the ids come back in the order of the records."""
    records = family(7)
    records += [
        {"name": f"Link {n}", "ref": f"link{n}", "parent_id": f"__import__.link{n - 1}"}
        for n in range(5, 0, -1)
    ]
    records.append({"name": "Link 0", "ref": "link0"})
    ids = client.batch_manager.bulk_create(
        "res.partner", records, external_ids="ref", chunk_size=size
    )

    rows = {row["id"]: row for row in server.rows("res.partner")}
    by_ref = {record["ref"]: number for record, number in zip(records, ids, strict=True)}
    assert len(rows) == len(records)
    for record, number in zip(records, ids, strict=True):
        up = record.get("parent_id", "").removeprefix("__import__.")
        assert (record["ref"], by_ref.get(up, False)) == (
            rows[number]["ref"],
            rows[number]["parent_id"],
        )


def test_a_circle_is_refused(flaky, proxy):
    """None of its records can go first; nothing is sent but the question about the fields."""
    records = [
        {"name": "A", "ref": "a", "parent_id": "__import__.b"},
        {"name": "B", "ref": "b", "parent_id": "__import__.a"},
        {"name": "C", "ref": "c", "parent_id": "__import__.a"},
    ]
    with pytest.raises(BatchValidationError, match="a circle") as caught:
        flaky.batch_manager.bulk_create("res.partner", records, external_ids="ref")

    assert [0, 1] == [error.index for error in caught.value.errors]
    assert not any(loads(each.body) for each in proxy.exchanges)


def test_a_collected_create_has_external_ids_too(client, server):
    """One by one, twice: one record each."""
    for _ in range(2):
        with client.batch_operation("res.partner", "create", external_ids="ref") as collector:
            collector.add_many(people(3))

    assert 3 == server.count("res.partner")
    assert not any(outcome.created for outcome in collector.results)


def test_values_arrive_as_a_create_brings_them(client):
    """What an import makes of the values is what a create makes of them."""
    tags = client.create("res.partner.category", [{"name": "A"}, {"name": "B"}])
    values = {
        "name": "Ann",
        "active": False,
        "color": 3,
        "email": "",
        "country_id": 43,
        "category_id": [(6, 0, tags)],
        "type": "invoice",
        "comment": None,
    }
    fields = list(values)
    plain = client.create("res.partner", values)
    [named] = client.batch_manager.bulk_create("res.partner", [values], external_ids=["ann"])
    linked = {**values, "country_id": "base.ch", "category_id": [(4, tags[0]), (4, tags[1])]}
    [other] = client.batch_manager.bulk_create("res.partner", [linked], external_ids=["bob"])

    shown = client.read("res.partner", [plain, named, other], fields)
    for row in shown:
        del row["id"]
    assert shown[0]["email"] in ("", False)  # an import knows no empty text
    shown[0]["email"] = False
    assert shown[0] == shown[1] == shown[2]


def test_children_are_linked(client, server):
    """By a one2many of ids or of the commands set and link; on a second run they are added."""
    kids = client.create("res.partner", [{"name": f"Child {n}"} for n in range(3)])
    for linked in ([(6, 0, kids[:1])], [(4, kids[1])], kids[2:]):
        [parent] = client.batch_manager.bulk_create(
            "res.partner", [{"name": "Parent", "child_ids": linked}], external_ids=["parent"]
        )

    assert [parent] * 3 == [row["parent_id"] for row in server.rows("res.partner", kids)]


def test_an_empty_cell_is_not_a_missing_one(client, server):
    """Records with other fields go apart: the import of one clears nothing of the others."""
    create = client.batch_manager.bulk_create
    records = [{"name": "Ann", "city": "Bern"}, {"name": "Bob"}, {"name": "Cid", "city": None}]
    ids = create("res.partner", records, external_ids=["a", "b", "c"])
    again = [{"name": "Ann"}, {"name": "Bob", "city": "Chur"}, {"name": "Cid"}]
    assert ids == create("res.partner", again, external_ids=["a", "b", "c"])

    rows = {row["id"]: row["city"] or None for row in server.rows("res.partner")}
    assert ["Bern", "Chur", None] == [rows[number] for number in ids]


def test_what_an_import_cannot_carry_is_told_before_anything_is_sent(client, server):
    """By index, field and fault; nothing of the batch was sent."""
    for bad, words in [
        ({"nmae": "Bob"}, "field 'nmae': the model has no such field"),
        ({"child_ids": [(0, 0, {"name": "x"})]}, "field 'child_ids': only the commands"),
        ({"child_ids": None}, "field 'child_ids': there is nothing to link"),
        ({"category_id": [(0, 0, {"name": "x"})]}, "field 'category_id': only the commands"),
        ({"category_id": ["x"]}, "field 'category_id': an id is wanted"),
        ({"category_id": 7}, "field 'category_id': it must be a list"),
        ({"country_id": "CH"}, "field 'country_id': an id is wanted"),
        ({"name": [1]}, "field 'name': a list is no value"),
    ]:
        batch = client.batch()
        batch.create("res.partner", [{"name": "Ann"}])
        batch.create("res.partner", [{"name": "Cid"}, bad], external_ids=["c", "b"])
        told = rf"create res\.partner \(operation 1\): record 1: {words}"
        with pytest.raises(BatchValidationError, match=told):
            batch.execute()
        assert [0, 0, 2] == [int(each.status) for each in batch.results]
    assert 0 == server.count("res.partner")


def test_bad_rows_are_named(client, server):
    """Each bad row has the server's own words; all others are there."""
    records = [{**each, "type": "contact", "country_id": "base.ch"} for each in people(6)]
    records[1]["country_id"] = "base.nowhere"
    records[4]["type"] = "nonsense"
    with pytest.raises(BatchExecutionError) as caught:
        client.batch_manager.bulk_create("res.partner", records, external_ids="ref")

    failures = caught.value.result.refused
    assert [1, 4] == [outcome.index for outcome in failures]
    assert ["country_id", "type"] == [outcome.field for outcome in failures]
    assert "base.nowhere" in failures[0].error.message
    assert "nonsense" in failures[1].error.message
    assert [0, 2, 3, 5] == [int(row["name"][-2:]) for row in server.rows("res.partner")]


def test_an_innocent_first_row(client, server):
    """19 names the first row for whatever is wrong with one of them; only that one is refused."""
    client.create("product.product", {"name": "Tea", "barcode": "111"})
    records = [{"name": f"Tea {n}", "barcode": "111" if n == 3 else f"99{n}"} for n in range(6)]
    with pytest.raises(BatchExecutionError) as caught:
        client.batch_manager.bulk_create(
            "product.product", records, external_ids=[f"tea{n}" for n in range(6)]
        )

    assert [3] == [outcome.index for outcome in caught.value.result.refused]
    assert 5 == caught.value.result.counts[Status.APPLIED]
    assert 6 == server.count("product.product")


def test_ids_that_are_told_twice(flaky, proxy, server):
    """Those of a first try that 19 took back come first; the others are the truth."""
    twice = with_result(lambda said: {**said, "ids": [*range(8_000, 8_003), *said["ids"]]})
    proxy.rule("replace_answer", nth=1, when=loads, answer=twice)
    ids = flaky.batch_manager.bulk_create("res.partner", people(3), external_ids="ref")

    assert ids == [row["id"] for row in server.rows("res.partner")]


def test_an_external_id_of_another_model(client, server):
    """It is refused before it is sent: 14 would overwrite another record, and take the id over."""
    [row] = client.search_read(
        "ir.model.data", [("module", "=", "base"), ("name", "=", "ch")], ["res_id", "model"]
    )
    with pytest.raises(BatchExecutionError) as caught:
        client.batch_manager.bulk_create(
            "res.partner", people(3), external_ids=["a", "base.ch", "b"]
        )

    result = caught.value.result
    assert [1] == [outcome.index for outcome in result.refused]
    assert "its external id is that of a record of res.country" == str(result.refused[0].error)
    assert 2 == server.count("res.partner") == result.counts[Status.APPLIED]
    assert row == (client.read("ir.model.data", [row["id"]], ["res_id", "model"]))[0]


def test_external_ids_in_a_column_of_their_own(client, server):
    """As in a file for Odoo's own import; the records have no field of that name."""
    records = [{"id": f"mine.p{n}", "name": f"Partner {n}"} for n in range(3)]
    first = client.batch_manager.bulk_create("res.partner", records, external_ids="id")
    again = client.batch_manager.bulk_create("res.partner", iter(records), external_ids="id")

    assert first == list(again) == [row["id"] for row in server.rows("res.partner")]


def test_a_conflict_is_not_a_refusal(flaky, proxy, server):
    """A call that others were in the way of goes again when the rest is through."""
    conflict = odoo_error("psycopg2.errors.SerializationFailure", "could not serialize access")
    proxy.rule("replace", nth=range(1, 5), when=loads, answer=conflict)
    with flaky.batch(chunk_size=2, max_concurrency=1) as batch:
        partners = batch.create("res.partner", people(6), external_ids="ref")
    assert sorted(partners.ids) == [row["id"] for row in server.rows("res.partner")]
    assert partners.ids[0] > partners.ids[-1]  # its turn came last

    proxy.rule("replace", nth=range(1, 99), when=loads, answer=conflict)
    with pytest.raises(BatchExecutionError) as caught:
        flaky.batch_manager.bulk_create("res.partner", people(2), external_ids=["x", "y"])
    assert [Status.NOT_SENT] * 2 == [outcome.status for outcome in caught.value.result]
    assert all(isinstance(each.error, ConflictError) for each in caught.value.result)


def test_stop_leaves_the_call_out(client, server):
    """With on_error="stop" a call with a bad row leaves nothing, and says so of each."""
    records = [{**each, "type": "contact"} for each in people(4)]  # a call has the same fields
    records[2]["type"] = "nonsense"
    with pytest.raises(BatchExecutionError) as caught:
        client.batch_manager.bulk_create(
            "res.partner", records, external_ids="ref", on_error="stop"
        )

    states = [outcome.status for outcome in caught.value.result]
    assert [Status.NOT_SENT] * 2 + [Status.REFUSED, Status.NOT_SENT] == states
    assert 0 == server.count("res.partner")


@pytest.mark.parametrize("fault", ["drop_answer", "close_before_forward", "reset_answer"])
def test_a_lost_answer_costs_nothing(flaky, proxy, server, fault):
    """The same import is sent again: every record is there once.

    Of what was there by the second try nobody knows who created it.
    """
    proxy.rule(fault, nth=[1, 2], when=loads)
    with flaky.batch(chunk_size=2) as batch:
        partners = batch.create("res.partner", people(6), external_ids="ref")

    assert [row["id"] for row in server.rows("res.partner")] == sorted(partners.ids)
    created = [outcome.created for outcome in partners.result]
    assert (6 if fault == "close_before_forward" else 2) == created.count(True)
    assert {True, None} >= set(created)


def test_what_stays_unknown_may_be_sent_again(flaky, proxy, server):
    """The records whose answer never came are among those that are safe to send."""
    proxy.rule("drop_answer", nth=range(1, 5), when=loads)
    batch = flaky.batch(on_unknown="report")
    batch.create("res.partner", people(3), external_ids="ref")
    with pytest.raises(BatchExecutionError) as caught:
        batch.execute()
    result = caught.value.result
    assert 3 == len(result.unknown)

    again = flaky.batch_manager.execute_operations(result.resendable_operations())
    assert [row["id"] for row in server.rows("res.partner")] == sorted(again.ids)
    assert not any(outcome.created for outcome in again)


def lookups(body):
    """Whether a request asks which external ids are there."""
    return b'"ir.model.data"' in body


@pytest.mark.parametrize("fault", ["drop_answer", "close_before_forward"])
@pytest.mark.parametrize("may_ask", [True, False])
def test_an_import_without_an_answer_is_settled(server, proxy, fault, may_ask):
    """Even if nothing is repeated: by asking what is there, by sending again what is not."""
    if not may_ask:
        forbidden = odoo_error("odoo.exceptions.AccessError", "You are not allowed to access")
        proxy.rule("replace", when=lookups, answer=forbidden)
    for name in (b'"p2"', b'"p6"'):  # each once, whichever of the calls comes first
        proxy.rule(fault, nth=1, when=lambda body, name=name: loads(body) and name in body)
    with ZenooClient(proxy.url, retry=None) as client:
        log_in(client, server)
        with client.batch(chunk_size=2) as batch:
            partners = batch.create("res.partner", people(8), external_ids="ref")

    assert [row["id"] for row in server.rows("res.partner")] == sorted(partners.ids)
    names = {row["id"]: row["name"] for row in server.rows("res.partner")}
    assert [each["name"] for each in people(8)] == [names[number] for number in partners.ids]
    unsure = [2, 3, 6, 7] if fault == "drop_answer" else []
    created = [True if may_ask and place not in unsure else None for place in range(8)]
    assert created == [each.created for each in partners.result]
    sent = sum(loads(each.body) for each in proxy.exchanges)
    assert (4 if may_ask and fault == "drop_answer" else 6) == sent


def test_a_server_that_is_gone_is_asked_once(server, proxy):
    """What could not be settled is told as unknown, and what was not sent as not sent."""
    proxy.rule("drop_answer", nth=2, when=loads)
    proxy.rule("close_before_forward", nth=range(3, 99), when=lookups)  # after two calls
    with ZenooClient(proxy.url, retry=None) as client:
        log_in(client, server)
        before = Snapshot.take(server, ["res.partner"])
        batch = client.batch(chunk_size=2, max_concurrency=1)
        partners = batch.create("res.partner", people(8), external_ids="ref")
        with pytest.raises(BatchExecutionError, match="6 may be sent again safely"):
            batch.execute()

    check(server, batch.results, before)
    told = [Status.APPLIED] * 2 + [Status.UNKNOWN] * 2 + [Status.NOT_SENT] * 4
    assert told == [outcome.status for outcome in partners.result]


def test_an_import_that_is_carried_out_late_undoes_no_later_write(server, client):
    """An import without an answer may still come; a later write of the batch stays."""
    ids = client.batch_manager.bulk_create("res.partner", people(1), external_ids="ref")
    before = Snapshot.take(server, ["res.partner"])
    (late,) = [fault for fault in FAULTS if fault.action == "forward_late"]

    with Proxy(server.host, server.port) as proxy:
        swift = RetryPolicy(attempts=3, initial=0.02, maximum=0.05)
        with ZenooClient(proxy.url, retry=swift) as slow:
            log_in(slow, server)
            slow.setup_batch_manager(timeout=4 if server.is_real else 1)
            batch = slow.batch()
            batch.create("res.partner", [{**people(1)[0], "city": "Bern"}], external_ids="ref")
            batch.update("res.partner", {"city": "Chur"}, record_ids=ids)
            late.arm(proxy, 4)  # after the three questions
            with suppress(BatchExecutionError):
                batch.execute()
        proxy.settle()

    [imported, written] = [outcome.status for outcome in batch.results]
    [row] = server.rows("res.partner")
    assert before.rows["res.partner"].keys() == {row["id"]}
    assert (Status.UNKNOWN, Status.NOT_SENT, "Bern") == (imported, written, row["city"])


def test_who_has_no_rights_is_told_so_of_each_record(server, limited):
    """An import that is not allowed leaves nothing, and names every record."""
    with pytest.raises(BatchExecutionError) as caught:
        limited.batch_manager.bulk_create(
            "res.partner", people(2), external_ids="ref", chunk_size=1
        )
    assert [0, 1] == [outcome.index for outcome in caught.value.result.refused]
    assert 0 == server.count("res.partner")
