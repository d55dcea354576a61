"""A block that fails is taken back; what could not be is told, and nothing else is touched."""

import pytest

from zenoo_rpc import (
    BatchExecutionError,
    ClientClosedError,
    NotUndoableError,
    OdooError,
    TransactionRollbackError,
    TransactionState,
    TransactionStateError,
    ZenooClient,
)
from zenoo_rpc._compat import AEvent

from ..oracle import contents
from .accounts import log_in
from .test_transaction_programs import OwnError
from .together import side_by_side

# The smallest file that Odoo takes for an image.
PIXEL = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk"
    "+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


@pytest.fixture
async def pool(client):
    """Partners that are there before."""
    country = await client.search("res.country", [("code", "in", ["CH", "DE"])])
    records = [
        {"name": f"Old {n}", "ref": f"old{n % 2}", "city": "Bern", "country_id": country[n % 2]}
        for n in range(6)
    ]
    return await client.create("res.partner", records)


async def write_everywhere(client, pool):
    """Write through every door that there is."""
    number = await client.create("res.partner", {"name": "New"})
    await client.write("res.partner", pool[:2], {"city": "Chur", "country_id": False})
    await client.write("res.partner", pool[0], {"city": "Basel", "parent_id": number})
    await client.unlink("res.partner", pool[5])
    await client.batch_manager.bulk_create("res.partner", [{"name": f"Bulk {n}"} for n in range(5)])
    async with client.batch(chunk_size=2) as batch:
        batch.create("res.partner", [{"name": f"Batch {n}"} for n in range(3)])
        batch.update("res.partner", {"ref": "new", "active": False}, record_ids=pool[:4])
        batch.write_many("res.partner", {pool[4]: {"color": 5}, pool[1]: {"color": 7}})
        batch.unlink("res.partner", pool[4:5])
    async with client.batch_operation("res.partner.category", "create") as collector:
        collector.add({"name": "Tag"})
    await client.write("res.partner", pool[3], {"category_id": [(6, 0, collector.results.ids)]})


async def test_a_block_that_fails_is_taken_back(client, server, pool):
    """Whatever was written, and by whatever door, is as it was; deletions were not begun."""
    before = contents(server)
    with pytest.raises(OwnError) as caught:
        async with client.transaction() as tx:
            await write_everywhere(client, pool)
            raise OwnError

    assert before == contents(server)
    assert TransactionState.ROLLED_BACK is tx.state
    assert () == tx.report.applied == tx.report.not_undone == tx.report.unknown
    assert "rolled back" in caught.value.__notes__[0]


async def test_a_block_that_ends_well_stays(client, server, pool):
    """All of it is there, and what was to be deleted is gone."""
    async with client.transaction() as tx:
        await write_everywhere(client, pool)
        assert 6 == len(server.rows("res.partner", pool))

    assert TransactionState.COMMITTED is tx.state
    assert set(pool[:4]) == {row["id"] for row in server.rows("res.partner", pool)}
    assert 9 + 4 == server.count("res.partner")
    assert 1 == server.count("res.partner.category")
    await client.write("res.partner", pool[0], {"city": "Biel"})  # recorded by nobody
    with pytest.raises(TransactionStateError):
        await tx.rollback()


async def test_a_refusal_takes_everything_back(client, server, pool):
    """A batch that the server refuses in part fails the block."""
    before = contents(server)
    with pytest.raises(BatchExecutionError, match="refused"):
        async with client.transaction():
            await client.write("res.partner", pool, {"city": "Chur"})
            async with client.batch() as batch:
                batch.create("res.partner", [{"name": "Ann"}, {"name": "Bob", "no_field": 1}])
    assert before == contents(server)


async def test_a_deletion_that_is_refused_at_the_end(client, server, pool):
    """What was done before is taken back, and the refusal is raised."""
    before = contents(server)
    with pytest.raises(BatchExecutionError, match="refused"):
        async with client.transaction() as tx:
            await client.write("res.partner", pool, {"city": "Chur"})
            await client.unlink("res.users", 1)  # which no server deletes
    assert before == contents(server)
    assert TransactionState.ROLLED_BACK is tx.state


