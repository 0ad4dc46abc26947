"""Books as they are after years: the seed "messy", in the manner of Intuit's own sample company.

Sub-customers, names turned round, two addresses in one field, charges from statements, estimates and hours that were
billed, credits, deposits, bundles, stock, classes. What no app can write is put there as QuickBooks' pages leave it.
"""

from datetime import date, timedelta
from typing import Any

from fieldcamp.sandbox.intuit import credits, deposit, engine, preferences, rate_history
from fieldcamp.sandbox.intuit.amounts import cents, decimal, number
from fieldcamp.sandbox.intuit.books import Books
from fieldcamp.sandbox.intuit.entity import Body
from fieldcamp.sandbox.intuit.line_kinds import DISCOUNT, GROUP, SALES, SHIPPING, SUBTOTAL
from fieldcamp.sandbox.intuit.messy_samples import (
    CLASSES,
    CUSTOMERS,
    DEPARTMENTS,
    GOODS,
    INACTIVE,
    NORTHERN_CUSTOMER,
    SERVICES,
    SITES,
)

CALIFORNIA, UNDEPOSITED, CHECKING = "2", "4", "35"
CREW = {"DefinitionId": "1", "Name": "Crew #", "Type": "StringType", "StringValue": "102"}


class Maker:
    """Writes the business of one company, day by day."""

    def __init__(self, books: Books) -> None:
        self.books = books
        self.ids: dict[str, str] = {}  # of everything that has a name

    def write(self, entity: str, body: Body, **more: Any) -> Body:
        """A new object, by the rules for apps."""
        made = engine.write(self.books, self.books.entities[entity], body | more)
        name = made.get("DisplayName") or made.get("Name")
        if name:
            self.ids[name] = made["Id"]
        return made

    def ref(self, name: str) -> Body:
        """A reference to what has that name."""
        return {"value": self.ids[name]}

    def day(self, days_ago: int) -> str:
        """A day so long ago."""
        return (date.fromisoformat(self.books.today) - timedelta(days=days_ago)).isoformat()

    def line(self, item: str, quantity: Any, price: Any, code: str = "TAX", text: str = "", **detail: Any) -> Body:
        """A line of so many at that price."""
        sold = {"ItemRef": self.ref(item), "Qty": quantity, "UnitPrice": price, "TaxCodeRef": {"value": code}}
        amount = number(cents(decimal(quantity) * decimal(price)))
        return {"Description": text or item, "Amount": amount, "DetailType": SALES, SALES: sold | detail}

    def sale(self, entity: str, customer: str, days_ago: int, *lines: Body, taxed: bool = False, **more: Any) -> Body:
        """An invoice, an estimate or the like."""
        head = {"CustomerRef": self.ref(customer), "TxnDate": self.day(days_ago), "Line": list(lines)}
        code = {"TxnTaxDetail": {"TxnTaxCodeRef": {"value": CALIFORNIA}}} if taxed else {}
        return self.write(entity, head | code, **more)

    def pay(self, customer: str, days_ago: int, amount: float, *invoices: Body, **more: Any) -> Body:
        """A payment that settles these invoices, each as far as it is open."""
        left, lines = decimal(amount), []
        for invoice in invoices:
            part = min(left, decimal(self.books.the("Invoice", invoice["Id"]).body["Balance"]))
            left -= part
            lines.append({"Amount": number(part), "LinkedTxn": [link("Invoice", invoice)]})
        head = {"CustomerRef": self.ref(customer), "TotalAmt": amount, "TxnDate": self.day(days_ago), "Line": lines}
        return self.write("Payment", head | {"PaymentMethodRef": {"value": "2"}}, **more)

    def leave(self, entity: str, known: Body, **body: Any) -> None:
        """Writes into an object what QuickBooks' own pages write there and no app can."""
        stored = self.books.the(entity, known["Id"])
        self.books.annotate(stored, stored.body | body)


def link(kind: str, known: Body) -> Body:
    """A link to a transaction."""
    return {"TxnId": known["Id"], "TxnType": kind}


def fill(books: Books) -> None:
    """Years of a plumber's books."""
    maker = Maker(books)
    _prefer(books)
    _lists(maker)
    _customers(maker)
    _from_statements(maker)
    _from_estimates(maker)
    _every_kind_of_line(maker)
    _families(maker)
    _credits(maker)
    _at_once(maker)
    _changed_and_void(maker)


