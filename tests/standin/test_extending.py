"""What users add to the stand-in: their models, fields, constraints and rights, and what it lacks.

All of it through the blocking client, as in a user's own tests.
"""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from zenoo_rpc.errors import AccessError, OdooError, ServerError, UserError, ValidationError
from zenoo_rpc.sync import BatchExecutionError, ZenooClient
from zenoo_rpc.testing import OdooStandIn
from zenoo_rpc.testing.plugin import _odoo_standin_server, odoo_standin

__all__ = ["_odoo_standin_server", "odoo_standin"]

ASSET, LINE = "x.asset", "x.asset.line"
FIELDS: dict[str, dict[str, Any]] = {
    "name": {"type": "char", "required": True},
    "code": {"type": "char", "string": "Code"},
    "value": {"type": "float"},
    "price": {"type": "monetary"},
    "count": {"type": "integer", "default": 1},
    "bought": {"type": "date"},
    "checked_at": {"type": "datetime"},
    "note": {"type": "text"},
    "partner_id": {"type": "many2one", "relation": "res.partner"},
    "tag_ids": {"type": "many2many", "relation": "res.partner.category"},
    "line_ids": {"type": "one2many", "relation": LINE, "relation_field": "asset_id"},
    "state": {
        "type": "selection",
        "selection": [["draft", "Draft"], ["done", "Done"]],
        "default": "draft",
    },
}
LINE_FIELDS: dict[str, dict[str, Any]] = {
    "name": {"type": "char"},
    "asset_id": {"type": "many2one", "relation": ASSET, "required": True, "ondelete": "cascade"},
}
WAYS = [("19.0", "jsonrpc"), ("19.0", "json2"), ("14.0", "jsonrpc")]


@pytest.fixture(scope="module")
def servers() -> Iterator[dict[str, OdooStandIn]]:
    """Return a stand-in of each release, shared as the one of the plugin is."""
    with OdooStandIn("19.0") as new, OdooStandIn("14.0") as old:
        yield {"19.0": new, "14.0": old}


@pytest.fixture(params=WAYS, ids=["-".join(way) for way in WAYS])
def way(request: pytest.FixtureRequest) -> tuple[str, str]:
    """Return the release and the dialect of a test."""
    version, dialect = request.param
    return version, dialect


@pytest.fixture
def odoo(way: tuple[str, str], servers: dict[str, OdooStandIn]) -> OdooStandIn:
    """Return a running stand-in with a new database."""
    server = servers[way[0]]
    server.reset()
    return server


def logged_in(odoo: OdooStandIn, dialect: str, login: str = "admin") -> ZenooClient:
    """Return a user's client, who is logged in."""
    client = ZenooClient(odoo.url)
    if dialect == "json2":
        client.login_with_api_key(odoo.database, odoo.make_key(login))
    else:
        client.login(odoo.database, login, login)
    assert dialect == client.protocol
    return client


@pytest.fixture
def client(way: tuple[str, str], odoo: OdooStandIn) -> Iterator[ZenooClient]:
    """Return the administrator's client."""
    with logged_in(odoo, way[1]) as found:
        yield found


@pytest.fixture
def limited(way: tuple[str, str], odoo: OdooStandIn) -> Iterator[ZenooClient]:
    """Return the client of a user with few rights."""
    with logged_in(odoo, way[1], "limited") as found:
        yield found


@pytest.fixture
def assets(odoo: OdooStandIn) -> OdooStandIn:
    """Return a stand-in that knows assets and their lines."""
    odoo.add_model(ASSET, FIELDS, label="Asset", order="name, id")
    odoo.add_model(LINE, LINE_FIELDS)
    return odoo


# -- models ------------------------------------------------------------------------------------


def test_a_model_is_written_and_read(assets: OdooStandIn, client: ZenooClient) -> None:
    """Every type keeps what is written; what is left out is empty or has its default."""
    tag = client.create("res.partner.category", {"name": "Old"})
    values = {
        "name": "Press",
        "value": 12.5,
        "price": 99.9,
        "count": 3,
        "bought": "2024-02-29",
        "checked_at": "2024-02-29 12:00:00",
        "note": "heavy",
        "partner_id": 1,
        "tag_ids": [(6, 0, [tag])],
        "state": "done",
    }
    full, bare = client.create(ASSET, [values, {"name": "Lathe"}])
    names = [*values, "code", "line_ids", "display_name", "create_uid"]

    found = client.read(ASSET, [full, bare], names)

    shown = {"partner_id": [1, "My Company"], "tag_ids": [tag], "create_uid": [2, "Administrator"]}
    shown |= {"id": full, "display_name": "Press", "code": False, "line_ids": []}
    assert {**values, **shown} == found[0]
    empty = {"value": 0.0, "price": 0.0, "count": 1, "bought": False, "checked_at": False}
    empty |= {"note": False, "partner_id": False, "tag_ids": [], "state": "draft"}
    assert {**found[1], **empty, "name": "Lathe"} == found[1]
    assert client.write(ASSET, [full], {"value": 1, "partner_id": False}) is True
    [record] = [row for row in assets.records(ASSET) if row["id"] == full]
    assert (1.0, False, "Press") == (record["value"], record["partner_id"], record["name"])
    assert client.unlink(ASSET, [full]) is True
    assert [bare] == [row["id"] for row in assets.records(ASSET)]


