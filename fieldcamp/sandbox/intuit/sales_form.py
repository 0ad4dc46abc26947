"""What all forms of a sale share: invoices, estimates, credit memos, sales receipts and refunds.

https://developer.intuit.com/app/developer/qbo/docs/api/accounting/all-entities/invoice
"""

from collections.abc import Mapping

from fieldcamp.sandbox.intuit import (
    engine,
    errors,
    line_kinds,
    line_sums,
    rate_history,
    sales_lines,
    tax,
    transactions,
)
from fieldcamp.sandbox.intuit.amounts import decimal, number
from fieldcamp.sandbox.intuit.books import Books
from fieldcamp.sandbox.intuit.entity import UPDATED, Body, Property, days, numbers, references, texts
from fieldcamp.sandbox.intuit.errors import Fault
from fieldcamp.sandbox.intuit.preferences import TaxMode
from fieldcamp.sandbox.intuit.sales_tax import INCLUSIVE, Asked
from fieldcamp.sandbox.intuit.shape import ADDRESS, EMAIL, Kind, choice, day, flag, ref, rows, struct, text
from fieldcamp.sandbox.intuit.shape import number as numeric
from fieldcamp.sandbox.intuit.store import Stored
from fieldcamp.sandbox.intuit.totals import ZERO

FIRST_NUMBER = 1001
DOCUMENTS, ESTIMATES = "DocNumber", "EstimateNumber"  # the two sequences of numbers
NO_ADDRESS = "The e-mail address of the customer is needed to send it."
AUTO = "AUTO_GENERATE"
TO_SEND, SENT = "NeedToSend", "EmailSent"
# What a sale comes to is worked out again when one of these is sent; where the place decides on the tax, also when one
# of PLACE is.
COUNTS = {"Line", "TxnTaxDetail", "ApplyTaxAfterDiscount", "GlobalTaxCalculation"}
PLACE = {"CustomerRef", "ShipAddr", "BillAddr"}

_TAX_LINE = struct(
    ("TaxLineEx",),
    Amount=numeric(),
    DetailType=choice("TaxLineDetail"),
    TaxLineDetail=struct(
        ("NetAmountTaxable", "TaxInclusiveAmount", "OverrideDeltaAmount"),
        TaxRateRef=ref(),
        PercentBased=flag(),
        TaxPercent=numeric(),
    ),
)
FIELDS: dict[str, Kind] = {
    "DocNumber": text(21),
    "TxnDate": day(),
    "CustomerRef": ref("Customer"),
    "CurrencyRef": ref(),
    "ExchangeRate": numeric(0),
    "BillEmail": EMAIL,
    "BillEmailCc": EMAIL,
    "BillEmailBcc": EMAIL,
    "CustomerMemo": struct(value=text(1000)),
    "PrivateNote": text(4000),
    "BillAddr": ADDRESS,
    "ShipAddr": ADDRESS,
    "ShipFromAddr": ADDRESS,
    "ShipDate": day(),
    "ShipMethodRef": ref(),
    "TrackingNum": text(31),
    "EmailStatus": choice("NotSet", TO_SEND, SENT),
    "PrintStatus": choice("NotSet", "NeedToPrint", "PrintComplete"),
    "ClassRef": ref("Class"),
    "DepartmentRef": ref("Department"),
    "CustomField": rows(struct(DefinitionId=text(10), Name=text(31), Type=text(20), StringValue=text(31)), 3),
    "Line": line_kinds.LINES,
    "TxnTaxDetail": struct(
        TxnTaxCodeRef=ref(), TotalTax=numeric(), UseAutomatedSalesTax=flag(), TaxLine=rows(_TAX_LINE)
    ),
    "ApplyTaxAfterDiscount": flag(),
    "GlobalTaxCalculation": choice("TaxExcluded", INCLUSIVE, "NotApplicable"),
    "TransactionLocationType": text(50),
}
IGNORED = frozenset(
    {
        *("TotalAmt", "Balance", "HomeTotalAmt", "HomeBalance", "DeliveryInfo", "FreeFormAddress", "RecurDataRef"),
        *("TaxExemptionRef", "TxnSource", "AutoDocNumber", "ProjectRef"),
    }
)
REFS = {"CustomerRef": ("Customer",), "ClassRef": ("Class",), "DepartmentRef": ("Department",)}
FILTERS: dict[str, Property] = {
    **texts("DocNumber"),
    **days("TxnDate"),
    **references("CustomerRef"),
    **numbers("TotalAmt"),
}


