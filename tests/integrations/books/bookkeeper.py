"""A bookkeeper at their own books, through the vendor's own API in the sandbox."""

from decimal import Decimal
from typing import Any

from fieldcamp.sandbox.mount import URL
from tests.sandboxed import COMPANY, Vendors


class Bookkeeper:
    """What somebody sees and does in QuickBooks."""

    def __init__(self, vendors: Vendors, realm: str = COMPANY):
        self.vendors, self.realm = vendors.at("intuit"), realm
        self.token = self.vendors.token(realm)["access_token"]

    def call(self, method: str, path: str, **kwargs: Any) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {self.token}", "Accept": "application/json"}
        response = self.vendors.browser.request(
            method, f"{URL}/intuit/api/v3/company/{self.realm}/{path}", headers=headers, **kwargs
        )
        assert response.ok, response.text
        return response.json()

    def all(self, entity: str, where: str = "") -> list[dict[str, Any]]:
        """Every record of this kind, inactive ones as well."""
        conditions = where or ("WHERE Active IN (true,false)" if entity in ("Customer", "Item", "TaxCode") else "")
        query = f"SELECT * FROM {entity} {conditions} STARTPOSITION 1 MAXRESULTS 1000"
        return self.call("GET", "query", params={"query": query})["QueryResponse"].get(entity, [])

    def one(self, entity: str, **fields: Any) -> dict[str, Any]:
        """The one record with these fields; fails where there are more, or none."""
        found = [row for row in self.all(entity) if all(row.get(name) == value for name, value in fields.items())]
        assert len(found) == 1, found
        return found[0]

    def get(self, entity: str, id: str) -> dict[str, Any]:
        return self.call("GET", f"{entity.lower()}/{id}")[entity]

    def add(self, entity: str, **fields: Any) -> dict[str, Any]:
        return self.call("POST", entity.lower(), json=fields)[entity]

    def edit(self, entity: str, id: str, **fields: Any) -> dict[str, Any]:
        """Changes these fields and leaves the others."""
        body = {"Id": id, "SyncToken": self.get(entity, id)["SyncToken"], "sparse": True, **fields}
        return self.call("POST", entity.lower(), json=body)[entity]

    def delete(self, entity: str, id: str) -> None:
        body = {"Id": id, "SyncToken": self.get(entity, id)["SyncToken"]}
        self.call("POST", f"{entity.lower()}?operation=delete", json=body)

    def void(self, entity: str, id: str) -> None:
        body = {"Id": id, "SyncToken": self.get(entity, id)["SyncToken"], "sparse": True}
        how = "operation=void" if entity == "Invoice" else "operation=update&include=void"
        self.call("POST", f"{entity.lower()}?{how}", json=body)

    def receive(self, invoice: dict[str, Any], amount: str, **fields: Any) -> dict[str, Any]:
        """A payment of this invoice."""
        line = {"Amount": float(amount), "LinkedTxn": [{"TxnId": invoice["Id"], "TxnType": "Invoice"}]}
        return self.add(
            "Payment",
            CustomerRef={"value": invoice["CustomerRef"]["value"]},
            TotalAmt=float(amount),
            Line=[line],
            **fields,
        )

    def click(self, page: str, **form: Any) -> None:
        """Presses a button of the books' own pages."""
        response = self.vendors.browser.post(f"{URL}/intuit/ui/{self.realm}/{page}", data=form)
        assert response.ok, response.text


def money(value: Any) -> Decimal:
    return Decimal(str(value))


def journal(books: Bookkeeper, customer: str, amount: float, *sides: str) -> list[dict[str, Any]]:
    """The lines of a journal entry: the first side is the customer's receivable, the other one's income."""
    accounts = {each["AccountType"]: {"value": each["Id"]} for each in books.all("Account")}
    entity = {"Entity": {"Type": "Customer", "EntityRef": {"value": customer}}}
    details = [{"AccountRef": accounts["Accounts Receivable"], **entity}, {"AccountRef": accounts["Income"]}]
    kind = "JournalEntryLineDetail"
    return [
        {"Amount": amount, "DetailType": kind, kind: {"PostingType": side, **detail}}
        for side, detail in zip(sides, details, strict=True)
    ]
