"""Batches on the wire: what is sent, in which order, and what becomes of each record."""

import attrs
import pytest

from zenoo_rpc.sync import (
    BatchExecutionError,
    BatchStateError,
    BatchValidationError,
    CreateOperation,
    InvalidValueError,
    NotLoggedInError,
    Status,
    UnlinkOperation,
    UpdateOperation,
    WriteManyOperation,
    ZenooClient,
    batch_context,
)
from zenoo_rpc.errors import NoAnswerError, RefusedConnectionError

from ..proxy import Proxy
from .accounts import QUICK, log_in
from .together import side_by_side


def named(count, start=0):
    """Return records that can be told apart."""
    return [{"name": f"Partner {number:04}"} for number in range(start, start + count)]


def bad(records, *places):
    """Return the records, those at these places with a country that does not exist."""
    return [
        {**record, "country_id": 99999999} if place in places else record
        for place, record in enumerate(records)
    ]


def test_operations_run_at_the_end_of_the_block(client, server):
    """Nothing is sent inside the block; afterwards everything is there."""
    with client.batch() as batch:
        batch.create("res.partner", named(2))
        batch.create("product.product", [{"name": "Product 1", "list_price": 10.0}])
        assert 0 == server.count("res.partner")

    assert 2 == server.count("res.partner")
    assert 1 == server.count("product.product")
    assert [[int, int], [int]] == [[type(n) for n in each.ids] for each in batch.results.operations]


def test_a_handle_has_the_result_of_its_operation(client, server):
    """What adding returns knows the ids afterwards, and only then."""
    with client.batch() as batch:
        first = batch.create("res.partner", named(2))
        second = batch.create("res.partner", named(1, start=2))
        with pytest.raises(BatchStateError, match="not executed yet"):
            _ = second.result

    rows = server.rows("res.partner")
    assert [row["id"] for row in rows] == [*first.ids, *second.ids]
    assert ["Partner 0000", "Partner 0001", "Partner 0002"] == [row["name"] for row in rows]
    assert second.result.ok


def test_execute_gives_a_value_per_operation(client):
    """The ids of a create, True for anything else, in the order of the operations."""
    ids = client.batch_manager.bulk_create("res.partner", named(3))
    batch = client.batch()
    batch.create("res.partner", named(1))
    batch.update("res.partner", {"city": "Bern"}, record_ids=ids[:2])
    batch.write_many("res.partner", [{"id": ids[2], "values": {"city": "Biel"}}])
    batch.delete("res.partner", ids[:1])

    created, *others = batch.execute()

    assert [int] == [type(number) for number in created]
    assert [True, True, True] == others


def test_operations_keep_their_order(client, server):
    """A record is created before it is written, and written before it is deleted."""
    first, second = client.batch_manager.bulk_create("res.partner", named(2))

    with client.batch(chunk_size=1) as batch:
        batch.update("res.partner", {"city": "Bern", "ref": "old"}, record_ids=[first, second])
        batch.update("res.partner", {"city": "Biel"}, record_ids=[first, second])
        batch.unlink("res.partner", [first])

    (row,) = server.rows("res.partner")
    assert (second, "Biel", "old") == (row["id"], row["city"], row["ref"])


def test_neighbouring_creates_share_calls(server):
    """1,000 creates of one record are 10 calls of 100, and each gets its own id back."""
    with Proxy(server.host, server.port) as proxy:
        with ZenooClient(proxy.url) as client:
            log_in(client, server)
            before = len(proxy.exchanges)
            with client.batch(max_chunk_size=100) as batch:
                handles = [batch.create("res.partner", [record]) for record in named(1000)]
            sent = proxy.exchanges[before:]

    names = {row["id"]: row["name"] for row in server.rows("res.partner")}
    assert 10 == len(sent)
    assert [record["name"] for record in named(1000)] == [names[each.ids[0]] for each in handles]