async def test_an_inner_block_is_a_savepoint(client, server, pool):
    """Its failure takes back only what it did; its success is taken back by the outer failure."""
    async with client.transaction():
        await client.write("res.partner", pool[0], {"city": "Chur"})
        with pytest.raises(OwnError):
            async with client.transaction():
                await client.write("res.partner", pool[:2], {"city": "Basel"})
                await client.unlink("res.partner", pool[5])
                raise OwnError
    cities = [row["city"] for row in server.rows("res.partner", pool)]
    assert ["Chur", "Bern", "Bern", "Bern", "Bern", "Bern"] == cities

    before = contents(server)
    with pytest.raises(OwnError):
        async with client.transaction() as tx:
            await client.write("res.partner", pool[0], {"city": "Genf"})
            async with tx.savepoint():
                await client.write("res.partner", pool[:2], {"city": "Basel"})
                await client.unlink("res.partner", pool[5])
            assert 6 == len(server.rows("res.partner", pool))
            raise OwnError
    assert before == contents(server)


async def test_somebody_else_wrote_to_it(client, server, pool):
    """Their value stays, and is told as a conflict; the rest is taken back."""
    with pytest.raises(TransactionRollbackError, match="conflict") as caught:
        async with client.transaction() as tx:
            await client.write("res.partner", pool[:3], {"city": "Chur"})
            async with ZenooClient(server.url) as other:
                await log_in(other, server)
                await other.write("res.partner", pool[1], {"city": "Basel"})
            raise OwnError

    assert isinstance(caught.value.__cause__, OwnError)
    assert TransactionState.PARTLY_ROLLED_BACK is tx.state
    [left] = caught.value.report.not_undone
    assert ("update", (pool[1],)) == (left.action, left.ids)
    cities = [row["city"] for row in server.rows("res.partner", pool)]
    assert ["Bern", "Basel", "Bern"] == cities[:3]
    await client.write("res.partner", pool[1], {"city": "Chur"})
    assert TransactionState.ROLLED_BACK is (await tx.rollback()).state
    assert {"Bern"} == {row["city"] for row in server.rows("res.partner", pool)}


async def test_insisting(client, server, pool):
    """With on_conflict="overwrite" the old value is written back all the same."""
    await client.setup_transaction_manager(on_conflict="overwrite")
    with pytest.raises(OwnError):
        async with client.transaction():
            await client.write("res.partner", pool, {"city": "Chur"})
            async with ZenooClient(server.url) as other:
                await log_in(other, server)
                await other.write("res.partner", pool[1], {"city": "Basel"})
            raise OwnError
    assert {"Bern"} == {row["city"] for row in server.rows("res.partner", pool)}


async def test_what_cannot_be_taken_back_is_not_sent(client, server, pool):
    """Unless it is wanted all the same; then it is told."""
    before = contents(server)
    children = {"city": "Chur", "child_ids": [(0, 0, {"name": "Child"})]}
    with pytest.raises(NotUndoableError, match="field 'child_ids': a one2many"):
        async with client.transaction():
            await client.write("res.partner", pool[0], children)
    assert before == contents(server)

    with pytest.raises(TransactionRollbackError, match="child_ids"):
        async with client.transaction(allow_partial_undo=True) as tx:
            await client.write("res.partner", pool[0], children)
            raise OwnError
    assert [(pool[0],)] == [change.ids for change in tx.report.not_undone]
    [row] = server.rows("res.partner", pool[:1])
    assert "Bern" == row["city"]
    assert 7 == server.count("res.partner")


async def test_deletions_at_once(client, server, pool):
    """They cannot be taken back, and are told."""
    with pytest.raises(TransactionRollbackError):
        async with client.transaction(unlink="now") as tx:
            await client.unlink("res.partner", pool[:1])
            raise OwnError
    [change] = tx.report.not_undone
    assert ("unlink", (pool[0],)) == (change.action, change.ids)
    assert 5 == server.count("res.partner")


async def test_other_methods_and_what_takes_them_back(client, server, pool):
    """A method that nobody knows is told; the caller's own compensation is called, in its turn."""
    with pytest.raises(TransactionRollbackError) as caught:
        async with client.transaction():
            await client.execute_kw("res.partner", "copy", [pool[:1]])
            raise OwnError
    assert ["copy"] == [change.action for change in caught.value.report.not_undone]

    seen = []
    with pytest.raises(OwnError):
        async with client.transaction() as tx:
            await client.write("res.partner", pool[:1], {"city": "Chur"})
            tx.on_rollback(lambda: seen.extend(server.rows("res.partner", pool[:1])))
            await client.write("res.partner", pool[:1], {"city": "Basel"})
            raise OwnError
    assert ["Chur"] == [row["city"] for row in seen]


async def test_creates_with_external_ids(client, server, pool):
    """What was created is deleted, what was updated is as it was."""
    create = client.batch_manager.bulk_create
    records = [{"name": f"Partner {n}", "ref": f"p{n}"} for n in range(5)]
    await create("res.partner", records[:2], external_ids="ref")
    before = contents(server)
    with pytest.raises(OwnError):
        async with client.transaction():
            changed = [{**record, "name": "Changed"} for record in records]
            await create("res.partner", changed, external_ids="ref", chunk_size=2)
            raise OwnError
    assert before == contents(server)


