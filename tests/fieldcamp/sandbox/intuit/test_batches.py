"""Batches: up to thirty items, each with an outcome of its own."""

import pytest
import requests

from fieldcamp.sandbox.app import create_app
from fieldcamp.sandbox.mount import mount

from .business import Business
from .conftest import QuickBooks, code


def make(n, name=None, **more):
    return {"bId": str(n), "operation": "create", "Customer": {"DisplayName": name or f"C{n}"} | more}


def send(books, *items, **query):
    response = books.post("batch", {"BatchItemRequest": list(items)}, **query)
    assert response.status_code == 200, response.text
    return {each["bId"]: each for each in response.json()["BatchItemResponse"]}


def fault(outcome):
    return outcome["Fault"]["Error"][0]["code"]


def test_each_item_has_an_outcome_of_its_own(books):
    business = Business(books)
    bill = business.bill()
    other = books.create("customer", DisplayName="Ben")
    outcomes = send(
        books,
        make(1, "Amy"),
        make(2, "BEN"),
        {
            "bId": "3",
            "operation": "update",
            "Customer": {"Id": other["Id"], "SyncToken": "0", "sparse": True, "Notes": "x"},
        },
        {"bId": "4", "operation": "delete", "Invoice": {"Id": bill["Id"], "SyncToken": bill["SyncToken"]}},
        {"bId": "5", "Query": "select count(*) from Customer"},
        {"bId": "6", "Query": "select nonsense"},
    )
    assert outcomes["1"]["Customer"]["SyncToken"] == "0" and fault(outcomes["2"]) == "6240"
    assert (outcomes["3"]["Customer"]["SyncToken"], outcomes["3"]["Customer"]["Notes"]) == ("1", "x")
    assert outcomes["4"]["Invoice"] == {"domain": "QBO", "status": "Deleted", "Id": bill["Id"]}
    assert outcomes["5"]["QueryResponse"] == {"totalCount": 3} and fault(outcomes["6"]) == "4000"
    assert set(outcomes["2"]) == {"bId", "Fault"}


def test_thirty_items_are_the_most(books):
    assert len(send(books, *(make(n) for n in range(30)))) == 30
    refused = books.post("batch", {"BatchItemRequest": [make(n, f"D{n}") for n in range(31)]})
    assert code(refused) == (400, "1040")
    assert books.query("select count(*) from Customer") == {"totalCount": 30}


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        ({"bId": "1", "operation": "void", "Invoice": {"Id": "1", "SyncToken": "0"}}, "500"),
        ({"bId": "1", "operation": "create", "Unicorn": {}}, "2010"),
        ({"bId": "1", "operation": "create"}, "2010"),
        ({"bId": "1", "Customer": {"DisplayName": "A"}}, "500"),
        ({"bId": "1", "operation": "create", "Customer": []}, "2010"),
        ({"bId": "1", "operation": "update", "Customer": {"DisplayName": "A"}}, "2020"),
        ({"bId": "1", "operation": "create", "Customer": {"DisplayName": "A"}, "Vendor": {"DisplayName": "B"}}, "2010"),
        ({"bId": "1", "operation": "delete", "Customer": {"Id": "1", "SyncToken": "0"}}, "500"),
    ],
)
def test_items_that_are_refused(books, item, expected):
    outcomes = send(books, item, make(2))
    assert fault(outcomes["1"]) == expected and "Customer" in outcomes["2"]


@pytest.mark.parametrize(
    "body", [{}, {"BatchItemRequest": {}}, {"BatchItemRequest": ["x"]}, {"BatchItemRequest": [{"operation": "create"}]}]
)
def test_batches_that_cannot_be_read(books, body):
    assert books.post("batch", body).status_code == 400


def test_item_ids_must_differ(books):
    assert code(books.post("batch", {"BatchItemRequest": [make(1), make(1, "B")]})) == (400, "2010")