def test_chunks_are_cut_by_bytes_too(server):
    """Records that are too large to go together go apart, whatever the count allows."""
    with Proxy(server.host, server.port) as proxy:
        with ZenooClient(proxy.url) as client:
            log_in(client, server)
            manager = client.setup_batch_manager(max_chunk_bytes=10_000)
            before = len(proxy.exchanges)
            manager.bulk_create(
                "res.partner", [{"name": str(n), "comment": "x" * 4_000} for n in range(6)]
            )
            bodies = [exchange.body for exchange in proxy.exchanges[before:]]

    assert 3 == len(bodies)
    assert all(len(body) < 10_500 for body in bodies)


def test_equal_values_are_written_together(server):
    """Different values for many records are one write for each set of values."""
    with Proxy(server.host, server.port) as proxy:
        with ZenooClient(proxy.url) as client:
            log_in(client, server)
            ids = client.batch_manager.bulk_create("res.partner", named(60))
            client.batch_manager.bulk_update(
                "res.partner",
                [{"id": number, "color": place % 2} for place, number in enumerate(ids)],
            )
            sent = [each for each in proxy.exchanges if b'"write"' in each.body]

    assert 2 == len(sent)
    assert [place % 2 for place in range(60)] == [
        row["color"] or 0 for row in server.rows("res.partner")
    ]


def test_every_form_of_update(client, server):
    """Values and ids in either order, by keyword, flat with ids, and with values apart."""
    ids = client.batch_manager.bulk_create("res.partner", named(5))

    with client.batch() as batch:
        batch.update("res.partner", {"ref": "a"}, record_ids=ids[:1])
        batch.update("res.partner", ids[1:2], {"ref": "b"})
        batch.update("res.partner", {"ref": "c"}, ids[2:3])
        batch.update("res.partner", [{"id": ids[3], "ref": "d"}])
        batch.write_many("res.partner", [{"id": ids[4], "values": {"ref": "e"}}])

    assert ["a", "b", "c", "d", "e"] == [row["ref"] for row in server.rows("res.partner")]


def test_three_bad_among_a_thousand(client, server):
    """997 are applied, the 3 are named by index with the server's words, and the batch raises."""
    places = [17, 500, 999]

    with pytest.raises(BatchExecutionError, match="997 applied, 3 refused") as caught:
        client.batch_manager.bulk_create("res.partner", bad(named(1000), *places))

    result = caught.value.result
    assert places == [failure.index for failure in result.refused]
    assert all("cannot be completed" in str(failure.error) for failure in result.refused)
    assert "record 17: refused" in str(caught.value)
    names = {row["id"]: row["name"] for row in server.rows("res.partner")}
    expected = [None if n in places else f"Partner {n:04}" for n in range(1000)]
    assert expected == [names.get(number) for number in result.ids]
    assert 997 == len(names)


def test_refused_updates_and_deletes_are_isolated(client, server):
    """Ids that do not exist are named; all others are written and deleted."""
    ids = client.batch_manager.bulk_create("res.partner", named(10))
    given = [*ids[:4], 99999998, *ids[4:], 99999999]

    with pytest.raises(BatchExecutionError) as caught:
        client.batch_manager.bulk_update("res.partner", {"city": "Bern"}, record_ids=given)
    assert [4, 11] == [failure.index for failure in caught.value.result.refused]
    assert [99999998, 99999999] == [failure.id for failure in caught.value.result.refused]
    assert 10 == server.count("res.partner", city="Bern")

    with pytest.raises(BatchExecutionError) as caught:
        client.batch_manager.bulk_delete("res.partner", given)
    assert [4, 11] == [failure.index for failure in caught.value.result.refused]
    assert 0 == server.count("res.partner")


def test_a_field_that_does_not_exist_costs_no_extra_calls(server):
    """The server names the field, so records with it are refused without a search for them."""
    with Proxy(server.host, server.port) as proxy:
        with ZenooClient(proxy.url) as client:
            log_in(client, server)
            before = len(proxy.exchanges)
            records = [{**record, "no_field": 1} for record in named(50)]
            records[7] = {"name": "Good"}
            with pytest.raises(BatchExecutionError, match="1 applied, 49 refused") as caught:
                client.batch_manager.bulk_create("res.partner", records)
            sent = len(proxy.exchanges) - before

    assert 2 == sent
    assert {"no_field"} == {failure.field for failure in caught.value.result.refused}
    assert ["Good"] == [row["name"] for row in server.rows("res.partner")]


