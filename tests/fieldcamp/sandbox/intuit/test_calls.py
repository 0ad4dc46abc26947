"""Who may call, in which words, how often; calls that are sent twice; and what the control calls order."""

import pytest
import requests

from fieldcamp.sandbox.mount import URL

from .conftest import NORTHERN, code


def gateway(response):
    return response.status_code, response.json()["fault"]["error"][0]["code"]


def test_without_a_live_token_nothing_is_told(books):
    url = f"{books.base}/customer/1"
    plain = books.session.get(url, headers={"Accept": "application/json"})
    assert gateway(plain) == (401, "3200")
    assert plain.headers["WWW-Authenticate"] == 'Bearer realm="Intuit", error="invalid_token"'
    wrong = books.session.get(url, headers={"Authorization": "Bearer nonsense"})
    assert gateway(wrong) == (401, "3200") and wrong.json()["fault"]["type"] == "AUTHENTICATION"


def test_a_token_is_good_for_its_company_alone(books):
    headers = {"Authorization": f"Bearer {books.token['access_token']}"}
    for realm in (NORTHERN, "1", "9130001x"):
        answer = books.session.get(f"{URL}/intuit/api/v3/company/{realm}/preferences", headers=headers)
        assert gateway(answer) == (403, "3100") and answer.json()["fault"]["type"] == "SERVICE"


def test_every_answer_has_a_number_and_a_time(books):
    for answer in (books.call("GET", "preferences"), books.call("GET", "customer/1")):
        assert answer.headers["intuit_tid"].startswith("1-") and answer.json()["time"].endswith("-08:00")


@pytest.mark.parametrize("accept", ["*/*", "application/xml"])
def test_without_asking_for_json_it_is_xml(books, accept):
    made = books.create("customer", DisplayName="Smith & <Sons>")
    answer = books.call("GET", f"customer/{made['Id']}", headers={"Accept": accept})
    assert answer.headers["Content-Type"].startswith("application/xml")
    assert "<DisplayName>Smith &amp; &lt;Sons&gt;</DisplayName>" in answer.text
    refused = books.call("GET", "customer/999", headers={"Accept": accept})
    assert refused.status_code == 400 and '<Error code="610">' in refused.text


@pytest.mark.parametrize(
    ("body", "kind", "expected"),
    [
        (b"{", "application/json", "2010"),
        (b"[" * 100_000, "application/json", "2010"),
        (b'"text"', "application/json", "2010"),
        (b'{"DisplayName": NaN}', "application/json", "2010"),
        (b'{"DisplayName": "\xff"}', "application/json", "500"),
        (b"<Customer/>", "application/xml", "500"),
        (b'{"DisplayName": "A"}', "", "500"),
    ],
)
def test_bodies_that_are_refused(books, body, kind, expected):
    headers = {"Authorization": f"Bearer {books.token['access_token']}", "Accept": "application/json"}
    answer = books.session.post(f"{books.base}/customer", data=body, headers=headers | {"Content-Type": kind})
    assert code(answer) == (400, expected)


def test_a_lapsed_subscription_leaves_reading(books):
    made = books.create("customer", DisplayName="Amy")
    books.switch(subscription="lapsed")
    assert code(books.change("customer", made, Notes="x")) == (400, "6190")
    assert code(books.post("customer", {"DisplayName": "Ben"})) == (400, "6190")
    assert books.get("customer", made["Id"]).items() >= made.items()
    books.switch(subscription=None)
    assert books.changed("customer", made, Notes="x")["SyncToken"] == "1"


def test_who_is_no_administrator_any_more_is_shut_out(books):
    books.switch(user_is_admin=False)
    assert code(books.call("GET", "preferences")) == (401, "120")


@pytest.mark.parametrize("switch", [{"horn": True}, {"subscription": 5}, {"rotate_every_refresh": True}])
def test_switches_that_a_company_does_not_have(books, switch):
    body = {"vendor": "intuit", "account": books.account} | switch
    assert books.control("switches", body).status_code == 400
    assert books.control("switches", {"vendor": "google", "x": 1}).status_code == 400


def throttled(books):
    books.control("throttle", {"vendor": "intuit", "enabled": True})


