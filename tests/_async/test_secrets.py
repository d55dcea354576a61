"""No password, key or record value in a log line, a repr, an exception's text or its pickle."""

import logging
import pickle
import traceback

import attrs
import pytest

from zenoo_rpc import (
    BatchExecutionError,
    BatchValidationError,
    CreateOperation,
    InvalidValueError,
    UpdateOperation,
    WriteManyOperation,
    ZenooClient,
    ZenooError,
)
from zenoo_rpc.errors import AddressError, AuthenticationError

from ..proxy import Proxy
from .accounts import QUICK, log_in

PASSWORD = "pa55-Zq7xK"
WRONG = "wr0ng-Zq7xK"
MARK = "v4lue-Zq7xK"  # stands for what a record holds
SIGN = "Zq7xK"  # in each of the three


@pytest.fixture(autouse=True)
def all_logs(caplog):
    """Every logger tells all that it knows, as on the worst of days."""
    for name in (None, "zenoo_rpc", "httpx", "httpcore"):
        caplog.set_level(logging.DEBUG, logger=name)
    return caplog


@pytest.fixture
async def secret_user(server, all_logs):
    """The limited user, with a password that is like no other text."""
    async with ZenooClient(server.url) as admin:
        await log_in(admin, server)
        (uid,) = await admin.search("res.users", [("login", "=", server.limited_login)])
        await admin.write("res.users", uid, {"password": PASSWORD})
    all_logs.clear()
    return server.limited_login


async def enter(client, server):
    """Log the limited user in, by the password or by a key."""
    if server.protocol == "json2":
        await client.login_with_api_key(server.database, server.limited_key)
    else:
        await client.login(server.database, server.limited_login, PASSWORD)


def chain(error):
    """Yield an exception and all that it was raised from, while handling, or as a group of."""
    yield error
    for other in (error.__cause__, error.__context__, *getattr(error, "exceptions", ())):
        if other is not None:
            yield from chain(other)


def told_by(error):
    """Return every text that an exception, its chain and its traceback make."""
    texts = ["".join(traceback.format_exception(error)), "".join(getattr(error, "__notes__", []))]
    for each in chain(error):
        texts += [str(each), repr(each)]
        texts += traceback.format_exception_only(each)
    return texts


def logged(caplog):
    """Return every log record's text, with its raw arguments."""
    texts = []
    for record in caplog.records:
        texts += [record.getMessage(), repr(record.args), str(record.exc_info)]
    return texts


def shown(*things):
    """Return what a console, a debugger's tooltip or a log line shows of things."""
    return [text for each in things for text in (str(each), repr(each), f"{each}", f"{[each]}")]


def leaks(texts, *secrets):
    """Return the texts that hold a secret, shortened to where it is."""
    found = []
    for text in texts:
        for secret in (SIGN, *secrets):
            if secret in text:
                at = text.index(secret)
                found.append(text[max(0, at - 60) : at + 40])
    return found


def marked(count):
    """Return records whose values are marked."""
    return [{"name": f"{MARK} {number}", "ref": MARK} for number in range(count)]


async def test_the_login_tells_no_password(server, secret_user, all_logs):
    """Neither a right nor a wrong one, nor the client that keeps it."""
    errors = []
    async with ZenooClient(server.url) as client:
        await client.login(server.database, secret_user, PASSWORD)
        assert 0 < await client.search_count("res.country")
        shows = shown(client, client.__dict__, client.context, client._session.login)
        with pytest.raises(AuthenticationError) as caught:
            await client.login(server.database, secret_user, WRONG)
        errors.append(caught.value)
        with pytest.raises(AuthenticationError) as caught:
            await client.login("nonesuch", secret_user, PASSWORD)
        errors.append(caught.value)
        with pytest.raises(InvalidValueError) as caught:
            await client.login(server.database, secret_user, f"{PASSWORD}\udc80")
        errors.append(caught.value)
        client._session.login = attrs.evolve(client._session.login, password=WRONG)
        with pytest.raises(AuthenticationError) as caught:
            await client.search("res.partner")
        errors.append(caught.value)

    assert [] == leaks(shows)
    assert [] == leaks(text for error in errors for text in told_by(error))
    assert [] == leaks(logged(all_logs))
    assert all_logs.records
    assert all(SIGN.encode() not in pickle.dumps(error) for error in errors)