def test_a_missing_right_costs_one_question(limited, server):
    """Without the right to create, all are refused after one call and one question."""
    with pytest.raises(BatchExecutionError, match="100 refused") as caught:
        limited.batch_manager.bulk_create("res.partner", named(100))

    assert 2 == limited.batch_manager.get_stats()["calls"]
    assert "not allowed" in str(caught.value)
    assert 0 == server.count("res.partner")


def test_a_missing_model_is_told(client):
    """A model that does not exist refuses all records, with the server's words."""
    with pytest.raises(BatchExecutionError, match=r"no\.such\.model") as caught:
        client.batch_manager.bulk_create("no.such.model", named(3))

    assert 3 == len(caught.value.result.refused)


def test_later_operations_wait_for_success(client, server):
    """After a refusal the operation is finished, and what comes after it is not sent."""
    (ann,) = client.batch_manager.bulk_create("res.partner", [{"name": "Ann"}])

    with pytest.raises(BatchExecutionError) as caught:
        with client.batch() as batch:
            created = batch.create("res.partner", bad(named(4), 1))
            later = batch.unlink("res.partner", [ann])

    assert [Status.APPLIED, Status.REFUSED, Status.APPLIED, Status.APPLIED] == [
        outcome.status for outcome in created.result
    ]
    assert [Status.NOT_SENT] == [outcome.status for outcome in later.result]
    assert [0] == [outcome.index for outcome in caught.value.result.not_sent]
    assert caught.value.result.not_sent[0].operation is later.operation
    assert 4 == server.count("res.partner")


def test_nothing_to_do(flaky, proxy):
    """Empty lists are operations over nothing: no call is made, and nobody is surprised."""
    asked = len(proxy.exchanges)
    manager = flaky.batch_manager
    assert [] == manager.bulk_create("res.partner", [])
    assert [] == manager.bulk_create("res.partner", [], external_ids="ref")
    assert manager.bulk_update("res.partner", {"name": "Ann"}, record_ids=[])
    assert manager.bulk_update("res.partner", [])
    assert manager.bulk_delete("res.partner", [])
    with flaky.batch() as batch:
        partners = batch.create("res.partner", [])
        batch.unlink("res.partner", [])
    assert ([], []) == (partners.ids, partners.result.value)
    assert batch.results.ok
    with flaky.batch_operation("res.partner", "unlink") as collector:
        collector.add_many([])
    with manager.stream("res.partner", []) as outcomes:
        assert [] == [each.index for each in outcomes]
    assert asked == len(proxy.exchanges)


def test_stop_sends_nothing_after_a_refusal(client, server):
    """With on_error="stop" nothing of the refused call is written, and nothing follows it.

    Nobody in it is told refused without proof; all that was not written may be sent again.
    """
    with pytest.raises(BatchExecutionError) as caught:
        with client.batch(on_error="stop", chunk_size=2, max_concurrency=1) as batch:
            batch.create("res.partner", bad(named(6), 3))

    result = caught.value.result
    assert [1, 1, 0, 0, 0, 0] == [int(outcome.status) for outcome in result]
    assert [False, False, True, True, True, True] == [bool(each.error) for each in result]
    told = [str(each) for each in result.not_sent]
    assert all(": not sent, as its call was refused and rolled back" in each for each in told[:2])
    assert all(": not sent: the batch had ended with: " in each for each in told[2:])
    assert 2 == server.count("res.partner")

    manager = client.batch_manager
    with pytest.raises(BatchExecutionError) as caught:
        manager.execute_operations(result.resendable_operations())
    assert [1, 2, 1, 1] == [int(outcome.status) for outcome in caught.value.result]
    assert 5 == server.count("res.partner")


def test_unordered_operations_do_not_wait_for_each_other(client, server):
    """With ordered=False a refusal in one operation keeps no other from being sent."""
    with pytest.raises(BatchExecutionError):
        with client.batch(ordered=False) as batch:
            batch.create("res.partner", bad(named(1), 0))
            product = batch.create("product.product", [{"name": "Product"}])

    assert product.result.ok
    assert 1 == server.count("product.product")