def test_a_model_is_searched(assets: OdooStandIn, client: ZenooClient) -> None:
    """Domains reach numbers, options and the fields behind a relation; the model has its order."""
    last, first = client.create(
        ASSET, [{"name": "b", "price": 2, "partner_id": 1}, {"name": "a", "price": 10}]
    )
    client.create(LINE, {"name": "x", "asset_id": first})

    assert [first, last] == client.search(ASSET)
    assert [first] == client.search(ASSET, [("price", ">", 2.5)])
    assert [last] == client.search(ASSET, [("partner_id.name", "=", "My Company")])
    assert [first] == client.search(ASSET, [("line_ids.name", "=", "x")])
    assert [last] == client.search(ASSET, [("line_ids", "=", False)])
    assert [last] == client.search(ASSET, [("partner_id", "child_of", 1)])
    assert [] == client.search(LINE, [("asset_id", "child_of", last)])
    assert 2 == client.search_count(ASSET, [("state", "=", "draft")])
    rows = client.search_read(ASSET, [("name", "=", "a")], ["line_ids"], order="price desc")
    assert [first] == [row["id"] for row in rows]
    assert 1 == len(rows[0]["line_ids"])


def test_a_model_is_described(assets: OdooStandIn, client: ZenooClient, way: Any) -> None:
    """`fields_get` answers the types and options given, the magic fields, and made up labels."""
    found = client.fields_get(ASSET)

    magic = {"id", "display_name", "create_uid", "create_date", "write_uid", "write_date"}
    assert {*FIELDS, *magic} == set(found)
    assert {name: about["type"] for name, about in FIELDS.items()} == {
        name: found[name]["type"] for name in FIELDS
    }
    assert [["draft", "Draft"], ["done", "Done"]] == found["state"]["selection"]
    assert (LINE, "asset_id") == (
        found["line_ids"]["relation"],
        found["line_ids"]["relation_field"],
    )
    assert ("Partner", "Checked At", "Code") == tuple(
        found[name]["string"] for name in ("partner_id", "checked_at", "code")
    )
    assert {"draft"} == set(client.execute_kw(ASSET, "default_get", [["state"]]).values())
    assert found["name"]["required"] is True


def test_values_are_refused_as_elsewhere(assets: OdooStandIn, client: ZenooClient) -> None:
    """A lacking value, an option and a record that are not there, in Odoo's words."""
    with pytest.raises(ValidationError, match=r"Name.*\(name\)"):
        client.create(ASSET, {"value": 1})
    with pytest.raises(OdooError, match=r"Wrong value for x\.asset\.state: 'gone'"):
        client.create(ASSET, {"name": "a", "state": "gone"})
    with pytest.raises(ValidationError):
        client.create(ASSET, {"name": "a", "partner_id": 99_999})
    with pytest.raises(OdooError, match="Invalid field 'colour'"):
        client.create(ASSET, {"name": "a", "colour": "red"})
    assert [] == assets.records(ASSET)


def test_relation_commands(assets: OdooStandIn, client: ZenooClient) -> None:
    """Lines and links are made, changed and let go by commands; lines go with their record."""
    commands = [(0, 0, {"name": "one"}), (0, 0, {"name": "two"})]
    tags = [(0, 0, {"name": "Tag"})]
    asset = client.create(ASSET, {"name": "a", "line_ids": commands, "tag_ids": tags})
    one, two = client.search(LINE, [("asset_id", "=", asset)])
    assert ["Tag"] == [row["name"] for row in assets.records("res.partner.category")]

    client.write(ASSET, [asset], {"line_ids": [(1, one, {"name": "uno"}), (2, two, 0)]})
    assert [(one, "uno", asset)] == [
        (row["id"], row["name"], row["asset_id"]) for row in assets.records(LINE)
    ]
    client.write(ASSET, [asset], {"tag_ids": [(5, 0, 0)]})
    assert [[]] == [row["tag_ids"] for row in assets.records(ASSET)]
    client.unlink(ASSET, [asset])
    assert [] == assets.records(LINE)


def test_import_with_external_ids(assets: OdooStandIn, client: ZenooClient) -> None:
    """`load` makes assets with lines, finds them again by their ids, and refuses bad rows."""
    columns = ["id", "name", "price", "partner_id/id", "line_ids/name"]
    rows = [
        ["mine.press", "Press", "1.5", "base.main_partner", "one"],
        ["", "", "", "", "two"],
    ]
    result = client.execute_kw(ASSET, "load", [columns, rows])
    assert [] == result["messages"]
    [asset] = assets.records(ASSET)
    assert (1.5, 1, 2) == (asset["price"], asset["partner_id"], len(asset["line_ids"]))

    again = client.execute_kw(ASSET, "load", [["id", "name"], [["mine.press", "Presse"]]])
    assert ([asset["id"]], []) == (again["ids"], again["messages"])
    assert ["Presse"] == [row["name"] for row in assets.records(ASSET)]
    bad = client.execute_kw(ASSET, "load", [["name", "price"], [["a", "much"]]])
    assert (False, "price") == (bad["ids"], bad["messages"][0]["field"])


