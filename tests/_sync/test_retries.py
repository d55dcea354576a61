"""Calls that are harmless to repeat are repeated; no other ever is."""

import json
import logging
from contextlib import nullcontext

import pytest

from zenoo_rpc.sync import BatchExecutionError, Status, ZenooClient
from zenoo_rpc.errors import (
    AnswerTimeoutError,
    AuthenticationError,
    NoAnswerError,
    RefusedConnectionError,
)

from ..proxy import http_answer, odoo_error
from .accounts import log_in

BUSY = http_answer(429, Retry_After="0")
PAUSE = http_answer(503, Retry_After="1")  # so Varnish says that the server was too slow
AWAY = http_answer(404, b"<h1>Not Found</h1>")  # so 19 says that its database is, over JSON-2
DENIED = odoo_error("odoo.exceptions.AccessDenied", "Access Denied", frames="")


def sent(proxy, method):
    """Return how often a method was asked for, at the proxy."""
    return sum(f'"{method}"'.encode() in exchange.body for exchange in proxy.exchanges)


def named(count):
    """Return records that can be told apart."""
    return [{"name": f"Partner {number}"} for number in range(count)]


def asks_for(method):
    """Return the test of a body for a method."""
    return lambda body: f'"{method}"'.encode() in body


def test_a_read_is_repeated(flaky, proxy):
    """A lost answer to a read costs nothing but time."""
    proxy.rule("drop_answer", nth=[1, 2], when=asks_for("search_count"))

    assert 1 == flaky.search_count("res.country", [("code", "=", "CH")])
    assert 3 == sent(proxy, "search_count")


def test_a_repetition_is_logged(flaky, proxy, caplog):
    """What failed, how, and when it goes again: on the level INFO, without a value."""
    proxy.rule("drop_answer", nth=1, when=asks_for("search_count"))
    with caplog.at_level(logging.INFO, logger="zenoo_rpc"):
        flaky.search_count("res.country", [("code", "=", "CH")])

    [line] = [each for each in caplog.messages if "try 2" in each]
    assert (
        f"{proxy.url}: search_count of res.country: NoAnswerError; try 2 in 0.0 s" == line
    )  # of 0.01 s, at the most


def test_a_create_is_not_repeated(flaky, proxy, server):
    """A lost answer to a create is told, once, and the record is there once."""
    proxy.rule("drop_answer", nth=1, when=asks_for("create"))

    with pytest.raises(NoAnswerError):
        flaky.create("res.partner", {"name": "Ann"})

    assert 1 == sent(proxy, "create") == server.count("res.partner")


def test_what_was_turned_away_is_repeated(flaky, proxy, server):
    """A create that was turned away in front of Odoo did not run: it is sent again."""
    proxy.rule("replace", nth=[1, 2], when=asks_for("create"), answer=BUSY)

    ids = flaky.batch_manager.bulk_create("res.partner", named(3))

    assert 3 == sent(proxy, "create")
    assert ids == [row["id"] for row in server.rows("res.partner")]


def test_a_key_that_could_not_be_looked_up_is_shown_again(flaky, proxy, server):
    """JSON-2 denies access so while its database is away; over JSON-RPC it is for good."""
    proxy.rule("replace", nth=[1, 2], when=asks_for("create"), answer=DENIED)
    repeated = server.protocol == "json2"

    with nullcontext() if repeated else pytest.raises(AuthenticationError):
        flaky.create("res.partner", {"name": "Ann"})

    assert (3 if repeated else 1) == sent(proxy, "create")
    assert repeated == server.count("res.partner")


@pytest.mark.parametrize("answer", [PAUSE, AWAY], ids=["pause", "away"])
def test_what_may_have_run_is_not_repeated(flaky, proxy, server, answer):
    """A create that a proxy says 503 or 404 of may have been carried out: it is unknown."""
    proxy.rule("replace_answer", nth=1, when=asks_for("create"), answer=answer)

    with pytest.raises(BatchExecutionError, match="3 unknown"):
        flaky.batch_manager.bulk_create("res.partner", named(3))

    assert 1 == sent(proxy, "create")
    assert 3 == server.count("res.partner")