async def test_a_key_is_as_secret_as_a_password(server, all_logs):
    """Right or wrong, it is told nowhere."""
    errors = []
    async with ZenooClient(server.url) as client:
        await client.login_with_api_key(server.database, server.login, server.api_key)
        with pytest.raises(ZenooError) as caught:
            await client.execute_kw("res.partner", "no_such_method", [[]])
        errors.append(caught.value)
        with pytest.raises(ZenooError) as caught:
            await client.batch_manager.bulk_create("res.partner", [{"country_id": 99999999}])
        errors.append(caught.value)
        shows = shown(client, client.__dict__, client.batch_manager, client._session.login)
        for wrong in (WRONG, server.api_key[::-1]):
            with pytest.raises(AuthenticationError) as caught:
                await client.login_with_api_key(server.database, wrong, server.login)
            errors.append(caught.value)

    keys = server.api_key, server.api_key[::-1]
    assert [] == leaks(shows, *keys)
    assert [] == leaks((text for error in errors for text in told_by(error)), *keys)
    assert [] == leaks(logged(all_logs), *keys)
    assert all(key.encode() not in pickle.dumps(error) for key in keys for error in errors)


@pytest.mark.parametrize(
    "action", ["close_before_forward", "reset", "drop_answer", "cut", "hold", "replace"]
)
async def test_a_call_without_an_answer_tells_no_value(server, secret_user, all_logs, action):
    """Whatever the network does to a call, its error names the address only."""
    with Proxy(server.host, server.port) as proxy:
        async with ZenooClient(proxy.url, retry=QUICK) as client:
            await enter(client, server)
            proxy.rule(action, answer=b"HTTP/1.0 502 Bad Gateway\r\n\r\nno", seconds=5)
            with pytest.raises(ZenooError) as caught:
                await client.execute_kw(
                    "res.partner",
                    "search",
                    [[("name", "=", MARK)]],
                    context={"mark": MARK},
                    timeout=0.3 if action == "hold" else None,
                )
            shows = shown(client, client.__dict__)

    texts = [*shows, *told_by(caught.value), *logged(all_logs)]
    assert [] == leaks(texts, server.limited_key)
    for secret in (SIGN, server.limited_key):
        assert secret.encode() not in pickle.dumps(caught.value)


async def test_a_refused_batch_tells_no_value(server, client, all_logs):
    """Records that the server refuses are told by index and id, not by what is in them."""
    records = [
        {**record, "country_id": 99999999 if n == 3 else 43} for n, record in enumerate(marked(8))
    ]
    batch = client.batch(chunk_size=4, progress_callback=raising)
    created = batch.create("res.partner", records, context={"mark": MARK})
    written = batch.update("res.partner", {"ref": MARK}, record_ids=[99999998, 99999999])
    many = batch.write_many("res.partner", [{"id": 99999999, "values": {"ref": MARK}}])
    with pytest.raises(BatchExecutionError) as caught:
        await batch.execute()

    result = batch.results
    things = [batch, created, written, many, client, client.batch_manager, result, result.ids]
    things += [*result, *result.operations, *batch.operations, caught.value.result]
    things += [result.summary(), batch.get_stats(), client.batch_manager.get_stats()]
    assert 1 == len(result.refused)
    assert [] == leaks([*shown(*things), *told_by(caught.value), *logged(all_logs)])
    assert [] == leaks(text for each in result.refused for text in told_by(each.error))


def raising(progress):
    """Fail, with a value in the error."""
    raise ValueError(MARK, progress)


