"""A company whose books agree, and differences planted behind the product's back: in the books by their own API and
pages, in FieldCamp in its tables."""

import datetime as dt
from decimal import Decimal
from typing import Any

from django.utils import timezone

from fieldcamp.workspace import invoicing, paying
from fieldcamp.workspace.models import Client, Invoice, Payment, Workspace
from integrations.models import Connection, DirtyRow, Link
from integrations.reconciliation.causes import Cause
from tests.integrations.books.bookkeeper import Bookkeeper

DAY = dt.date(2026, 11, 20)
Found = tuple[str, str, str]  # kind, the record's id here or else there, cause


class Planting:
    """Each verb plants one difference, and notes in `planted` how a report has to name it."""

    def __init__(self, connection: Connection, books: Bookkeeper):
        self.connection, self.books = connection, books
        self.workspace: Workspace = connection.workspace
        self.planted: set[Found] = set()
        self.clients: list[Client] = []
        self.invoices: list[Invoice] = []
        self.paid: list[tuple[Invoice, Payment]] = []

    # --- a company that agrees --------------------------------------------------------------------------------------

    def add_client(self, name: str) -> Client:
        client = Client.objects.create(workspace=self.workspace, first_name="Kim", last_name=name)
        self.clients.append(client)
        return client

    def add_invoice(self, client: Client, price: str = "100", **fields: Any) -> Invoice:
        line = {"item_id": None, "description": "Work", "quantity": Decimal(1), "unit_price": Decimal(price)}
        values = {"workspace": self.workspace, "client_id": client.pk, "lines": [line], "date": DAY, **fields}
        return invoicing.create_invoice(**values, send=True)

    def pay(self, invoice: Invoice, amount: str, **fields: Any) -> Payment:
        shares = [{"invoice_id": invoice.pk, "amount": Decimal(amount)}]
        values = {"workspace": self.workspace, "client_id": invoice.client_id, "amount": Decimal(amount), **fields}
        return paying.record_payment(**{"allocations": shares, "date": DAY, **values})

    def fill(self, unpaid: int, paid: int) -> None:
        """So many invoices, in two months, of four clients."""
        for number in range(4):
            self.add_client(f"Reed {number}")
        for number in range(unpaid + paid):
            day = DAY - dt.timedelta(days=30 * (number % 2))
            invoice = self.add_invoice(self.clients[number % 4], str(100 + number), date=day)
            if number < unpaid:
                self.invoices.append(invoice)
            else:
                self.paid.append((invoice, self.pay(invoice, "40", date=day)))

    # --- who is who -------------------------------------------------------------------------------------------------

    def remote_id(self, record: Any) -> str:
        return Link.objects.get(stream__connection=self.connection, record_id=record.pk).remote_id

    def there(self, record: Invoice | Payment) -> dict[str, Any]:
        return self.books.get(record.kind.title(), self.remote_id(record))

    def _plant(self, kind: str, id: str, cause: Cause) -> None:
        self.planted.add((kind, id, cause.value))

    def note(self, record: Invoice | Payment, cause: Cause) -> None:
        self._plant(record.kind, record.pk, cause)

    # --- in the books -----------------------------------------------------------------------------------------------

    def deleted_there(self, record: Invoice | Payment) -> None:
        self.books.delete(record.kind.title(), self.remote_id(record))
        self.note(record, Cause.REMOVED_THERE)

    def voided_there(self, record: Invoice | Payment) -> None:
        self.books.void(record.kind.title(), self.remote_id(record))
        self.note(record, Cause.VOIDED_THERE)

    def edited_there(self, record: Invoice | Payment, **fields: Any) -> None:
        self.books.edit(record.kind.title(), self.remote_id(record), **fields)
        self.note(record, Cause.CHANGED_THERE)

    def total_there(self, invoice: Invoice, price: str) -> None:
        [line] = [row for row in self.there(invoice)["Line"] if row["DetailType"] == "SalesItemLineDetail"]
        detail = {**line["SalesItemLineDetail"], "UnitPrice": float(price), "Qty": 1}
        self.edited_there(invoice, Line=[{**line, "Amount": float(price), "SalesItemLineDetail": detail}])

    def taxed_there(self, invoice: Invoice, tax: str) -> None:
        body = {
            name: value for name, value in self.there(invoice).items() if name not in ("Id", "SyncToken", "MetaData")
        }
        more = float(tax)
        body |= {
            "TotalAmt": body["TotalAmt"] + more,
            "Balance": body["Balance"] + more,
            "TxnTaxDetail": {"TotalTax": more},
        }
        record = {"vendor": "intuit", "account": self.books.realm, "entity": "Invoice", "id": self.remote_id(invoice)}
        self.books.vendors.call("POST", "record", json={**record, "body": body})
        self.note(invoice, Cause.CHANGED_THERE)

    def moved_there(self, invoice: Invoice, client: Client) -> None:
        self.books.edit("Invoice", self.remote_id(invoice), CustomerRef={"value": self.remote_id(client)})
        self.note(invoice, Cause.MOVED_CUSTOMER)

    def shared_out_there(self, payment: Payment, invoice: Invoice) -> None:
        """The payment pays another invoice."""
        link = {"TxnId": self.remote_id(invoice), "TxnType": "Invoice"}
        self.edited_there(payment, Line=[{"Amount": float(payment.amount), "LinkedTxn": [link]}])

    def received_there(self, invoice: Invoice, amount: str) -> None:
        made = self.books.receive(self.there(invoice), amount, TxnDate=DAY.isoformat())
        self._plant("payment", made["Id"], Cause.NOT_LINKED_HERE)

    def received_by(self, number: str, amount: str) -> None:
        """A payment of an invoice that only the books have."""
        made = self.books.receive(self.books.one("Invoice", DocNumber=number), amount, TxnDate=DAY.isoformat())
        self._plant("payment", made["Id"], Cause.NOT_LINKED_HERE)

    def by_hand(self, client: Client, number: str, price: str = "55", cause: Cause = Cause.NOT_LINKED_HERE) -> None:
        item = self.connection.books.default_item_id
        detail = {"ItemRef": {"value": item}, "Qty": 1, "UnitPrice": float(price)}
        line = {"Amount": float(price), "DetailType": "SalesItemLineDetail", "SalesItemLineDetail": detail}
        customer = {"value": self.remote_id(client)}
        made = self.books.add("Invoice", DocNumber=number, CustomerRef=customer, Line=[line], TxnDate=DAY.isoformat())
        self._plant("invoice", made["Id"], cause)

    def merged_there(self, client: Client, into: Client) -> None:
        """All documents of the one customer are the other's."""
        body = {"vendor": "intuit", "account": self.books.realm, "entity": "Customer"}
        ids = {"from": self.remote_id(client), "into": self.remote_id(into)}
        self.books.vendors.call("POST", "merge", json={**body, **ids})
        for record in (*Invoice.objects.filter(client=client), *Payment.objects.filter(client=client)):
            self.note(record, Cause.MERGED_THERE)

    # --- in FieldCamp -----------------------------------------------------------------------------------------------

    def behind_the_back(self, record: Invoice | Payment, cause: Cause, **values: Any) -> None:
        """Past the change log, so that no sync knows of it."""
        type(record)._base_manager.filter(pk=record.pk).update(**values)
        DirtyRow.objects.filter(record_id=record.pk).delete()
        self.note(record, cause)

    def voided_here(self, invoice: Invoice) -> None:
        self.behind_the_back(invoice, Cause.VOIDED_HERE, voided_at=timezone.now())

    def never_posted(self, client: Client) -> None:
        invoice = self.add_invoice(client)
        DirtyRow.objects.filter(record_id=invoice.pk).delete()
        self.note(invoice, Cause.NOT_LINKED_THERE)

    def waiting(self, client: Client) -> None:
        self.note(self.add_invoice(client), Cause.WAITING)


def named(report: Any) -> set[Found]:
    """How the report names its differences."""
    rows = [row.difference for row in report.differences]
    return {(row.pair.kind, row.pair.record_id or row.pair.remote_id, row.cause.value) for row in rows}