def customer_of(books: Books, draft: Body) -> Body:
    """The customer of a sale; a receipt may be without one."""
    reference = draft.get("CustomerRef")
    return books.the("Customer", reference["value"]).body if reference else {}


def complete(books: Books, draft: Body, old: Stored | None, sent: Body) -> None:
    """The defaults of what was not sent: the day, the currency, addresses and the like."""
    customer = customer_of(books, draft)
    transactions.complete(books, draft, customer)
    moved = old is not None and draft.get("CustomerRef") != old.body.get("CustomerRef")
    for name in ("BillAddr", "ShipAddr"):
        if name in sent and name in draft:
            draft[name] = {"Id": books.store.next_id(books.realm, "Address")} | draft[name]
        elif name not in sent and (old is None or moved) and name in customer:
            draft[name] = customer[name]
    if old is None:
        draft.setdefault("ShipFromAddr", _ship_from(books))
        draft["FreeFormAddress"] = True
    if tax.mode(books) == TaxMode.FOREIGN:
        draft.setdefault("GlobalTaxCalculation", "TaxExcluded")
    else:
        draft.pop("GlobalTaxCalculation", None)
    draft.setdefault("ApplyTaxAfterDiscount", False)
    draft.setdefault("PrintStatus", "NeedToPrint")
    draft.setdefault("EmailStatus", "NotSet")
    draft.setdefault("CustomField", [])
    if draft["EmailStatus"] == TO_SEND:
        if not draft.get("BillEmail", {}).get("Address"):
            raise Fault(6420, "Email address required", NO_ADDRESS)
        draft.setdefault("DeliveryInfo", {"DeliveryType": "Email"})


def _ship_from(books: Books) -> Body:
    """The company's address. Each transaction has it under an Id of its own."""
    place = books.the("CompanyInfo").body["CompanyAddr"]
    town = f"{place['City']}, {place['CountrySubDivisionCode']}  {place['PostalCode']}"
    return {"Id": books.store.next_id(books.realm, "Address"), "Line1": place["Line1"], "Line2": town}


def number_(books: Books, draft: Body, old: Stored | None, sequence: str = DOCUMENTS, entity: str = "Invoice") -> None:
    """The next number where the company leaves numbers to QuickBooks; what is sent is kept as it is."""
    own = bool(books.preference("SalesFormsPrefs", "CustomTxnNumbers", False))
    sent = draft.get("DocNumber", "")
    if sent == AUTO or (not sent and old is None and not own):
        books.store.reserve(books.realm, sequence, FIRST_NUMBER - 1)
        draft["DocNumber"] = books.store.next_id(books.realm, sequence)
    elif sent and (old is None or sent != old.body.get("DocNumber")):
        if own and books.switch("duplicate_number_warning", False):
            _refuse_duplicate(books, entity, sent, old)
        if sent.isdecimal() and len(sent) < 10:
            books.store.reserve(books.realm, sequence, int(sent))


def _refuse_duplicate(books: Books, entity: str, number: str, old: Stored | None) -> None:
    same = "NOT deleted AND json_extract(body, '$.DocNumber') COLLATE NOCASE = ?"
    for other in books.rows(entity, same, number, limit=2):
        if old is None or other.id != old.id:
            raise Fault(
                6140,
                "Duplicate Document Number Error",
                "Duplicate Document Number Error : You must specify a different number. This number has already been "
                f"used. DocNumber={number} is assigned to TxnType={entity} with TxnId={other.id}",
            )


def count(books: Books, draft: Body, old: Stored | None, sent: Body) -> None:
    """Lines, tax and total, where what was sent touches them."""
    mode = tax.mode(books)
    touching = COUNTS | PLACE if mode == TaxMode.AUTOMATED else COUNTS
    if old is None or set(sent) & touching or "TxnTaxDetail" not in draft or _rates_differ(books, draft, old):
        _count(books, draft, old, sent, mode)