async def test_two_at_the_same_time(client, server, pool):
    """One fails, and the work of the other is whole."""

    async def fails():
        with pytest.raises(OwnError):
            async with client.transaction():
                for n in range(4):
                    await client.write("res.partner", pool[:3], {"ref": f"fail{n}"})
                    await client.create("res.partner", {"name": "Gone"})
                raise OwnError

    async def works():
        async with client.transaction():
            for n in range(4):
                await client.write("res.partner", pool[3:], {"ref": f"work{n}"})
                await client.create("res.partner", {"name": "Stays"})

    await side_by_side(fails, works)
    refs = [row["ref"] for row in server.rows("res.partner", pool)]
    assert ["old0", "old1", "old0", "work3", "work3", "work3"] == refs
    assert 4 == server.count("res.partner", name="Stays")
    assert 0 == server.count("res.partner", name="Gone")


async def test_a_create_without_an_answer_is_told(server, flaky, proxy, pool):
    """It is unknown, with its places; the rest is taken back."""
    proxy.rule("drop_answer", nth=1, when=lambda body: b'"create"' in body)
    with pytest.raises(TransactionRollbackError, match="no answer came"):
        async with flaky.transaction() as tx:
            await flaky.write("res.partner", pool, {"city": "Chur"})
            await flaky.batch_manager.bulk_create("res.partner", [{"name": "A"}, {"name": "B"}])
    [unknown] = tx.report.unknown
    assert ("create", (0, 1)) == (unknown.action, unknown.records)
    assert {"Bern"} == {row["city"] for row in server.rows("res.partner", pool)}


async def test_lost_answers_while_it_is_taken_back(server, flaky, proxy, pool):
    """What is harmless to repeat is repeated, or asked about."""
    before = contents(server)
    with pytest.raises(OwnError):
        async with flaky.transaction():
            await flaky.write("res.partner", pool, {"city": "Chur"})
            await flaky.create("res.partner", [{"name": "A"}, {"name": "B"}])
            for method in (b'"write"', b'"unlink"', b'"read"'):
                proxy.rule("drop_answer", nth=1, when=lambda body, m=method: m in body)
            raise OwnError
    assert before == contents(server)


async def test_what_is_left_can_be_tried_again(server, proxy, pool):
    """A server that is away when it comes to taking back is asked again later."""
    before = contents(server)
    async with ZenooClient(proxy.url, retry=None) as flaky:
        await log_in(flaky, server)
        with pytest.raises(TransactionRollbackError):
            async with flaky.transaction() as tx:
                await flaky.write("res.partner", pool, {"city": "Chur"})
                await flaky.create("res.partner", [{"name": "A"}, {"name": "B"}])
                proxy.refuse()
                raise OwnError
        assert 2 == len(tx.report.not_undone)
        proxy.listen()
        await tx.rollback()
    assert before == contents(server)
    assert TransactionState.ROLLED_BACK is tx.state
    assert () == tx.report.not_undone


async def test_out_of_turn(client, server, pool):
    """A transaction is begun once, and nothing is written in it after its end."""
    async with client.transaction() as tx:
        await client.write("res.partner", pool[0], {"city": "Chur"})
        await tx.rollback()
        with pytest.raises(TransactionStateError, match="rolled back"):
            await client.write("res.partner", pool[0], {"city": "Basel"})
        assert 6 == await client.search_count("res.partner", [("id", "in", pool)])
    with pytest.raises(TransactionStateError):
        async with tx:
            pass
    with pytest.raises(TransactionStateError):
        tx.on_rollback(print)
    assert {"Bern"} == {row["city"] for row in server.rows("res.partner", pool)}


async def fail_with(client, write, **options):
    """Write in a block that fails, and return its transaction."""
    tx = client.transaction(**options)
    with pytest.raises((OwnError, TransactionRollbackError)):
        async with tx:
            await write()
            raise OwnError
    return tx


@pytest.mark.parametrize("method", ["create", "write", "unlink", "load"])
async def test_nothing_to_write_to(client, server, method):
    """There is nothing to take back of it."""
    arguments = {"create": [[]], "write": [[], {"city": "Chur"}], "unlink": [[]]}
    call = arguments.get(method, [["id", "name"], []])
    tx = await fail_with(client, lambda: client.execute_kw("res.partner", method, call))
    assert TransactionState.ROLLED_BACK is tx.state
    assert () == tx.report.undone


