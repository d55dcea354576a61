"""How many records go into a call: as many as was said, or as many as the server can take."""

import json

import pytest

from zenoo_rpc.sync import BatchExecutionError, Status, ZenooClient

from ..proxy import http_answer
from .accounts import log_in

LARGEST = 60  # records that the server below takes


def sizes(proxy):
    """Return how many records each create had, in order."""
    bodies = [json.loads(each.body) for each in list(proxy.exchanges) if b'"create"' in each.body]
    return [len(body["params"]["args"][5][0]) for body in bodies]


def too_many(body):
    """Whether a request creates more than it may."""
    return b'"create"' in body and len(json.loads(body)["params"]["args"][5][0]) > LARGEST


@pytest.fixture
def behind(server, proxy):
    """A client behind the proxy."""
    with ZenooClient(proxy.url) as client:
        log_in(client, server)
        yield client


def named(count):
    """Return records."""
    return [{"name": f"Partner {number}"} for number in range(count)]


def test_what_was_said_is_obeyed(behind, proxy):
    """By the manager, by the call above it; the last call has the rest."""
    manager = behind.setup_batch_manager(max_chunk_size=40, max_concurrency=1)
    manager.bulk_create("res.partner", named(100))
    manager.bulk_create("res.partner", iter(named(100)), chunk_size=30)

    assert [40, 40, 20, 30, 30, 30, 10] == sizes(proxy)


def test_calls_grow(behind, proxy):
    """They double while they are fast; what was learnt is kept for the next batch."""
    manager = behind.setup_batch_manager(max_concurrency=1, call_seconds=600)
    manager.bulk_create("res.partner", named(300))
    manager.bulk_create("res.partner", iter(named(500)))

    first, second, third, *_ = sizes(proxy)
    assert (100, 200) == (first, second)
    assert third in (200, 400)  # a call that was slow by chance ends the growth for a while


def test_calls_shrink(behind, proxy):
    """They come down where they take longer than they may."""
    manager = behind.setup_batch_manager(max_concurrency=1, call_seconds=0.001)
    manager.bulk_create("res.partner", named(160))

    first, *others = sizes(proxy)
    assert 100 == first
    assert max(others) < 100


def test_a_call_that_is_too_large(behind, proxy, server):
    """A proxy that takes no larger body gets smaller ones, this time and from then on."""
    proxy.rule("replace", when=too_many, answer=http_answer(413, b"too large"))
    manager = behind.setup_batch_manager(max_concurrency=1)
    ids = manager.bulk_create("res.partner", named(300))

    assert sorted(ids) == [row["id"] for row in server.rows("res.partner")]
    seen = sizes(proxy)
    assert 100 == seen[0] == max(seen)
    assert len([size for size in seen if size > LARGEST]) <= 4


@pytest.mark.parametrize("status", [504, "hold"])
def test_a_call_that_takes_too_long(behind, proxy, status):
    """It is unknown, as ever; the next batch of the manager begins with smaller ones."""
    manager = behind.setup_batch_manager(max_concurrency=1)
    if status == "hold":
        proxy.rule("hold", nth=1, when=lambda body: b'"create"' in body)
    else:
        answer = http_answer(504, b"gateway time-out")
        proxy.rule("replace", nth=1, when=lambda body: b'"create"' in body, answer=answer)
    with pytest.raises(BatchExecutionError) as caught:
        manager.bulk_create(
            "res.partner",
            named(150),
            time_limit=3 if status == "hold" else None,
            on_unknown="stop",
        )
    proxy.settle()  # or what still runs would be in the way
    assert [100, 50] == [
        caught.value.result.counts[each] for each in (Status.UNKNOWN, Status.NOT_SENT)
    ]
    manager.bulk_create("res.partner", named(60))
    assert [100, 50] == sizes(proxy)[:2]
