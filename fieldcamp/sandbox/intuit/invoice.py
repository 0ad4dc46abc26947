"""Invoices.

https://developer.intuit.com/app/developer/qbo/docs/api/accounting/all-entities/invoice
"""

from collections.abc import Mapping
from datetime import date

from fieldcamp.sandbox.intuit import (
    allocations,
    engine,
    errors,
    invoice_lines,
    people,
    tax,
    terms,
    transactions,
)
from fieldcamp.sandbox.intuit.amounts import decimal, number
from fieldcamp.sandbox.intuit.books import Books
from fieldcamp.sandbox.intuit.entity import Body, Entity, days, numbers, references, texts
from fieldcamp.sandbox.intuit.errors import Fault
from fieldcamp.sandbox.intuit.preferences import TaxMode
from fieldcamp.sandbox.intuit.sales_tax import Asked
from fieldcamp.sandbox.intuit.shape import ADDRESS, EMAIL, choice, day, flag, ref, rows, struct, text
from fieldcamp.sandbox.intuit.shape import number as numeric
from fieldcamp.sandbox.intuit.store import Stored
from fieldcamp.sandbox.intuit.totals import ZERO

FIRST_NUMBER = 1001
NO_ADDRESS = "The e-mail address of the customer is needed to send it."
AUTO = "AUTO_GENERATE"
USER_ID = "9130347957983546"  # who is shown as the last to have changed an invoice
# What an invoice comes to is worked out again when one of these is sent; where the place decides on the tax, also when
# one of PLACE is.
COUNTS = {"Line", "TxnTaxDetail", "ApplyTaxAfterDiscount", "GlobalTaxCalculation"}
PLACE = {"CustomerRef", "ShipAddr", "BillAddr"}

_TAX_LINE = struct(
    Amount=numeric(),
    DetailType=choice("TaxLineDetail"),
    TaxLineDetail=struct(
        ("NetAmountTaxable", "TaxInclusiveAmount"), TaxRateRef=ref(), PercentBased=flag(), TaxPercent=numeric()
    ),
)


def _prepare(books: Books, draft: Body, old: Stored | None, sent: Body) -> None:
    customer = books.the("Customer", draft["CustomerRef"]["value"]).body
    _complete(books, draft, old, sent, customer)
    _number(books, draft, old)
    mode = tax.mode(books)
    if (
        old is None
        or set(sent) & (COUNTS | PLACE if mode == TaxMode.AUTOMATED else COUNTS)
        or "TxnTaxDetail" not in draft
    ):
        _count(books, draft, old, sent, mode)
    paid = allocations.paid(books, old) if old else ZERO
    if old is not None and paid and draft["CustomerRef"] != old.body["CustomerRef"]:
        raise errors.business("The customer cannot be changed while a payment is linked.", "CustomerRef")
    draft["Balance"] = number(max(decimal(draft["TotalAmt"]) - paid, ZERO))
    transactions.check_period(books, draft, old)


def _complete(books: Books, draft: Body, old: Stored | None, sent: Body, customer: Body) -> None:
    """The defaults of what was not sent: day, terms, addresses and the like."""
    transactions.complete(books, draft, customer)
    if old is None and "SalesTermRef" in customer:
        draft.setdefault("SalesTermRef", customer["SalesTermRef"])
    if "DueDate" not in draft or ("SalesTermRef" in sent and "DueDate" not in sent):
        draft["DueDate"] = _due(books, draft)
    moved = old is not None and draft["CustomerRef"] != old.body["CustomerRef"]
    for name in ("BillAddr", "ShipAddr"):
        if name in sent and name in draft:
            draft[name] = {"Id": books.store.next_id(books.realm, "Address")} | draft[name]
        elif name not in sent and (old is None or moved) and name in customer:
            draft[name] = customer[name]
    if old is None:
        draft["ShipFromAddr"] = _ship_from(books)
        draft["FreeFormAddress"] = True
    for name in ("AllowIPNPayment", "AllowOnlinePayment", "AllowOnlineCreditCardPayment", "AllowOnlineACHPayment"):
        draft.setdefault(name, False)
    draft.setdefault("ApplyTaxAfterDiscount", False)
    draft.setdefault("PrintStatus", "NeedToPrint")
    draft.setdefault("EmailStatus", "NotSet")
    draft.setdefault("CustomField", [])
    draft.setdefault("LinkedTxn", [])
    if draft["EmailStatus"] == "NeedToSend" and not draft.get("BillEmail", {}).get("Address"):
        raise Fault(6420, "Email address required", NO_ADDRESS)


