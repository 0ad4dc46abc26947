"""Estimates: what a sale would come to. Nobody owes anything for one; an invoice that links it closes it.

https://developer.intuit.com/app/developer/qbo/docs/api/accounting/all-entities/estimate
"""

from fieldcamp.sandbox.intuit import links, sales_form
from fieldcamp.sandbox.intuit.books import Books
from fieldcamp.sandbox.intuit.entity import Body, Entity, days, references
from fieldcamp.sandbox.intuit.errors import Fault
from fieldcamp.sandbox.intuit.shape import choice, day, ref, text
from fieldcamp.sandbox.intuit.store import Stored

STATUSES = ("Accepted", links.CLOSED, links.PENDING, "Rejected", "Converted")


def _prepare(books: Books, draft: Body, old: Stored | None, sent: Body) -> None:
    sales_form.complete(books, draft, old, sent)
    draft.setdefault("TxnStatus", links.PENDING)
    sales_form.number_(books, draft, old, sales_form.ESTIMATES, "Estimate")
    sales_form.count(books, draft, old, sent)


def _before_delete(books: Books, old: Stored) -> None:
    if old.body.get("LinkedTxn"):
        detail = "This transaction is linked to others. Remove the links before you delete it."
        raise Fault(800, "Delete not allowed", detail)


ESTIMATE = Entity(
    name="Estimate",
    segment="estimate",
    is_list=False,
    sequence="Transaction",
    operations=frozenset({"create", "update", "delete"}),
    required=("CustomerRef", "Line"),
    fields={
        **sales_form.FIELDS,
        "TxnStatus": choice(*STATUSES),
        "ExpirationDate": day(),
        "AcceptedBy": text(100),
        "AcceptedDate": day(),
        "DueDate": day(),
        "SalesTermRef": ref("Term"),
    },
    ignored=sales_form.IGNORED | {"LinkedTxn"},
    refs=sales_form.REFS | {"SalesTermRef": ("Term",)},
    filterable={**sales_form.FILTERS, **days("DueDate", "ExpirationDate"), **references("SalesTermRef")},
    prepare=_prepare,
    before_delete=_before_delete,
    respond=sales_form.respond,
    actions={"send": sales_form.send},
)
