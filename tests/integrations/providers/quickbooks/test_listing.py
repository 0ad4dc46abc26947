"""Listings: all of it, what has changed, and what makes a list of changes unreliable."""

import datetime as dt
import json

import pytest

from integrations import errors
from integrations.providers.quickbooks import addresses, delta, listing
from integrations.records import instant, parse_instant
from tests.integrations.providers.quickbooks.conftest import (
    NOW,
    REALM,
    WINDOW,
    customer,
    invoice,
    item,
    listed,
    payment,
    update,
)

CONTAINERS = ["Customer", "Item", "Invoice", "Payment"]


def paths(intuit) -> list[str]:
    return [row["path"].rsplit("/", 1)[-1] for row in intuit.requests()]


@pytest.fixture
def few(monkeypatch):
    """Small pages and a small list of changes, so that a handful of records overflows both."""

    def limit(page: int, most: int) -> None:
        real = addresses.select
        monkeypatch.setattr(addresses, "PAGE", page)
        monkeypatch.setattr(addresses, "select", lambda *a, **k: real(*a, **{**k, "limit": page}))
        monkeypatch.setattr(delta, "MOST", most)
        monkeypatch.setattr(listing, "MOST", most)

    return limit


def test_everything_is_listed_the_inactive_too(books, made, company):
    before, _ = listed(books, "Customer")
    record = made(customer())
    company.edit("Customer", record.id, Active=False)
    after, _ = listed(books, "Customer")
    assert {row.id for row in after} - {row.id for row in before} == {record.id}


def test_categories_are_no_items(books, company, made):
    made(item())
    made_there = company.make("Item", Name="Parts", Type="Category")
    records, _ = listed(books, "Item")
    assert made_there["Id"] not in {record.id for record in records} and records
    assert books.get("Item", [made_there["Id"]])[made_there["Id"]].gone


def test_a_listing_goes_on_where_it_was_broken_off(books, fresh, few, made):
    for number in range(7):
        made(customer(number))
    few(page=3, most=1000)
    whole = {record.id for record in listed(books, "Customer")[0]}
    seen: set[str] = set()
    cursor = ""
    for _ in range(50):
        page = next(iter(fresh().changes("Customer", cursor, WINDOW)))
        seen |= {record.id for record in page.records}
        cursor = page.cursor
        if page.last:
            break
    assert page.last and seen == whole and len(whole) >= 7


def test_a_deletion_during_a_listing_makes_it_skip_nothing(books, few, made, company):
    who, what = made(customer()), made(item())
    bills = [made(invoice(who.id, what.id, number)) for number in range(6)]
    few(page=2, most=1000)
    pages = books.changes("Invoice", "", WINDOW)
    seen = {record.id for record in next(pages).records}
    company.delete("Invoice", bills[0].id)
    seen |= {record.id for page in pages for record in page.records}
    assert seen >= {bill.id for bill in bills[1:]}


def test_changes_are_those_since_the_listing_began(books, fresh, made, company):
    who = made(customer())
    _, cursor = listed(books, "Customer")
    company.edit("Customer", who.id, GivenName="Dora")
    [changed] = [record for record in listed(fresh(), "Customer", cursor)[0] if record.id == who.id]
    assert changed.fields["given_name"] == "Dora" and changed.tag != who.tag and not changed.created


def test_an_idle_run_is_one_call_and_once_a_day_the_tax_lists(books, fresh, intuit):
    cursors = {name: listed(books, name)[1] for name in [*CONTAINERS, "TaxCode"]}
    intuit.forget_requests()
    client = fresh()
    for name, cursor in cursors.items():
        listed(client, name, cursor)
    assert paths(intuit) == ["cdc"]
    intuit.forget_requests()
    read = json.loads(cursors["TaxCode"])
    yesterday = instant(parse_instant(read["read"]) - dt.timedelta(days=1))
    listed(fresh(), "TaxCode", json.dumps({**read, "read": yesterday}))
    assert paths(intuit) == ["query", "query"]