@pytest.mark.parametrize(("answer", "pause"), [(PAUSE, 1.0), (AWAY, 0.0)], ids=["pause", "away"])
def test_what_is_idempotent_waits_as_long_as_it_is_asked_to(
    flaky, proxy, server, answer, pause
):
    """An update that a proxy says 503 or 404 of is sent again, after the pause it asks for."""
    ids = flaky.batch_manager.bulk_create("res.partner", named(2))
    proxy.rule("replace_answer", nth=1, when=asks_for("write"), answer=answer)

    flaky.batch_manager.bulk_update("res.partner", {"city": "Bern"}, record_ids=ids)

    first, second = [each.began for each in proxy.exchanges if asks_for("write")(each.body)]
    assert pause <= second - first
    assert ["Bern"] * 2 == [row["city"] for row in server.rows("res.partner")]


def test_a_write_of_absolute_values_is_repeated(flaky, proxy, server):
    """A lost answer to an update is settled by sending it again."""
    ids = flaky.batch_manager.bulk_create("res.partner", named(4))
    proxy.rule("drop_answer", nth=[1, 3], when=asks_for("write"))

    flaky.batch_manager.bulk_update(
        "res.partner", {"city": "Bern"}, record_ids=ids, chunk_size=2
    )

    assert 4 == sent(proxy, "write")
    assert ["Bern"] * 4 == [row["city"] for row in server.rows("res.partner")]


def test_a_write_that_makes_records_is_not_repeated(flaky, proxy, server):
    """A command that creates a child would create it twice."""
    ids = flaky.batch_manager.bulk_create("res.partner", named(1))
    proxy.rule("drop_answer", nth=1, when=asks_for("write"))

    with pytest.raises(BatchExecutionError, match="1 unknown"):
        flaky.batch_manager.bulk_update(
            "res.partner", {"child_ids": [(0, 0, {"name": "Child"})]}, record_ids=ids
        )

    assert 1 == sent(proxy, "write")
    assert 2 == server.count("res.partner")


def test_a_lost_unlink_is_settled_by_asking(flaky, proxy, server):
    """Sent again it meets records that are gone: those are applied, the others are deleted."""
    ids = flaky.batch_manager.bulk_create("res.partner", named(6))
    proxy.rule("drop_answer", nth=1, when=asks_for("unlink"))

    flaky.batch_manager.bulk_delete("res.partner", ids, chunk_size=3)

    assert 0 == server.count("res.partner")


def test_a_lost_unlink_of_a_record_that_never_was(flaky, proxy, server):
    """What is gone after two tries counts as deleted; nothing else is touched."""
    ids = flaky.batch_manager.bulk_create("res.partner", named(2))
    proxy.rule("drop_answer", nth=1, when=asks_for("unlink"))

    flaky.batch_manager.bulk_delete("res.partner", [*ids, 99999999])

    assert 0 == server.count("res.partner")


def hide(server, client, ref):
    """Let a record rule hide the partners with that reference from everybody."""
    if not server.is_real:
        server.store.hide("res.partner", ref=ref)
        return
    [model] = client.search("ir.model", [("model", "=", "res.partner")])
    rule = {"name": "Nobody", "model_id": model, "domain_force": f"[('ref', '!=', '{ref}')]"}
    client.create("ir.rule", rule)


