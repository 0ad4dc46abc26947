"""Items, accounts, terms and payment methods.

https://developer.intuit.com/app/developer/qbo/docs/api/accounting/all-entities/item
"""

from fieldcamp.sandbox.intuit import engine, errors, ledger
from fieldcamp.sandbox.intuit.books import Books
from fieldcamp.sandbox.intuit.entity import FOUND, Body, Entity, Names, Property, numbers, texts
from fieldcamp.sandbox.intuit.errors import Fault
from fieldcamp.sandbox.intuit.shape import NAME_STOPPERS, choice, day, flag, number, ref, text
from fieldcamp.sandbox.intuit.store import Stored

SOLD = ("Service", "NonInventory", "Inventory")
TYPES = (*SOLD, "Category", "Group")
INCOME = ("Income", "Other Income")
CLASSES = {
    **dict.fromkeys(("Bank", "Accounts Receivable", "Other Current Asset", "Fixed Asset", "Other Asset"), "Asset"),
    **dict.fromkeys(("Income", "Other Income"), "Revenue"),
    **dict.fromkeys(("Expense", "Other Expense", "Cost of Goods Sold"), "Expense"),
    **dict.fromkeys(("Accounts Payable", "Credit Card", "Other Current Liability", "Long Term Liability"), "Liability"),
    "Equity": "Equity",
}
_ACTIVE = {"Active": Property("$.Active", "flag")}


def _prepare_item(books: Books, draft: Body, old: Stored | None, sent: Body) -> None:
    draft.setdefault("Type", old.body["Type"] if old else "")
    if not draft["Type"]:
        raise errors.required("Type")
    if draft["Type"] == "Group" and old is None:
        raise errors.business("A bundle can be made on QuickBooks' own pages only.", "Type")
    if old is not None and old.body["Type"] == "Inventory" and draft["Type"] != "Inventory":
        raise errors.business("The type of an inventory item cannot be changed.", "Type")
    if draft.get("ParentRef"):
        _check_item_parent(books, draft, old)
    else:
        draft["SubItem"] = False
        draft.pop("Level", None)
    draft.setdefault("Active", True)
    if draft["Type"] in SOLD:
        _complete_sold(books, draft)
    if not draft["SubItem"]:
        del draft["SubItem"]


def _check_item_parent(books: Books, draft: Body, old: Stored | None) -> None:
    level, above = 1, draft["ParentRef"]["value"]
    while above:
        if old is not None and above == old.id:
            raise errors.business("An item cannot be below itself.", "ParentRef")
        above = books.the("Item", above).body.get("ParentRef", {}).get("value")
        level += 1 if above else 0
    draft["SubItem"], draft["Level"] = True, level


def _complete_sold(books: Books, draft: Body) -> None:
    needed = ["IncomeAccountRef"]
    if draft["Type"] == "Inventory":
        needed += ["AssetAccountRef", "ExpenseAccountRef", "InvStartDate", "QtyOnHand"]
    for name in needed:
        if name not in draft:
            raise errors.required(name)
    income = books.the("Account", draft["IncomeAccountRef"]["value"]).body
    if income["AccountType"] not in INCOME:
        text = "The account type of the item's income account is not valid for this type of item."
        raise Fault(6430, "Invalid account type used", text, "IncomeAccountRef")
    draft.setdefault("Taxable", False)
    draft.setdefault("UnitPrice", 0)
    draft.setdefault("PurchaseCost", 0)
    draft.setdefault("TrackQtyOnHand", draft["Type"] == "Inventory")
    draft.setdefault("DeferredRevenue", False)


def _show_item(books: Books, shown: Body, stored: Stored) -> None:
    """Adds the names and types of a bundle's parts."""
    for part in shown.get("ItemGroupDetail", {}).get("ItemGroupLine", []):
        item = books.get("Item", part["ItemRef"]["value"])
        kind = {"type": item.body["Type"]} if item else {}
        part["ItemRef"] = books.with_name(part["ItemRef"], "Item") | kind


def _prepare_account(books: Books, draft: Body, old: Stored | None, sent: Body) -> None:
    draft.setdefault("AccountType", old.body["AccountType"] if old else "")
    if draft["AccountType"] not in CLASSES:
        raise errors.required("AccountType")
    draft.setdefault("Active", True)
    draft.setdefault("Classification", CLASSES[draft["AccountType"]])
    draft.setdefault("SubAccount", bool(draft.get("ParentRef")))
    draft.setdefault("CurrentBalance", 0)
    draft.setdefault("CurrentBalanceWithSubAccounts", 0)
    home = books.preference("CurrencyPrefs", "HomeCurrency", {"value": "USD"})["value"]
    draft.setdefault("CurrencyRef", {"value": home})


