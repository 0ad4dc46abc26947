"""The query language: what it finds, pages, and refuses."""

import pytest

from .business import Business
from .conftest import code

PEOPLE = ("Amy's Bird Sanctuary", "Bill 100%", "bill_Lucchini", r"Back\slash", "Zoë's Café")


@pytest.fixture
def people(books):
    return [books.create("customer", DisplayName=name, CompanyName=f"C{n}") for n, name in enumerate(PEOPLE)]


def found(books, where, entity="Customer", field="DisplayName"):
    return [row[field] for row in books.query(f"select * from {entity} {where}").get(entity, [])]


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        (r"where DisplayName = 'amy\'s bird sanctuary'", PEOPLE[:1]),
        (r"where DisplayName = 'Back\\slash'", PEOPLE[3:4]),
        ("where displayname like 'BILL%'", PEOPLE[1:3]),
        ("where DisplayName like 'bill_l%'", PEOPLE[2:3]),
        ("where DisplayName like '%100%'", PEOPLE[1:2]),
        ("where DisplayName in ('Bill 100%', 'nobody', 'bill_lucchini')", PEOPLE[1:3]),
        ("where DisplayName = 'Zoë\\'s Café'", PEOPLE[4:]),
        ("where CompanyName >= 'C2' and CompanyName < 'c4' orderby CompanyName desc", (PEOPLE[3], PEOPLE[2])),
        ("where Balance = '0' ORDER BY CompanyName ASC MAXRESULTS 2 STARTPOSITION 2", PEOPLE[1:3]),
        ("WHERE Balance > 0", ()),
        ("where Active = false", ()),
        ("where Active IN (true, false) and CompanyName = 'c0'", PEOPLE[:1]),
    ],
)
def test_conditions(books, people, where, expected):
    assert found(books, where) == list(expected)


def test_ids_and_times(books, people, clock):
    ids = [each["Id"] for each in people]
    assert found(books, f"where Id = '{ids[1]}'") == [PEOPLE[1]]
    assert len(found(books, f"where id in ('{ids[0]}', '{ids[4]}')")) == 2
    clock.now += 1800
    changed = books.changed("customer", people[2], Notes="x")["MetaData"]["LastUpdatedTime"]
    assert changed == "2026-11-22T04:30:00-08:00"
    for since in (changed, "2026-11-22T12:30:00Z", "2026-11-22T13:30:00.000+01:00", "2026-11-22T04:30:00"):
        assert found(books, f"where MetaData.LastUpdatedTime >= '{since}'") == [PEOPLE[2]], since
    assert len(found(books, f"where MetaData.LastUpdatedTime < '{changed}' orderby MetaData.LastUpdatedTime")) == 4


def test_the_shape_of_an_answer(books, people):
    answer = books.query("select * from customer startposition 2 maxresults 2")
    assert (answer["startPosition"], answer["maxResults"], len(answer["Customer"])) == (2, 2, 2)
    assert "totalCount" not in answer and answer["Customer"][0]["sparse"] is False
    assert books.query("select count(*) from Customer where CompanyName > 'C2'") == {"totalCount": 2}
    assert books.query("select * from Customer where DisplayName = 'nobody'") == {}


def test_ids_are_sorted_as_numbers(books):
    ids = [books.create("customer", DisplayName=f"C{n:02}")["Id"] for n in range(12)]
    assert found(books, "orderby Id desc", field="Id") == ids[::-1]


def test_a_projection_brings_sparse_objects(books, people):
    rows = books.query("select Id, SyncToken, DisplayName from Customer maxresults 1")["Customer"]
    assert rows == [
        {"Id": people[0]["Id"], "SyncToken": "0", "DisplayName": PEOPLE[0], "domain": "QBO", "sparse": True}
    ]
    assert books.query("select *, Sku from Customer maxresults 1")["Customer"][0]["sparse"] is False


def test_inactive_rows_show_only_when_asked_for(books, people):
    books.changed("customer", people[0], Active=False)
    assert len(found(books, "")) == 4
    assert len(found(books, "where Active in (true, false)")) == 5
    assert found(books, "where Active = false") == [f"{PEOPLE[0]} (deleted)"]


