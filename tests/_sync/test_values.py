"""Values of every kind on their way into a database and back."""

import base64
import dataclasses
import enum
import struct
import uuid
import zlib
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from fractions import Fraction

import attrs
import pytest

from zenoo_rpc.sync import (
    BatchExecutionError,
    BatchValidationError,
    InvalidValueError,
    QuestionError,
    Status,
    ZenooClient,
    from_wire,
)

from ..proxy import Proxy
from .accounts import log_in

NEW_YORK = timezone(timedelta(hours=-5))
REF = uuid.UUID("5f0c1b1e-7f5e-4a39-9a52-0c2c6f7f3a11")
LONG = "längst 🚀 " * 100_000

# every way in which values are written; the last three write to records that are there already
WAYS = ["create", "bulk_create", "batch", "write", "bulk_update", "write_many"]


class Address(enum.Enum):
    """The type of a partner, as an enumeration."""

    CONTACT = "contact"
    INVOICE = "invoice"


class Job(enum.StrEnum):
    """A text that is an enumeration too."""

    CHEF = "chef de cuisine"


class Color(enum.IntEnum):
    """A number that is an enumeration too."""

    BLUE = 4


@attrs.frozen
class Partner:
    """A partner as an attrs class."""

    name: str
    ref: uuid.UUID | None
    type: Address
    function: Job | None
    color: int
    country_id: int | None
    city: str
    active: bool


@dataclasses.dataclass
class Rate:
    """A currency's rate as a dataclass; `name` is its date."""

    name: date
    rate: Decimal
    currency_id: int = 1


@attrs.frozen
class Child:
    """A contact inside a company."""

    name: str
    type: Address


VALUES = [  # field, value, what is stored
    ("function", "Ärztin 🚀 漢字 עברית", "Ärztin 🚀 漢字 עברית"),
    (
        "function",
        "'\"\\ <b>&amp;</b>\ttab\nline \u2028 end",
        "'\"\\ <b>&amp;</b>\ttab\nline \u2028 end",
    ),
    ("function", Job.CHEF, "chef de cuisine"),
    ("type", Address.INVOICE, "invoice"),
    ("ref", REF, "5f0c1b1e-7f5e-4a39-9a52-0c2c6f7f3a11"),
    ("city", None, False),
    ("city", False, False),
    ("is_company", True, True),
    ("active", False, False),
    ("color", Color.BLUE, 4),
    ("color", 2**31 - 1, 2**31 - 1),
    ("country_id", 43, 43),
    ("country_id", None, False),
    # a field of text keeps what came over the wire
    ("street", date(2026, 3, 1), "2026-03-01"),
    ("street", datetime(2026, 3, 1, 8, 30, 15, 999_999), "2026-03-01 08:30:15"),  # noqa: DTZ001
    ("street", datetime(2026, 3, 1, 23, 30, tzinfo=NEW_YORK), "2026-03-02 04:30:00"),
]


def put(client, way, model, records, blank):
    """Bring records into the database in one of WAYS; return their ids."""
    manager = client.batch_manager
    match way:
        case "create":
            return client.create(model, records)
        case "bulk_create":
            return manager.bulk_create(model, records, chunk_size=4)
        case "batch":
            with client.batch(chunk_size=4) as batch:
                handle = batch.create(model, iter(records))
            return handle.ids
    ids = manager.bulk_create(model, blank)
    match way:
        case "write":
            for record_id, record in zip(ids, records, strict=True):
                client.write(model, record_id, record)
        case "bulk_update":
            manager.bulk_update(model, [{"id": n, **r} for n, r in _both(ids, records)])
        case "write_many":
            with client.batch(chunk_size=4) as batch:
                batch.write_many(model, [{"id": n, "values": r} for n, r in _both(ids, records)])
    return ids


def _both(ids, records):
    return zip(ids, records, strict=True)


def png():
    """Return the smallest of pictures, which a server keeps as it is."""

    def chunk(kind, data):
        check = zlib.crc32(kind + data)
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", check)

    header = struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0)
    pixels = zlib.compress(b"\x00\x10\x20\xff")
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        [chunk(b"IHDR", header), chunk(b"IDAT", pixels), chunk(b"IEND", b"")]
    )