def _rates_differ(books: Books, draft: Body, old: Stored) -> bool:
    """Whether a rate of the sale is another one on its new day."""
    days_ = (draft["TxnDate"], old.body["TxnDate"])
    if days_[0] == days_[1]:
        return False
    details = [line.get("TaxLineDetail", {}) for line in draft["TxnTaxDetail"].get("TaxLine", [])]
    found = [books.get("TaxRate", detail.get("TaxRateRef", {}).get("value", "")) for detail in details]
    return any(len({rate_history.on(rate.body, each) for each in days_}) > 1 for rate in found if rate)


def _count(books: Books, draft: Body, old: Stored | None, sent: Body, mode: TaxMode) -> None:
    billed, billed_with_tax = line_sums.on_statements(old.body) if old else (ZERO, ZERO)
    calculation, date_ = draft.get("GlobalTaxCalculation", ""), draft["TxnDate"]
    # Where prices hold the tax, the net amounts follow the rates and the calculation.
    if "Line" in sent or (old is not None and ("GlobalTaxCalculation" in sent or calculation == INCLUSIVE)):
        rules = sales_lines.Rules(
            "" if mode == TaxMode.FOREIGN else "NON",
            calculation == INCLUSIVE,
            lambda code: tax.rates_of(books, code, date_),
            billed,
        )
        draft["Line"] = sales_lines.read(books, draft["Line"], old.body["Line"] if old else [], rules)
    lines = draft["Line"]
    discount = line_sums.discount_of(lines)
    detail = sent.get("TxnTaxDetail") or {}
    if "TxnTaxDetail" not in sent:  # what was worked out before is no override: only the code stays
        kept = draft.get("TxnTaxDetail", {})
        detail = {"TxnTaxCodeRef": kept["TxnTaxCodeRef"]} if "TxnTaxCodeRef" in kept else {}
    unlisted = [("TAX", billed_with_tax)] if billed_with_tax else []
    asked = Asked(
        mode,
        line_sums.taxed(lines) + unlisted,
        discount,
        draft["ApplyTaxAfterDiscount"],
        detail,
        calculation,
        tax.code_for(books, draft) if mode == TaxMode.AUTOMATED else "",
        line_sums.gross(lines),
    )
    draft["TxnTaxDetail"] = tax.work_out(books, asked, date_)
    goods = line_sums.sum_of(lines) + line_sums.amount_of(line_sums.charges(lines)) + billed
    total = goods - discount + decimal(draft["TxnTaxDetail"]["TotalTax"])
    if total < ZERO:
        raise errors.business("The transaction amount must be 0 or greater.", "TotalAmt")
    draft["TotalAmt"] = number(total)


def void(draft: Body) -> None:
    """Leaves it there, worth nothing."""
    draft["Line"] = line_sums.voided(draft["Line"])
    draft["TxnTaxDetail"] = tax.voided(draft["TxnTaxDetail"])
    draft["TotalAmt"] = draft["Balance"] = 0
    transactions.mark_void(draft)


def send(books: Books, stored: Stored, query: Mapping[str, str]) -> Body:
    """Mails it to the address in `sendTo`, or to the one that it has."""
    if books.switch("subscription", "active") != "active":
        raise errors.lapsed()
    address = query.get("sendTo") or stored.body.get("BillEmail", {}).get("Address", "")
    if not address:
        raise Fault(6420, "Email address required", NO_ADDRESS)
    info = {"DeliveryType": "Email", "DeliveryTime": transactions.stamp(books)}
    sent = {"EmailStatus": SENT, "BillEmail": {"Address": address}, "DeliveryInfo": info}
    changed = books.change(stored, stored.body | sent)
    books.store.note(changed, "emailed")
    return engine.shown(books, changed, UPDATED)


def respond(books: Books, shown: Body, stored: Stored) -> None:
    """Adds names to what lines refer to, and the currency's own."""
    line_sums.with_names(books, shown["Line"])
    transactions.show_currency(shown)