def _due(books: Books, draft: Body) -> str:
    term = draft.get("SalesTermRef") or books.preference("SalesFormsPrefs", "DefaultTerms")
    stored = books.get("Term", term["value"]) if term else None
    day_of = date.fromisoformat(draft["TxnDate"])
    return (terms.due(stored.body, day_of) if stored else day_of).isoformat()


def _ship_from(books: Books) -> Body:
    place = books.the("CompanyInfo").body["CompanyAddr"]
    town = f"{place['City']}, {place['CountrySubDivisionCode']}  {place['PostalCode']}"
    return {"Id": place["Id"], "Line1": place["Line1"], "Line2": town}


def _number(books: Books, draft: Body, old: Stored | None) -> None:
    """The next number where the company leaves numbers to QuickBooks; what is sent is kept as it is."""
    own = bool(books.preference("SalesFormsPrefs", "CustomTxnNumbers", False))
    sent = draft.get("DocNumber", "")
    if sent == AUTO or (not sent and old is None and not own):
        books.store.reserve(books.realm, "DocNumber", FIRST_NUMBER - 1)
        draft["DocNumber"] = books.store.next_id(books.realm, "DocNumber")
    elif sent and (old is None or sent != old.body.get("DocNumber")):
        if own and books.switch("duplicate_number_warning", False):
            _refuse_duplicate(books, sent, old)
        if sent.isdecimal() and len(sent) < 10:
            books.store.reserve(books.realm, "DocNumber", int(sent))


def _refuse_duplicate(books: Books, number_: str, old: Stored | None) -> None:
    same = "NOT deleted AND json_extract(body, '$.DocNumber') COLLATE NOCASE = ?"
    for other in books.rows("Invoice", same, number_, limit=2):
        if old is None or other.id != old.id:
            raise Fault(
                6140,
                "Duplicate Document Number Error",
                "Duplicate Document Number Error : You must specify a different number. This number has already been "
                f"used. DocNumber={number_} is assigned to TxnType=Invoice with TxnId={other.id}",
            )


def _count(books: Books, draft: Body, old: Stored | None, sent: Body, mode: TaxMode) -> None:
    """Lines, tax and total."""
    if "Line" in sent:
        before = old.body["Line"] if old else []
        draft["Line"] = invoice_lines.read(books, sent["Line"], before, "" if mode == TaxMode.FOREIGN else "NON")
    lines = draft["Line"]
    discount = invoice_lines.discount_of(lines)
    detail = sent.get("TxnTaxDetail") or {}
    if "TxnTaxDetail" not in sent:  # what was worked out before is no override: only the code stays
        kept = draft.get("TxnTaxDetail", {})
        detail = {"TxnTaxCodeRef": kept["TxnTaxCodeRef"]} if "TxnTaxCodeRef" in kept else {}
    asked = Asked(
        mode,
        invoice_lines.taxed(lines),
        discount,
        draft["ApplyTaxAfterDiscount"],
        detail,
        draft.get("GlobalTaxCalculation", ""),
        tax.code_for(books, draft) if mode == TaxMode.AUTOMATED else "",
    )
    draft["TxnTaxDetail"] = tax.work_out(books, asked)
    total = invoice_lines.sum_of(lines) - discount + decimal(draft["TxnTaxDetail"]["TotalTax"])
    if total < ZERO:
        raise errors.business("The transaction amount must be 0 or greater.", "TotalAmt")
    draft["TotalAmt"] = number(total)


def _settle(books: Books, new: Stored | None, old: Stored | None) -> None:
    """The customer owes more or less; what was paid too much goes back to the payments."""
    for stored, sign in ((old, -1), (new, 1)):
        if stored is not None:
            owed = decimal(stored.body["TotalAmt"]) * sign
            people.adjust_balance(books, stored.body["CustomerRef"]["value"], owed)
    if new is not None and old is not None:
        excess = allocations.paid(books, new) - decimal(new.body["TotalAmt"])
        if excess > ZERO:
            allocations.release(books, new, excess)