@pytest.mark.real_odoo
async def test_what_only_reads(client, pool):
    """It is no change that would have to be taken back."""
    wanted = ["name", "country_id/code"]
    tx = await fail_with(
        client, lambda: client.execute_kw("res.partner", "export_data", [pool, wanted])
    )
    assert TransactionState.ROLLED_BACK is tx.state


async def test_the_same_id_twice(client, server, pool):
    """It is written to, taken back and deleted once."""
    before = contents(server)
    twice = [pool[0], pool[0]]
    await fail_with(client, lambda: client.write("res.partner", twice, {"city": "Chur"}))
    assert before == contents(server)
    async with client.transaction():
        await client.unlink("res.partner", twice)
        await client.unlink("res.partner", [pool[1], *twice])
    assert 4 == server.count("res.partner")


async def test_values_by_name(client, server, pool):
    """A call with named arguments is known as one without."""
    before = contents(server)
    values = {"vals": {"city": "Chur"}}
    tx = await fail_with(
        client, lambda: client.execute_kw("res.partner", "write", [pool[:2]], values)
    )
    assert TransactionState.ROLLED_BACK is tx.state
    assert before == contents(server)


async def test_sets_with_what_is_archived(client, server, pool):
    """A many2many is the full set again, whatever the command was."""
    old, archived, other = await client.create(
        "res.partner.category", [{"name": "A"}, {"name": "B", "active": False}, {"name": "C"}]
    )
    await client.write("res.partner", pool[0], {"category_id": [(6, 0, [old, archived])]})
    full = {"active_test": False}
    for commands in ([(6, 0, [other])], [(4, other)], [(5,)], [(3, old)], [(3, archived)]):
        await fail_with(
            client,
            lambda wanted=commands: client.write("res.partner", pool[0], {"category_id": wanted}),
        )
        [row] = await client.read("res.partner", pool[0], ["category_id"], context=full)
        assert {old, archived} == set(row["category_id"])


async def test_commands_that_change_other_records(client, server, pool):
    """Restoring the set would not bring back what they change: refused."""
    [tag] = await client.create("res.partner.category", [{"name": "A"}])
    await client.write("res.partner", pool[0], {"category_id": [(6, 0, [tag])]})
    before = contents(server)
    for command in ((0, 0, {"name": "New"}), (1, tag, {"name": "Changed"}), (2, tag)):
        with pytest.raises(NotUndoableError, match="create, change or delete"):
            async with client.transaction():
                await client.write("res.partner", pool[0], {"category_id": [command]})
    assert before == contents(server)


async def test_a_file_is_restored_in_full(client, server, pool):
    """Whatever the context says about showing sizes for files."""
    await client.write("res.partner", pool[0], {"image_1920": PIXEL})
    for context in ({}, {"bin_size": True}, {"bin_size_image_1920": True}):
        tx = await fail_with(
            client,
            lambda about=context: client.write(
                "res.partner", pool[0], {"image_1920": False}, context=about
            ),
        )
        assert TransactionState.ROLLED_BACK is tx.state
        [row] = await client.read("res.partner", pool[0], ["image_1920"])
        assert PIXEL == row["image_1920"]


async def test_a_context_that_changes_in_the_block(client, server, pool):
    """What is taken back goes out in the context of its own call."""
    seen = []

    async def write():
        client.context["allowed_company_ids"] = [1]
        await client.write("res.partner", pool[0], {"city": "Chur"})
        client.context["allowed_company_ids"].append(77)
        client.context["default_name"] = "x"

    server_calls = client._session.deliver

    async def deliver(request, *rest):
        if request.method != "fields_get":  # what fields there are is no matter of the context
            seen.append((request.method, dict(request.context)))
        return await server_calls(request, *rest)

    client._session.deliver = deliver
    tx = await fail_with(client, write)
    assert TransactionState.ROLLED_BACK is tx.state
    assert {(1,)} == {tuple(context["allowed_company_ids"]) for _, context in seen}
    assert not any("default_name" in context for _, context in seen)


async def test_fields_that_are_not_there(client, server, pool):
    """Nobody could say what they hold: refused before it is sent; or left to the server."""
    before = contents(server)
    values = {"city": "Chur", "no_field": 1}
    with pytest.raises(NotUndoableError, match="field 'no_field': it is not there") as caught:
        async with client.transaction():
            await client.write("res.partner", pool[0], values)
    assert ("no_field",) == caught.value.fields
    with pytest.raises(OdooError, match="no_field"):
        async with client.transaction(allow_partial_undo=True) as tx:
            await client.write("res.partner", pool[0], values)
    assert before == contents(server)
    assert TransactionState.ROLLED_BACK is tx.state
    with pytest.raises(NotUndoableError, match=r"no\.model"):
        async with client.transaction():
            await client.write("no.model", 1, {"x": 1})


