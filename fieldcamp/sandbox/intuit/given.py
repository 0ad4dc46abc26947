"""Objects that are shown exactly as they were given, as QuickBooks' own pages may leave them.

Such an object is kept twice: plainly, so that everything else can work with it, and under `RAW` as it was given. What
changes afterwards (a balance, a link, a name) is shown as it is now; a write by an app ends it.
"""

import json
from typing import Any

from fieldcamp.sandbox.days import parse_day
from fieldcamp.sandbox.http import BadInput
from fieldcamp.sandbox.intuit import preferences
from fieldcamp.sandbox.intuit.books import Books
from fieldcamp.sandbox.intuit.entity import UNIVERSAL, Body, Entity
from fieldcamp.sandbox.intuit.line_kinds import DISCOUNT, GROUP, TEXT
from fieldcamp.sandbox.intuit.line_kinds import SALES as SALES_LINE

RAW = "~given"
DEEPEST, MOST = 20, 99999999999
LISTS = ("Line", "LinkedTxn", "TaxLine", "ItemGroupLine", "TaxRateDetail", "EffectiveTaxRate", "NameValue")
NUMBERS = frozenset(
    {
        *("Amount", "TotalAmt", "Balance", "BalanceWithJobs", "UnappliedAmt", "RemainingCredit", "TotalTax", "Deposit"),
        *("Qty", "UnitPrice", "QtyOnHand", "PurchaseCost", "RateValue", "TaxInclusiveAmt", "NetAmountTaxable"),
        *("TaxPercent", "DiscountPercent", "HourlyRate", "Quantity"),
    }
)
DAYS = frozenset({"TxnDate", "DueDate", "InvStartDate"})
TEXTS = frozenset({"DisplayName", "Name", "FullyQualifiedName", "DocNumber", "PrivateNote", "Type", "DetailType"})
SALES = ("Invoice", "CreditMemo", "Estimate", "SalesReceipt", "RefundReceipt")


def plain(books: Books, entity: Entity, given: Body) -> Body:
    """The same object as the sandbox itself keeps one, with all that its own rules rely on."""
    _check(own(given), "", 0)
    tidied: Body = _tidied(own(given))
    if entity.single:
        return _filled(_usual(books, entity), tidied)
    _complete(books, entity, tidied)
    if entity.names and not tidied.get(entity.names.field):
        raise BadInput(f"{entity.names.field} is missing.")
    return tidied


def own(given: Body) -> Body:
    """Without what the books themselves say of an object: its id, its version, its times."""
    return {name: each for name, each in given.items() if name not in UNIVERSAL and name != RAW}


def shown(body: Body, answer: Body) -> Body:
    """Turns the usual answer for an object into what was given, apart from what has changed since."""
    raw = body[RAW]
    given, kept = raw["given"], raw["kept"]
    result = {name: each for name, each in given.items() if name in body and body[name] == kept.get(name)}
    changed = (name for name in body if name != RAW and (name not in kept or body[name] != kept[name]))
    result |= {name: answer[name] for name in changed if name in answer}
    return result | {name: answer[name] for name in ("domain", "sparse", "Id", "SyncToken", "MetaData")}


def _check(value: Any, name: str, depth: int) -> None:
    """Refuses what no page of QuickBooks could leave, so that the sandbox itself does not stumble over it later."""
    if depth > DEEPEST:
        raise BadInput("The body is nested too deeply.")
    if name in LISTS and not (isinstance(value, list) and all(isinstance(each, dict) for each in value)):
        raise BadInput(f"{name} must be a list of objects.")
    if _is_reference(name) and not (isinstance(value, dict) and isinstance(value.get("value"), str)):
        raise BadInput(f'{name} must be an object with a "value".')
    if name.endswith(("LineDetail", "Addr", "TxnTaxDetail")) and not isinstance(value, dict):
        raise BadInput(f"{name} must be an object.")
    if name in NUMBERS and (type(value) not in (int, float) or abs(value) > MOST):
        raise BadInput(f"{name} must be a number.")
    if name in DAYS and parse_day(value, 1900, 9999) is None:
        raise BadInput(f"{name} must be a date.")
    if name == "Active" and not isinstance(value, bool):
        raise BadInput("Active must be true or false.")
    if name in TEXTS and not isinstance(value, str):
        raise BadInput(f"{name} must be text.")
    if name == "LinkedTxn" and not all(isinstance(each.get(part), str) for each in value for part in _LINK):
        raise BadInput("Each LinkedTxn needs a TxnId and a TxnType.")
    for part, each in value.items() if isinstance(value, dict) else ():
        _check(each, part, depth + 1)
    for each in value if isinstance(value, list) else ():
        _check(each, "", depth + 1)


_LINK = ("TxnId", "TxnType")


def _is_reference(name: str) -> bool:
    return name.endswith("Ref") and name != "AttachableRef"


def _tidied(value: Any, name: str = "") -> Any:
    """Without what answers add: names beside ids, and the LineEx of lines."""
    if isinstance(value, list):
        return [_tidied(each, name) for each in value]
    if not isinstance(value, dict):
        return value
    dropped = {"LineEx", "TaxLineEx"} | ({"name"} if _is_reference(name) else set())
    return {part: _tidied(each, part) for part, each in value.items() if part not in dropped}


