"""What a plumber sells, to whom, and how it is billed: the bodies that most tests begin with."""

from decimal import ROUND_HALF_UP, Decimal
from typing import Any

ALBANY = {"Line1": "90 Wolf Rd", "City": "Albany", "CountrySubDivisionCode": "NY", "PostalCode": "12205"}


def ref(known: dict[str, Any] | str) -> dict[str, str]:
    return {"value": known if isinstance(known, str) else known["Id"]}


def line(item: dict[str, Any], quantity: Any = 1, price: Any = 100, tax: str = "TAX", **more: Any) -> dict[str, Any]:
    """A line of so many at that price."""
    amount = (Decimal(str(quantity)) * Decimal(str(price))).quantize(Decimal("0.01"), ROUND_HALF_UP)
    detail = {"ItemRef": ref(item), "Qty": quantity, "UnitPrice": price, "TaxCodeRef": {"value": tax}}
    return {"DetailType": "SalesItemLineDetail", "Amount": float(amount), "SalesItemLineDetail": detail} | more


def percent_off(percent: float) -> dict[str, Any]:
    detail = {"PercentBased": True, "DiscountPercent": percent}
    return {"DetailType": "DiscountLineDetail", "DiscountLineDetail": detail}


def off(amount: float) -> dict[str, Any]:
    return {"DetailType": "DiscountLineDetail", "Amount": amount, "DiscountLineDetail": {"PercentBased": False}}


def tax_code(code: str, **more: Any) -> dict[str, Any]:
    return {"TxnTaxDetail": {"TxnTaxCodeRef": {"value": code}} | more}


def applied(invoice: dict[str, Any], amount: float) -> dict[str, Any]:
    """A payment's line."""
    return {"Amount": amount, "LinkedTxn": [{"TxnId": invoice["Id"], "TxnType": "Invoice"}]}


class Business:
    """A customer, an item, and quick ways to bill the one for the other."""

    def __init__(self, books: Any) -> None:
        self.books = books
        self.customer = books.create("customer", DisplayName="Northway Hardware", BillAddr=ALBANY)
        self.item = books.create("item", Name="Labor", Type="Service", IncomeAccountRef=ref("87"))

    def bill(self, *lines: dict[str, Any], **fields: Any) -> dict[str, Any]:
        return self.books.create("invoice", self.draft(*lines, **fields))

    def draft(self, *lines: dict[str, Any], **fields: Any) -> dict[str, Any]:
        return {"CustomerRef": ref(self.customer), "Line": list(lines or (line(self.item),))} | fields

    def pay(self, amount: float, *lines: dict[str, Any], **fields: Any) -> dict[str, Any]:
        return self.books.create("payment", self.payment(amount, *lines, **fields))

    def payment(self, amount: float, *lines: dict[str, Any], **fields: Any) -> dict[str, Any]:
        return {"CustomerRef": ref(self.customer), "TotalAmt": amount, "Line": list(lines)} | fields

    def owes(self) -> float:
        return self.books.get("customer", self.customer["Id"])["Balance"]

    def again(self, known: dict[str, Any]) -> dict[str, Any]:
        """The invoice or payment as it is now."""
        return self.books.get("payment" if "UnappliedAmt" in known else "invoice", known["Id"])