@pytest.mark.parametrize("way", WAYS)
def test_values_of_every_kind_are_stored(client, server, way):
    """Each value is in the database in the form that Odoo itself gives it, whatever the way."""
    records = [{"name": f"{n}", field: value} for n, (field, value, _) in enumerate(VALUES)]
    blank = [{"name": "blank", "city": "Bern", "country_id": 12}] * len(records)

    ids = put(client, way, "res.partner", records, blank)

    rows = {row["id"]: row for row in server.rows("res.partner")}
    assert [str(n) for n in range(len(VALUES))] == [rows[number]["name"] for number in ids]
    assert [(field, stored) for field, _, stored in VALUES] == [
        (field, rows[number][field]) for number, (field, _, _) in _both(ids, VALUES)
    ]


def test_a_very_long_text_is_stored(client, server):
    """A million characters, most of them ASCII, come in and back without a change."""
    (number,) = client.batch_manager.bulk_create(
        "res.partner", [{"name": "Ann", "function": LONG}]
    )

    (row,) = server.rows("res.partner")
    (read,) = client.read("res.partner", number, ["function"])
    assert LONG == row["function"]
    assert LONG == read["function"]


def test_attrs_records_come_back_as_they_went(client, server):
    """What was written from an attrs class is read into it again, equal."""
    partners = [
        Partner("Änne", REF, Address.INVOICE, Job.CHEF, 4, 43, "Zürich", True),
        Partner("Bob", None, Address.CONTACT, None, 0, None, "", False),
    ]

    ids = client.batch_manager.bulk_create("res.partner", partners)

    rows = client.read("res.partner", ids, [each.name for each in attrs.fields(Partner)])
    assert partners == from_wire(rows, list[Partner])
    assert [43, False] == [row["country_id"] for row in server.rows("res.partner")]


@pytest.mark.parametrize("way", WAYS)
def test_dates_and_decimals_come_back_as_they_went(client, server, way):
    """A dataclass with a date and a Decimal goes into a date and a float field."""
    rates = [Rate(date(2031, 1, n), Decimal("1.25") * n) for n in range(1, 7)]
    records = [dataclasses.asdict(rate) for rate in rates]
    if way == "bulk_create":
        records = rates  # the class itself
    blank = [Rate(date(2032, 1, n), Decimal(1)) for n in range(1, 7)]

    ids = put(client, way, "res.currency.rate", records, blank)

    rows = {row["id"]: (row["name"], row["rate"]) for row in server.rows("res.currency.rate")}
    assert [(f"2031-01-0{n}", 1.25 * n) for n in range(1, 7)] == [rows[number] for number in ids]
    read = client.read("res.currency.rate", ids, ["name", "rate", "currency_id"])
    assert rates == from_wire(read, list[Rate])


def test_exact_numbers_go_into_a_float_field(client):
    """A Decimal, a Fraction and a float are prices, and can be read as Decimals."""
    prices = [Decimal("12.30"), Fraction(1, 4), 0.1, 7]

    ids = client.batch_manager.bulk_create(
        "product.product", [{"name": "Product", "list_price": price} for price in prices]
    )

    rows = client.read("product.product", ids, ["list_price"])
    assert [12.3, 0.25, 0.1, 7] == [row["list_price"] for row in rows]
    assert [Decimal("12.3"), Decimal("0.25"), Decimal("0.1"), Decimal(7)] == [
        from_wire(row["list_price"], Decimal) for row in rows
    ]


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_bytes_go_into_a_binary_field(client, kind):
    """A picture is read back byte by byte; None empties the field."""
    manager = client.batch_manager
    (number,) = manager.bulk_create(
        "res.partner", [{"name": "Ann", "image_1920": kind(png())}]
    )

    (read,) = client.read("res.partner", number, ["image_1920"])
    assert png() == from_wire(read["image_1920"], bytes)
    assert png() == base64.b64decode(read["image_1920"])

    manager.bulk_update("res.partner", [number], {"image_1920": None})
    (read,) = client.read("res.partner", number, ["image_1920"])
    assert read["image_1920"] is False


