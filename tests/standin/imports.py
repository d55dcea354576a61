"""Programs of imports, which every server of a release must answer alike (see `programs`)."""

from collections.abc import Callable
from typing import Any

from .conversation import Talk

PARTNER = "res.partner"
TAG = "res.partner.category"
COUNTRY = "res.country"
PRODUCT = "product.product"
RATE = "res.currency.rate"
EXTERNAL = "ir.model.data"
GONE = 99_999_999


def names(s: Talk, *more: Any) -> None:
    """Ask for the external ids that the program made."""
    fields = ["module", "name", "complete_name", "model", "res_id", "noupdate", "display_name"]
    fields += ["create_uid", "write_uid"]
    domain = [["name", "like", s.tag], ["model", "!=", "product.template"], *more]
    for row in s.quiet(EXTERNAL, "search_read", domain, fields):
        s.answers.append(s.normal({**row, "id": 0}, False))


def external_ids(s: Talk) -> None:
    """An import creates under new external ids and updates under known ones."""
    columns = ["id", "name", "email"]
    rows = [[f"{s.tag}_a", s.tag, "a"], [f"m.{s.tag}_a", s.tag, "b"], ["", s.tag, "c"]]
    made = s(PARTNER, "load", columns, rows)["ids"]
    names(s)
    s(PARTNER, "load", columns, [[f"__import__.{s.tag}_a", f"{s.tag} 2", ""], *rows[1:]])
    s(PARTNER, "read", made, ["name", "email", "create_uid", "lang", "type", "active"])
    s(PARTNER, "search_count", [["name", "like", s.tag]])
    s.answers.append(s.normal(list(s.quiet(PARTNER, "get_external_id", made).values()), False))
    s(PARTNER, "unlink", made[:1])
    names(s)
    s(PARTNER, "load", columns, rows)
    one = s.quiet(PARTNER, "load", ["id", "name"], [[f"{s.tag} space", s.tag]])
    s.answers.append([one["ids"], one["messages"][0]["message"].splitlines()[0]])
    s(PARTNER, "load", ["id", "name"], [[f"{s.tag}_n", s.tag]], context={"module": "n"})
    s(PARTNER, "load", ["id", "name"], [[f"{s.tag}_o", s.tag]], context={"noupdate": True})
    names(s, ["name", "in", [f"{s.tag}_n", f"{s.tag}_o"]])


def same_id_twice(s: Talk) -> None:
    """Two rows with one external id are about one record, and the last one wins."""
    rows = [[f"{s.tag}_a", f"{s.tag} 1", "x"], [f"{s.tag}_b", s.tag, ""], [f"{s.tag}_a", s.tag, ""]]
    made = s(PARTNER, "load", ["id", "name", "ref"], rows)["ids"]
    s(PARTNER, "read", sorted(set(made)), ["name", "ref"])
    s(PARTNER, "load", ["id", "name", "ref"], rows)
    s(PARTNER, "search_count", [["name", "like", s.tag]])
    s(PARTNER, "load", ["id", "name"], [*rows, [f"{s.tag}_c", ""]])
    s(PARTNER, "search_count", [["name", "like", s.tag]])


def database_ids(s: Talk) -> None:
    """A record may be named by its database id; an archived one is not found."""
    made = s(PARTNER, "create", [{"name": s.tag}, {"name": s.tag, "active": False}])
    s(PARTNER, "load", [".id", "name"], [[str(made[0]), f"{s.tag} 2"]])
    s(PARTNER, "load", [".id", "name"], [[made[0], f"{s.tag} 3"]])
    s(PARTNER, "load", [".id", "id", "name"], [[made[0], f"{s.tag}_x", f"{s.tag} 4"]])
    s(PARTNER, "read", made, ["name"])
    s(PARTNER, "load", [".id", "name"], [[str(GONE), s.tag]])
    archived = s.quiet(PARTNER, "load", [".id", "name"], [[str(made[1]), s.tag]])
    s.answers.append(archived["ids"])


def texts_and_numbers(s: Talk) -> None:
    """Numbers, flags, options and dates are read from texts; an empty text is no value."""
    columns = ["name", "email", "color", "active", "type", "is_company"]
    rows = [
        [s.tag, "", "5", "no", "other", "yes"],
        [s.tag, "x", "", "TRUE", "", "0"],
        [s.tag, False, 7, "1", "invoice", ""],
        [f"  {s.tag} ", "x", " 3 ", "False", "contact", "true"],
    ]
    made = s(PARTNER, "load", columns, rows)["ids"]
    s(PARTNER, "read", made, columns)
    s(PARTNER, "load", ["name", "color"], [[s.tag, "red"], [s.tag, "1.5"], [s.tag, str(2**31)]])
    if s.series >= 19:
        s(PARTNER, "load", ["name", "active"], [[s.tag, "maybe"], [s.tag, "no"]])
    s(PARTNER, "load", ["name", "active"], [[s.tag, True]])
    labels = ["Invoice", "Delivery Address", "OTHER", "bogus", "100%"]
    for label in labels:
        s(PARTNER, "load", ["name", "type"], [[s.tag, label]])
    usd = ["name", "rate", "currency_id/id"]
    made = s(RATE, "load", usd, [["2001-1-5", "2.5", "base.USD"]])["ids"]
    s(RATE, "read", made, ["name", "rate"])
    s(RATE, "load", usd, [["2001-02-30", "abc", "base.USD"]])
    s(RATE, "load", usd, [["2001-01-06", "1", "base.XXX"]])
    s(RATE, "unlink", made)


