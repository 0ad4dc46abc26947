"""What customers owe in the books, by the report, is what the books' own reports say."""

import csv
import io
import random
import re
from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from django.urls import reverse

from fieldcamp.workspace.models import AuditEntry
from integrations.models import AcceptedBalance, Reconciliation
from integrations.reconciliation.receivables import receivables_of
from integrations.reconciliation.report import make_report
from integrations.reconciliation.verdict import keep, verdict_words
from integrations.services.reconciliation import reconcile_known, reconcile_now
from tests.faketime import process_clock
from tests.integrations.books.bookkeeper import Bookkeeper, journal, money
from tests.integrations.books.test_credits import paid_back
from tests.integrations.reconciliation.planting import DAY, Planting, named

SALE = "SalesItemLineDetail"


@pytest.fixture
def planting(company, books) -> Planting:
    return Planting(company, books)


def test_credits_and_what_is_left_of_payments_are_taken_off():
    invoices = [{"customer": "1", "balance": "70.00"}, {"customer": "2", "balance": "0.00"}, {"unreadable": True}]
    payments = [{"customer": "1", "unapplied": "20.00"}, {"customer": "3", "unapplied": "5.00"}]
    credits = [{"customer": "1", "open": "12.50"}, {"customer": "4", "open": "1.00"}]
    balances = [balance("1", "37.50"), balance("3", "-5.00"), balance("4", "-1.00")]
    found = receivables_of(invoices, payments, credits, balances)
    assert {who: (owed.credits, owed.balance, owed.apart) for who, owed in found.items()} == {
        "1": (Decimal("12.50"), Decimal("37.50"), 0),
        "3": (0, -5, 0),
        "4": (1, -1, 0),
    }


def balance(customer: str, amount: str, parent: str = "") -> dict[str, str]:
    return {"customer": customer, "name": "", "parent": parent, "balance": amount}


def test_what_nothing_explains_is_told():
    """Who has paid for a place explains itself, and what a journal entry has moved from one to the other does not."""
    invoices = [{"id": "7", "customer": "site", "balance": "10.00"}, {"id": "8", "customer": "9", "balance": "5.00"}]
    payments = [{"customer": "top", "unapplied": "0.00", "allocations": [{"invoice": "7", "amount": "90.00"}]}]
    balances = [balance("site", "100.00", "top"), balance("top", "-90.00"), balance("9", "5.00")]
    found = receivables_of(invoices, payments, [], balances)
    assert not any(owed.apart for owed in found.values())
    moved = [balance("site", "60.00", "top"), balance("top", "-50.00"), balance("9", "25.00")]
    found = receivables_of(invoices, payments, [], moved)
    assert {who: (owed.apart, owed.unexplained) for who, owed in found.items()} == {
        "site": (-40, 0), "top": (40, 0), "9": (20, 20)}  # fmt: skip
    entries = [{"customer": "9", "open": "20.00"}, {"customer": "gone", "open": "-1.00"}]
    found = receivables_of(invoices, payments, [], moved, entries)
    assert (found["9"].entries, found["9"].unexplained, found["gone"].unexplained) == (20, 0, 1)
    assert found["site"].apart and not found["site"].unexplained