def test_batches_of_an_added_model(assets: OdooStandIn, client: ZenooClient) -> None:
    """A batch with external ids, one bad record among them: the others are there."""
    with pytest.raises(BatchExecutionError) as caught, client.batch() as batch:
        batch.create(
            ASSET,
            [{"name": "a"}, {"name": "b", "partner_id": 99_999}, {"name": "c"}],
            external_ids=["m.a", "m.b", "m.c"],
        )
    assert [1] == [outcome.index for outcome in caught.value.result.refused]
    assert ["a", "c"] == [row["name"] for row in assets.records(ASSET)]
    ids = [row["id"] for row in assets.records(ASSET)]
    with client.batch() as batch:
        batch.update(ASSET, [{"id": ids[0], "value": 1}, {"id": ids[1], "value": 2}])
    assert [1.0, 2.0] == [row["value"] for row in assets.records(ASSET)]


def test_names_that_mean_something_elsewhere(odoo: OdooStandIn, client: ZenooClient) -> None:
    """Fields of a user's model are plain, though real models have special ones of that name."""
    values = {
        "code": "abc",
        "reference": "r",
        "complete_name": "c",
        "company_type": "own",
        "password": "p",
        "lang": "xx",
    }
    fields = {name: {"type": "char"} for name in values}
    fields["code"] |= {"size": 8}
    fields["lang"] = {"type": "selection", "selection": [["xx", "Own"]]}
    fields["parent_id"] = {"type": "many2one", "relation": "res.partner"}
    odoo.add_model("x.plain", fields)
    made = client.create("x.plain", {**values, "parent_id": 1})

    [found] = client.read("x.plain", [made], list(values))
    assert {**values, "id": made} == found
    for name, value in values.items():
        assert [made] == client.search("x.plain", [(name, "=", value)])
    with pytest.raises(OdooError, match="Wrong value"):
        client.write("x.plain", [made], {"lang": "en_US"})
    assert client.write("x.plain", [made], {"parent_id": 3}) is True


def test_what_a_record_is_called(odoo: OdooStandIn, client: ZenooClient) -> None:
    """By `name`, else `x_name`, else by model and id, as Odoo does."""
    char = {"type": "char"}
    odoo.add_model("x.one", {"x_name": char})
    odoo.add_model("x.two", {"text": char, "one_id": {"type": "many2one", "relation": "x.one"}})
    one = client.create("x.one", {"x_name": "Studio"})
    two = client.create("x.two", {"text": "t", "one_id": one})

    [found] = client.read("x.two", [two], ["display_name", "one_id"])
    assert {"id": two, "display_name": f"x.two,{two}", "one_id": [one, "Studio"]} == found
    assert [one] == client.search("x.one", [("display_name", "=", "Studio")])


def test_magic_fields_come_by_themselves(odoo: OdooStandIn, client: ZenooClient) -> None:
    """What a description says of them is not looked at."""
    magic = ("id", "display_name", "create_uid", "create_date", "write_uid", "write_date")
    fields = {"name": {"type": "char"}} | {name: {"type": "json"} for name in magic}
    odoo.add_model("x.plain", fields)
    made = client.create("x.plain", {"name": "a"})

    [found] = client.read("x.plain", [made], ["display_name", "create_uid", "write_date"])
    assert ("a", [2, "Administrator"]) == (found["display_name"], found["create_uid"])
    assert found["write_date"]


def test_readonly_is_for_forms(odoo: OdooStandIn, client: ZenooClient) -> None:
    """A field that is readonly takes values over RPC, and a reference is one all the same."""
    about = {"type": "many2one", "relation": "res.partner", "readonly": True}
    odoo.add_model("x.plain", {"partner_id": about})
    buyer = client.create("res.partner", {"name": "Buyer"})
    made = client.create("x.plain", {"partner_id": buyer})
    with pytest.raises(ValidationError):
        client.write("x.plain", [made], {"partner_id": 99_999})
    assert [buyer] == [row["partner_id"] for row in odoo.records("x.plain")]
    client.unlink("res.partner", [buyer])
    assert [False] == [row["partner_id"] for row in odoo.records("x.plain")]


def test_archived_records(odoo: OdooStandIn, client: ZenooClient) -> None:
    """A field `active` is true unless something else is said, and hides what is archived."""
    odoo.add_model("x.plain", {"name": {"type": "char"}, "active": {"type": "boolean"}})
    shown, hidden = client.create("x.plain", [{"name": "a"}, {"name": "b", "active": False}])

    assert [shown] == client.search("x.plain")
    client.execute_kw("x.plain", "action_archive", [[shown]])
    assert [] == client.search("x.plain")
    assert [shown, hidden] == client.search("x.plain", context={"active_test": False})