@pytest.mark.real_odoo  # the stand-in has no attachments
def test_bytes_of_every_value_are_an_attachment(client):
    """A binary field that is no picture keeps any bytes."""
    content = bytes(range(256)) * 1000

    (number,) = client.batch_manager.bulk_create(
        "ir.attachment", [{"name": "all.bin", "datas": content}]
    )

    (read,) = client.read("ir.attachment", number, ["datas", "file_size"])
    assert len(content) == read["file_size"]
    assert content == from_wire(read["datas"], bytes)


@pytest.mark.real_odoo  # the stand-in has no time that RPC may write
@pytest.mark.parametrize("way", WAYS)
def test_times_go_into_a_datetime_field(client, server, way):
    """An aware time is stored in UTC, a naive one as it is; both come back aware, in UTC."""
    (pricelist,) = client.create("product.pricelist", [{"name": "Prices"}])
    times = [
        (datetime(2031, 7, 1, 20, 15, tzinfo=NEW_YORK), "2031-07-02 01:15:00"),
        (datetime(2031, 7, 1, 20, 15, 59, 999_999, tzinfo=UTC), "2031-07-01 20:15:59"),
        (datetime(2031, 7, 1, 20, 15), "2031-07-01 20:15:00"),  # noqa: DTZ001
        (None, False),
    ]
    records = [{"pricelist_id": pricelist, "date_start": time} for time, _ in times]
    blank = [{"pricelist_id": pricelist, "date_start": "2030-01-01 00:00:00"}] * len(times)

    ids = put(client, way, "product.pricelist.item", records, blank)

    rows = {row["id"]: row["date_start"] for row in server.rows("product.pricelist.item")}
    assert [stored for _, stored in times] == [rows[number] for number in ids]
    read = client.read("product.pricelist.item", ids, ["date_start"])
    given = {row["id"]: from_wire(row["date_start"], datetime | None) for row in read}
    assert times[0][0] == given[ids[0]]
    assert [UTC, UTC, UTC] == [given[number].tzinfo for number in ids[:3]]
    assert given[ids[3]] is None


# every way in which records are made, those with external ids included
MAKING = ["create", "bulk_create", "batch", "stream", "import", "import stream"]


def outcomes(client, way, model, records):
    """Make records in one of MAKING, one call of one record for each; return what is told."""
    names = None if way[:6] != "import" else lambda record: f"r{records.index(record)}"
    match way:
        case "create":
            told = []
            for record in records:
                try:
                    told.append(client.create(model, [record]))
                except InvalidValueError as error:
                    told.append(str(error))
            return told
        case "stream" | "import stream":
            stream = client.batch_manager.stream(model, records, external_ids=names, chunk_size=1)
            with stream:
                return [_told(each) for each in stream]
        case "batch":
            try:
                with client.batch(chunk_size=1) as batch:
                    handle = batch.create(model, iter(records))
            except BatchExecutionError:
                pass
            return [_told(each) for each in handle.result]
    try:
        return client.batch_manager.bulk_create(model, records, external_ids=names)
    except BatchValidationError as error:
        return [str(each) for each in error.errors]


def _told(outcome):
    return [outcome.id] if outcome.error is None else str(outcome)


@pytest.mark.parametrize("way", MAKING)
def test_the_day_of_a_time_with_a_zone(client, server, way):
    """A Date field gets the day in the time's own zone, a Datetime field the time in UTC."""
    zurich, manila = timezone(timedelta(hours=2)), timezone(timedelta(hours=8))
    times = [
        (datetime(2031, 7, 1, 0, 0, tzinfo=zurich), "2031-07-01"),
        (datetime(2031, 7, 2, 23, 59, tzinfo=NEW_YORK), "2031-07-02"),
        (datetime(2031, 7, 3, 3, 0, tzinfo=manila), "2031-07-03"),
        (datetime(2031, 7, 4, 12, 0, tzinfo=UTC), "2031-07-04"),
        (datetime(2031, 7, 5, 23, 0), "2031-07-05"),  # noqa: DTZ001
    ]
    records = [{"name": time, "rate": 2, "currency_id": 1} for time, _ in times]

    told = outcomes(client, way, "res.currency.rate", records)

    ids = [each[0] if isinstance(each, list) else each for each in told]
    rows = {row["id"]: row["name"] for row in server.rows("res.currency.rate")}
    assert [day for _, day in times] == [rows[number] for number in ids]