def test_ten_calls_a_second(books, clock):
    throttled(books)
    answers = [books.call("GET", "preferences").status_code for _ in range(11)]
    assert answers == [200] * 10 + [429]
    refused = books.call("GET", "preferences")
    assert code(refused) == (429, "3001") and "ThrottleExceeded" in refused.text
    clock.now += 1
    assert books.call("GET", "preferences").status_code == 200


@pytest.mark.slow
def test_five_hundred_calls_a_minute_and_forty_batches(books, clock):
    throttled(books)
    for n in range(500):
        clock.now += 0.11
        assert books.call("GET", "preferences").status_code == 200, n
    assert code(books.call("GET", "preferences")) == (429, "3001")
    clock.now += 61
    batches = 0
    while books.post("batch", {"BatchItemRequest": []}).status_code == 200:
        batches += 1
        clock.now += 0.2
    assert batches == 40
    assert books.call("GET", "preferences").status_code == 200


def test_a_call_sent_twice_is_done_once(books):
    first = books.post("customer", {"DisplayName": "Amy"}, requestid="r-1", minorversion=75)
    again = books.post("customer", {"DisplayName": "Amy"}, requestid="r-1", minorversion=75)
    assert first.json()["Customer"] == again.json()["Customer"]
    assert books.query("select count(*) from Customer") == {"totalCount": 1}
    assert code(books.post("customer", {"DisplayName": "Amy"}, requestid="r-2")) == (400, "6240")


def test_a_refusal_is_repeated_too_even_when_it_would_work_now(books):
    amy = books.create("customer", DisplayName="Amy")
    assert code(books.post("vendor", {"DisplayName": "Amy"}, requestid="r-1")) == (400, "6240")
    books.changed("customer", amy, DisplayName="Anna")
    assert code(books.post("vendor", {"DisplayName": "Amy"}, requestid="r-1")) == (400, "6240")
    assert books.post("vendor", {"DisplayName": "Amy"}, requestid="r-2").status_code == 200


def test_a_request_id_is_for_one_call_of_one_company_for_a_day(books, northern, clock):
    books.post("customer", {"DisplayName": "Amy"}, requestid="r-1")
    assert code(books.post("customer", {"DisplayName": "Ben"}, requestid="r-1")) == (400, "600")
    assert code(books.post("vendor", {"DisplayName": "Amy"}, requestid="r-1")) == (400, "600")
    assert northern.post("customer", {"DisplayName": "Ben"}, requestid="r-1").status_code == 200
    assert code(books.post("customer", {"DisplayName": "Ben"}, requestid="r" * 51)) == (400, "2130")
    assert code(books.post("customer", {"DisplayName": "Ben"}, requestid="")) == (400, "2130")
    clock.now += 86401
    books.sign_in()
    assert books.post("customer", {"DisplayName": "Ben"}, requestid="r-1").status_code == 200


def test_an_answer_can_be_lost_after_the_work_is_done(books):
    books.fault(kind="drop_after_commit", path="/customer")
    with pytest.raises(requests.ConnectionError):
        books.post("customer", {"DisplayName": "Amy"}, requestid="r-1")
    again = books.post("customer", {"DisplayName": "Amy"}, requestid="r-1").json()["Customer"]
    assert again["SyncToken"] == "0" and books.query("select count(*) from Customer") == {"totalCount": 1}


def test_the_other_faults(books):
    books.fault(kind="drop", path="/customer")
    with pytest.raises(requests.ConnectionError):
        books.post("customer", {"DisplayName": "Amy"})
    assert books.query("select count(*) from Customer") == {"totalCount": 0}
    books.fault(kind="status", status=503)
    assert code(books.call("GET", "preferences")) == (503, "10000")
    books.fault(kind="status", status=429)
    assert code(books.call("GET", "preferences")) == (429, "3001")
    books.fault(kind="status", status=401)
    assert gateway(books.call("GET", "preferences")) == (401, "3200")
    books.fault(kind="expire_token")
    assert gateway(books.call("GET", "preferences")) == (401, "3200")
    assert gateway(books.call("GET", "preferences")) == (401, "3200")