def test_unordered_keeps_the_order_on_one_record(client, server):
    """Operations on the same record follow each other even then."""
    (ann,) = client.batch_manager.bulk_create("res.partner", [{"name": "Ann"}])

    with client.batch(ordered=False) as batch:
        for place in range(5):
            batch.update("res.partner", {"ref": str(place)}, record_ids=[ann])

    assert ["4"] == [row["ref"] for row in server.rows("res.partner")]


def test_a_lost_answer_leaves_the_outcome_unknown(server):
    """A create whose answer does not come is unknown and never sent again; the others go on.

    What comes later in an ordered batch does not begin.
    """
    with Proxy(server.host, server.port) as proxy:
        proxy.rule("drop_answer", nth=2, when=lambda body: b'"create"' in body)
        with ZenooClient(proxy.url) as client:
            log_in(client, server)
            with pytest.raises(BatchExecutionError, match="2 unknown") as caught:
                with client.batch(chunk_size=2, max_concurrency=1) as batch:
                    batch.create("res.partner", named(6))
                    batch.create("product.product", [{"name": "Product"}])
        creates = [each for each in proxy.exchanges if b'"create"' in each.body]

    result = caught.value.result
    assert [1, 1, 3, 3, 1, 1, 0] == [int(outcome.status) for outcome in result]
    assert all(isinstance(outcome.error, NoAnswerError) for outcome in result.unknown)
    assert [2, 3] == [outcome.index for outcome in result.unknown]
    assert 3 == len(creates)
    assert 6 == server.count("res.partner")
    assert 0 == server.count("product.product")


def test_what_was_never_sent_says_so(server):
    """When the server is gone, nothing is unknown: it is not sent, and the reason is told."""
    with Proxy(server.host, server.port) as proxy:
        with ZenooClient(proxy.url, retry=QUICK) as client:
            log_in(client, server)
            proxy.refuse()
            with pytest.raises(BatchExecutionError, match="3 not sent") as caught:
                client.batch_manager.bulk_create("res.partner", named(3))

    assert all(
        isinstance(each.error, RefusedConnectionError) for each in caught.value.result.not_sent
    )
    assert 0 == server.count("res.partner")


def test_what_was_not_sent_can_be_sent_again(client, server):
    """The result gives operations over just the records that the server never got."""
    ids = client.batch_manager.bulk_create("res.partner", named(3))

    with pytest.raises(BatchExecutionError) as caught:
        with client.batch() as batch:
            batch.create("res.partner", bad(named(2, start=3), 0))
            batch.update("res.partner", {"city": "Bern"}, record_ids=ids[:1])
            batch.write_many("res.partner", [{"id": ids[1], "values": {"city": "Biel"}}])
            batch.create("product.product", [{"name": "Tea"}])
            batch.unlink("res.partner", ids[2:])
    left = caught.value.result.resendable_operations()
    result = client.batch_manager.execute_operations(left)

    assert [1, 1, 1, 1] == [len(operation) for operation in left]
    assert result.ok
    assert ["Bern", "Biel"] == [row["city"] for row in server.rows("res.partner", ids)]
    assert 1 == server.count("product.product")


def test_ids_come_back_in_record_order_whatever_the_wire_does(server):
    """With 5 calls in flight that overtake one another, ids[i] belongs to records[i]."""
    turns, count = 5, 100
    with Proxy(server.host, server.port, jitter=0.03, seed=7) as proxy:
        with ZenooClient(proxy.url) as client:
            log_in(client, server)
            manager = client.setup_batch_manager(max_concurrency=5, max_chunk_size=4)
            seen, overtaken = {}, 0
            for turn in range(turns):
                records = named(count, start=count * turn)
                ids = manager.bulk_create("res.partner", records)
                overtaken += sorted(ids) != ids
                seen.update(zip(ids, (record["name"] for record in records), strict=True))

    assert seen == {row["id"]: row["name"] for row in server.rows("res.partner")}
    assert turns * count == len(seen)
    assert overtaken
    assert proxy.peak <= 5