async def test_fields_of_a_related_record(client, server):
    """They are written to, and restored, through the record that shows them."""
    number = await client.create("res.users", {"name": "Ann", "login": "ann"})
    tx = await fail_with(
        client, lambda: client.write("res.users", number, {"name": "Bob", "login": "bob"})
    )
    assert TransactionState.ROLLED_BACK is tx.state
    [row] = await client.read("res.users", number, ["name", "login"])
    assert ("Ann", "ann") == (row["name"], row["login"])
    with pytest.raises(NotUndoableError, match="field 'password': it is not stored"):
        async with client.transaction():
            await client.write("res.users", number, {"password": "a long one"})


async def test_other_languages(client, server):
    """A translated field is restored in the language of the call; it may not be emptied."""
    [number] = await client.create("res.partner.category", [{"name": "Tag"}])
    tx = await fail_with(
        client, lambda: client.write("res.partner.category", number, {"name": "Other"})
    )
    assert TransactionState.ROLLED_BACK is tx.state
    assert "Tag" == (await client.read("res.partner.category", number, ["name"]))[0]["name"]
    [country] = await client.search("res.country", [("code", "=", "CH")])
    with pytest.raises(NotUndoableError, match="other languages"):
        async with client.transaction():
            await client.write("res.country", country, {"vat_label": False})


@pytest.mark.real_odoo
async def test_a_value_for_each_company(client, server):
    """The value of the call's company is restored."""
    number = await client.create("product.product", {"name": "Tea", "standard_price": 3.0})
    tx = await fail_with(
        client, lambda: client.write("product.product", number, {"standard_price": 5.0})
    )
    assert TransactionState.ROLLED_BACK is tx.state
    [row] = await client.read("product.product", number, ["standard_price"])
    assert 3.0 == row["standard_price"]


async def test_an_import_that_names_a_record_twice(client, server):
    """Both rows are of one record, which is deleted once."""
    rows = [["__import__.twice", "A"], ["__import__.twice", "B"]]
    for turn in range(2):
        before = contents(server)
        tx = await fail_with(
            client, lambda: client.execute_kw("res.partner", "load", [["id", "name"], rows])
        )
        assert TransactionState.ROLLED_BACK is tx.state
        assert before == contents(server)
        if not turn:
            await client.execute_kw("res.partner", "load", [["id", "name"], rows])


async def test_an_inner_block_has_the_settings_of_the_one_around(client, server, pool):
    """By either name; its own keywords stand above them."""
    async with client.transaction(unlink="now") as tx:
        tx.allow_partial_undo = True
        for inner in (tx.savepoint(), client.transaction()):
            assert ("now", True) == (inner.settings.unlink, inner.settings.allow_partial_undo)
        assert "hold" == client.transaction(unlink="hold").settings.unlink


@pytest.mark.real_odoo
async def test_fields_that_the_user_may_not_read(limited, server):
    """They are hidden from a user outside their groups, and refused before the write."""
    name = "is_in_call" if server.version.startswith("19") else "signup_type"
    with pytest.raises(NotUndoableError, match="may not be read") as caught:
        async with limited.transaction():
            await limited.write("res.users", limited.uid, {name: "x"})
    assert (name,) == caught.value.fields


async def test_records_that_the_user_may_not_read(limited, server):
    """Refused before the write, with the server's own words."""
    with pytest.raises(NotUndoableError, match="what its records hold cannot be read"):
        async with limited.transaction():
            await limited.write("ir.config_parameter", 1, {"value": "x"})


async def test_what_a_create_creates_along(client, server):
    """What its commands created stays where the server does not delete it, and is told."""
    child = {"name": "Child", "child_ids": [(0, 0, {"name": "Grandchild"})]}
    parent = {"name": "Parent", "child_ids": [(0, 0, child)]}
    tx = await fail_with(client, lambda: client.create("res.partner", parent))
    left = server.rows("res.partner")
    assert ["Child", "Grandchild"] == sorted(row["name"] for row in left)
    assert {row["id"] for row in left} == {
        number for change in tx.report.not_undone for number in change.ids
    }
    await client.unlink("res.partner", [row["id"] for row in left])
    assert TransactionState.ROLLED_BACK is (await tx.rollback()).state