@pytest.mark.parametrize("chunk_size", [1, 2, 9])
def test_a_lost_unlink_of_records_that_are_hidden(flaky, proxy, server, chunk_size):
    """What a rule hides is not gone, though no search finds it; what was seen, or never was, is."""
    ann, bob, *hidden = flaky.create(
        "res.partner", [*named(2), *({**each, "ref": "top"} for each in named(2))]
    )
    hide(server, flaky, "top")
    sent_before = []

    def for_the_first_time(body):
        arguments = json.loads(body)["params"]["args"][4:6]
        new = arguments[0] == "unlink" and arguments not in sent_before
        sent_before.append(arguments)
        return new

    proxy.rule("drop_answer", when=for_the_first_time)
    all_of_them = [ann, hidden[0], 99999998, 99999999, hidden[1], bob]

    with pytest.raises(BatchExecutionError) as caught:
        flaky.batch_manager.bulk_delete("res.partner", all_of_them, chunk_size=chunk_size)

    told = {outcome.id: outcome.status for outcome in caught.value.result}
    expected = dict.fromkeys(all_of_them, Status.APPLIED) | dict.fromkeys(hidden, Status.UNKNOWN)
    assert expected == told
    assert hidden == [row["id"] for row in server.rows("res.partner")]


def test_a_lost_unlink_of_a_hidden_record_and_one_that_never_was(flaky, proxy, server):
    """The server names the missing one only, and so it is asked for the other one."""
    hidden = flaky.create("res.partner", {"name": "Ann", "ref": "top"})
    hide(server, flaky, "top")
    proxy.rule("drop_answer", nth=1, when=asks_for("unlink"))

    with pytest.raises(BatchExecutionError, match="1 unknown"):
        flaky.batch_manager.bulk_delete("res.partner", [hidden, 99999999])

    assert [hidden] == [row["id"] for row in server.rows("res.partner")]


def test_an_unknown_try_is_not_forgotten(flaky, proxy, server):
    """An update that had no answer stays unknown, though the later tries were never sent."""
    ids = flaky.batch_manager.bulk_create("res.partner", named(2))

    def vanish(body):
        if b'"write"' in body:
            proxy.refuse()
            return True
        return False

    proxy.rule("drop_answer", when=vanish)

    with pytest.raises(BatchExecutionError, match="2 unknown"):
        flaky.batch_manager.bulk_update("res.partner", {"city": "Bern"}, record_ids=ids)

    assert 1 == sent(proxy, "write")
    assert ["Bern", "Bern"] == [row["city"] for row in server.rows("res.partner")]


def test_without_a_policy_nothing_is_repeated(server, proxy):
    """retry=None switches it off."""
    with ZenooClient(proxy.url, retry=None) as client:
        log_in(client, server)
        proxy.rule("drop_answer", nth=1, when=asks_for("search_count"))
        with pytest.raises(NoAnswerError):
            client.search_count("res.country")

    assert 1 == sent(proxy, "search_count")


def test_a_server_that_comes_back_is_found(flaky, proxy, server):
    """A connection that is refused is tried again; once it is back, the call goes through."""
    proxy.refuse()

    with pytest.raises(RefusedConnectionError):
        flaky.search_count("res.country")
    proxy.listen()

    assert 0 < flaky.search_count("res.country")


def test_a_batch_ends_in_time(server, proxy):
    """After its time limit no call is begun, and the one in flight is unknown."""
    with ZenooClient(proxy.url) as client:
        log_in(client, server)
        proxy.rule("hold", nth=2, when=asks_for("create"), seconds=20)

        with pytest.raises(BatchExecutionError) as caught:
            client.batch_manager.bulk_create(
                "res.partner", named(6), chunk_size=2, time_limit=4
            )

    statuses = [int(outcome.status) for outcome in caught.value.result]
    assert 2 == statuses.count(3)
    assert 2 <= server.count("res.partner")


def test_a_trickle_is_no_answer(proxy, server):
    """The time-out is for the whole answer, not for each piece of it."""
    with ZenooClient(proxy.url, retry=None) as client:
        log_in(client, server)
        proxy.rule("drip", when=asks_for("search_count"), seconds=20)
        with pytest.raises(AnswerTimeoutError):
            client.execute_kw("res.country", "search_count", [[]], timeout=2)