def test_the_answer_of_a_real_server(odoo: OdooStandIn, client: ZenooClient) -> None:
    """What `fields_get` answers is pasted or loaded; relations to nothing are empty."""
    described = client.fields_get("res.partner.category")
    described["mood"] = {"type": "many2one", "relation": "no.mood", "store": True, "help": "?"}
    described["message_ids"] = {
        "type": "one2many",
        "relation": "mail.message",
        "relation_field": "res_id",
        "depends": [],
        "groups": False,
    }
    described["total"] = {"type": "float", "store": False, "readonly": True}
    described["all_ids"] = {"type": "one2many", "relation": "res.partner", "store": False}
    odoo.add_model("x.tag", json.loads(json.dumps(described)))
    made = client.create("x.tag", {"name": "Tag", "total": 5})

    [found] = client.read("x.tag", [made])
    shown = {name: found[name] for name in ("name", "mood", "message_ids", "total", "all_ids")}
    expected = {"name": "Tag", "mood": False, "message_ids": [], "total": 0.0, "all_ids": []}
    assert expected == shown
    assert "Administrator" == found["create_uid"][1]
    assert ["Tag"] == [row["name"] for row in odoo.records("x.tag")]


@pytest.mark.parametrize("call", ["create", "search", "load"])
def test_a_relation_to_nothing(odoo: OdooStandIn, client: ZenooClient, call: str) -> None:
    """Whoever uses it is told which model is lacking; once it is added, all is well."""
    odoo.add_model(ASSET, FIELDS)
    args: dict[str, list[Any]] = {
        "create": [{"name": "a", "line_ids": [[0, 0, {"name": "x"}]]}],
        "search": [[["line_ids.name", "=", "x"]]],
        "load": [["name", "line_ids/name"], [["a", "x"]]],
    }
    with pytest.raises(ServerError, match=r"no model 'x\.asset\.line'.*line_ids"):
        client.execute_kw(ASSET, call, args[call])
    assert [] == odoo.records(ASSET)

    odoo.add_model(LINE, {"name": {"type": "char"}})
    with pytest.raises(ServerError, match=r"no many2one x\.asset\.line\.asset_id.*line_ids"):
        client.execute_kw(ASSET, call, args[call])

    odoo.add_field(LINE, "asset_id", {"type": "many2one", "relation": ASSET})
    result = client.execute_kw(ASSET, call, args[call])
    assert [] == (result["messages"] if call == "load" else [] if call == "create" else result)


def test_a_reference_to_nothing(odoo: OdooStandIn, client: ZenooClient) -> None:
    """A many2one to an unknown model takes no value."""
    odoo.add_model("x.plain", {"lead_id": {"type": "many2one", "relation": "crm.lead"}})
    with pytest.raises(ServerError, match=r"no model 'crm\.lead'.*lead_id"):
        client.create("x.plain", {"lead_id": 1})


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"a": {"type": "json"}}, r"x\.bad\.a.*'json'"),
    ({"a": {"string": "A"}}, r"x\.bad\.a.*type"),
    ({"a": "char"}, r"x\.bad\.a.*type"),
    ({"a": {"type": "many2one"}}, r"x\.bad\.a.*relation"),
    ({"a": {"type": "one2many", "relation": "res.partner"}}, r"x\.bad\.a.*relation_field"),
    ({"a": {"type": "selection"}}, r"x\.bad\.a.*selection"),
    ({"a": {"type": "selection", "selection": ["draft"]}}, r"x\.bad\.a.*selection"),
    ({"a": {"type": "integer", "default": "many"}}, r"x\.bad\.a.*default"),
    ({"a": {"type": "many2many", "relation": "res.partner", "default": []}}, r"x\.bad\.a.*default"),
    ({"a": {"type": "many2one", "relation": "x.y", "ondelete": "never"}}, r"x\.bad\.a.*ondelete"),
]


@pytest.mark.parametrize(("fields", "words"), WRONG)
def test_wrong_descriptions(odoo: OdooStandIn, fields: dict[str, Any], words: str) -> None:
    """A description that cannot be followed is refused with the field's name."""
    with pytest.raises(ValueError, match=words):
        odoo.add_model("x.bad", fields)
    with pytest.raises(KeyError, match=r"x\.bad"):
        odoo.records("x.bad")


def test_wrong_models(assets: OdooStandIn) -> None:
    """Names that are taken, orders by no field and models that are not there are mistakes."""
    with pytest.raises(ValueError, match=r"x\.asset.*add_field"):
        assets.add_model(ASSET, FIELDS)
    with pytest.raises(ValueError, match=r"res\.partner.*add_field"):
        assets.add_model("res.partner", FIELDS)
    for order in ("size", "name,", "tag_ids"):
        with pytest.raises(ValueError, match=r"x\.other.*order"):
            assets.add_model("x.other", FIELDS, order=order)
    with pytest.raises(KeyError, match=r"no\.model"):
        assets.add_field("no.model", "x_a", {"type": "char"})