class Keeper:
    """A bookkeeper who makes documents of all sorts, at random."""

    def __init__(self, books: Bookkeeper, item: str, seed: int):
        self.books, self.item, self.random = books, item, random.Random(seed)

    def amount(self, most: Decimal = Decimal(300)) -> Decimal:
        return Decimal(self.random.randint(1, max(int(most * 100), 1))) / 100

    def form(self, entity: str, customer: str, **more: Any) -> dict[str, Any]:
        price = float(self.amount())
        line = {"Amount": price, "DetailType": SALE, SALE: {"ItemRef": {"value": self.item}, "UnitPrice": price}}
        day = {"TxnDate": DAY.isoformat()}
        return self.books.add(entity, CustomerRef={"value": customer}, Line=[line], **day, **more)

    def bill(self, customer: str) -> None:
        made = self.form("Invoice", customer)
        if self.random.random() < 0.4:
            self.books.edit("Invoice", made["Id"], Deposit=float(self.amount(money(made["TotalAmt"]))))

    def credit(self, customer: str) -> None:
        self.form("CreditMemo", customer)

    def settle(self, customer: str) -> None:
        """Pays and credits what is open, each in part, and more than that."""
        where = f"WHERE CustomerRef = '{customer}' AND Balance > '0'"
        bills, memos = self.books.all("Invoice", where), self.books.all("CreditMemo", where)
        rows, paid, credited = [], Decimal(0), Decimal(0)
        for bill in self.random.sample(bills, min(len(bills), 2)):
            share = self.amount(money(bill["Balance"]))
            paid += share
            rows.append({"Amount": float(share), "LinkedTxn": [{"TxnId": bill["Id"], "TxnType": "Invoice"}]})
        for memo in memos[:1]:
            share = min(self.amount(money(memo["Balance"])), paid)
            if share:
                credited += share
                rows.append({"Amount": float(share), "LinkedTxn": [{"TxnId": memo["Id"], "TxnType": "CreditMemo"}]})
        total = paid - credited + (self.amount() if self.random.random() < 0.4 else 0)
        where = {"CustomerRef": {"value": customer}, "TxnDate": DAY.isoformat()}
        self.books.add("Payment", TotalAmt=float(total), Line=rows, **where)

    def refund(self, customer: str) -> None:
        """Pays back what is left of a payment, in part, or else of a credit memo."""
        paid = self.books.all("Payment", f"WHERE CustomerRef = '{customer}' AND UnappliedAmt > '0'")
        memos = self.books.all("CreditMemo", f"WHERE CustomerRef = '{customer}' AND Balance > '0'")
        if not (paid or memos):
            return
        amount = self.amount(money(paid[0]["UnappliedAmt"] if paid else memos[0]["Balance"]))
        back = paid_back(self.books, customer, float(amount))
        row = {"Amount": float(amount), "LinkedTxn": [{"TxnId": back["Id"], "TxnType": "Expense"}]}
        if paid:
            rows = [{name: line[name] for name in ("Amount", "LinkedTxn")} for line in paid[0]["Line"]]
            self.books.edit("Payment", paid[0]["Id"], Line=[*rows, row])
        else:
            used = {"Amount": float(amount), "LinkedTxn": [{"TxnId": memos[0]["Id"], "TxnType": "CreditMemo"}]}
            self.books.add("Payment", CustomerRef={"value": customer}, TotalAmt=0, Line=[row, used])

    def write_off(self, customer: str) -> None:
        """A journal entry on what the customer owes, in either direction."""
        sides = self.random.sample(["Debit", "Credit"], 2)
        self.books.add("JournalEntry", Line=journal(self.books, customer, float(self.amount()), *sides))

    def deposit(self, customer: str) -> None:
        """Money that is put into the bank and down to receivables, without a payment."""
        accounts = {each["AccountType"]: {"value": each["Id"]} for each in self.books.all("Account")}
        whose = {"value": customer, "type": "CUSTOMER"}
        detail = {"AccountRef": accounts["Accounts Receivable"], "Entity": whose}
        row = {"Amount": float(self.amount()), "DetailType": "DepositLineDetail", "DepositLineDetail": detail}
        self.books.add("Deposit", DepositToAccountRef=accounts["Bank"], Line=[row])

    def work(self, customers: list[str], steps: int) -> None:
        deeds = [self.bill, self.bill, self.credit, self.settle, self.settle, self.refund, self.write_off, self.deposit]
        for _ in range(steps):
            self.random.choice(deeds)(self.random.choice(customers))


