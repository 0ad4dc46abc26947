"""The lines of a sale as requests carry them: their kinds and what each may hold.

https://developer.intuit.com/app/developer/qbo/docs/api/accounting/all-entities/invoice
"""

from typing import TYPE_CHECKING, Any

from fieldcamp.sandbox.intuit import errors
from fieldcamp.sandbox.intuit.shape import choice, day, flag, ref, rows, struct, text
from fieldcamp.sandbox.intuit.shape import number as numeric

if TYPE_CHECKING:
    from fieldcamp.sandbox.intuit.books import Books

SALES, DISCOUNT, SUBTOTAL, TEXT = "SalesItemLineDetail", "DiscountLineDetail", "SubTotalLineDetail", "DescriptionOnly"
GROUP = "GroupLineDetail"
TEXT_DETAIL = "DescriptionLineDetail"
# What stands in ItemRef of a charge for the whole transaction, and the preference that allows it.
SHIPPING, TIP = "SHIPPING_ITEM_ID", "GRATUITY_ITEM_ID"
MOST = 750
LINKED_TYPES = (
    *("Estimate", "TimeActivity", "StatementCharge", "ReimburseCharge", "ChargeCredit", "Payment", "Invoice"),
    *("CreditMemo", "Deposit"),
)
_KNOWN_ITEM = ref("Item")


def _item(books: "Books", entity: str, path: str, value: Any) -> Any:
    """A reference to an item, or to one of the two that are in no list."""
    target = value.get("value") if isinstance(value, dict) else None
    if target not in (SHIPPING, TIP):
        return _KNOWN_ITEM(books, entity, path, value)
    if not allowed(books, target):
        raise errors.invalid_reference("Item", target, path)
    return {"value": target}


def allowed(books: "Books", charge: str) -> bool:
    """Whether the company takes such charges for a whole transaction."""
    if charge == SHIPPING:
        return bool(books.preference("SalesFormsPrefs", "AllowShipping", False))
    pairs = books.preference("OtherPrefs", "NameValue", [])
    return {"Name": "SalesFormsPrefs.AllowGratuity", "Value": "true"} in pairs


LINK = struct(TxnId=text(20), TxnType=choice(*LINKED_TYPES), TxnLineId=text(20))
LINKS = rows(LINK)
_SALES_DETAIL = struct(
    ("ItemAccountRef", "TaxClassificationRef"),
    ItemRef=_item,
    Qty=numeric(),
    UnitPrice=numeric(),
    ServiceDate=day(),
    TaxCodeRef=ref(),
    ClassRef=ref("Class"),
    TaxInclusiveAmt=numeric(),
    DiscountRate=numeric(0, 100),
    DiscountAmt=numeric(),
    MarkupInfo=struct(
        ("MarkUpIncomeAccountRef",),
        Percent=numeric(),
        PercentBased=flag(),
        Value=numeric(),
        PriceLevelRef=ref(),
    ),
)
_DROPPED = ("LineNum", "CustomExtensions", "CustomField", "LineEx")
_COMMON = {"Id": text(20), "Description": text(4000), "Amount": numeric(), "LinkedTxn": LINKS}
_PART = struct(
    (*_DROPPED, "SubTotalLineDetail"),
    **_COMMON,
    DetailType=choice(SALES, TEXT),
    SalesItemLineDetail=_SALES_DETAIL,
    DescriptionLineDetail=struct(ServiceDate=day(), TaxCodeRef=ref()),
)
LINES = rows(
    struct(
        _DROPPED,
        **_COMMON,
        DetailType=choice(SALES, DISCOUNT, SUBTOTAL, TEXT, GROUP),
        SalesItemLineDetail=_SALES_DETAIL,
        DiscountLineDetail=struct(
            PercentBased=flag(),
            DiscountPercent=numeric(0, 100),
            DiscountAccountRef=ref("Account"),
            ClassRef=ref("Class"),
            TaxCodeRef=ref(),
        ),
        SubTotalLineDetail=struct(ItemRef=ref("Item")),
        DescriptionLineDetail=struct(ServiceDate=day(), TaxCodeRef=ref()),
        GroupLineDetail=struct(
            GroupItemRef=ref("Item"), Quantity=numeric(0), ServiceDate=day(), ClassRef=ref("Class"), Line=rows(_PART)
        ),
    )
)