# -- fields ------------------------------------------------------------------------------------


def test_a_field_is_added(odoo: OdooStandIn, client: ZenooClient) -> None:
    """Records that were there before have it empty, or its default; all can be written."""
    before = client.create("res.partner", {"name": "Ann"})
    options = [["gold", "Gold"], ["tin", "Tin"]]
    odoo.add_field("res.partner", "x_tier", {"type": "selection", "selection": options})
    odoo.add_field("res.partner", "x_since", {"type": "date", "default": "2020-01-01"})
    odoo.add_field("res.partner", "x_boss", {"type": "many2one", "relation": "res.partner"})

    after = client.create("res.partner", {"name": "Bob", "x_tier": "gold", "x_boss": before})
    assert after == before + 1
    names = ["x_tier", "x_since"]
    assert [
        {"id": before, "x_tier": False, "x_since": "2020-01-01"},
        {"id": after, "x_tier": "gold", "x_since": "2020-01-01"},
    ] == client.read("res.partner", [before, after], names)
    client.write("res.partner", [before], {"x_tier": "tin", "x_since": False})
    assert [before] == client.search("res.partner", [("x_tier", "=", "tin")])
    assert [after] == client.search("res.partner", [("x_boss", "=", before)])
    client.unlink("res.partner", [before])
    assert [False] == [row["x_boss"] for row in odoo.records("res.partner") if row["id"] == after]
    loaded = client.execute_kw("res.partner", "load", [["name", "x_tier"], [["Cy", "Gold"]]])
    assert [] == loaded["messages"]


def test_a_client_that_knew_the_model_before(odoo: OdooStandIn, client: ZenooClient) -> None:
    """It has asked for the fields already, and takes the new one all the same."""
    client.create("res.currency.rate", {"rate": 1, "currency_id": 1})
    odoo.add_field("res.currency.rate", "x_note", {"type": "html"})
    made = client.create("res.currency.rate", {"rate": 1, "currency_id": 1, "x_note": "<b>a</b>"})
    assert "<b>a</b>" == client.read("res.currency.rate", [made], ["x_note"])[0]["x_note"]


def test_wrong_fields(odoo: OdooStandIn) -> None:
    """A field that is there, and a required one for records that would lack it."""
    with pytest.raises(ValueError, match=r"res\.partner\.email"):
        odoo.add_field("res.partner", "email", {"type": "char"})
    with pytest.raises(ValueError, match=r"res\.partner\.create_date"):
        odoo.add_field("res.partner", "create_date", {"type": "datetime"})
    with pytest.raises(ValueError, match=r"res\.partner\.x_a.*default"):
        odoo.add_field("res.partner", "x_a", {"type": "char", "required": True})
    odoo.add_field("res.partner", "x_a", {"type": "char", "required": True, "default": "-"})
    assert {"-"} == {row["x_a"] for row in odoo.records("res.partner")}


# -- constraints, rights, refusals ---------------------------------------------------------------


def test_a_unique_key(assets: OdooStandIn, client: ZenooClient, way: Any) -> None:
    """The same value twice is refused as by a constraint of the table; empty ones do not count."""
    assets.add_unique(ASSET, ["code"], "The code must be unique")
    first, second = client.create(ASSET, [{"name": "a", "code": "A"}, {"name": "b"}])
    client.create(ASSET, {"name": "c"})
    # 14 names the constraint over the wire, as recorded from a real server.
    words = "The code must be unique" if way[0] == "19.0" else "x_asset_code_uniq"

    with pytest.raises(ValidationError, match=words):
        client.create(ASSET, {"name": "d", "code": "A"})
    with pytest.raises(ValidationError, match=words):
        client.write(ASSET, [second], {"code": "A"})
    loaded = client.execute_kw(ASSET, "load", [["name", "code"], [["e", "A"]]])
    assert (False, "code") == (loaded["ids"], loaded["messages"][0]["field"])
    assert client.write(ASSET, [first], {"code": "A"}) is True
    assert 3 == len(assets.records(ASSET))


def test_a_unique_key_of_two_fields(assets: OdooStandIn, client: ZenooClient, way: Any) -> None:
    """Both values together count, and only where both are there."""
    assets.add_unique(ASSET, ["code", "partner_id"], "Once for each partner")
    client.create(ASSET, [{"name": "a", "code": "A", "partner_id": 1}, {"name": "b", "code": "A"}])
    client.create(ASSET, [{"name": "c", "code": "A", "partner_id": 3}, {"name": "d", "code": "A"}])
    words = "Once for each partner" if way[0] == "19.0" else "x_asset_code_partner_id_uniq"

    with pytest.raises(ValidationError, match=words):
        client.create(ASSET, {"name": "e", "code": "A", "partner_id": 1})
    loaded = client.execute_kw(
        ASSET, "load", [["name", "code", "partner_id/.id"], [["f", "A", "3"]]]
    )
    assert loaded["ids"] is False
    assert words in loaded["messages"][0]["message"]