def test_a_page_is_a_hundred_rows_unless_said_otherwise(books):
    assert books.control("bulk", {"vendor": "intuit", "account": "9130001", "customers": 1001}).status_code == 200
    assert len(found(books, "")) == 100
    assert len(found(books, "maxresults 1000")) == 1000
    assert len(found(books, "startposition 1001 maxresults 1000")) == 1


def test_it_can_be_posted(books, people):
    said = "select * from Customer where DisplayName = 'Zoë\\'s Café'".encode()
    sent = {"Authorization": f"Bearer {books.token['access_token']}", "Accept": "application/json"}
    url = f"{books.base}/query?minorversion=75"
    answer = books.session.post(url, data=said, headers=sent | {"Content-Type": "application/text"})
    assert [each["DisplayName"] for each in answer.json()["QueryResponse"]["Customer"]] == [PEOPLE[4]]
    assert code(books.session.post(url, data=said, headers=sent | {"Content-Type": "application/xml"})) == (400, "500")


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("", "4000"),
        ("select", "4000"),
        ("drop table Customer", "4000"),
        ("select * from Customer where", "4000"),
        ("select * from Customer where DisplayName", "4000"),
        ("select * from Customer where DisplayName != 'a'", "4000"),
        ('select * from Customer where DisplayName = "a"', "4000"),
        ("select * from Customer where DisplayName = 'it's'", "4000"),
        ("select * from Customer where DisplayName = 'a' or DisplayName = 'b'", "4000"),
        ("select * from Customer where (DisplayName = 'a')", "4000"),
        ("select * from Customer, Item", "4000"),
        ("select * from Customer group by DisplayName", "4000"),
        ("select * from Customer; delete", "4000"),
        ("select * from Customer maxresults ten", "4000"),
        ("select * from Customer startposition 0", "4001"),
        ("select * from Customer maxresults 0", "4001"),
        ("select * from Customer maxresults 1001", "4001"),
        ("select * from Unicorn", "4001"),
        ("select * from Customer where Notes = 'x'", "4001"),
        ("select * from Customer where Horn = 'x'", "4001"),
        ("select Horn from Customer", "4001"),
        ("select * from Customer orderby Notes", "4001"),
        ("select * from Customer where Id > '1'", "4001"),
        ("select * from Customer where Id like '1%'", "4001"),
        ("select * from Customer where Balance = 'much'", "4001"),
        ("select * from Customer where Active = 'x'", "4001"),
        ("select * from Customer where MetaData.LastUpdatedTime > 'yesterday'", "4001"),
        ("select * from Invoice where PrivateNote = 'x'", "4001"),
        ("select * from Payment where DocNumber = '1'", "4001"),
    ],
)
def test_statements_that_are_refused(books, people, statement, expected):
    assert code(books.call("GET", "query", query=statement)) == (400, expected)


def test_the_words_of_a_refusal(books):
    error = books.call("GET", "query", query="select * from Customer startposition 0").json()["Fault"]["Error"][0]
    assert error["Detail"] == "QueryValidationError: value 0 is too small. Min allowed value is 1"
    error = books.call("GET", "query", query="select * from Customer where Notes='x'").json()["Fault"]["Error"][0]
    assert error["Detail"] == "QueryValidationError: property 'Notes' is not queryable"


def test_an_entity_that_there_is_not(books):
    """As a production company answered a query of `Check`."""
    error = books.call("GET", "query", query="select * from Check").json()["Fault"]["Error"][0]
    assert (error["Message"], error["code"]) == ("Invalid query", "4001")
    assert error["Detail"] == "QueryValidationError: invalid context declaration: Check"


def test_transactions_are_counted_in_their_pages_and_names_are_not(books):
    business = Business(books)
    business.bill()
    business.bill()
    assert books.query("select * from Invoice maxresults 1")["totalCount"] == 1
    assert "totalCount" not in books.query("select * from Customer")
