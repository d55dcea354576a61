"""API keys made, listed and revoked by the client, by whichever way the server allows it."""

import datetime
import json

import pytest

from zenoo_rpc import ApiKey, ZenooClient, errors
from zenoo_rpc._core.ways import Ways

from ..proxy import Proxy, odoo_error

OURS = "made by a test"
JSON = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n"


def ends(server):
    """Whether keys end on a server at all."""
    return server.version != "14.0"


@pytest.fixture
async def by_password(server):
    """A client that is logged in by password, in whichever dialect the others talk."""
    async with ZenooClient(server.url) as client:
        await client.login(server.database, server.login, server.password)
        yield client


async def doors(server):
    """Return clients of the limited user, one for each way in: by password, and by a key."""
    by_password = ZenooClient(server.url)
    await by_password.login(server.database, server.limited_login, server.limited_password)
    by_key = ZenooClient(server.url)
    key = await by_password.api_keys.make("door", server.limited_password)
    await by_key.login_with_api_key(server.database, key, server.limited_login)
    return [by_password, by_key]


async def test_a_key_lives_and_dies(server, listener):
    """It is made, opens the server for its user, is listed, and is gone after it was revoked."""
    for client in await doors(server):
        key = await client.api_keys.make(OURS, server.limited_password, days=30)
        listener.secrets.add(key)
        (mine,) = [each for each in await client.api_keys.list() if each.name == OURS]
        assert (40, None) == (len(key), mine.scope)
        if ends(server):
            today = datetime.datetime.now(datetime.UTC)
            assert 29 <= (mine.expires - today).days <= 30
        else:
            assert mine.expires is None
        async with ZenooClient(server.url) as other:
            uid = await other.login_with_api_key(server.database, key, server.limited_login)
            assert client.uid == uid
            assert mine in await other.api_keys.list()

        assert await client.api_keys.revoke(mine.id, server.limited_password) is None

        assert mine not in await client.api_keys.list()
        if ends(server):  # the workers of 14 remember it for a while
            async with ZenooClient(server.url) as other:
                with pytest.raises(errors.AuthenticationError):
                    await other.login_with_api_key(server.database, key)
        assert key not in repr((client, client.api_keys, mine, client.__dict__))
        await client.close()


async def test_keys_last_as_long_as_is_said(server, client):
    """A number of days, whether the wizard offers it or not; None is for ever."""
    for days in (1, 45, 365, None):
        await client.api_keys.make(OURS, server.password, days=days)

    found = [each.expires for each in await client.api_keys.list() if each.name == OURS]
    midnight = datetime.datetime.now(datetime.UTC).replace(hour=0, minute=0, second=0)
    if ends(server):
        left = [each and (each - midnight.replace(microsecond=0)).days for each in found]
        assert [1, 45, 365, None] == left
    else:
        assert [None] * 4 == found


async def test_the_keys_of_others_are_not_listed(server, client):
    """Not even to the administrator, who might read them."""
    for other in await doors(server):
        assert {"test", "door"} == {each.name for each in await other.api_keys.list()}
        await other.close()

    listed = await client.api_keys.list()
    assert "door" not in {each.name for each in listed}
    assert all(type(each) is ApiKey for each in listed)


async def test_a_wrong_password_makes_no_key(server, listener):
    """Nor does it revoke one; the error is the same by every way, and does not quote it."""
    listener.secrets.add("s3cret-wrong")
    for client in await doors(server):
        before = await client.api_keys.list()
        with pytest.raises(errors.AuthenticationError) as told:
            await client.api_keys.make(OURS, "s3cret-wrong")
        assert "s3cret" not in repr(told.value)
        with pytest.raises(errors.AuthenticationError):
            await client.api_keys.revoke(before[0].id, "s3cret-wrong")
        assert before == await client.api_keys.list()
        await client.close()


async def test_a_life_that_is_too_long(server):
    """The server's own words say what a normal user may have."""
    for client in await doors(server):
        if ends(server):
            with pytest.raises(errors.ValidationError, match="cannot exceed 90"):
                await client.api_keys.make(OURS, server.limited_password, days=91)
            with pytest.raises(errors.ValidationError, match="must have an expiration date"):
                await client.api_keys.make(OURS, server.limited_password, days=None)
        with pytest.raises(errors.InvalidValueError, match="days"):
            await client.api_keys.make(OURS, server.limited_password, days=0)
        assert OURS not in {each.name for each in await client.api_keys.list()}
        await client.close()