def fill_foreign(books: Books) -> None:
    """A company abroad, where prices may hold their tax and rates have changed."""
    maker = Maker(books)
    rate_history.change(books, books.the("TaxRate", "3"), decimal(7), maker.day(40))
    stored = books.the("TaxRate", "3")
    rows = [stored.body["EffectiveTaxRate"][0] | {"RateValue": 6}, *stored.body["EffectiveTaxRate"][1:]]
    books.annotate(stored, stored.body | {"EffectiveTaxRate": rows})
    income = {"IncomeAccountRef": {"value": "87"}, "Type": "Service", "Taxable": True}
    for name, price in (("Furnace service", 140), ("Furnace filter", 24.5)):
        maker.write("Item", {"Name": name, "UnitPrice": price} | income)
    maker.write("Customer", NORTHERN_CUSTOMER)
    who = NORTHERN_CUSTOMER["DisplayName"]
    for days_ago in (60, 20):  # before and after the rate of the province rose
        both = [maker.line("Furnace service", 1, 140, "4"), maker.line("Furnace filter", 3, 24.5, "3")]
        maker.sale("Invoice", who, days_ago, *both)
    held = maker.line("Furnace service", 1, 133.33, "4", TaxInclusiveAmt=149.33)
    maker.sale("Invoice", who, 12, held, GlobalTaxCalculation="TaxInclusive")
    maker.sale("Invoice", who, 5, maker.line("Furnace service", 1, 140, "5"), GlobalTaxCalculation="TaxExcluded")


def _prefer(books: Books) -> None:
    """Classes, locations, service dates, shipping and a field of the company's own are switched on."""
    stored = books.the("Preferences")
    field = {"Name": "SalesFormsPrefs.SalesCustomName1", "Type": "StringType", "StringValue": CREW["Name"]}
    body = preferences.with_sales_forms(
        stored.body,
        AllowServiceDate=True,
        AllowShipping=True,
        AllowDeposit=True,
        CustomField=[{"CustomField": [field]}],
    )
    tracked = {"TrackDepartments": True, "ClassTrackingPerTxnLine": True}
    books.change(stored, body | {"AccountingInfoPrefs": body["AccountingInfoPrefs"] | tracked})


def _lists(maker: Maker) -> None:
    for entity, names in (("Class", CLASSES), ("Department", DEPARTMENTS)):
        for name, parent in names:
            maker.write(entity, {"Name": name} | ({"ParentRef": maker.ref(parent)} if parent else {}))
    for name, price, text in SERVICES:
        body = {"Name": name, "Type": "Service", "UnitPrice": price, "Description": text, "Taxable": True}
        maker.write("Item", body, IncomeAccountRef={"value": "87"})
    accounts = {"IncomeAccountRef": {"value": "79"}, "AssetAccountRef": {"value": "81"}}
    accounts["ExpenseAccountRef"] = {"value": "80"}
    for name, price, cost, quantity in GOODS:
        body = {"Name": name, "Type": "Inventory", "UnitPrice": price, "PurchaseCost": cost, "QtyOnHand": quantity}
        maker.write("Item", body | accounts, InvStartDate=maker.day(400), Taxable=True)
    parts = [{"Qty": many, "ItemRef": maker.ref(name)} for name, many in (("Rock Fountain", 1), ("Pump", 2))]
    bundle = {"Name": "Fountain, complete", "FullyQualifiedName": "Fountain, complete", "Type": "Group", "Active": True}
    detail = {"ItemGroupDetail": {"ItemGroupLine": parts}, "PrintGroupedItems": True, "Taxable": False}
    maker.ids["Fountain, complete"] = maker.books.insert("Item", bundle | detail).id
    maker.write("Employee", {"GivenName": "Emily", "FamilyName": "Platt"})
    maker.write("Vendor", {"DisplayName": "Ellis Equipment Rental"})


def _customers(maker: Maker) -> None:
    for body in CUSTOMERS:
        maker.write("Customer", body)
    for parent, body in SITES:
        maker.write("Customer", body | {"Job": True, "ParentRef": maker.ref(parent)})
    for body in INACTIVE:
        made = maker.write("Customer", body)
        known = {"Id": made["Id"], "SyncToken": made["SyncToken"], "sparse": True}
        maker.write("Customer", known | {"Active": False})