def aged(books: Bookkeeper) -> dict[str, Decimal]:
    """What is open of each customer by the books' own report, by id."""
    answer = books.call("GET", "reports/AgedReceivables", params={"report_date": "2027-12-31"})

    def cells(rows: list[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
        for row in rows:
            yield row.get("ColData") or row.get("Header", {}).get("ColData") or []
            yield from cells(row.get("Rows", {}).get("Row", []))

    found = {row[0]["id"]: Decimal(row[-1]["value"] or 0) for row in cells(answer["Rows"].get("Row", [])) if row[:1]
             and "id" in row[0]}  # fmt: skip
    return {who: amount for who, amount in found.items() if amount}


def same_as_there(planting: Planting, books: Bookkeeper) -> None:
    report = reconcile_now(planting.connection)
    owed = {row.remote_id: row.balance for row in report.customers if row.balance}
    assert owed == aged(books)
    balances = {row["Id"]: money(row["Balance"]) for row in books.all("Customer")}
    assert owed == {who: balance for who, balance in balances.items() if balance}
    assert report.balance_there == sum(balances.values())
    memos = books.all("CreditMemo", "WHERE Balance > '0'")
    left: dict[str, Decimal] = defaultdict(Decimal)
    for memo in memos:
        left[memo["CustomerRef"]["value"]] += money(memo["RemainingCredit"])
    assert {row.remote_id: row.credits for row in report.customers if row.credits} == left
    assert report.credits_there == sum(row.left for row in report.credits) == sum(left.values())
    assert report.entries_there == sum(row.left for row in report.entries)
    others = {row.remote_id: row.entries for row in report.customers if row.entries}
    assert {gap.customer: gap.amount for gap in report.gaps} == others
    assert {gap.cause for gap in report.gaps} <= {"entries"}


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_what_customers_owe_there_is_what_the_books_say(planting, books, sync, seed):
    """Deposits, credits that are applied in part, payments of too much, sites of a customer; some of it is FieldCamp's,
    some the books had before."""
    clients = [planting.add_client(name) for name in ("Reed", "Lane")]
    invoices = [planting.add_invoice(client, "250") for client in clients]
    planting.pay(invoices[0], "99.95")
    keeper = Keeper(books, planting.connection.books.default_item_id, seed)
    alone = books.add("Customer", DisplayName="Before")["Id"]
    keeper.work([alone], 6)
    sync()
    site = books.add("Customer", DisplayName="Site", Job=True, ParentRef={"value": planting.remote_id(clients[0])})
    customers = [*(planting.remote_id(client) for client in clients), alone, site["Id"]]
    keeper.work(customers, 10 if seed == 1 else 40)
    same_as_there(planting, books)
    sync()
    same_as_there(planting, books)
    report = reconcile_now(planting.connection)
    assert {kind for kind, _, _ in named(report)} <= {"invoice", "payment", "customer"}  # no credit
    here = {row.client_id: row for row in report.customers if row.client_id}
    for client in clients:
        row = here[client.pk]
        assert row.there - row.credits + row.entries == row.balance


@pytest.mark.slow
def test_without_asking_nobody_knows_of_credits(planting, books, sync):
    client = planting.add_client("Reed")
    planting.add_invoice(client)
    sync()
    Keeper(books, planting.connection.books.default_item_id, 1).credit(planting.remote_id(client))
    [row] = reconcile_known(planting.connection).customers
    assert (row.credits, row.balance, row.there) == (None, None, 100)
    report = reconcile_now(planting.connection)
    assert not report.differences
    assert report.balance_there == 100 - report.credits_there < 100


@pytest.mark.slow
def test_credits_are_told_by_api_table_and_page(planting, books, sync, api, desk):
    client, other = planting.add_client("Reed"), books.add("Customer", DisplayName="=Other")
    planting.add_invoice(client)
    sync()
    keeper = Keeper(books, planting.connection.books.default_item_id, 1)
    for customer in (planting.remote_id(client), other["Id"]):
        keeper.credit(customer)
    own, foreign = sorted(books.all("CreditMemo"), key=lambda memo: memo["CustomerRef"]["value"] == other["Id"])
    at = reverse("integrations:reconciliation", args=[planting.connection.pk])
    assert "Credit memos and journal entries are read when QuickBooks is asked" in desk().get(at).content.decode()
    body = api.get("/api/v1/integrations/quickbooks/reconciliation").json()
    assert body["agrees"] and body["differences"] == []
    assert {row["quickbooks_id"]: row["open"] for row in body["credits"]} == {
        memo["Id"]: memo["Balance"] for memo in (own, foreign)
    }
    left = money(own["Balance"]) + money(foreign["Balance"])
    assert (money(body["credits_there"]), money(body["balance_there"])) == (left, 100 - left)
    table = api.get("/api/v1/integrations/quickbooks/reconciliation", {"format": "csv"}).content.decode()
    rows = {row["quickbooks_id"]: row for row in csv.DictReader(io.StringIO(table.lstrip("\ufeff")))}
    assert rows[own["Id"]]["client_id"] == client.pk and rows[foreign["Id"]]["name"] == "'=Other"
    assert {(row["kind"], row["difference"], row["cause"]) for row in rows.values()} == {("credit", "0.00", "")}
    page = desk("staff").get(at).content.decode()
    assert f"{left:,.2f} of credit memos is taken off" in page and "=Other" in page


@pytest.mark.slow
def test_a_journal_entry_on_receivables_is_named(planting, books, sync, api, desk):
    """It is the customer's difference, until somebody says that it is meant so."""
    client = planting.add_client("Reed")
    planting.add_invoice(client)
    sync()
    customer = planting.remote_id(client)
    made = books.add("JournalEntry", DocNumber="W-7", Line=journal(books, customer, 30.25, "Credit", "Debit"))
    body = api.get("/api/v1/integrations/quickbooks/reconciliation").json()
    assert (body["agrees"], body["open_there"], body["entries_there"], body["balance_there"]) == (
        False,
        100,
        -30.25,
        69.75,
    )
    [entry], [owing] = body["entries"], body["customers"]
    assert (entry["kind"], entry["number"], entry["quickbooks_id"], entry["open"]) == (
        "Journal Entry",
        "W-7",
        made["Id"],
        -30.25,
    )
    assert (entry["client_id"], owing["entries_there"], owing["balance_there"]) == (client.pk, -30.25, 69.75)
    table = api.get("/api/v1/integrations/quickbooks/reconciliation", {"format": "csv"}).content.decode()
    [row] = [row for row in csv.DictReader(io.StringIO(table.lstrip("\ufeff"))) if row["kind"] == "entry"]
    assert (row["there"], row["client_id"], row["cause"]) == ("-30.25", client.pk, "")
    [difference] = body["differences"]
    assert (difference["cause"], difference["here"], difference["there"], difference["client_id"]) == (
        "entries", 100, 69.75, client.pk)  # fmt: skip
    assert (body["amount"], body["accepted"]) == (30.25, [])

    at = reverse("integrations:reconciliation", args=[planting.connection.pk])
    accepts, staff = reverse("integrations:accept_balances", args=[planting.connection.pk]), desk("staff")
    page = staff.get(at).content.decode()
    assert "Journal Entry" in page and "W-7" in page and "Other entries there" in page
    [chosen] = re.findall(r'name="chosen" value="([^"]+)"', page)
    viewer = desk("viewer")
    assert "It is meant so" not in viewer.get(at).content.decode()
    assert viewer.post(accepts, {"chosen": chosen}).status_code in (302, 403)
    assert not AcceptedBalance.objects.exists()
    nowhere = f"entries {customer} -30.26"
    for wrong in ("", "entries", "entries 1 x", nowhere, "balance 1 2", "entries 1 sNaN", "entries 1 -Infinity"):
        assert staff.post(accepts, {"chosen": wrong}).status_code == 302
    assert not AcceptedBalance.objects.exists()
    staff.post(accepts, {"chosen": chosen})
    verdict = Reconciliation.objects.get()
    assert verdict.differences == 0 and "beside them −$30.25 of other entries" in verdict_words(
        verdict, planting.connection
    )
    assert AuditEntry.objects.filter(action="connection.balance_accepted").count() == 1
    page = staff.get(at).content.decode()
    assert "Balances that are meant so" in page and "Take back" in page
    body = api.get("/api/v1/integrations/quickbooks/reconciliation").json()
    [accepted] = body["accepted"]
    assert body["agrees"] and (accepted["client_id"], accepted["amount"]) == (client.pk, -30.25)

    # Another amount is asked about again, and no night without a reading forgets it.
    books.add("JournalEntry", DocNumber="W-8", Line=journal(books, customer, 10, "Credit", "Debit"))
    report = reconcile_now(planting.connection)
    assert [(row.difference.cause, row.difference.size) for row in report.differences] == [
        ("entries", Decimal("40.25"))
    ]
    keep(make_report(planting.connection))
    assert Reconciliation.objects.get().differences == 1 and not make_report(planting.connection).by_reading
    staff.post(accepts, {"chosen": f"entries {customer} -40.25"})
    assert Reconciliation.objects.get().differences == 0
    staff.post(accepts, {"chosen": f"entries {customer} -40.25", "undo": "1"})
    assert Reconciliation.objects.get().differences == 1


@pytest.mark.slow
def test_a_balance_that_nothing_explains_is_a_difference(planting, books, sync, desk):
    """Not even the list of what is open there says why; the night after, nobody forgets it."""
    client = planting.add_client("Reed")
    planting.add_invoice(client)
    sync()
    at = {"vendor": "intuit", "account": books.realm, "entity": "Customer", "id": planting.remote_id(client)}
    body = {"DisplayName": "Kim Reed", "Balance": 112.0, "BalanceWithJobs": 112.0}
    books.vendors.call("POST", "record", json=at | {"body": body})
    report = reconcile_now(planting.connection)
    [row] = report.differences
    assert (row.difference.cause, row.difference.size, row.difference.pair.record_id) == ("balance", 12, client.pk)
    page = desk().get(reverse("integrations:reconciliation", args=[planting.connection.pk])).content.decode()
    assert "Balance not explained" in page and "112.00" in page
    process_clock().move(3600)
    keep(reconcile_known(planting.connection))
    assert [row.difference.size for row in reconcile_known(planting.connection).differences] == [12]
    assert Reconciliation.objects.get(connection=planting.connection).differences == 1