async def test_a_key_that_is_not_there(server):
    """Neither is one of somebody else's revoked."""
    for client in await doors(server):
        with pytest.raises(errors.MissingError):
            await client.api_keys.revoke(99999999, server.limited_password)
        with pytest.raises(errors.OdooError):
            await client.api_keys.revoke(1, server.limited_password)
        await client.close()

    async with ZenooClient(server.url) as admin:
        await admin.login(server.database, server.login, server.password)
        assert 1 in {each.id for each in await admin.api_keys.list()}


async def test_where_no_way_is_known(server, by_password):
    """The error says how a person makes a key, and nothing is sent."""
    by_password.ways = Ways(16)
    with Proxy(server.host, server.port) as proxy:
        by_password._session.transport.address = proxy.url
        with pytest.raises(errors.UsageError, match=r"release 16.*Add API Key"):
            await by_password.api_keys.make("x", server.password)
        with pytest.raises(errors.UsageError, match=r"release 16.*Add API Key"):
            await by_password.api_keys.revoke(1, server.password)
        assert [] == proxy.exchanges


async def test_a_server_that_refuses(server, client):
    """Its words come first, and then what a person can do."""
    refused = odoo_error("odoo.exceptions.AccessError", "No keys here.")
    with Proxy(server.host, server.port) as proxy:
        proxy.rule("replace", when=lambda sent: b'"make_key"' in sent, answer=refused)
        client._session.transport.address = proxy.url
        with pytest.raises(errors.AccessError, match=r"No keys here\. A person makes one in Odoo"):
            await client.api_keys.make("x", server.password)


async def test_a_session_is_opened_and_ended(server, proxy):
    """After a login by password 19 wants one of the web client; with a key it needs none."""
    async with ZenooClient(proxy.url) as client:
        await client.login(server.database, server.login, server.password)
        key = await client.api_keys.make(OURS, server.password)
        with pytest.raises(errors.AuthenticationError):
            await client.api_keys.make(OURS, "wrong")
        assert 1 == await client.search_count("res.country", [("code", "=", "CH")])
    paths = [each.path for each in proxy.exchanges]
    opened = paths.count("/web/session/authenticate"), paths.count("/web/session/destroy")
    assert ((2, 1) if ends(server) else (0, 0)) == opened

    before = len(proxy.exchanges)
    async with ZenooClient(proxy.url) as client:
        await client.login_with_api_key(server.database, key, server.login)
        await client.api_keys.make(OURS, server.password)
    paths = [each.path for each in proxy.exchanges[before:]]
    assert not any(path.startswith("/web/session") for path in paths)


async def test_a_session_is_ended_after_a_refusal(server, proxy, by_password):
    """Whatever becomes of the key."""
    by_password._session.transport.address = proxy.url
    with pytest.raises(errors.MissingError):
        await by_password.api_keys.revoke(99999999, server.password)

    paths = [each.path for each in proxy.exchanges]
    assert ("/web/session/destroy" == paths[-1]) is ends(server)


async def test_a_user_with_a_second_factor(server, by_password):
    """A password alone opens no session, which the server says by an answer without a user."""
    if not ends(server):
        return

    def half(exchange):
        said = json.loads(exchange.answer.partition(b"\r\n\r\n")[2])
        said["result"] = {"uid": None}
        return JSON + json.dumps(said).encode()

    with Proxy(server.host, server.port) as proxy:
        proxy.rule("replace_answer", when=lambda body: b'"password"' in body, answer=half)
        by_password._session.transport.address = proxy.url
        with pytest.raises(errors.AuthenticationError, match=r"second factor.*Add API Key"):
            await by_password.api_keys.make("x", server.password)


async def test_a_lost_answer_is_told_as_unknown(server, client):
    """There may be a key that nobody knows, which the list shows."""
    with Proxy(server.host, server.port) as proxy:
        proxy.rule("drop_answer", when=lambda body: b'"run_check"' in body)
        client._session.transport.address = proxy.url
        with pytest.raises(errors.NoAnswerError, match="unknown"):
            await client.api_keys.make(OURS, server.password)
        assert OURS in {each.name for each in await client.api_keys.list()}


async def test_a_transaction_does_not_take_a_key_back(server, client):
    """Its report knows of none."""
    with pytest.raises(ValueError, match="stop"):
        async with client.transaction() as transaction:
            await client.api_keys.make(OURS, server.password)
            await client.create("res.partner", {"name": "Ann"})
            raise ValueError("stop")

    assert 1 == len(transaction.report.undone)
    assert OURS in {each.name for each in await client.api_keys.list()}


async def test_before_the_login(server):
    """There is no user whose keys they could be."""
    async with ZenooClient(server.url) as client:
        with pytest.raises(errors.NotLoggedInError):
            await client.api_keys.make("x", "y")
        with pytest.raises(errors.NotLoggedInError):
            await client.api_keys.revoke(1, "y")