async def test_a_batch_with_an_unknown_outcome_tells_no_value(server, secret_user, all_logs):
    """Neither the records, nor the password or key with which they were sent."""
    with Proxy(server.host, server.port) as proxy:
        async with ZenooClient(proxy.url) as client:
            await enter(client, server)
            proxy.rule("close_before_forward", nth=2)
            manager = await client.setup_batch_manager(max_concurrency=1)
            with pytest.raises(BatchExecutionError) as caught:
                await manager.bulk_update(
                    "res.country", [{"id": n, "name": f"{MARK} {n}"} for n in range(12, 16)]
                )
            shows = shown(client, manager, client.__dict__, *caught.value.result)

    texts = [*shows, *told_by(caught.value), *logged(all_logs)]
    assert [] == leaks(texts, server.limited_key)
    for secret in (PASSWORD, server.limited_key):
        assert secret.encode() not in pickle.dumps(caught.value)


async def test_a_value_that_cannot_be_sent_is_not_told(client, all_logs):
    """The error names its place and what is wrong with it."""
    errors = []
    for bad in (f"{MARK}\udc80", [{MARK}], float("nan"), Marked(), {1: MARK}):
        record = {"name": MARK, "ref": bad}
        with pytest.raises(BatchValidationError) as caught:
            await client.batch_manager.bulk_create("res.partner", [record])
        errors.append(caught.value)
        with pytest.raises(InvalidValueError) as caught:
            await client.create("res.partner", record)
        errors.append(caught.value)
    for swapped in (["res.partner", MARK], [{"name": MARK}], MARK.encode()):
        with pytest.raises(BatchValidationError) as caught:
            client.batch().create(swapped, "res.partner")
        errors.append(caught.value)
    with pytest.raises(BatchValidationError) as caught:
        client.batch().update("res.partner", [{"id": MARK, "ref": MARK}])
    errors.append(caught.value)
    with pytest.raises(BatchValidationError) as caught:
        client.batch().unlink("res.partner", [MARK])
    errors.append(caught.value)

    texts = [text for error in errors for text in told_by(error)]
    assert [] == leaks([*texts, *logged(all_logs)])
    assert all(SIGN.encode() not in pickle.dumps(error) for error in errors)


@pytest.mark.parametrize(
    "address",
    [
        f"http://admin:{PASSWORD}@localhost",
        f"http://admin:{PASSWORD}@localhost\u2100",
        f"http://admin:{PASSWORD}/1@localhost",
        f"http://admin:{PASSWORD}@[localhost",
    ],
    ids=ascii,
)
def test_a_password_in_an_address_is_not_told(address):
    """An address with a password is refused without a word of it."""
    with pytest.raises(AddressError) as caught:
        ZenooClient(address)

    assert [] == leaks(told_by(caught.value))


class Marked:
    """A value without a wire form, which shows its content."""

    def __repr__(self):
        return MARK


def test_what_calls_are_made_of_shows_no_value():
    """The planner's calls and the operations show what and how many."""
    from zenoo_rpc._core.planner import calls, stages
    from zenoo_rpc._core.sizes import Limits

    context = {"mark": MARK}
    operations = [
        CreateOperation("res.partner", marked(5), context=context),
        UpdateOperation("res.partner", [1, 2], {"ref": MARK}, context=context),
        WriteManyOperation("res.partner", {1: {"ref": MARK}}, context=context),
    ]
    placed = stages(operations, ordered=True)
    cut = [call for stage in placed for call in calls(stage, Limits(2, 10_000))]

    assert 5 == len(cut)
    assert [] == leaks(shown(*operations, *placed, *cut))


async def test_a_manager_shows_no_context(client):
    """A context holds values too (`default_name` ...); the settings do not show it."""
    manager = await client.setup_batch_manager(context={"default_name": MARK})

    assert [] == leaks(shown(manager, manager.settings, client, client.__dict__))