def test_progress_counts_records(client):
    """The callback gets records done, total, percentage and counts; the last one says 100 %."""
    seen = []

    def callback(progress):
        seen.append(progress)

    with batch_context(
        client, max_chunk_size=50, max_concurrency=3, progress_callback=callback
    ) as batch:
        batch.create("res.partner", named(120))

    done = [progress["completed"] for progress in seen]
    assert sorted(set(done)) == done
    assert {120} == {progress["total"] for progress in seen}
    assert (120, 100.0) == (seen[-1]["completed"], seen[-1]["percentage"])
    assert {"applied": 120, "refused": 0, "unknown": 0, "not_sent": 0, "calls": 3} == seen[-1][
        "stats"
    ]


def test_progress_ends_at_100_percent_with_failures_too(client):
    """Records that are refused or never sent are done with as well."""
    seen = []

    with pytest.raises(BatchExecutionError):
        with client.batch(progress_callback=seen.append) as batch:
            batch.create("res.partner", bad(named(3), 1))
            batch.unlink("res.partner", [99999999])

    assert 100.0 == seen[-1]["percentage"]
    assert (2, 1, 1) == tuple(seen[-1]["stats"][key] for key in ("applied", "refused", "not_sent"))


def test_a_callback_that_fails_changes_nothing(client, server, caplog):
    """Its error is logged by name, without its text, and the batch goes on.

    The places of its traceback are there for who asks for the log of level DEBUG.
    """
    caplog.set_level("DEBUG", "zenoo_rpc")

    def callback(progress):
        raise RuntimeError("s3cret")

    ids = client.batch_manager.bulk_create(
        "res.partner", named(3), progress_callback=callback
    )

    assert 3 == len(ids) == server.count("res.partner")
    [warning] = [each for each in caplog.records if each.levelname == "WARNING"]
    assert "the progress callback raised RuntimeError; the batch goes on" == warning.getMessage()
    [details] = [each for each in caplog.records if "raised it here" in each.getMessage()]
    assert "DEBUG" == details.levelname
    line = callback.__code__.co_firstlineno + 1
    place = f'File "{__file__}", line {line}, in callback'
    assert details.getMessage().endswith(place)
    assert "s3cret" not in caplog.text


def test_a_bar_is_drawn_when_asked_for(client, capsys, monkeypatch):
    """progress=True shows a bar in records, in a terminal."""
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)

    client.batch_manager.bulk_create("res.partner", named(3), progress=True)

    assert "3/3" in capsys.readouterr().err


def test_one_limit_for_all_batches_of_a_manager(server):
    """However many batches share a manager, no more calls than its limit are in flight."""
    with Proxy(server.host, server.port, jitter=0.02) as proxy:
        with ZenooClient(proxy.url) as client:
            log_in(client, server)
            client.setup_batch_manager(max_concurrency=2, max_chunk_size=1)

            side_by_side(
                lambda: client.batch_manager.bulk_create("res.partner", named(4)),
                lambda: client.batch_manager.bulk_create("res.partner", named(4)),
                lambda: client.batch_manager.bulk_create("res.partner", named(4)),
            )

    assert 2 == proxy.peak
    assert 12 == server.count("res.partner")


def test_context_is_merged_user_manager_operation(client, server):
    """The user's own context is below the manager's, which is below the operation's."""
    switzerland = client.search("res.country", [("code", "=", "CH")])
    client.setup_batch_manager(context={"default_city": "Bern", "default_ref": "manager"})

    with client.batch() as batch:
        batch.create("res.partner", named(1), context={"default_ref": "operation"})

    (row,) = server.rows("res.partner")
    assert ("Bern", "operation") == (row["city"], row["ref"])
    assert 1 == len(switzerland)


def test_any_iterable_and_nothing_changed(client, server):
    """Records may be a generator of attrs objects; changing a list later changes nothing."""

    @attrs.define
    class Partner:
        name: str
        email: str | None = None

    ann = {"name": "Ann", "category_id": [(6, 0, [])]}
    with client.batch() as batch:
        batch.create("res.partner", (Partner(f"P{n}") for n in range(3)))
        batch.create("res.partner", [ann])
        ann["name"] = "Changed"
        ann["category_id"].append("nonsense")

    assert ["P0", "P1", "P2", "Ann"] == [row["name"] for row in server.rows("res.partner")]


