"""A load goes on after an answer that was lost, and finds the pace that a server takes."""

import threading
import time

import pytest

from zenoo_rpc.sync import BatchExecutionError, RetryPolicy, Status, ZenooClient

from ..oracle import Snapshot, examine
from ..proxy import http_answer, odoo_error
from .accounts import log_in

APPLIED, UNKNOWN, NOT_SENT = Status.APPLIED, Status.UNKNOWN, Status.NOT_SENT
AWAY = 0.5  # seconds
RECORDS = 80
FEW_TRIES = RetryPolicy(attempts=3, initial=0.01, maximum=0.02, total=60)


def named(count):
    """Return records that can be told apart."""
    return [{"name": f"Partner {number:02}"} for number in range(count)]


def creates(body):
    """Whether a request creates records."""
    return b'"create"' in body


def questions(body):
    """Whether a request asks if the server answers again."""
    return b'"context_get"' in body


def connected(server, url, retry=FEW_TRIES, **options):
    """Return a client that is logged in, and sends calls of two records, one at a time."""
    client = ZenooClient(url, retry=retry)
    log_in(client, server)
    settings = {"max_chunk_size": 2, "max_concurrency": 1, **options}
    client.setup_batch_manager(**settings)
    return client


def goes_away(proxy):
    """Return what answers with nothing at all, and lets nobody connect for a while."""

    def answer(_):
        proxy.refuse()
        threading.Timer(AWAY, proxy.listen).start()
        return b""

    return answer


@pytest.mark.parametrize("fault", ["drop_answer", "close_before_forward", "reset_answer"])
def test_one_lost_answer_among_many(server, proxy, fault):
    """Its records are unknown and not sent again, all others are applied."""
    proxy.rule(fault, nth=2, when=creates)
    before = Snapshot.take(server, ["res.partner"])
    with connected(server, proxy.url) as client:
        start = len(proxy.exchanges)
        batch = client.batch()
        batch.create("res.partner", named(10))
        with pytest.raises(BatchExecutionError, match="8 applied, 2 unknown"):
            batch.execute()

    told = [outcome.status for outcome in batch.results]
    assert [APPLIED] * 2 + [UNKNOWN] * 2 + [APPLIED] * 6 == told
    assert 5 == sum(creates(each.body) for each in proxy.exchanges[start:])
    assert 1 == sum(questions(each.body) for each in proxy.exchanges[start:])
    assert [] == examine(server, batch.results, before)


def test_a_server_that_is_away_for_a_while(server, proxy):
    """It is asked until it answers, though no call would be tried so often."""
    proxy.rule("replace_answer", nth=2, when=creates, answer=goes_away(proxy))
    before = Snapshot.take(server, ["res.partner"])
    with connected(server, proxy.url) as client:
        batch = client.batch()
        batch.create("res.partner", named(8))
        with pytest.raises(BatchExecutionError, match="6 applied, 2 unknown"):
            batch.execute()
    assert [] == examine(server, batch.results, before)


def test_an_import_is_settled_when_the_server_is_back(server, proxy):
    """What became of a lost call is asked as patiently; then nothing is unknown."""
    proxy.rule(
        "replace_answer", nth=2, when=lambda body: b'"load"' in body, answer=goes_away(proxy)
    )
    once = RetryPolicy(attempts=1, initial=0.01, maximum=0.02, total=60)
    with connected(server, proxy.url, once) as client:
        ids = client.batch_manager.bulk_create(
            "res.partner", named(8), external_ids=lambda each: each["name"].replace(" ", "")
        )
    assert sorted(ids) == [row["id"] for row in server.rows("res.partner")]


@pytest.mark.parametrize("retry", [None, RetryPolicy(attempts=2, initial=0.01, total=0.2)])
def test_a_server_that_stays_away(server, proxy, retry):
    """Then nothing more is sent: at once without a policy, else when its total is over."""
    with connected(server, proxy.url, retry) as client:
        proxy.rule("drop_answer", nth=2, when=creates)
        proxy.rule("close_before_forward", when=questions)
        with pytest.raises(BatchExecutionError) as caught:
            client.batch_manager.bulk_create("res.partner", named(8))
    told = [outcome.status for outcome in caught.value.result]
    assert [APPLIED] * 2 + [UNKNOWN] * 2 + [NOT_SENT] * 4 == told
    assert 4 == server.count("res.partner")
    reasons = {str(outcome.error) for outcome in caught.value.result.not_sent}
    assert 1 == len(reasons)
    assert "the batch had ended with: " in reasons.pop()


def test_stop(server, proxy):
    """Whoever wants to look first is asked nothing, and sends nothing more."""
    with connected(server, proxy.url) as client:
        start = len(proxy.exchanges)
        proxy.rule("drop_answer", nth=2, when=creates)
        with pytest.raises(BatchExecutionError) as caught:
            client.batch_manager.bulk_create("res.partner", named(8), on_unknown="stop")
    told = [outcome.status for outcome in caught.value.result]
    assert [APPLIED] * 2 + [UNKNOWN] * 2 + [NOT_SENT] * 4 == told
    assert 0 == sum(questions(each.body) for each in proxy.exchanges[start:])


def test_an_unlink_that_nobody_tells_the_rest_of(server, proxy):
    """It is asked what a lost one has left; if a page comes instead, the load goes on, too."""

    def asks(body):
        return b'"create_date"' in body

    with connected(server, proxy.url) as client:
        ids = client.batch_manager.bulk_create("res.partner", named(6))
        start = len(proxy.exchanges)
        proxy.rule("drop_answer", nth=1, when=lambda body: b'"unlink"' in body)
        proxy.rule("replace", nth=1, when=asks, answer=lambda _: http_answer(403))
        with pytest.raises(BatchExecutionError) as caught:
            client.batch_manager.bulk_delete("res.partner", ids)
    told = [outcome.status for outcome in caught.value.result]
    assert [UNKNOWN] * 2 + [APPLIED] * 4 == told
    assert 0 == server.count("res.partner")
    assert 1 == sum(questions(each.body) for each in proxy.exchanges[start:])


