"""Sales that are paid at once, and refunds: sales receipts and refund receipts. Nobody owes anything after them.

https://developer.intuit.com/app/developer/qbo/docs/api/accounting/all-entities/salesreceipt
https://developer.intuit.com/app/developer/qbo/docs/api/accounting/all-entities/refundreceipt
"""

from fieldcamp.sandbox.intuit import payment, sales_form, stock, transactions
from fieldcamp.sandbox.intuit.books import Books
from fieldcamp.sandbox.intuit.entity import Body, Entity, numbers
from fieldcamp.sandbox.intuit.shape import choice, ref, struct, text
from fieldcamp.sandbox.intuit.store import Stored

TO_PRINT = "To Print"
_REFS = sales_form.REFS | {"DepositToAccountRef": ("Account",), "PaymentMethodRef": ("PaymentMethod",)}
_FIELDS = {
    **sales_form.FIELDS,
    "DepositToAccountRef": ref("Account"),
    "PaymentMethodRef": ref("PaymentMethod"),
}
_IGNORED = sales_form.IGNORED | {"LinkedTxn", "CreditCardPayment"}


def _prepare(books: Books, draft: Body, old: Stored | None, sent: Body, entity: str) -> None:
    if old is not None:
        payment.refuse_deposited(old)
    sales_form.complete(books, draft, old, sent)
    sales_form.number_(books, draft, old, entity=entity)
    sales_form.count(books, draft, old, sent)
    draft["Balance"] = 0
    stock.check(books, draft)
    transactions.check_period(books, draft, old)


def _prepare_sale(books: Books, draft: Body, old: Stored | None, sent: Body) -> None:
    draft.setdefault("DepositToAccountRef", {"value": payment.UNDEPOSITED_FUNDS})
    _prepare(books, draft, old, sent, "SalesReceipt")


def _prepare_refund(books: Books, draft: Body, old: Stored | None, sent: Body) -> None:
    _prepare(books, draft, old, sent, "RefundReceipt")
    account = books.the("Account", draft["DepositToAccountRef"]["value"]).body
    if account["AccountType"] == "Bank" and draft["PrintStatus"] == "NeedToPrint":
        draft["PaymentRefNum"] = TO_PRINT


def _settle_sale(books: Books, new: Stored | None, old: Stored | None) -> None:
    stock.move(books, new, old, -1)


def _settle_refund(books: Books, new: Stored | None, old: Stored | None) -> None:
    stock.move(books, new, old, 1)


def _check_removal(books: Books, old: Stored) -> None:
    payment.refuse_deposited(old)
    transactions.check_period(books, {}, old)


def _void(books: Books, draft: Body, old: Stored) -> None:
    _check_removal(books, old)
    if not transactions.is_void(draft):
        sales_form.void(draft)


SALES_RECEIPT = Entity(
    name="SalesReceipt",
    segment="salesreceipt",
    is_list=False,
    sequence="Transaction",
    operations=frozenset({"create", "update", "delete"}),
    required=("Line",),
    fields={**_FIELDS, "PaymentRefNum": text(21)},
    ignored=_IGNORED,
    refs=_REFS,
    filterable={**sales_form.FILTERS, **numbers("Balance")},
    void_on_update=True,
    prepare=_prepare_sale,
    settle=_settle_sale,
    void=_void,
    before_delete=_check_removal,
    respond=sales_form.respond,
    actions={"send": sales_form.send},
)
REFUND_RECEIPT = Entity(
    name="RefundReceipt",
    segment="refundreceipt",
    is_list=False,
    sequence="Transaction",
    operations=frozenset({"create", "update", "delete"}),
    required=("DepositToAccountRef", "Line"),
    fields={
        **_FIELDS,
        "PaymentRefNum": text(100),
        "PaymentType": choice("Cash", "Check", "CreditCard", "Other"),
        "CheckPayment": struct(CheckNum=text(21), Status=text(21), NameOnAcct=text(110), AcctNum=text(30)),
    },
    ignored=_IGNORED,
    refs=_REFS,
    filterable={**sales_form.FILTERS, **numbers("Balance")},
    prepare=_prepare_refund,
    settle=_settle_refund,
    before_delete=_check_removal,
    respond=sales_form.respond,
    actions={"send": sales_form.send},
)