def test_wrong_unique_keys(assets: OdooStandIn, client: ZenooClient) -> None:
    """No such field, one without a column, and records that share a value already."""
    for name in ("size", "tag_ids", "display_name"):
        with pytest.raises(ValueError, match=rf"x\.asset\.{name}"):
            assets.add_unique(ASSET, [name], "Once")
    client.create(ASSET, [{"name": "a", "code": "A"}, {"name": "b", "code": "A"}])
    with pytest.raises(ValueError, match=r"x\.asset.*code"):
        assets.add_unique(ASSET, ["code"], "Once")
    client.create(ASSET, {"name": "c", "code": "A"})
    with pytest.raises(KeyError, match=r"no\.model"):
        assets.add_unique("no.model", ["code"], "Once")


def test_a_constraint_of_the_user(assets: OdooStandIn, client: ZenooClient) -> None:
    """It sees each record as it would be, lines included, and refuses by its text."""
    seen: list[dict[str, Any]] = []

    def check(record: dict[str, Any]) -> str | None:
        seen.append(record)
        return f"{record['name']} is worth nothing" if record["value"] < 0 else None

    assets.add_constraint(ASSET, check)
    line = [(0, 0, {"name": "x"})]
    good = client.create(ASSET, {"name": "a", "value": 1, "partner_id": 1, "line_ids": line})
    [record] = assets.records(ASSET)
    assert [record] == seen
    assert (good, 1, 1) == (record["id"], record["partner_id"], len(record["line_ids"]))

    with pytest.raises(ValidationError, match="b is worth nothing"):
        client.create(ASSET, [{"name": "ok"}, {"name": "b", "value": -1}])
    with pytest.raises(ValidationError, match="a is worth nothing"):
        client.write(ASSET, [good], {"value": -1})
    loaded = client.execute_kw(ASSET, "load", [["name", "value"], [["c", "-1"]]])
    assert loaded["ids"] is False
    assert "c is worth nothing" in loaded["messages"][0]["message"]
    assert [record] == assets.records(ASSET)


def test_two_constraints_and_one_with_a_fault(assets: OdooStandIn, client: ZenooClient) -> None:
    """All are asked; one that raises is an error of the server's, and nothing is written."""
    assets.add_constraint(ASSET, lambda record: None)
    assets.add_constraint(ASSET, lambda record: "no" if record["name"] == "a" else None)
    assets.add_constraint(ASSET, lambda record: record["nothing"])
    with pytest.raises(ValidationError, match="no"):
        client.create(ASSET, {"name": "a"})
    with pytest.raises(ServerError, match="nothing"):
        client.create(ASSET, {"name": "b"})
    assert [] == assets.records(ASSET)
    with pytest.raises(KeyError, match=r"no\.model"):
        assets.add_constraint("no.model", lambda record: None)


def test_rights(assets: OdooStandIn, client: ZenooClient, limited: ZenooClient) -> None:
    """A user with few rights reads a new model only, and does what is allowed beside that."""
    made = client.create(ASSET, {"name": "a"})
    assert ["a"] == [row["name"] for row in limited.read(ASSET, [made], ["name"])]
    words = r"not allowed to create 'Asset' \(x\.asset\)"
    with pytest.raises(AccessError, match=words):
        limited.create(ASSET, {"name": "b"})

    assets.allow("limited", ASSET, "create", "write")
    own = limited.create(ASSET, {"name": "b"})
    assert limited.write(ASSET, [made, own], {"value": 1}) is True
    with pytest.raises(AccessError, match="delete"):
        limited.unlink(ASSET, [own])
    with pytest.raises(AccessError, match=r"x\.asset\.line"):
        limited.write(ASSET, [own], {"line_ids": [(0, 0, {"name": "x"})]})
    assets.allow("limited", ASSET, "unlink")
    assert limited.unlink(ASSET, [own]) is True

    with pytest.raises(AccessError):
        limited.create("res.partner", {"name": "c"})
    assets.allow("limited", "res.partner", "create")
    assert isinstance(limited.create("res.partner", {"name": "c"}), int)


def test_wrong_rights(assets: OdooStandIn) -> None:
    """No such user, model or right."""
    with pytest.raises(KeyError, match="nobody"):
        assets.allow("nobody", ASSET, "write")
    with pytest.raises(KeyError, match=r"no\.model"):
        assets.allow("limited", "no.model", "write")
    with pytest.raises(ValueError, match="modify"):
        assets.allow("limited", ASSET, "modify")


def test_a_refusal(odoo: OdooStandIn, client: ZenooClient) -> None:
    """The next calls of a method are refused, others and later ones are not."""
    before = odoo.records("res.partner")
    odoo.refuse("res.partner", "create", "The books are closed", times=2)
    assert isinstance(client.create("res.partner.category", {"name": "x"}), int)
    for _ in range(2):
        with pytest.raises(UserError, match="The books are closed"):
            client.create("res.partner", {"name": "Ann"})
    assert before == odoo.records("res.partner")
    assert isinstance(client.create("res.partner", {"name": "Ann"}), int)