@pytest.mark.parametrize("way", ["write", "bulk_update", "write_many", "same"])
def test_the_day_is_updated_so(client, server, way):
    """So it is where records are changed."""
    time = datetime(2031, 7, 1, 0, 0, tzinfo=timezone(timedelta(hours=2)))
    records, blank = [{"name": time}], [Rate(date(2032, 1, 1), Decimal(1))]
    if way == "same":
        ids = client.batch_manager.bulk_create("res.currency.rate", blank)
        client.batch_manager.bulk_update("res.currency.rate", {"name": time}, record_ids=ids)
    else:
        ids = put(client, way, "res.currency.rate", records, blank)
    rows = {row["id"]: row["name"] for row in server.rows("res.currency.rate")}
    assert ["2031-07-01"] == [rows[number] for number in ids]


@pytest.mark.parametrize("way", MAKING)
def test_bytes_in_a_field_that_is_not_binary(client, server, way):
    """They are refused before they are sent: as base64 they would be taken for a text."""
    before = server.count("res.partner")
    records = [{"name": "Ann"}, {"name": "Bob", "ref": b"7"}]
    if way != "import":
        records.append({"name": "Co", "child_ids": [(0, 0, {"name": bytearray(b"Eve")})]})

    told = outcomes(client, way, "res.partner", records)

    bad = [each for each in told if isinstance(each, str)]
    assert "ref': bytes go into binary fields, and this is a char" in bad[0]
    if way not in ("import", "import stream"):
        assert "child_ids[0][2].name': bytes go into binary fields, and this is a char" in bad[1]
    sent = 0 if way in ("bulk_create", "import") else 1
    assert before + sent == server.count("res.partner")


def test_bytes_in_an_update(client, server):
    """So they are in updates; the error names the record where there is one."""
    (ann,) = client.batch_manager.bulk_create("res.partner", [{"name": "Ann"}])
    with pytest.raises(InvalidValueError, match=r"^field 'values.name': bytes go into binary"):
        client.write("res.partner", ann, {"name": b"Bob"})
    with pytest.raises(BatchValidationError, match=r"partner: field 'name': bytes go into"):
        client.batch_manager.bulk_update("res.partner", {"name": b"Bob"}, record_ids=[ann])
    with pytest.raises(BatchValidationError, match=r"record 1: field 'name': bytes go into"):
        client.batch_manager.bulk_update(
            "res.partner", [{"id": ann, "ref": "7"}, {"id": ann + 1, "name": b"Bob"}]
        )
    assert [("Ann", False)] == [(row["name"], row["ref"]) for row in server.rows("res.partner")]


def test_types_are_asked_for_once(flaky, proxy):
    """For each model and client, and only where a value's form depends on its field's type."""

    def asked():
        return sum(b"fields_get" in each.body for each in proxy.exchanges)

    manager = flaky.batch_manager
    manager.bulk_create("res.partner", [{"name": "Ann", "color": 3}])
    assert 0 == asked()
    for _ in range(2):
        flaky.create("res.partner", {"name": "Bob", "image_1920": png()})
        manager.bulk_create("res.partner", [{"name": "Cid", "image_1920": png()}] * 3)
        manager.bulk_create("res.partner", [{"name": "Dan"}], external_ids=["dan"])
        assert 1 == asked()


def test_without_the_types_nothing_is_sent(flaky, proxy, server):
    """What the type decides is not guessed."""
    before = server.count("res.partner")
    proxy.rule("drop_answer", nth=range(1, 99), when=lambda body: b"fields_get" in body)
    record = {"name": "Bob", "image_1920": png()}
    with pytest.raises(QuestionError, match=r"a question about res\.partner got no answer"):
        flaky.create("res.partner", record)
    for records in ([record], iter([{"name": "Ann"}, record])):
        with pytest.raises(BatchExecutionError) as caught:
            flaky.batch_manager.bulk_create("res.partner", records, on_unknown="stop")
        assert {Status.NOT_SENT} == {each.status for each in caught.value.result}
        [*_, last] = caught.value.result
        assert isinstance(last.error, QuestionError)
    assert before == server.count("res.partner")