def test_a_thousand_rows_in_all(books):
    books.control("bulk", {"vendor": "intuit", "account": books.account, "customers": 600})
    query = {"Query": "select Id from Customer maxresults 600"}
    outcomes = send(books, {"bId": "1"} | query, {"bId": "2"} | query)
    assert outcomes["1"]["QueryResponse"]["maxResults"] == 600 and fault(outcomes["2"]) == "1040"


def test_a_batch_sent_twice_is_done_once_when_its_items_ids_are_the_same(books):
    first = send(books, make(1), make(2), requestid="b-1")
    assert send(books, make(1), make(2), requestid="b-1") == first
    others = send(books, make(3, "C1"), make(4, "C2"), requestid="b-1")
    assert [fault(each) for each in others.values()] == ["6240", "6240"]
    body = {"BatchItemRequest": [make(1), make(2, "Another")]}
    assert code(books.post("batch", body, requestid="b-1")) == (400, "600")
    assert code(books.post("batch", {"BatchItemRequest": [make(1)]}, requestid="b" * 37)) == (400, "2130")
    long = {"BatchItemRequest": [make("12345678901")]}
    assert code(books.post("batch", long, requestid="b-2")) == (400, "2130")
    assert books.post("batch", long).status_code == 200


def test_a_lost_answer_of_a_batch_can_be_asked_for_again(books):
    books.fault(kind="drop_after_commit", path="/batch$")
    with pytest.raises(requests.ConnectionError):
        send(books, make(1), requestid="b-1")
    assert send(books, make(1), requestid="b-1")["1"]["Customer"]["SyncToken"] == "0"


def test_faults_can_be_ordered_for_single_items(books):
    books.fault(kind="status", status=429, path="/customer$", after=1)
    outcomes = send(books, make(1), make(2), make(3))
    assert fault(outcomes["2"]) == "3001" and "Customer" in outcomes["1"] and "Customer" in outcomes["3"]


def test_the_log_counts_the_items(books):
    send(books, make(1), make(2), make(3))
    log = books.control("requests", method="GET", vendor="intuit").json()
    assert [row["items"] for row in log if row["path"].endswith("/batch")] == [3]


def test_a_batch_takes_its_time_where_the_sandbox_is_served(clock):
    app = create_app(seed="empty", clock=clock, as_slow_as_usual=True)
    session = requests.Session()
    served = QuickBooks(session, mount(session, app))
    served.sign_in()

    def took(*items):
        before = served.adapter.waited
        body, bearer = {"BatchItemRequest": list(items)}, f"Bearer {served.token['access_token']}"
        answer = session.post(f"{served.base}/batch", json=body, headers={"Authorization": bearer}, timeout=130)
        return answer.status_code, round(served.adapter.waited - before, 3)

    writes = [make(n) for n in range(30)]
    assert took(*writes) == (200, 9)
    assert took({"bId": "1", "Query": "select * from Customer"}, make(40)) == (200, 0.3)
    served.create("customer", DisplayName="Alone")
    assert served.adapter.waited == pytest.approx(9.3)
    served.control("latency", {"vendor": "intuit", "per_request_ms": 50, "per_write_ms": 4_100})
    assert took(*(make(n) for n in range(41, 70))) == (200, pytest.approx(118.95))
    # Intuit gives up after two minutes; what the batch has written is written.
    assert took(*(make(n) for n in range(70, 100))) == (504, 120)
    assert served.query("select count(*) from Customer")["totalCount"] == 91
    served.control("latency", {"vendor": "intuit"})
    assert took(make(100)) == (200, 0)
    served.control("reset", {"seed": "empty"})
    served.sign_in()
    assert took(make(1)) == (200, 0.3)
    app.close()


def test_a_batch_takes_no_time_in_a_program_of_one_s_own(books):
    send(books, make(1), make(2))
    assert books.adapter.waited == 0
    books.control("latency", {"vendor": "intuit", "per_write_ms": 100})
    send(books, make(3), make(4))
    assert books.adapter.waited == pytest.approx(0.2)
    assert books.control("latency", {"per_write_ms": -1}).status_code == 400