async def test_what_goes_with_a_create(client, server):
    """Where the server deletes it along, all is undone."""
    parent = {"name": "A", "child_ids": [(0, 0, {"name": "B"}), (0, 0, {"name": "C"})]}
    tx = await fail_with(client, lambda: client.create("res.partner.category", parent))
    assert TransactionState.ROLLED_BACK is tx.state
    assert 0 == server.count("res.partner.category")


async def test_a_callback_stands_for_the_call_before_it(client, server, pool):
    """A method that nobody knows is undone by what its caller says."""
    before = contents(server)

    async def copy(tx):
        number = await client.execute_kw("res.partner", "copy", [pool[0]])
        tx.on_rollback(lambda: client.unlink("res.partner", number))

    with pytest.raises(OwnError):
        async with client.transaction() as tx:
            await copy(tx)
            await client.write("res.partner", pool[0], {"city": "Chur"})
            assert ["copy", "update"] == [change.action for change in tx.report.applied]
            raise OwnError
    assert before == contents(server)
    assert ["update", "copy"] == [change.action for change in tx.report.undone]
    assert TransactionState.ROLLED_BACK is tx.state


async def test_a_callback_that_raises(client, server, pool):
    """It is told, the rest is taken back, and it is called again with what is left."""
    before = contents(server)
    told = []

    def callback():
        told.append(1)
        if len(told) == 1:
            raise ValueError("secret")

    with pytest.raises(TransactionRollbackError) as caught:
        async with client.transaction() as tx:
            await client.write("res.partner", pool[0], {"city": "Chur"})
            tx.on_rollback(callback)
            raise OwnError
    [left] = caught.value.report.not_undone
    assert ("call", "callback", "it raised ValueError") == (left.action, left.model, left.reason)
    assert before == contents(server)
    await tx.rollback()
    assert 2 == len(told)
    assert TransactionState.ROLLED_BACK is tx.state


async def test_a_callback_that_waits(client, server, pool):
    """What it waits for is waited for, and its own writes are nobody's to take back."""
    before = contents(server)

    async def callback():
        numbers = await client.search("res.partner", [("name", "=", "Mail")])
        await client.unlink("res.partner", numbers)
        await client.batch_manager.bulk_update("res.partner", pool, {"ref": "back"})

    async with client.transaction() as outer:
        with pytest.raises(OwnError):
            async with client.transaction() as tx:
                await client.execute_kw("res.partner", "name_create", ["Mail"])
                tx.on_rollback(callback)
                raise OwnError
        assert () == outer.report.applied
    assert TransactionState.ROLLED_BACK is tx.state
    assert {"back"} == {row["ref"] for row in server.rows("res.partner", pool)}
    assert len(before) == len(contents(server))


async def test_an_inner_block_ends_first(client, server, pool):
    """Neither the end nor the taking back of a block can come before that of one inside it."""
    before = contents(server)
    with pytest.raises(OwnError):
        async with client.transaction() as tx:
            async with client.transaction():
                await client.write("res.partner", pool[0], {"city": "Chur"})
                with pytest.raises(TransactionStateError, match="inside"):
                    await tx.commit()
                with pytest.raises(TransactionStateError, match="inside"):
                    await tx.rollback()
            raise OwnError
    assert before == contents(server)


async def test_ends_by_hand(client, server, pool):
    """commit() carries the deletions out, and afterwards nothing is written or taken back."""
    with pytest.raises(OwnError):
        async with client.transaction() as tx:
            await client.write("res.partner", pool[0], {"city": "Chur"})
            await client.unlink("res.partner", pool[5])
            await tx.commit()
            assert 5 == server.count("res.partner")
            with pytest.raises(TransactionStateError, match="committed"):
                await client.unlink("res.partner", pool[4])
            with pytest.raises(TransactionStateError):
                tx.savepoint()
            with pytest.raises(TransactionStateError):
                await tx.commit()
            raise OwnError
    assert TransactionState.COMMITTED is tx.state
    assert ["update", "unlink"] == [change.action for change in tx.report.applied]
    assert "Chur" == server.rows("res.partner", pool[:1])[0]["city"]


async def test_what_a_savepoint_left(client, server, pool):
    """It may be tried again there, or by the block around it, and is not done twice."""
    told = []

    def callback():
        told.append(1)
        if len(told) < 2:
            raise ValueError

    async with client.transaction(allow_partial_undo=True) as tx:
        inner = tx.savepoint()
        with pytest.raises(TransactionRollbackError):
            async with inner:
                await client.write("res.partner", pool[0], {"child_ids": [(4, pool[1])]})
                inner.on_rollback(callback)
                raise OwnError
        assert TransactionState.PARTLY_ROLLED_BACK is inner.state
        assert ["update"] == [change.action for change in tx.report.applied]
        await inner.rollback()
        assert () == tx.report.applied
        await client.write("res.partner", pool[2], {"city": "Chur"})
        await tx.rollback()
    assert 2 == len(told)