def _prepare_term(books: Books, draft: Body, old: Stored | None, sent: Body) -> None:
    draft.setdefault("Active", True)
    if "DueDays" not in draft and "DayOfMonthDue" not in draft:
        raise errors.required("DueDays")
    draft["Type"] = "STANDARD" if "DueDays" in draft else "DATE_DRIVEN"


def _prepare_method(books: Books, draft: Body, old: Stored | None, sent: Body) -> None:
    draft.setdefault("Active", True)
    draft.setdefault("Type", "NON_CREDIT_CARD")


ITEM = Entity(
    name="Item",
    segment="item",
    required=("Name",),
    names=Names("Name", "Item", "product or service", per_parent=True, qualified=True),
    fields={
        "Name": text(100, NAME_STOPPERS),
        "Type": choice(*TYPES),
        "Active": flag(),
        "Sku": text(100),
        "Description": text(4000),
        "PurchaseDesc": text(1000),
        "UnitPrice": number(),
        "PurchaseCost": number(),
        "Taxable": flag(),
        "SalesTaxIncluded": flag(),
        "IncomeAccountRef": ref("Account"),
        "ExpenseAccountRef": ref("Account"),
        "AssetAccountRef": ref("Account"),
        "SalesTaxCodeRef": ref("TaxCode"),
        "PurchaseTaxCodeRef": ref("TaxCode"),
        "ParentRef": ref("Item"),
        "ClassRef": ref("Class"),
        "SubItem": flag(),
        "TrackQtyOnHand": flag(),
        "QtyOnHand": number(),
        "InvStartDate": day(),
        "DeferredRevenue": flag(),
    },
    ignored=frozenset({"FullyQualifiedName", "Level", "ItemGroupDetail", "PrintGroupedItems"}),
    refs={
        "ClassRef": ("Class",),
        "IncomeAccountRef": ("Account",),
        "ExpenseAccountRef": ("Account",),
        "AssetAccountRef": ("Account",),
        "ParentRef": ("Item",),
    },
    filterable={
        **texts("Name", "Type", "Sku", "FullyQualifiedName"),
        **numbers("UnitPrice"),
        "Taxable": Property("$.Taxable", "flag"),
        **_ACTIVE,
    },
    order="json_extract(body, '$.FullyQualifiedName') COLLATE NOCASE, n",
    prepare=_prepare_item,
    settle=engine.requalify_children,
    respond=_show_item,
    omitted={FOUND: frozenset({"DeferredRevenue"})},
)
ACCOUNT = Entity(
    name="Account",
    segment="account",
    required=("Name",),
    names=Names("Name", "Account", "account", per_parent=True, qualified=True),
    fields={
        "Name": text(100, NAME_STOPPERS),
        "AccountType": text(50),
        "AccountSubType": text(100),
        "AcctNum": text(7),
        "Description": text(100),
        "ParentRef": ref("Account"),
        "Active": flag(),
    },
    ignored=frozenset(
        {
            *("FullyQualifiedName", "Classification", "CurrentBalance", "CurrentBalanceWithSubAccounts", "SubAccount"),
            "CurrencyRef",
        }
    ),
    filterable={
        **texts("Name", "AccountType", "AccountSubType", "Classification", "FullyQualifiedName"),
        **numbers("CurrentBalance"),
        **_ACTIVE,
    },
    order="json_extract(body, '$.FullyQualifiedName') COLLATE NOCASE, n",
    prepare=_prepare_account,
    settle=engine.requalify_children,
    respond=ledger.show,
)
TERM = Entity(
    name="Term",
    segment="term",
    required=("Name",),
    names=Names("Name", "Term", "term"),
    fields={
        "Name": text(31, NAME_STOPPERS),
        "Active": flag(),
        "DueDays": number(0, 999),
        "DiscountPercent": number(0, 100),
        "DiscountDays": number(0, 999),
        "DayOfMonthDue": number(1, 31),
        "DueNextMonthDays": number(0, 999),
    },
    ignored=frozenset({"Type"}),
    filterable={**texts("Name"), **_ACTIVE},
    order="json_extract(body, '$.Name') COLLATE NOCASE, n",
    prepare=_prepare_term,
)
PAYMENT_METHOD = Entity(
    name="PaymentMethod",
    segment="paymentmethod",
    required=("Name",),
    names=Names("Name", "PaymentMethod", "payment method"),
    fields={"Name": text(31, NAME_STOPPERS), "Active": flag(), "Type": choice("CREDIT_CARD", "NON_CREDIT_CARD")},
    filterable={**texts("Name", "Type"), **_ACTIVE},
    order="json_extract(body, '$.Name') COLLATE NOCASE, n",
    prepare=_prepare_method,
)