def _from_statements(maker: Maker) -> None:
    """Charges that stood on statements, or that were paid for a customer, before an invoice took them in."""
    lines = [maker.line("Gardening", 1, 75)]
    charged = maker.sale("Invoice", "55 Twin Lane", 70, *lines, taxed=True, DocNumber="1013")
    charge = {"TxnId": maker.books.store.next_id(maker.books.realm, "Transaction"), "TxnType": "StatementCharge"}
    sums = [{"Amount": 75, "DetailType": SUBTOTAL, SUBTOTAL: {}}]
    maker.leave("Invoice", charged, Line=sums, LinkedTxn=[charge])
    maker.pay("Freeman Sporting Goods", 60, charged["TotalAmt"], charged)
    spent = maker.sale("Invoice", "Red Rock Diner", 50, maker.line("Gardening", 1, 103.55, "NON"), DocNumber="1014")
    links = [{"TxnId": maker.books.store.next_id(maker.books.realm, "Transaction"), "TxnType": "ReimburseCharge"}]
    markup = {"PercentBased": False, "Value": 53.55, "MarkUpIncomeAccountRef": {"value": "82"}}
    first, *others = maker.books.the("Invoice", spent["Id"]).body["Line"]
    kept = {name: value for name, value in first[SALES].items() if name not in ("Qty", "UnitPrice")}
    detail = {"ServiceDate": maker.day(52), "MarkupInfo": markup} | kept
    maker.leave("Invoice", spent, LinkedTxn=links, Line=[first | {"LinkedTxn": links, SALES: detail}, *others])


def _from_estimates(maker: Maker) -> None:
    """Estimates and hours: some have become invoices."""
    who = "Sonnenschein Family Store"
    lines = [maker.line("Rock Fountain", 1, 275), maker.line("Pump", 1, 12.75), maker.line("Concrete", 5, 9.5)]
    offer = maker.sale("Estimate", who, 45, *lines, taxed=True)
    origin = {"LinkedTxn": [link("Estimate", offer)]}
    maker.sale(
        "Invoice", who, 44, *(line | origin for line in lines), taxed=True, **origin, SalesTermRef={"value": "3"}
    )
    waiting = maker.sale("Estimate", "Amy's Bird Sanctuary", 9, maker.line("Design", 7.5, 75, "NON"))
    known = {"Id": waiting["Id"], "SyncToken": waiting["SyncToken"], "sparse": True}
    maker.write("Estimate", known | {"TxnStatus": "Accepted", "AcceptedBy": "Amy", "AcceptedDate": maker.day(3)})
    hours: Body = {"NameOf": "Employee", "EmployeeRef": maker.ref("Emily Platt"), "ItemRef": maker.ref("Design")}
    hours |= {"CustomerRef": maker.ref("Amy's Bird Sanctuary"), "BillableStatus": "Billable", "HourlyRate": 75}
    billed = maker.write("TimeActivity", hours, Hours=3, TxnDate=maker.day(30), Description="Drawing")
    maker.write("TimeActivity", hours, Hours=1, Minutes=30, TxnDate=maker.day(2), Description="Drawing again")
    origin = {"LinkedTxn": [link("TimeActivity", billed)]}
    work = maker.line("Design", 3, 75, "NON", "Drawing", ServiceDate=maker.day(30)) | origin
    maker.sale("Invoice", "Amy's Bird Sanctuary", 28, work)


def _every_kind_of_line(maker: Maker) -> None:
    bundle: Body = {"GroupItemRef": maker.ref("Fountain, complete"), "Quantity": 1}
    lines = [
        maker.line("Gardening", 2, 35, ClassRef=maker.ref("Commercial"), ServiceDate=maker.day(22)),
        maker.line("Concrete", 4, 9.5, "NON", ClassRef=maker.ref("Residential"), ServiceDate=maker.day(21)),
        {"DetailType": GROUP, GROUP: bundle},
        {"Description": "Gate code 4711", "DetailType": "DescriptionOnly", "DescriptionLineDetail": {}},
        {"DetailType": DISCOUNT, DISCOUNT: {"PercentBased": True, "DiscountPercent": 10}},
        {"Amount": 18, "DetailType": SALES, SALES: {"ItemRef": {"value": SHIPPING}, "TaxCodeRef": {"value": "NON"}}},
    ]
    head: Body = {"DepartmentRef": maker.ref("Albany"), "CustomField": [CREW], "Deposit": 50}
    mail = {
        "BillEmail": {"Address": "diner@redrock.test, owner@redrock.test"},
        "BillEmailCc": {"Address": "cc@redrock.test"},
    }
    ship = {"ShipDate": maker.day(20), "TrackingNum": "1Z999", "EmailStatus": "NeedToSend"}
    notes = {"CustomerMemo": {"value": "Thank you!"}, "PrivateNote": "Cust. complained\nabout the pump"}
    online = {"AllowOnlineCreditCardPayment": True, "AllowOnlineACHPayment": True}
    everything = head | mail | ship | notes | online
    made = maker.sale("Invoice", "Red Rock Diner", 22, *lines, taxed=True, **everything)
    target = {"EntityRef": {"type": "Invoice", "value": made["Id"]}, "IncludeOnSend": False}
    maker.write("Attachable", {"Note": "The old pump is in the yard.", "AttachableRef": [target]})