async def test_a_task_that_outlives_its_block(client, server, pool):
    """It writes nothing any more in the block's name; a block of its own stands alone."""
    tx = client.transaction()
    begun, over = AEvent(), AEvent()

    async def works():
        async with tx:
            await client.write("res.partner", pool[0], {"city": "Chur"})
            begun.set()
        over.set()

    async def strays():
        await begun.wait()
        client._session.record_with(tx)  # as if it had been started in the block
        await over.wait()
        with pytest.raises(TransactionStateError):
            await client.write("res.partner", pool[1], {"city": "Chur"})
        async with client.transaction():
            await client.write("res.partner", pool[2], {"city": "Chur"})

    await side_by_side(works, strays)
    cities = [row["city"] for row in server.rows("res.partner", pool)]
    assert ["Chur", "Bern", "Chur"] == cities[:3]


async def test_an_inner_block_that_ends_too_late(client, server, pool):
    """Once the block around it is over it cannot end well: it takes itself back."""
    tx = client.transaction()
    begun, over = AEvent(), AEvent()

    async def works():
        async with tx:
            await client.write("res.partner", pool[0], {"city": "Chur"})
            tx_is_open.set()
            await begun.wait()
        over.set()

    async def strays():
        await tx_is_open.wait()
        client._session.record_with(tx)
        with pytest.raises(TransactionStateError, match="committed"):
            async with client.transaction():
                await client.write("res.partner", pool[1], {"city": "Chur"})
                begun.set()
                await over.wait()

    tx_is_open = AEvent()
    await side_by_side(works, strays)
    cities = [row["city"] for row in server.rows("res.partner", pool)]
    assert ["Chur", "Bern"] == cities[:2]


async def test_a_client_that_is_closed(server, pool):
    """Nothing is written, and what was done is told as left."""
    client = ZenooClient(server.url)
    await log_in(client, server)
    with pytest.raises(TransactionRollbackError, match="closed"):
        async with client.transaction():
            await client.write("res.partner", pool[0], {"city": "Chur"})
            await client.close()
            raise OwnError
    for write in (
        lambda: client.create("res.partner", {"name": "New"}),
        lambda: client.write("res.partner", pool[1], {"city": "Basel"}),
    ):
        with pytest.raises(ClientClosedError):
            async with client.transaction():
                await write()


async def test_two_clients(client, server, pool):
    """A block is of one client: the other's writes are its own."""
    async with ZenooClient(server.url) as other:
        await log_in(other, server)
        with pytest.raises(OwnError):
            async with client.transaction():
                await other.write("res.partner", pool[0], {"city": "Chur"})
                async with other.transaction() as tx:
                    await other.write("res.partner", pool[1], {"city": "Chur"})
                    await client.write("res.partner", pool[2], {"city": "Chur"})
                assert TransactionState.COMMITTED is tx.state
                raise OwnError
    cities = [row["city"] for row in server.rows("res.partner", pool)]
    assert ["Chur", "Chur", "Bern"] == cities[:3]


async def test_a_deletion_whose_answer_is_lost(server, flaky, proxy, pool):
    """What is left is asked for: what is gone was deleted, and the block ends well."""
    proxy.rule("drop_answer", nth=1, when=lambda body: b'"unlink"' in body)
    async with flaky.transaction() as tx:
        await flaky.unlink("res.partner", pool)
    assert TransactionState.COMMITTED is tx.state
    assert 0 == server.count("res.partner")


async def test_an_import_whose_answer_is_lost(server, flaky, proxy, pool):
    """It is looked up by its external ids, and deleted."""
    before = contents(server)
    proxy.rule("drop_answer", nth=1, when=lambda body: b'"load"' in body)
    records = [{"name": "A", "ref": "a"}, {"name": "B", "ref": "b"}]
    with pytest.raises(OwnError):
        async with flaky.transaction():
            ids = await flaky.batch_manager.bulk_create("res.partner", records, external_ids="ref")
            assert 2 == len(server.rows("res.partner", ids))
            raise OwnError
    assert before == contents(server)
    options = {"external_ids": "ref", "on_unknown": "report"}
    proxy.rule("drop_answer", when=lambda body: b'"load"' in body)
    with pytest.raises(BatchExecutionError, match="unknown"):
        async with flaky.transaction():
            await flaky.batch_manager.bulk_create("res.partner", records, **options)
    assert before == contents(server)