def test_a_client_that_is_asked_again_asks_again(books, made, company, intuit):
    who = made(customer())
    _, cursor = listed(books, "Customer")
    _, cursor = listed(books, "Customer", cursor)
    company.edit("Customer", who.id, GivenName="Dora")
    records, _ = listed(books, "Customer", cursor)
    assert [record.fields["given_name"] for record in records if record.id == who.id] == ["Dora"]


def test_the_cursor_follows_intuits_clock_not_ours(books, later):
    _, cursor = listed(books, "Customer")
    _, moved = listed(later(20 * 86400), "Customer", cursor)
    assert parse_instant(json.loads(moved)["since"]) > NOW + dt.timedelta(days=19)


def test_a_deleted_transaction_is_told_and_looked_at(books, fresh, made, company):
    bill = made(invoice(made(customer()).id, made(item()).id))
    _, cursor = listed(books, "Invoice")
    company.delete("Invoice", bill.id)
    [gone] = [record for record in listed(fresh(), "Invoice", cursor)[0] if record.id == bill.id]
    assert gone.gone and gone.doubtful
    assert books.get("Invoice", [bill.id])[bill.id].gone


def test_what_is_falsely_told_as_deleted_is_doubtful_and_still_there(books, fresh, made, intuit):
    bill = made(invoice(made(customer()).id, made(item()).id))
    _, cursor = listed(books, "Invoice")
    [outcome] = books.write("Invoice", [update(bill, memo="Edited")])
    intuit.call("POST", "switches", json={"vendor": "intuit", "account": REALM, "false_deleted": f"Invoice:{bill.id}"})
    [explicit] = [record for record in listed(fresh(), "Invoice", cursor)[0] if record.id == bill.id]
    assert explicit.gone and explicit.doubtful
    assert books.get("Invoice", [bill.id])[bill.id] == outcome.record


def test_a_payment_moves_its_invoice(books, fresh, made):
    who, what = made(customer()), made(item())
    bill = made(invoice(who.id, what.id))
    _, cursor = listed(books, "Invoice")
    made(payment(who.id, allocations=[{"invoice": bill.id, "amount": "30.00"}]))
    [seen] = [record for record in listed(fresh(), "Invoice", cursor)[0] if record.id == bill.id]
    assert seen.fields["balance"] == "70.00" and seen.shown["balance"] == "70.00"


def test_more_changes_than_fit_are_asked_for_one_entity_at_a_time(books, fresh, few, made, intuit):
    cursors = {name: listed(books, name)[1] for name in CONTAINERS}
    people = {made(customer(number)).id for number in range(4)}
    things = {made(item(number)).id for number in range(4)}
    few(page=1000, most=6)
    intuit.forget_requests()
    client = fresh()
    assert {record.id for record in listed(client, "Customer", cursors["Customer"])[0]} >= people
    assert {record.id for record in listed(client, "Item", cursors["Item"])[0]} >= things
    assert paths(intuit) == ["cdc", "cdc", "cdc"]


def test_a_list_that_overflows_is_queried(books, fresh, few, made, intuit):
    _, cursor = listed(books, "Customer")
    people = {made(customer(number)).id for number in range(8)}
    few(page=3, most=5)
    records, later = listed(fresh(), "Customer", cursor)
    assert {record.id for record in records} >= people
    assert "query" in paths(intuit)
    assert later >= cursor


def test_a_list_that_overflowed_within_one_moment_is_not_read_again_for_ever(books, few, later, intuit):
    _, cursor = listed(books, "Customer")
    intuit.call("POST", "bulk", json={"vendor": "intuit", "account": REALM, "customers": 8})
    few(page=3, most=5)
    records, cursor = listed(later(3600), "Customer", cursor)
    assert len(records) >= 8
    intuit.forget_requests()
    assert listed(later(60), "Customer", cursor)[0] == []
    assert [path for path in paths(intuit) if path != "token"] == ["cdc"]