def _families(maker: Maker) -> None:
    """What a parent pays for those below it."""
    sites = ("0969 Ocean View Road", "55 Twin Lane")
    bills = [maker.sale("Invoice", site, 35 - n, maker.line("Gardening", 6, 35, "NON")) for n, site in enumerate(sites)]
    own = maker.sale("Invoice", "Freeman Sporting Goods", 33, maker.line("Design", 2, 75, "NON"))
    paid = maker.pay("Freeman Sporting Goods", 18, 500, *bills, own)
    back = maker.pay("0969 Ocean View Road", 15, 60, own, DepositToAccountRef={"value": CHECKING})
    other = {"AccountRef": {"value": "79"}, "PaymentMethodRef": {"value": "1"}, "CheckNum": "88"}
    cash = {"Amount": 12.5, "Description": "Scrap copper", "DetailType": deposit.DETAIL, deposit.DETAIL: other}
    line = {"Amount": paid["TotalAmt"], "LinkedTxn": [link("Payment", paid)]}
    maker.write("Deposit", {"DepositToAccountRef": {"value": CHECKING}, "Line": [line, cash], "TxnDate": maker.day(14)})
    maker.leave("Payment", back, PrivateNote="Paid for the parent by mistake")


def _credits(maker: Maker) -> None:
    """Credit memos: one applied, one in part, one still whole; and more money than was owed."""
    amy, shop = "Amy's Bird Sanctuary", "Bill's Windsurf Shop"
    bill = maker.sale("Invoice", amy, 26, maker.line("Gardening", 4, 25, "NON"))
    memos = [maker.sale("CreditMemo", amy, 25 - n, maker.line("Gardening", 4, 25, "NON")) for n in range(2)]
    maker.sale("CreditMemo", shop, 16, maker.line("Pump", 1, 12.75), taxed=True)
    whole, part = decimal(100), decimal(40)
    used = {memos[0]["Id"]: whole}
    credits.link(maker.books, maker.ids[amy], {bill["Id"]: whole}, used, maker.day(24))
    open_ = maker.sale("Invoice", amy, 20, maker.line("Gardening", 10, 25, "NON"))
    credits.link(maker.books, maker.ids[amy], {open_["Id"]: part}, {memos[1]["Id"]: part}, maker.day(19))
    maker.pay(shop, 10, 85)  # on account: nothing is owed yet


def _at_once(maker: Maker) -> None:
    """Sold and paid in the shop, and given back."""
    head = {"PaymentMethodRef": {"value": "1"}, "DepositToAccountRef": {"value": UNDEPOSITED}}
    maker.sale("SalesReceipt", "Dylan Sollfrank", 17, maker.line("Sprinkler heads", 12, 2), taxed=True, **head)
    back = {"DepositToAccountRef": {"value": CHECKING}, "PaymentMethodRef": {"value": "1"}}
    maker.sale("RefundReceipt", "Dylan Sollfrank", 13, maker.line("Sprinkler heads", 2, 2), taxed=True, **back)


def _changed_and_void(maker: Maker) -> None:
    """One that was written twice and voided, one renumbered by hand, one paid in part, long overdue."""
    twice = maker.sale("Invoice", "Weiskopf, Nicola", 40, maker.line("Design", 1, 375, "NON"))
    known = {"Id": twice["Id"], "SyncToken": twice["SyncToken"]}
    engine.void(maker.books, maker.books.entities["Invoice"], known)
    odd = maker.sale("Invoice", "Weiskopf, Nicola", 39, maker.line("Design", 5, 75, "NON"), DocNumber="2024-07/b")
    maker.pay("Weiskopf, Nicola", 30, 100, odd)
    maker.sale("Invoice", "Whitehead, Mark", 150, maker.line("Rock Fountain", 3, 275), taxed=True)