async def test_a_field_that_is_hidden_from_the_user(client, server, pool):
    """It is refused; or written, and told as not undone."""
    deliver = client._session.deliver

    async def hiding(request, *rest):
        reply = await deliver(request, *rest)
        if request.method == "fields_get":
            del reply.value["ref"]
        return reply

    client._session.deliver = hiding
    values = {"city": "Chur", "ref": "new"}
    before = contents(server)
    with pytest.raises(NotUndoableError) as caught:
        async with client.transaction():
            await client.write("res.partner", pool[0], values)
    assert ("ref",) == caught.value.fields
    assert before == contents(server)

    tx = await fail_with(
        client, lambda: client.write("res.partner", pool[0], values), allow_partial_undo=True
    )
    [left] = tx.report.not_undone
    assert ("update", (pool[0],)) == (left.action, left.ids)
    assert "field 'ref'" in left.reason
    [row] = server.rows("res.partner", pool[:1])
    assert ("Bern", "new") == (row["city"], row["ref"])


@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit, GeneratorExit])
async def test_whatever_ends_the_block(client, server, pool, kind):
    """It is taken back and goes on as it is, with a note, even where something is left."""
    before = contents(server)
    with pytest.raises(kind) as caught:
        async with client.transaction() as tx:
            await client.write("res.partner", pool[0], {"city": "Chur"})
            raise kind
    assert before == contents(server)
    assert TransactionState.ROLLED_BACK is tx.state
    assert ["zenoo_rpc: the transaction is rolled back: 1 undone"] == caught.value.__notes__

    with pytest.raises(kind) as caught:
        async with client.transaction() as tx:
            await client.execute_kw("res.partner", "copy", [pool[:1]])
            raise kind
    assert TransactionState.PARTLY_ROLLED_BACK is tx.state
    assert "copy res.partner" in caught.value.__notes__[0]


async def test_records_that_are_gone_already(client, server, pool):
    """What somebody else deleted is undone, or has nothing to restore."""
    with pytest.raises(OwnError):
        async with client.transaction() as tx:
            made = await client.create("res.partner", [{"name": "A"}, {"name": "B"}])
            await client.write("res.partner", pool[:2], {"city": "Chur"})
            async with ZenooClient(server.url) as other:
                await log_in(other, server)
                await other.unlink("res.partner", [made[0], pool[0]])
            raise OwnError
    assert TransactionState.ROLLED_BACK is tx.state
    assert {"create": 2, "update": 1} == {
        change.action: len(change.ids) for change in tx.report.undone
    }
    assert pool[1:] == [row["id"] for row in server.rows("res.partner")]
    assert {"Bern"} == {row["city"] for row in server.rows("res.partner")}


async def test_what_cannot_be_taken_back_in_a_batch(client, server, pool):
    """The batch tells the reason, and that it was not sent."""
    before = contents(server)
    with pytest.raises(BatchExecutionError, match="child_ids") as caught:
        async with client.transaction():
            await client.write("res.partner", pool[1], {"city": "Chur"})
            async with client.batch() as batch:
                batch.update("res.partner", {"child_ids": [(4, pool[1])]}, record_ids=pool[:1])
    [outcome] = caught.value.result.not_sent
    assert isinstance(outcome.error, NotUndoableError)
    assert before == contents(server)


async def test_deletions_of_what_is_gone_at_the_end(client, server, pool):
    """What somebody else, or a deletion before, deleted meanwhile is deleted; the rest goes too."""
    async with client.transaction() as tx:
        await client.unlink("res.partner", pool[:3])
        await client.unlink("res.partner.category", 12345678)
        await client.unlink("res.partner", pool[3])
        async with ZenooClient(server.url) as other:
            await log_in(other, server)
            await other.unlink("res.partner", [pool[0], pool[3]])
    assert TransactionState.COMMITTED is tx.state
    assert pool[4:] == [row["id"] for row in server.rows("res.partner")]


async def test_what_a_create_creates_along_without_an_answer(server, flaky, proxy):
    """When nobody tells what its commands created, that is told."""
    parent = {"name": "Parent", "child_ids": [(0, 0, {"name": "Child"})]}
    proxy.rule("drop_answer", when=lambda body: b'"read"' in body)
    tx = await fail_with(flaky, lambda: flaky.create("res.partner", parent))
    [left] = tx.report.not_undone
    assert "what its commands created is not known" == left.reason
    assert ["Child"] == [row["name"] for row in server.rows("res.partner")]