def test_documents_that_overflow_are_all_read_anew_for_their_deletions(books, fresh, few, made, company):
    who, what = made(customer()), made(item())
    _, cursor = listed(books, "Invoice")
    bills = [made(invoice(who.id, what.id, number)) for number in range(8)]
    company.delete("Invoice", bills[0].id)
    few(page=3, most=5)
    with pytest.raises(errors.CursorExpired):
        listed(fresh(), "Invoice", cursor)


def test_a_crowd_of_documents_is_read_anew_once_only(books, later, few, made, company, intuit):
    who, what = made(customer()), made(item())
    _, cursor = listed(books, "Invoice")
    bills = [made(invoice(who.id, what.id, number)) for number in range(8)]
    few(page=3, most=5)
    with pytest.raises(errors.CursorExpired):
        listed(later(1), "Invoice", cursor)
    _, cursor = listed(later(10), "Invoice")
    for number in (0, 1):  # and the time after that, too
        intuit.advance(5)
        company.delete("Invoice", bills[number].id)
        company.edit("Invoice", bills[7].id, PrivateNote=f"Edit {number}")
        intuit.forget_requests()
        records, cursor = listed(later(5), "Invoice", cursor)
        assert bills[number].id in {record.id for record in records if record.gone}
        assert bills[7].id in {record.id for record in records if not record.gone}
    intuit.advance(60)
    for bill in bills[2:]:
        company.edit("Invoice", bill.id, PrivateNote="A crowd again")
    with pytest.raises(errors.CursorExpired):
        listed(later(5), "Invoice", cursor)


@pytest.mark.slow
def test_fifteen_hundred_changes_at_once(books, fresh, intuit):
    _, cursor = listed(books, "Customer")
    intuit.call("POST", "bulk", json={"vendor": "intuit", "account": REALM, "customers": 1500})
    records, later = listed(fresh(), "Customer", cursor)
    assert len({record.id for record in records}) >= 1500
    assert paths(intuit).count("cdc") <= 3
    assert json.loads(later)["since"] >= json.loads(cursor)["since"]


@pytest.mark.parametrize(
    "cursor",
    [
        json.dumps({"since": instant(NOW - dt.timedelta(days=30))}),
        "what", "[]", "{}", json.dumps({"since": 7}), json.dumps({"since": "soon"}),
        json.dumps({"since": instant(NOW), "begin": instant(NOW), "at": "x"}),
    ],
    ids=range(7),  # without the time in them: test processes must agree on the names
)  # fmt: skip
def test_what_quickbooks_or_we_have_forgotten_is_read_anew(books, cursor):
    with pytest.raises(errors.CursorExpired):
        listed(books, "Customer", cursor)


def test_a_moment_that_intuit_does_not_reach_back_to(books, later):
    _, cursor = listed(books, "Customer")
    with pytest.raises(errors.CursorExpired):
        listed(later(31 * 86400), "Customer", cursor)


def test_tax_codes_are_told_once_and_again_when_they_change(books, intuit, monkeypatch):
    records, cursor = listed(books, "TaxCode")
    assert {record.fields["name"] for record in records} >= {"California", "Tucson"}
    assert not {record.id for record in records} & {"TAX", "NON"}
    assert listed(books, "TaxCode", cursor)[0] == []
    from integrations.providers.quickbooks.mapping import taxes

    real = taxes.percent
    monkeypatch.setattr(taxes, "percent", lambda rate, today: real(rate, today) + 1)
    assert listed(books, "TaxCode", cursor)[0] == []  # believed for a day…
    books.want("TaxCode")  # …or until somebody wants to know
    changed, _ = listed(books, "TaxCode", cursor)
    assert changed[0].tag not in {record.tag for record in records}


def test_a_list_that_is_none_of_ours(books):
    with pytest.raises(errors.Rejected):
        listed(books, "Vendor")
