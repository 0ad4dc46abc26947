"""A company and its books, edited at random on both sides (see `test_histories.py`)."""

import datetime as dt
import random
from decimal import Decimal
from typing import Any

from django.utils import timezone

from fieldcamp.workspace import invoicing, paying
from fieldcamp.workspace.errors import InvalidFields, InvalidTransition
from fieldcamp.workspace.models import Client, Invoice, Item, Payment, Workspace
from integrations.models import Connection, ConnectionState, Link
from integrations.providers import PROVIDERS
from integrations.records import Account
from integrations.services.connections import take_grant
from tests.faketime import process_clock
from tests.integrations.books.bookkeeper import Bookkeeper, money

DAY = dt.date(2026, 11, 20)


class Refused(Exception):
    """QuickBooks does not let a person do this."""


class Careful(Bookkeeper):
    """One who takes no for an answer."""

    def call(self, method: str, path: str, **kwargs: Any) -> dict[str, Any]:
        try:
            return super().call(method, path, **kwargs)
        except AssertionError as error:
            raise Refused(str(error)) from None


class TwoSides:
    """Each verb picks its record with `rng` and says in words what it did, or nothing where there was none."""

    def __init__(self, connection: Connection, vendors: Any, rng: random.Random):
        self.connection, self.vendors, self.rng = connection, vendors, rng
        self.workspace: Workspace = connection.workspace
        self.books = Careful(vendors)
        self.numbers = iter(range(1, 10_000))
        self.allowed: dict[tuple[str, str], set[Any]] = {}  # what each value may be at the end, by record and field
        self.fresh: set[tuple[str, str]] = set()  # edited here, and maybe not yet told

    def all_synced(self) -> None:
        """A clean sync has told the books of everything."""
        self.fresh.clear()

    def well_again(self) -> None:
        """What was to wait has waited, and who was signed out signs in again."""
        process_clock().reach(Connection.objects.get(pk=self.connection.pk).retry_at)
        self.sign_in_again()
        self.connection.refresh_from_db()
        if self.connection.state != ConnectionState.ACTIVE:
            provider = PROVIDERS["quickbooks"]
            tokens = provider.parse_tokens(self.vendors.token(self.books.realm), timezone.now())
            account = Account(id=self.connection.account_id, name=self.connection.account_name)
            take_grant(workspace=self.workspace, integration="quickbooks", account=account, tokens=tokens, user=None)

    def sign_in_again(self) -> None:
        self.books.token = self.vendors.token(self.books.realm)["access_token"]

    # --- what an edit leaves to be seen -----------------------------------------------------------------------------

    def _edited_here(self, record: Any, name: str, value: Any) -> None:
        """FieldCamp wins, so nothing but this may come out, unless it is overtaken by a later edit there."""
        self.allowed[record.pk, name] = {value}
        self.fresh.add((record.pk, name))

    def _edited_there(self, record_id: str, name: str, value: Any) -> None:
        if (record_id, name) in self.fresh:
            self.allowed[record_id, name] |= {value}
        else:
            self.allowed[record_id, name] = {value}

    def _any(self, rows: Any) -> Any:
        found = list(rows)
        return self.rng.choice(found) if found else None

    def _twin(self, kind: str, record_id: str = "") -> tuple[str, dict[str, Any]] | None:
        """A record of ours that the books have, as it is there."""
        links = Link.objects.filter(stream__connection=self.connection, kind=kind, cut_at=None, seen_gone=False)
        links = links.filter(seen__isnull=False).exclude(record_id="").order_by("pk")
        link = self._any(links.filter(record_id=record_id) if record_id else links)
        if link is None:
            return None
        try:
            return link.record_id, self.books.get(kind.title(), link.remote_id)
        except Refused:
            return None

    # --- here -------------------------------------------------------------------------------------------------------

    def add_client(self) -> None:
        Client.objects.create(workspace=self.workspace, first_name="Kim", last_name=f"Reed {next(self.numbers)}")

    def edit_client(self) -> None:
        if client := self._any(Client.objects.order_by("pk")):
            name = f"Here {next(self.numbers)}"
            Client.objects.filter(pk=client.pk).update(email=f"{name.replace(' ', '.').lower()}@example.com")
            self._edited_here(client, "email", f"{name.replace(' ', '.').lower()}@example.com")

    def add_item(self) -> None:
        Item.objects.create(workspace=self.workspace, name=f"Job {next(self.numbers)}", price=self._price())

    def edit_item(self) -> None:
        if item := self._any(Item.objects.order_by("pk")):
            price = self._price()
            if price != item.price:
                Item.objects.filter(pk=item.pk).update(price=price)
                self._edited_here(item, "price", price)

    def _price(self) -> Decimal:
        return Decimal(self.rng.randint(1, 30000)) / 100

    def _line(self) -> dict[str, Any]:
        item = self._any([None, *Item.objects.order_by("pk")])
        quantity = Decimal(self.rng.choice(["1", "2", "0.333", "1.5"]))
        row = {"description": "Work", "quantity": quantity, "unit_price": self._price()}
        return row | {"item_id": item.pk if item else None}

    def add_invoice(self) -> None:
        if client := self._any(Client.objects.order_by("pk")):
            lines = [self._line() for _ in range(self.rng.randint(1, 3))]
            invoicing.create_invoice(
                workspace=self.workspace, client_id=client.pk, lines=lines, date=DAY, due_date=DAY, send=True
            )

    def edit_memo(self) -> None:
        if invoice := self._any(Invoice.objects.filter(voided_at=None).order_by("pk")):
            memo = f"Here {next(self.numbers)}"
            invoicing.update_invoice(workspace=self.workspace, invoice_id=invoice.pk, changes={"memo": memo})
            self._edited_here(invoice, "memo", memo)

    def edit_lines(self) -> None:
        if invoice := self._any(Invoice.objects.filter(voided_at=None).order_by("pk")):
            changes = {"lines": [self._line() for _ in range(self.rng.randint(1, 3))]}
            try:
                invoicing.update_invoice(workspace=self.workspace, invoice_id=invoice.pk, changes=changes)
            except (InvalidFields, InvalidTransition):
                return
            invoice.refresh_from_db()
            self._edited_here(invoice, "total", invoice.total)

    def void_invoice(self) -> None:
        if invoice := self._any(Invoice.objects.filter(voided_at=None).order_by("pk")):
            try:
                invoicing.void_invoice(workspace=self.workspace, invoice_id=invoice.pk)
            except InvalidTransition:
                return

    def pay(self) -> None:
        invoices = [one for one in Invoice.objects.filter(voided_at=None).order_by("pk") if one.balance > 0]
        if invoice := self._any(invoices):
            amount = min(invoice.balance, self._price())
            share = {"invoice_id": invoice.pk, "amount": amount}
            paying.record_payment(
                workspace=self.workspace, client_id=invoice.client_id, amount=amount, allocations=[share], date=DAY
            )

    def reallocate(self) -> None:
        """The money goes to another invoice of the client, or to two."""
        payment = self._any(Payment.objects.filter(voided_at=None).order_by("pk"))
        if payment is None:
            return
        invoices = Invoice.objects.filter(client=payment.client_id, voided_at=None).order_by("pk")
        invoice = self._any(one for one in invoices if one.balance >= payment.amount)
        if invoice:
            shares = [{"invoice_id": invoice.pk, "amount": payment.amount}]
            try:
                paying.update_payment(workspace=self.workspace, payment_id=payment.pk, changes={"allocations": shares})
            except (InvalidFields, InvalidTransition):
                return

    def edit_payment(self) -> None:
        if payment := self._any(Payment.objects.filter(voided_at=None).order_by("pk")):
            text = f"CHK-{next(self.numbers)}"
            paying.update_payment(workspace=self.workspace, payment_id=payment.pk, changes={"reference": text})
            self._edited_here(payment, "reference", text)

    def void_payment(self) -> None:
        if payment := self._any(Payment.objects.filter(voided_at=None).order_by("pk")):
            paying.void_payment(workspace=self.workspace, payment_id=payment.pk)

    # --- there ------------------------------------------------------------------------------------------------------

    def edit_customer_there(self) -> None:
        if found := self._twin("customer"):
            email = f"there.{next(self.numbers)}@example.com"
            self.books.edit("Customer", found[1]["Id"], PrimaryEmailAddr={"Address": email})
            self._edited_there(found[0], "email", email)

    def edit_item_there(self) -> None:
        if found := self._twin("item"):
            price = self._price()
            self.books.edit("Item", found[1]["Id"], UnitPrice=float(price))
            self._edited_there(found[0], "price", price)

    def edit_memo_there(self) -> None:
        if (found := self._twin("invoice")) and money(found[1]["TotalAmt"]):
            memo = f"There {next(self.numbers)}"
            self.books.edit("Invoice", found[1]["Id"], CustomerMemo={"value": memo})
            self._edited_there(found[0], "memo", memo)

    def edit_lines_there(self) -> None:
        if not (found := self._twin("invoice")) or not money(found[1]["TotalAmt"]):
            return
        line = next(line for line in found[1]["Line"] if line["DetailType"] == "SalesItemLineDetail")
        price = self._price()
        detail = line["SalesItemLineDetail"] | {"Qty": 1, "UnitPrice": float(price)}
        body = {"Amount": float(price), "DetailType": line["DetailType"], "SalesItemLineDetail": detail}
        edited = self.books.edit("Invoice", found[1]["Id"], Line=[body])
        self._edited_there(found[0], "total", money(edited["TotalAmt"]))

    def void_invoice_there(self) -> None:
        if found := self._twin("invoice"):
            self.books.void("Invoice", found[1]["Id"])

    def delete_invoice_there(self) -> None:
        if found := self._twin("invoice"):
            self.books.delete("Invoice", found[1]["Id"])

    def receive_there(self) -> None:
        found = self._twin("invoice")
        if found and (left := money(found[1]["Balance"])):
            self.books.receive(found[1], str(min(left, self._price())), TxnDate=DAY.isoformat())

    def edit_payment_there(self) -> None:
        if (found := self._twin("payment")) and money(found[1]["TotalAmt"]):
            text = f"T-{next(self.numbers)}"
            self.books.edit("Payment", found[1]["Id"], PaymentRefNum=text)
            self._edited_there(found[0], "reference", text)

    def reallocate_there(self) -> None:
        found = self._twin("payment")
        if not found or not money(found[1]["TotalAmt"]):
            return
        customer, amount = found[1]["CustomerRef"]["value"], money(found[1]["TotalAmt"])
        invoices = self.books.all("Invoice", f"WHERE CustomerRef = '{customer}'")
        invoice = self._any(row for row in invoices if money(row["Balance"]) >= amount)
        if invoice:
            line = {"Amount": float(amount), "LinkedTxn": [{"TxnId": invoice["Id"], "TxnType": "Invoice"}]}
            self.books.edit("Payment", found[1]["Id"], Line=[line])

    def void_payment_there(self) -> None:
        if found := self._twin("payment"):
            self.books.void("Payment", found[1]["Id"])

    def delete_payment_there(self) -> None:
        if found := self._twin("payment"):
            self.books.delete("Payment", found[1]["Id"])