def references(s: Talk) -> None:
    """A reference is given by external id, database id or name."""
    for column, given in (
        ("country_id/id", ["base.ch", "base.uk", "", "no"]),
        ("country_id/id", ["base.nope", "ch"]),
        ("country_id/.id", ["43", "", "0", 20]),
        ("country_id/.id", [str(GONE), "abc"]),
        ("country_id", ["Switzerland", "CH", "", "Belgium"]),
        ("country_id", ["nope", "switzerland", "100%"]),
        ("country_id:id", ["base.ch"]),
        ("country_id.id", ["43"]),
        ("country_id/name", ["Switzerland"]),
        ("parent_id/id", ["base.main_partner"]),
    ):
        found = s(PARTNER, "load", ["name", column], [[s.tag, one] for one in given])["ids"]
        if found:
            s(PARTNER, "read", found, ["country_id", "parent_id"])
    s(PARTNER, "load", ["name", "country_id", "country_id/id"], [[s.tag, "Belgium", "base.be"]])
    s(PARTNER, "load", ["name", "country_id"], [[s.tag, "Belgium"], [s.tag]])


def ids_of_another_model(s: Talk) -> None:
    """19 refuses an external id that is of another model; 14 takes it over for a new record."""
    made = s(PARTNER, "create", {"name": s.tag})
    vals = {"module": "hand", "name": s.tag, "model": COUNTRY, "res_id": made}
    row = s(EXTERNAL, "create", vals)
    found = s.quiet(PARTNER, "load", ["id", "name"], [[f"hand.{s.tag}", f"{s.tag} 2"]])
    for message in found["messages"]:
        message["message"] = message["message"].replace(str(row), "ROW")
    s.answers.append(s.normal(found, False))
    s(PARTNER, "read", [made], ["name"])
    s(EXTERNAL, "read", [row], ["model", "res_id"])
    wrong = {"module": "hand", "name": f"{s.tag}_w", "model": PARTNER, "res_id": 43}
    row = s(EXTERNAL, "create", wrong)
    s(PARTNER, "load", ["name", "country_id/id"], [[s.tag, f"hand.{s.tag}_w"]])
    s(EXTERNAL, "unlink", [row])


def references_in_one_call(s: Talk) -> None:
    """A row may refer to the record of an earlier row, by external id and by name."""
    home = {"street": "S1", "city": "C1", "country_id": 43, "vat": "V1"}
    top = s(PARTNER, "create", {"name": f"{s.tag} old", "is_company": True, **home})
    columns = ["id", "name", "is_company", "street", "parent_id/id"]
    rows = [
        [f"{s.tag}_top", f"{s.tag} top", "1", "S2", ""],
        [f"{s.tag}_kid", "kid", "", "", f"{s.tag}_top"],
        [f"{s.tag}_two", "two", "", "S3", f"{s.tag}_top"],
    ]
    made = s(PARTNER, "load", columns, rows)["ids"]
    s(PARTNER, "read", made, ["display_name", "parent_id"])
    by_name = [[f"{s.tag} x", ""], ["y", f"{s.tag} x"], ["z", f"{s.tag} old"]]
    made = s(PARTNER, "load", ["name", "parent_id"], by_name)["ids"]
    s(PARTNER, "read", made, ["display_name", "parent_id"])
    s(PARTNER, "load", ["name", "parent_id/.id"], [["w", str(top)]])
    s(PARTNER, "load", columns, [rows[2], [f"{s.tag}_new", "new", "", "", f"{s.tag}_late"]])


def tags(s: Talk) -> None:
    """A cell of a many2many holds several records with commas between."""
    rows = [[f"{s.tag}_{one}", f"{s.tag} {one}"] for one in "ab"]
    made = s(TAG, "load", ["id", "name"], rows)["ids"]
    a, b = made
    for column, cell in (
        ("category_id", f"{s.tag} a,{s.tag} b"),
        ("category_id", f"{s.tag} a, {s.tag} b"),
        ("category_id/id", f"{s.tag}_b,__import__.{s.tag}_a"),
        ("category_id/id", f"{s.tag}_b,{s.tag}_c"),
        ("category_id/.id", f"{a},{b}"),
        ("category_id/id", ""),
    ):
        found = s(PARTNER, "load", ["name", column], [[s.tag, cell]])["ids"]
        if found:
            s(PARTNER, "read", found, ["category_id"])