def test_a_stream_goes_on(server, proxy):
    """All is read, and each outcome told in its place."""
    proxy.rule("drop_answer", nth=2, when=creates)
    with (
        connected(server, proxy.url) as client,
        client.batch_manager.stream("res.partner", iter(named(10))) as outcomes,
    ):
        told = {outcome.index: outcome.status for outcome in outcomes}
    assert [APPLIED] * 2 + [UNKNOWN] * 2 + [APPLIED] * 6 == [told[n] for n in range(10)]


def test_leaving_while_it_waits(server, proxy):
    """A time limit ends the waiting for a server that is away."""
    with connected(server, proxy.url) as client:
        proxy.rule("drop_answer", nth=1, when=creates)
        proxy.rule("close_before_forward", when=questions)
        with pytest.raises(BatchExecutionError, match="2 unknown"):
            client.batch_manager.bulk_create("res.partner", named(4), time_limit=1)


@pytest.mark.parametrize("turned_away", ["429", "no connection"])
def test_being_turned_away_costs_no_tries(server, proxy, turned_away):
    """A call has three tries, and is carried out at the fifth: others got through in between."""

    def is_first(body):
        return creates(body) and b"Partner 00" in body

    def others():
        bodies = [each.body for each in list(proxy.exchanges)]
        return sum(creates(body) and not is_first(body) for body in bodies)

    def after_others(exchange):
        # Three others are in flight, so of four that come one has got through, and is known to.
        enough = min(others() + 4, RECORDS - 1)
        while others() < enough:
            time.sleep(0.005)
        return http_answer(429) if turned_away == "429" else no_pool(exchange)

    no_pool = odoo_error("psycopg2.pool.PoolError", "The Connection Pool Is Full")
    proxy.rule("replace", nth=range(1, 5), when=is_first, answer=after_others)
    options = {"max_chunk_size": 1, "max_concurrency": 4}
    with connected(server, proxy.url, **options) as client:
        ids = client.batch_manager.bulk_create("res.partner", named(RECORDS))
    assert 5 == sum(is_first(each.body) for each in proxy.exchanges)
    assert sorted(ids) == [row["id"] for row in server.rows("res.partner")]


def test_rate_of_what_is_refused(server):
    """A refused call has used its turn."""
    with ZenooClient(server.url) as client:
        log_in(client, server)
        manager = client.setup_batch_manager(rate=0.01)
        with pytest.raises(BatchExecutionError, match="1 refused"):
            manager.bulk_create("res.partner", [{"name": "Ann", "country_id": 99_999_999}])
        assert 50 < manager._traffic.turn(time.monotonic())


def test_rate(server, proxy):
    """No more calls begin in a second than the manager may, of all its batches together."""
    with connected(server, proxy.url, max_concurrency=4, rate=20) as client:
        began = time.monotonic()
        for _ in range(2):
            client.batch_manager.bulk_create("res.partner", named(8))
        assert 7 / 20 <= time.monotonic() - began


def test_a_rate_and_a_time_limit(server, proxy):
    """What does not get its turn in time was not sent."""
    with connected(server, proxy.url, rate=0.01) as client:
        with pytest.raises(BatchExecutionError, match="4 records: 2 not sent, 2 applied") as caught:
            client.batch_manager.bulk_create("res.partner", named(4), time_limit=5)
    assert 1 == sum(creates(each.body) for each in proxy.exchanges)
    told = [str(outcome.error) for outcome in caught.value.result.not_sent]
    assert ["the time limit was over"] * 2 == told


@pytest.mark.parametrize("operation", ["batch", "stream"])
def test_nothing_begins_after_a_stop(server, proxy, operation):
    """What waits for its turn when a record is refused is not sent, and nobody waits for it."""
    four_are_read = threading.Event()

    def records():
        for number, record in enumerate(named(6)):
            if number == 3:
                four_are_read.set()
            yield record

    def refused(exchange):
        assert four_are_read.wait(60)
        return odoo_error("odoo.exceptions.ValidationError", "No.")(exchange)

    proxy.rule("replace", nth=1, when=creates, answer=refused)
    options = {"max_chunk_size": 1, "max_concurrency": 4, "rate": 0.05}
    with connected(server, proxy.url, **options) as client:
        if operation == "batch":
            with pytest.raises(BatchExecutionError) as caught:
                client.batch_manager.bulk_create("res.partner", records(), on_error="stop")
            told = [outcome.status for outcome in caught.value.result]
        else:
            with client.batch_manager.stream(
                "res.partner", records(), on_error="stop"
            ) as outcomes:
                told = [(outcomes.__next__()).status]
            told += [outcome.status for outcome in outcomes.rest]
    assert [NOT_SENT, NOT_SENT, NOT_SENT, Status.REFUSED] == sorted(told[:4])
    assert 1 == sum(creates(each.body) for each in proxy.exchanges)


def test_turns_that_nobody_took_are_free(server, proxy):
    """Batches that had no time for their calls do not hold up the next one."""
    options = {"max_chunk_size": 1, "max_concurrency": 1, "rate": 0.05}
    with connected(server, proxy.url, **options) as client:
        manager = client.batch_manager
        manager.bulk_create("res.partner", named(1))
        for _ in range(9):
            with pytest.raises(BatchExecutionError):
                manager.bulk_create("res.partner", named(1), time_limit=1)
        assert manager._traffic.turn(time.monotonic()) <= 20