def test_refusals_wait_for_one_another(odoo: OdooStandIn, client: ZenooClient) -> None:
    """Two texts for one method are told one after the other, of methods it lacks too."""
    odoo.refuse("sale.order", "action_confirm", "Not on stock")
    odoo.refuse("sale.order", "action_confirm", "Not paid")
    for words in ("Not on stock", "Not paid"):
        with pytest.raises(UserError, match=words):
            client.execute_kw("sale.order", "action_confirm", kwargs={})
    with pytest.raises(KeyError, match=r"no\.model"):
        odoo.refuse("no.model", "create", "no")
    with pytest.raises(ValueError, match="times"):
        odoo.refuse("res.partner", "create", "no", times=0)


# -- one test after another ----------------------------------------------------------------------


def test_what_is_added_goes_with_the_database(assets: OdooStandIn, client: ZenooClient) -> None:
    """After a reset models, fields, constraints, rights and refusals are gone."""
    assets.add_field("res.partner", "x_tier", {"type": "char"})
    assets.add_field("sale.order", "x_tier", {"type": "char"})
    assets.add_unique("res.partner", ["ref"], "Once")
    assets.add_constraint("res.partner", lambda record: "never")
    assets.allow("limited", "res.partner", "create")
    assets.refuse("res.partner", "create", "no")
    assets.reset()

    with pytest.raises(KeyError):
        assets.records(ASSET)
    assert not {name for row in assets.records("res.partner") for name in row if name[:2] == "x_"}
    with logged_in(assets, str(client.protocol)) as anew:
        assert len(anew.create("res.partner", [{"name": "a", "ref": "r"}] * 2)) == 2
        assert "x_tier" not in anew.fields_get("sale.order")
    with (
        logged_in(assets, str(client.protocol), "limited") as limited,
        pytest.raises(AccessError),
    ):
        limited.create("res.partner", {"name": "b"})


def test_the_fixture_takes_additions(odoo_standin: OdooStandIn) -> None:
    """The plugin's fixture can be added to."""
    odoo_standin.add_model(ASSET, FIELDS)
    assert [] == odoo_standin.records(ASSET)


def test_the_fixture_forgets_them(odoo_standin: OdooStandIn) -> None:
    """What the test before added is gone, and can be added again."""
    with pytest.raises(KeyError):
        odoo_standin.records(ASSET)
    odoo_standin.add_model(ASSET, FIELDS)


# -- sales and accounting ------------------------------------------------------------------------


def test_sales_orders(odoo: OdooStandIn, client: ZenooClient) -> None:
    """An order with lines, as an integration writes it, by commands and by import."""
    product = client.create("product.product", {"name": "Screw"})
    line = {"product_id": product, "product_uom_qty": 3, "price_unit": 0.5, "name": "Screws"}
    order = client.create("sale.order", {"partner_id": 1, "order_line": [(0, 0, line)]})

    [found] = odoo.records("sale.order")
    assert (order, "New", "draft", 1) == tuple(
        found[name] for name in ("id", "name", "state", "partner_id")
    )
    assert found["date_order"]
    [made] = odoo.records("sale.order.line")
    assert {**line, "order_id": order} == {name: made[name] for name in (*line, "order_id")}
    with pytest.raises(ValidationError, match="partner_id"):
        client.create("sale.order", {})
    buyer = client.create("res.partner", {"name": "Buyer"})
    other = client.create("sale.order", {"partner_id": buyer, "date_order": "2024-01-31 08:00:00"})
    with pytest.raises(ValidationError, match=r"sale.order"):
        client.unlink("res.partner", [buyer])
    assert "2024-01-31 08:00:00" == odoo.records("sale.order")[-1]["date_order"]
    client.unlink("sale.order", [other])
    columns = ["id", "partner_id/id", "order_line/name", "order_line/product_uom_qty"]
    rows = [["shop.1", "base.main_partner", "one", "1"], ["", "", "two", "2"]]
    assert [] == client.execute_kw("sale.order", "load", [columns, rows])["messages"]
    assert [1.0, 2.0] == [row["product_uom_qty"] for row in odoo.records("sale.order.line")][1:]
    client.unlink("sale.order", [order])
    assert 2 == len(odoo.records("sale.order.line"))


def test_invoices(odoo: OdooStandIn, client: ZenooClient) -> None:
    """A bill with lines; an entry when nothing else is said."""
    line = {"name": "Screws", "quantity": 3, "price_unit": 0.5}
    move = client.create(
        "account.move",
        {
            "move_type": "in_invoice",
            "partner_id": 1,
            "ref": "R-1",
            "invoice_date": "2024-01-31",
            "invoice_line_ids": [(0, 0, line)],
        },
    )
    entry = client.create("account.move", {"ref": "R-2"})

    [bill] = client.read("account.move", [move], ["state", "line_ids", "invoice_line_ids"])
    assert "draft" == bill["state"]
    assert bill["line_ids"] == bill["invoice_line_ids"] != []
    assert [entry] == client.search("account.move", [("move_type", "=", "entry")])
    with pytest.raises(OdooError, match="Wrong value"):
        client.write("account.move", [entry], {"move_type": "gift"})