def test_an_exception_in_the_block_sends_nothing(client, server):
    """The exception passes, with a note that says how much was dropped."""
    with pytest.raises(KeyError) as caught:
        with client.batch() as batch:
            batch.create("res.partner", named(3))
            raise KeyError("mine")

    assert 0 == server.count("res.partner")
    assert ["zenoo_rpc: nothing of the batch was sent; 1 operations (3 records) were dropped"] == (
        caught.value.__notes__
    )


def test_a_batch_is_used_once(client):
    """Adding to a batch that was executed, or executing it again, is an error that says so."""
    with client.batch() as batch:
        batch.create("res.partner", named(1))
        batch.execute()
        with pytest.raises(BatchStateError, match="over"):
            batch.create("res.partner", named(1))
        with pytest.raises(BatchStateError, match="over"):
            batch.execute()

    with pytest.raises(BatchStateError, match="over"):
        with batch:
            pass


def test_results_wait_for_the_execution(client):
    """Before it there are none, and that is told; an empty batch has none to wait for."""
    with pytest.raises(BatchStateError, match="no results"):
        _ = client.batch().results

    with client.batch() as empty:
        pass

    assert 0 == len(empty.results)


def test_statistics(client):
    """The batch counts operations, the manager everything it has done."""
    with pytest.raises(BatchExecutionError):
        with client.batch() as batch:
            batch.create("res.partner", named(2))
            batch.unlink("res.partner", [99999999])

    assert {
        "total_operations": 2,
        "completed_operations": 1,
        "failed_operations": 1,
    } == batch.get_stats()
    stats = client.batch_manager.get_stats()
    assert (1, 2, 3, 2, 1) == tuple(
        stats[key] for key in ("batches", "operations", "records", "applied", "refused")
    )


def test_execute_operations_takes_the_model_objects(client, server):
    """The operation classes can be built by hand and given to a manager."""
    (ann,) = client.batch_manager.bulk_create("res.partner", [{"name": "Ann"}])

    result = client.batch_manager.execute_operations(
        [
            CreateOperation("res.partner", [{"name": "Bob"}]),
            UpdateOperation("res.partner", [ann], {"city": "Bern"}),
            WriteManyOperation("res.partner", {ann: {"ref": "x"}}),
            UnlinkOperation("res.partner", [ann]),
        ]
    )

    assert result.ok
    assert ["Bob"] == [row["name"] for row in server.rows("res.partner")]


def test_bad_input_is_refused_before_anything_is_sent(client, server):
    """An error in any operation of a batch leaves the server untouched."""
    with pytest.raises(BatchValidationError, match=r"create res\.partner: record 1: .*NaN"):
        with client.batch() as batch:
            batch.create("res.partner", named(2))
            batch.create("res.partner", [{"name": "x"}, {"name": "y", "color": float("nan")}])

    assert 0 == server.count("res.partner")


@pytest.mark.parametrize(
    "options", [{"chunk_size": 0}, {"max_chunk_size": 0}, {"max_concurrency": 0}, {"on_error": "?"}]
)
def test_bad_options_are_refused(client, options):
    """Limits below 1 and unknown words are errors when the batch is opened."""
    with pytest.raises(InvalidValueError, match=next(iter(options))):
        client.batch(**options)


@pytest.mark.parametrize(
    "settings", [{"max_chunk_size": 0}, {"max_concurrency": 0}, {"timeout": 0}]
)
def test_bad_settings_are_refused(client, settings):
    """A manager is not made with limits below 1."""
    with pytest.raises(InvalidValueError, match=next(iter(settings))):
        client.setup_batch_manager(**settings)


def test_a_batch_before_the_login_is_refused(server):
    """It says that the login is missing; nothing is sent."""
    with ZenooClient(server.url) as client:
        with pytest.raises(NotLoggedInError):
            client.batch_manager.bulk_create("res.partner", named(1))
