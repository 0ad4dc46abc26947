"""The sample companies and what is in their books. Thousands of records on request are in `bulk`."""

from datetime import date, timedelta
from typing import TYPE_CHECKING

from fieldcamp.sandbox.intuit import engine, messy, preferences, samples, tax, terms
from fieldcamp.sandbox.intuit.amounts import cents, decimal, number
from fieldcamp.sandbox.intuit.books import Books
from fieldcamp.sandbox.intuit.bulk import make as bulk
from fieldcamp.sandbox.intuit.entity import Body

if TYPE_CHECKING:
    from fieldcamp.sandbox.intuit import Intuit

__all__ = ["bulk", "fill"]

SERVICES, GOODS = "87", "79"  # the accounts that take what is earned


def fill(intuit: "Intuit", seed: str) -> None:
    """Makes the two companies and, for "demo" and "messy", some of their business."""
    for company in samples.COMPANIES:
        _company(intuit, company)
    if seed == "demo":
        _plumbing(intuit.books(samples.PLUMBING))
        _northern(intuit.books(samples.NORTHERN))
    elif seed == "messy":
        messy.fill(intuit.books(samples.PLUMBING))
        messy.fill_foreign(intuit.books(samples.NORTHERN))


def _company(intuit: "Intuit", company: samples.Company) -> None:
    """A company as it is on its first day: lists and choices, but no business yet."""
    intuit.store.add_company(company.realm, company.name, company.zone)
    books = intuit.books(company.realm)
    address = {"Id": books.store.next_id(company.realm, "Address"), **company.address}
    info = preferences.company_info(company.name, company.country, address, company.email)
    books.insert("CompanyInfo", info, "1")
    books.insert("Preferences", preferences.preferences(company.currency), "1")
    for account in samples.ACCOUNTS:
        _account(books, *account)
    for term_id, text, days in samples.TERMS:
        books.insert("Term", terms.standard(text, days), term_id)
    for method_id, text in samples.PAYMENT_METHODS:
        kind = "CREDIT_CARD" if text in ("Visa", "MasterCard") else "NON_CREDIT_CARD"
        books.insert("PaymentMethod", {"Name": text, "Active": True, "Type": kind}, method_id)
    _tax_lists(books, foreign=company.country != "US")


def _account(books: Books, account_id: str, name: str, kind: str, subtype: str) -> None:
    draft: Body = {"Name": name, "AccountType": kind, "AccountSubType": subtype}
    books.entities["Account"].prepare(books, draft, None, draft)
    books.insert("Account", draft | {"FullyQualifiedName": name}, account_id)


def _tax_lists(books: Books, foreign: bool) -> None:
    agencies = samples.CANADIAN_AGENCIES if foreign else samples.US_AGENCIES
    rates = samples.CANADIAN_RATES if foreign else samples.US_RATES
    codes = samples.CANADIAN_CODES if foreign else samples.US_CODES
    for agency_id, name in agencies:
        books.insert("TaxAgency", tax.agency_body(name), agency_id)
    labels = {}
    for rate_id, name, percent, agency in rates:
        labels[rate_id] = name
        books.insert("TaxRate", tax.rate_body(name, percent, agency), rate_id)
    for code_id, name, description, parts in codes:
        body = tax.code_body(name, description, [(each, labels[each]) for each in parts])
        books.insert("TaxCode", body, code_id)


def _plumbing(books: Books) -> None:
    items = [_item(books, *item) for item in samples.ITEMS]
    customers = [_write(books, "Customer", body)["Id"] for body in samples.CUSTOMERS]
    gone = _write(books, "Customer", samples.INACTIVE)
    _write(books, "Customer", {"Id": gone["Id"], "SyncToken": gone["SyncToken"], "sparse": True, "Active": False})
    _write(books, "Vendor", {"DisplayName": samples.VENDOR})
    given, family = samples.EMPLOYEE
    _write(books, "Employee", {"GivenName": given, "FamilyName": family})
    for customer, days_ago, lines, code, paid in samples.INVOICES:
        sold = [(items[item], quantity) for item, quantity in lines]
        invoice = _invoice(books, customers[customer], days_ago, sold, code)
        if paid:
            _payment(books, invoice, invoice["TotalAmt"] if paid == "all" else float(paid), days_ago - 9)


def _northern(books: Books) -> None:
    items = [_item(books, *item) for item in samples.NORTHERN_ITEMS]
    customers = [_write(books, "Customer", body)["Id"] for body in samples.NORTHERN_CUSTOMERS]
    _invoice(books, customers[0], 20, [(items[0], "1"), (items[1], "4")], "2")


def _item(books: Books, name: str, price: str, taxable: bool, kind: str, text: str, sku: str) -> Body:
    """An item, its money booked as a service or as goods."""
    account = {"value": SERVICES if kind == "Service" else GOODS}
    body: Body = {"Name": name, "Type": kind, "IncomeAccountRef": account, "UnitPrice": number(decimal(price))}
    body |= {"Taxable": taxable} | ({"Description": text} if text else {}) | ({"Sku": sku} if sku else {})
    return _write(books, "Item", body)


def _invoice(books: Books, customer: str, days_ago: int, sold: list[tuple[Body, str]], code: str) -> Body:
    """An invoice; a code stands in its header, or in a foreign company on its lines."""
    foreign = tax.mode(books) == preferences.TaxMode.FOREIGN
    lines = []
    for item, text in sold:
        quantity, price = decimal(text), decimal(item["UnitPrice"])
        line_code = code if foreign else ("TAX" if item["Taxable"] else "NON")
        detail = {
            "ItemRef": {"value": item["Id"]},
            "Qty": number(quantity),
            "UnitPrice": number(price),
            "TaxCodeRef": {"value": line_code},
        }
        words = {"Description": item["Description"]} if "Description" in item else {}
        amount = number(cents(quantity * price))
        lines.append(words | {"Amount": amount, "DetailType": "SalesItemLineDetail", "SalesItemLineDetail": detail})
    header = {"TxnTaxDetail": {"TxnTaxCodeRef": {"value": code}}} if code and not foreign else {}
    day = _day(books, days_ago)
    return _write(books, "Invoice", {"CustomerRef": {"value": customer}, "TxnDate": day, "Line": lines} | header)


def _payment(books: Books, invoice: Body, amount: float, days_ago: int) -> None:
    links = [{"TxnId": invoice["Id"], "TxnType": "Invoice"}]
    body = {
        "CustomerRef": {"value": invoice["CustomerRef"]["value"]},
        "TotalAmt": amount,
        "TxnDate": _day(books, days_ago),
        "PaymentMethodRef": {"value": "2"},
        "PaymentRefNum": f"{2000 + int(invoice['Id'])}",
        "Line": [{"Amount": amount, "LinkedTxn": links}],
    }
    _write(books, "Payment", body)


def _day(books: Books, days_ago: int) -> str:
    return (date.fromisoformat(books.today) - timedelta(days=days_ago)).isoformat()


def _write(books: Books, entity: str, body: Body) -> Body:
    return engine.write(books, books.entities[entity], body)