def test_their_fields_are_those_of_both_releases(servers: dict[str, OdooStandIn]) -> None:
    """Whatever the release, the same names are there."""
    names = {}
    for version, odoo in servers.items():
        odoo.reset()
        with logged_in(odoo, "jsonrpc") as client:
            names[version] = {
                model: sorted(client.fields_get(model))
                for model in ("sale.order", "sale.order.line", "account.move", "account.move.line")
            }
    assert names["19.0"] == names["14.0"]


def test_a_model_of_ours_gives_way(odoo: OdooStandIn, client: ZenooClient) -> None:
    """The user's own description of sales orders takes the place of ours, while it is not used."""
    odoo.add_model("sale.order", {"x_own": {"type": "char"}})
    assert "x_own" in client.fields_get("sale.order")
    assert "order_id" in client.fields_get("sale.order.line")
    assert "partner_id" not in client.fields_get("sale.order")
    client.fields_get("account.move")
    client.create("account.move", {})
    with pytest.raises(ValueError, match=r"account\.move.*add_field"):
        odoo.add_model("account.move", {"x_own": {"type": "char"}})


# -- what it does not know -----------------------------------------------------------------------


def test_an_unknown_model(odoo: OdooStandIn, client: ZenooClient) -> None:
    """Real Odoo's words, as a server without that module has them; the traceback tells more."""
    with pytest.raises(UserError, match=r"crm\.lead'? does") as caught:
        client.search("crm.lead")
    assert "stand-in" in caught.value.debug
    assert "add_model" in caught.value.debug


def test_an_unknown_method(odoo: OdooStandIn, client: ZenooClient) -> None:
    """A name that real Odoo has nowhere is told as there."""
    with pytest.raises(OdooError, match=r"does not exist|has no attribute") as caught:
        client.execute_kw("res.partner", "frobnicate", [], {})
    assert "stand-in" in caught.value.debug


@pytest.mark.parametrize(
    ("model", "method"),
    [
        ("res.partner", "read_group"),
        ("res.partner", "message_post"),
        ("sale.order", "action_confirm"),
        ("account.move", "action_post"),
        (ASSET, "compute_all"),
    ],
)
def test_a_method_that_real_odoo_has(
    assets: OdooStandIn, client: ZenooClient, model: str, method: str
) -> None:
    """The stand-in says that it is the one who lacks it."""
    with pytest.raises(ServerError, match=rf"stand-in.*'{model}\.{method}'") as caught:
        client.execute_kw(model, method, [], {})
    assert "builtins.NotImplementedError" == caught.value.name


def test_a_method_of_another_release(assets: OdooStandIn, client: ZenooClient, way: Any) -> None:
    """What real Odoo of this release has not is told as there, of an added model too."""
    method = "name_get" if way[0] == "19.0" else "web_save_multi"
    for model in ("res.partner", ASSET):
        with pytest.raises(OdooError, match=r"does not exist|has no attribute"):
            client.execute_kw(model, method, [], {})


def test_an_unknown_field(odoo: OdooStandIn, client: ZenooClient) -> None:
    """Real Odoo's words for a field that is not there; the traceback says who does not know it."""
    for call in (
        lambda: client.read("res.partner", [1], ["industry_id"]),
        lambda: client.search("res.partner", [("industry_id", "=", 1)]),
        lambda: client.execute_kw("res.partner", "load", [["industry_id"], [["a"]]]),
    ):
        with pytest.raises(OdooError, match="industry_id") as caught:
            call()
        assert "add_field" in caught.value.debug


def test_what_an_import_lacks(odoo: OdooStandIn, client: ZenooClient) -> None:
    """A limit, a mode, a name of several records, lines that are there: the stand-in says so."""
    rows = [["name"], [["Ann"]]]
    for name in ("_import_limit", "mode"):
        with pytest.raises(ServerError, match=rf"stand-in has no imports with '{name}'"):
            client.execute_kw("res.partner", "load", rows, context={name: 1})
    client.create("res.partner.category", [{"name": "twice"}, {"name": "twice"}])
    child = ["name", "child_ids/.id", "child_ids/name"]
    for columns, row in ((["name", "category_id"], ["a", "twice"]), (child, ["a", "3", "b"])):
        told = client.execute_kw("res.partner", "load", [columns, [row]])
        assert told["ids"] is False
        assert "The stand-in" in told["messages"][0]["message"]


def test_what_a_contact_keeps_to_itself(odoo: OdooStandIn, client: ZenooClient) -> None:
    """Nothing is worked out: an address stays where it was written."""
    company = client.create("res.partner", {"name": "A", "is_company": True, "city": "Bern"})
    child = client.create("res.partner", {"name": "b", "parent_id": company})
    assert [{"id": child, "city": False}] == client.read("res.partner", [child], ["city"])