def _void(books: Books, draft: Body, old: Stored) -> None:
    transactions.check_period(books, {}, old)
    if transactions.is_void(draft):
        return
    linked = bool(allocations.payments_of(books, draft))
    if linked and books.switch("void_refused_with_payments", True):
        raise errors.business(
            "This invoice is linked to a payment. Remove the payment from the invoice before you void it."
        )
    draft["Line"] = invoice_lines.voided(draft["Line"])
    draft["TxnTaxDetail"] = tax.voided(draft["TxnTaxDetail"])
    draft["TotalAmt"] = draft["Balance"] = 0
    transactions.mark_void(draft)


def _before_delete(books: Books, old: Stored) -> None:
    transactions.check_period(books, {}, old)
    if allocations.payments_of(books, old.body):
        text_ = "This transaction is linked to others. Remove the links before you delete it."
        raise Fault(800, "Delete not allowed", text_)


def _send(books: Books, stored: Stored, query: Mapping[str, str]) -> Body:
    """Mails it to the address in `sendTo`, or to the one that it has."""
    if books.switch("subscription", "active") != "active":
        raise errors.lapsed()
    address = query.get("sendTo") or stored.body.get("BillEmail", {}).get("Address", "")
    if not address:
        raise Fault(6420, "Email address required", NO_ADDRESS)
    info = {"DeliveryType": "Email", "DeliveryTime": transactions.stamp(books)}
    sent = {"EmailStatus": "EmailSent", "BillEmail": {"Address": address}, "DeliveryInfo": info}
    return engine.shown(books, books.change(stored, stored.body | sent))


def _respond(books: Books, shown: Body, stored: Stored) -> None:
    invoice_lines.with_names(books, shown["Line"])
    transactions.show_currency(shown)
    made = shown["MetaData"]
    shown["MetaData"] = {"CreateTime": made["CreateTime"], "LastModifiedByRef": {"value": USER_ID}} | made


INVOICE = Entity(
    name="Invoice",
    segment="invoice",
    is_list=False,
    sequence="Transaction",
    operations=frozenset({"create", "update", "delete"}),
    required=("CustomerRef", "Line"),
    fields={
        "DocNumber": text(21),
        "TxnDate": day(),
        "DueDate": day(),
        "ShipDate": day(),
        "CustomerRef": ref("Customer"),
        "CurrencyRef": ref(),
        "ExchangeRate": numeric(0),
        "SalesTermRef": ref("Term"),
        "BillEmail": EMAIL,
        "BillEmailCc": EMAIL,
        "BillEmailBcc": EMAIL,
        "CustomerMemo": struct(value=text(1000)),
        "PrivateNote": text(4000),
        "BillAddr": ADDRESS,
        "ShipAddr": ADDRESS,
        "TrackingNum": text(31),
        "Deposit": numeric(0, 0),  # clients send 0; a deposit taken with the invoice is not simulated
        "EmailStatus": choice("NotSet", "NeedToSend", "EmailSent"),
        "PrintStatus": choice("NotSet", "NeedToPrint", "PrintComplete"),
        "AllowOnlineCreditCardPayment": flag(),
        "AllowOnlineACHPayment": flag(),
        "ClassRef": ref(),
        "DepartmentRef": ref(),
        "CustomField": rows(struct(DefinitionId=text(10), Name=text(31), Type=text(20), StringValue=text(31)), 3),
        "Line": invoice_lines.LINES,
        "TxnTaxDetail": struct(
            TxnTaxCodeRef=ref(),
            TotalTax=numeric(),
            UseAutomatedSalesTax=flag(),
            TaxLine=rows(_TAX_LINE),
        ),
        "ApplyTaxAfterDiscount": flag(),
        "GlobalTaxCalculation": choice("TaxExcluded", "TaxInclusive", "NotApplicable"),
    },
    ignored=frozenset(
        {
            *("TotalAmt", "Balance", "HomeTotalAmt", "HomeBalance", "LinkedTxn", "DeliveryInfo", "InvoiceLink"),
            *("FreeFormAddress", "ShipFromAddr", "AllowIPNPayment", "AllowOnlinePayment"),
        }
    ),
    refs={"CustomerRef": ("Customer",), "SalesTermRef": ("Term",)},
    filterable={
        **texts("DocNumber"),
        **days("TxnDate", "DueDate"),
        **references("CustomerRef", "SalesTermRef"),
        **numbers("Balance", "TotalAmt"),
    },
    prepare=_prepare,
    settle=_settle,
    void=_void,
    before_delete=_before_delete,
    respond=_respond,
    actions={"send": _send},
)
