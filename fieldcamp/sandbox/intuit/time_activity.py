"""Hours that somebody has worked for a customer. An invoice that links them has billed them.

https://developer.intuit.com/app/developer/qbo/docs/api/accounting/all-entities/timeactivity
"""

from fieldcamp.sandbox.intuit import errors, links
from fieldcamp.sandbox.intuit.books import Books
from fieldcamp.sandbox.intuit.entity import Body, Entity, days, references, texts
from fieldcamp.sandbox.intuit.errors import Fault
from fieldcamp.sandbox.intuit.shape import choice, day, flag, ref, text
from fieldcamp.sandbox.intuit.shape import number as numeric
from fieldcamp.sandbox.intuit.store import Stored

WORKERS = {"Employee": "EmployeeRef", "Vendor": "VendorRef"}
NOT_BILLABLE = "NotBillable"


def _prepare(books: Books, draft: Body, old: Stored | None, sent: Body) -> None:
    worker = WORKERS.get(draft["NameOf"], "NameOf")
    if worker not in draft:
        raise errors.required(worker)
    timed = "StartTime" in draft and "EndTime" in draft
    if not timed and not {"Hours", "Minutes"} & set(draft):
        raise errors.required("Hours")
    draft.setdefault("TxnDate", books.today)
    was = old.body["BillableStatus"] if old else NOT_BILLABLE
    status = draft.setdefault("BillableStatus", was)
    if status != was and links.BILLED in (status, was):
        raise errors.business("The billable status changes by an invoice that links the time activity.")
    if status == links.BILLABLE:
        for name in ("CustomerRef", "HourlyRate"):
            if name not in draft:
                raise errors.required(name)
    draft.setdefault("HourlyRate", 0)
    draft.setdefault("Taxable", False)
    if not timed:
        draft.setdefault("Hours", 0)
        draft.setdefault("Minutes", 0)


def _before_delete(books: Books, old: Stored) -> None:
    if old.body["BillableStatus"] == links.BILLED:
        raise Fault(800, "Delete not allowed", "This time activity is linked to an invoice.")


TIME_ACTIVITY = Entity(
    name="TimeActivity",
    segment="timeactivity",
    is_list=False,
    sequence="TimeActivity",
    operations=frozenset({"create", "update", "delete"}),
    required=("NameOf",),
    fields={
        "TxnDate": day(),
        "NameOf": choice(*WORKERS),
        "EmployeeRef": ref("Employee"),
        "VendorRef": ref("Vendor"),
        "CustomerRef": ref("Customer"),
        "ItemRef": ref("Item"),
        "ClassRef": ref("Class"),
        "DepartmentRef": ref("Department"),
        "BillableStatus": choice(links.BILLABLE, NOT_BILLABLE, links.BILLED),
        "Taxable": flag(),
        "HourlyRate": numeric(0),
        "CostRate": numeric(0),
        "Hours": numeric(0, 8760),
        "Minutes": numeric(0, 59),
        "BreakHours": numeric(0, 8760),
        "BreakMinutes": numeric(0, 59),
        "StartTime": text(40),
        "EndTime": text(40),
        "Description": text(4000),
        "TransactionLocationType": text(50),
    },
    ignored=frozenset({"ProjectRef", "PayrollItemRef"}),
    refs={
        "EmployeeRef": ("Employee",),
        "VendorRef": ("Vendor",),
        "CustomerRef": ("Customer",),
        "ItemRef": ("Item",),
        "ClassRef": ("Class",),
        "DepartmentRef": ("Department",),
    },
    filterable={
        **days("TxnDate"),
        **texts("BillableStatus", "NameOf"),
        **references("CustomerRef", "EmployeeRef", "VendorRef"),
    },
    in_cdc=False,
    prepare=_prepare,
    before_delete=_before_delete,
)