def test_times_are_compared_in_utc(client):
    """A time of another zone in a domain finds what was made at that moment."""
    number = client.create("res.partner", {"name": "Ann"})
    (read,) = client.read("res.partner", number, ["create_date"])
    made = from_wire(read["create_date"], datetime).astimezone(NEW_YORK)

    def between(start, end):
        return [("id", "=", number), ("create_date", ">=", start), ("create_date", "<", end)]

    second = timedelta(seconds=1)
    assert [number] == client.search("res.partner", between(made, made + second))
    assert [] == client.search("res.partner", between(made + second, made + 2 * second))
    assert [] == client.search("res.partner", between(made - second, made))


def test_commands_change_relations(client, server):
    """Tuples are commands; what is inside of them is converted as well."""
    manager = client.batch_manager
    one, two, three = manager.bulk_create(
        "res.partner.category", [{"name": name} for name in ("one", "two", "three")]
    )

    ann, bob = manager.bulk_create(
        "res.partner",
        [
            {"name": "Ann", "is_company": True, "category_id": [(6, 0, (one, two))]},
            {
                "name": "Bob",
                "is_company": True,
                "category_id": [(4, one)],
                "child_ids": [
                    (0, 0, {"name": "Cid", "ref": REF, "type": Address.INVOICE}),
                    (0, 0, Child("Dan", Address.CONTACT)),
                ],
            },
        ],
    )
    assert [[one, two], [one]] == tags(client, ann, bob)
    assert [("Cid", str(REF), "invoice"), ("Dan", False, "contact")] == [
        (row["name"], row["ref"], row["type"]) for row in server.rows("res.partner", parent_id=bob)
    ]

    manager.bulk_update("res.partner", {"category_id": [(4, three)]}, record_ids=[ann, bob])
    manager.bulk_update("res.partner", [{"id": ann, "category_id": [(3, one)]}])
    assert [[two, three], [one, three]] == tags(client, ann, bob)

    manager.bulk_update("res.partner", [ann, bob], {"category_id": ((5,), (4, two))})
    assert [[two], [two]] == tags(client, ann, bob)


def tags(client, *partners):
    """Return the ids of the tags of each partner."""
    rows = client.read("res.partner", partners, ["category_id"])
    return [sorted(row["category_id"]) for row in rows]


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (float("nan"), "NaN"),
        (float("-inf"), "infinities"),
        (Decimal("NaN"), "NaN"),
        (Decimal("sNaN"), "NaN"),
        (2**64, "64 bits"),
        ("lone \udc80", "surrogate"),
        ([(0, 0, {"name": "Cid", "color": float("nan")})], "NaN"),
        pytest.param(object(), "object", id="object"),
        ({1: "one"}, "field's name"),
    ],
    ids=str,
)
def test_what_has_no_wire_form_is_refused_by_its_place(server, value, reason):
    """The error names index and field, and not one request is sent."""
    good, bad = {"id": 1, "ref": "good"}, {"id": 2, "ref": value}

    with Proxy(server.host, server.port) as proxy:
        with ZenooClient(proxy.url) as client:
            log_in(client, server)
            before = len(proxy.exchanges)
            manager = client.batch_manager
            refused = []
            with pytest.raises(BatchValidationError, match=reason) as caught:
                manager.bulk_create("res.partner", [{"ref": "good"}, {"ref": value}])
            refused.append(caught.value)
            with pytest.raises(BatchValidationError, match=reason) as caught:
                manager.bulk_update("res.partner", [good, bad])
            refused.append(caught.value)
            with client.batch() as batch:
                with pytest.raises(BatchValidationError, match=reason) as caught:
                    batch.create("res.partner", [{"ref": "good"}, {"ref": value}])
            refused.append(caught.value)
            assert before == len(proxy.exchanges)

    assert [1, 1, 1] == [error.index for error in refused]
    assert all("field 'ref" in str(error) for error in refused)
    assert 0 == server.count("res.partner")