def _complete(books: Books, entity: Entity, body: Body) -> None:
    """What the rules of that type take for granted."""
    home = {"value": books.preference("CurrencyPrefs", "HomeCurrency", {"value": "USD"})["value"]}
    if entity.name in SALES or entity.name in ("Payment", "Deposit", "Purchase", "JournalEntry", "TimeActivity"):
        body.setdefault("TxnDate", books.today)
    if entity.name in SALES or entity.name in ("Payment", "Deposit", "Purchase", "JournalEntry"):
        _complete_money(entity.name, body, home)
    if entity.name in SALES:
        _complete_sale(entity.name, body)
    if entity.names:
        body.setdefault("Active", True)
        if entity.names.qualified:
            body.setdefault("FullyQualifiedName", body.get(entity.names.field))
    if entity.name in ("Customer", "Vendor", "Employee"):
        body.setdefault("CurrencyRef", home)
        body.setdefault("Balance", 0)
    defaults: dict[str, Body] = {
        "Customer": {"BalanceWithJobs": body.get("Balance"), "Job": False, "Taxable": True},
        "Item": {"Type": "Service"},
        "Account": {"AccountType": "Bank"},
        "TaxRate": {"RateValue": 0, "EffectiveTaxRate": []},
        "TimeActivity": {"NameOf": "Employee", "BillableStatus": "NotBillable"},
    }
    for name, value in defaults.get(entity.name, {}).items():
        body.setdefault(name, value)


def _complete_money(name: str, body: Body, home: Body) -> None:
    body.setdefault("TotalAmt", 0)
    body.setdefault("Line", [])
    body.setdefault("CurrencyRef", home)
    if name == "Payment":
        body.setdefault("UnappliedAmt", 0)
        body["Line"] = [line for line in body["Line"] if line.get("LinkedTxn")]
    if name == "Deposit":
        body.setdefault("DepositToAccountRef", {"value": "35"})
    for line in body["Line"] if name in ("Payment", "Deposit") else ():
        line.setdefault("Amount", 0)
    if name == "Purchase":
        _complete_purchase(body)
    if name in ("Invoice", "Payment") and "CustomerRef" not in body:
        raise BadInput("CustomerRef is missing.")


def _complete_purchase(body: Body) -> None:
    payee = body.get("EntityRef", {}).get("value")
    if not payee:
        raise BadInput("EntityRef is missing: expenses are those by which a customer gets money back.")
    body |= {"CustomerRef": {"value": payee}, "EntityRef": {"value": payee, "type": "Customer"}}
    body.setdefault("PaymentType", "Cash")
    body.setdefault("Balance", body["TotalAmt"])
    body.setdefault("LinkedTxn", [])
    body["Line"] = []  # what the sandbox knows of it is the amount on receivables


def _complete_sale(name: str, body: Body) -> None:
    body.setdefault("TxnTaxDetail", {"TotalTax": 0})
    body["TxnTaxDetail"].setdefault("TotalTax", 0)
    body.setdefault("EmailStatus", "NotSet")
    body.setdefault("PrintStatus", "NotSet")
    body.setdefault("ApplyTaxAfterDiscount", False)
    body.setdefault("CustomField", [])
    body.setdefault("LinkedTxn", [])
    if name != "Estimate":
        body.setdefault("Balance", body["TotalAmt"] if name in ("Invoice", "CreditMemo") else 0)
    if name == "Invoice":
        body.setdefault("DueDate", body["TxnDate"])
    if name == "CreditMemo":
        body.setdefault("RemainingCredit", body["Balance"])
    _complete_lines(body["Line"])
    for line in body["TxnTaxDetail"].setdefault("TaxLine", []):
        line.setdefault("TaxLineDetail", {})


def _complete_lines(lines: list[Body]) -> None:
    for line in lines:
        kind = line.setdefault("DetailType", SALES_LINE if SALES_LINE in line else TEXT)
        if kind in (SALES_LINE, DISCOUNT, GROUP):
            detail = line.setdefault(kind, {})
            line.setdefault("Amount", 0)
            if kind == DISCOUNT:
                detail.setdefault("PercentBased", "DiscountPercent" in detail)
            _complete_lines(detail.setdefault("Line", []) if kind == GROUP else [])


def _usual(books: Books, entity: Entity) -> Body:
    """The company's one object of that type, as it would be without any choice of the user's."""
    if entity.name == "Preferences":
        currency = books.preference("CurrencyPrefs", "HomeCurrency", {"value": "USD"})["value"]
        return preferences.preferences(currency)
    return {name: each for name, each in books.the(entity.name).body.items() if name != RAW}


def _filled(usual: Body, body: Body) -> Body:
    """The body with what is usual where it says nothing."""
    both = {name: each for name, each in usual.items() if isinstance(each, dict) and isinstance(body.get(name), dict)}
    return usual | body | {name: _filled(each, body[name]) for name, each in both.items()}


def readable(body: Any) -> Body:
    """The body of a call as plain JSON; BadInput for numbers that JSON does not have."""
    if not isinstance(body, dict):
        raise BadInput("body must be an object, or null.")
    try:
        json.dumps(body, allow_nan=False)
    except (ValueError, RecursionError):
        raise BadInput("The body is not valid JSON.") from None
    return body