def children(s: Talk) -> None:
    """Rows without values of their own are further children of the record above."""
    columns = ["name", "child_ids/name", "child_ids/email"]
    rows = [[s.tag, "a", "x"], ["", "b", ""], ["", "c", "y"], [f"{s.tag} 2", "", ""]]
    made = s(PARTNER, "load", columns, rows)["ids"]
    fields = ["name", "parent_id", "email"]
    for row in s.quiet(PARTNER, "search_read", [["parent_id", "in", made]], fields, order="id"):
        s.answers.append(s.normal({**row, "id": 0}, False))
    s(PARTNER, "load", ["name", "child_ids/color"], [[s.tag, "red"]])


def refused_records(s: Talk) -> None:
    """What the database refuses is told with its field, and nothing is written."""
    s(PARTNER, "load", ["name", "email"], [[s.tag, "x"], ["", "x"], [s.tag, "x"], ["", ""]])
    s(PARTNER, "load", ["name"], [[s.tag], []])
    s(PARTNER, "search_count", [["name", "=", s.tag]])
    s(COUNTRY, "load", ["name", "code"], [[s.tag, "CH"]])
    s(COUNTRY, "load", ["name", "code"], [["", "Q1"]])
    s(COUNTRY, "load", ["name", "code"], [[f"{s.tag} 1", "Q1"], [f"{s.tag} 2", "Q1"]])
    s(PARTNER, "load", ["name", "website"], [["", "x"]] * 3)
    s(TAG, "load", ["name"], [[""]])
    s("res.currency", "load", ["name", "symbol"], [["", ""]])


def odd_columns(s: Talk) -> None:
    """A column that is no field refuses the whole call."""
    for columns in (["name", "nofield"], ["name", "country_id/nofield"]):
        s(PARTNER, "load", columns, [[s.tag, "x"]])
    s(PARTNER, "load", ["nofield"], [])
    s(PARTNER, "load", ["name"], [])
    s(PARTNER, "load", [], [])
    s(PARTNER, "load", ["name"])
    s(PARTNER, "load")
    s(PARTNER, "load", ["name"], [[s.tag]], 5)


def external_ids_by_hand(s: Talk) -> None:
    """The rows behind external ids are records like others, unique by module and name."""
    made = s(PARTNER, "create", {"name": s.tag})
    vals = {"module": "hand", "name": s.tag, "model": PARTNER, "res_id": made}
    row = s(EXTERNAL, "create", vals)
    s(EXTERNAL, "create", vals)
    s(EXTERNAL, "create", {**vals, "name": f"{s.tag} x"})
    s(EXTERNAL, "create", {"name": s.tag})
    s(EXTERNAL, "create", {"model": PARTNER, "module": "hand"})
    bare = s(EXTERNAL, "create", {"name": f"{s.tag}_b", "model": PARTNER})
    fields = ["res_id", "module", "complete_name", "display_name", "noupdate"]
    s(EXTERNAL, "read", [row, bare], fields)
    s(PARTNER, "load", ["id", "name"], [[f"hand.{s.tag}", f"{s.tag} 2"]])
    s(PARTNER, "read", [made], ["name"])
    s(EXTERNAL, "search_count", [["module", "=", "hand"], ["name", "=", s.tag]])
    s(EXTERNAL, "search_count", [["module", "=", "base"], ["name", "=", "ch"]])
    s(EXTERNAL, "write", [bare], {"module": "hand", "name": s.tag})
    s(PARTNER, "unlink", [made])
    s(EXTERNAL, "search_count", [["module", "=", "hand"], ["name", "=", s.tag]])
    s(EXTERNAL, "unlink", [bare])
    s(EXTERNAL, "read", [bare], ["name"])
    about = ["type", "string", "required", "readonly", "store"]
    s(EXTERNAL, "fields_get", ["name", "complete_name", "module", "res_id", "noupdate"], about)


def limited_imports(s: Talk) -> None:
    """A user with few rights imports nothing, and on 19 does not even read external ids."""
    s(PARTNER, "load", ["id", "name"], [[f"{s.tag}_a", s.tag], [f"{s.tag}_b", s.tag]])
    s(PARTNER, "load", [".id", "name"], [["1", s.tag]])
    s(PARTNER, "load", ["name"], [])
    s(PARTNER, "load", ["name", "country_id/id"], [[s.tag, "base.nope"]])
    found = s.quiet(
        EXTERNAL, "search_read", [["module", "=", "base"], ["name", "=", "ch"]], ["model"]
    )
    s.answers.append([row["model"] for row in found] if isinstance(found, list) else found)
    s(EXTERNAL, "create", {"module": "hand", "name": s.tag, "model": PARTNER})
    s(EXTERNAL, "write", [1], {"name": s.tag})
    s(COUNTRY, "get_external_id", [43])


ADMIN: list[Callable[[Talk], None]] = [
    external_ids,
    same_id_twice,
    database_ids,
    texts_and_numbers,
    references,
    ids_of_another_model,
    references_in_one_call,
    tags,
    children,
    refused_records,
    odd_columns,
    external_ids_by_hand,
]
LIMITED: list[Callable[[Talk], None]] = [limited_imports]
