"""The same company with a bookkeeper of the busy sort, and people at the desk who answer what they are asked (see
`test_messy_histories.py`)."""

import datetime as dt
from typing import Any

from django.contrib.auth.models import User

from fieldcamp.workspace.errors import InvalidFields, InvalidTransition
from fieldcamp.workspace.models import Client, Invoice, Payment
from fieldcamp.workspace.services import update_client
from integrations.books.asking import candidates_in
from integrations.errors import ProblemCode
from integrations.models import Link, Problem
from integrations.services.books.decisions import NotPossible, decide_match, post_again, void_here
from integrations.services.books.links import part
from integrations.services.decisions import AlreadyDecided, resolve_conflict, retry, retry_cause
from integrations.services.jobs import SyncInProgress
from tests.integrations.books.bookkeeper import journal, money
from tests.integrations.books.two_sides import DAY, Refused, TwoSides
from tests.integrations.engine import finish

NO = (AlreadyDecided, NotPossible, InvalidFields, InvalidTransition, SyncInProgress)
CLASS = {"value": "5000000000000000001"}


class MessySides(TwoSides):
    """`marked` are lines on which the bookkeeper has put something that FieldCamp does not know: what it was, by the
    invoice there and the line's id."""

    def __init__(self, *given: Any):
        super().__init__(*given)
        self.marked: dict[tuple[str, str], dict[str, Any]] = {}
        self.olga = User.objects.create_user("olga")

    # --- there ------------------------------------------------------------------------------------------------------

    def add_customer_there(self) -> None:
        """Sometimes one whose name a client of FieldCamp has."""
        name = self.rng.choice([f"Book {next(self.numbers)}", self._name_of_somebody()])
        self.books.add("Customer", DisplayName=name)

    def _name_of_somebody(self) -> str:
        client = self._any(Client.objects.alive().order_by("pk"))
        return f"{client.first_name} {client.last_name}" if client else f"Book {next(self.numbers)}"

    def rename_customer_there(self) -> None:
        if found := self._twin("customer"):
            self.books.edit("Customer", found[1]["Id"], DisplayName=f"Renamed {next(self.numbers)}")

    def merge_customers_there(self) -> None:
        rows = [row for row in self.books.all("Customer") if row.get("Active", True)]
        if len(rows) > 1:
            lost, kept = self.rng.sample(rows, 2)
            self._merge("Customer", lost, kept)

    def merge_items_there(self) -> None:
        rows = [row for row in self.books.all("Item", "WHERE Type = 'Service'") if row["Name"] != "Services"]
        if len(rows) > 1:
            self._merge("Item", *self.rng.sample(rows, 2))

    def _merge(self, entity: str, lost: dict[str, Any], kept: dict[str, Any]) -> None:
        both = {"from": lost["Id"], "into": kept["Id"]}
        try:
            self.vendors.call("POST", "merge", json={"vendor": "intuit", "account": self.books.realm,
                                                     "entity": entity, **both})  # fmt: skip
        except AssertionError as error:
            raise Refused(str(error)) from None

    def switch_off_there(self) -> None:
        """Somebody, or something, is made inactive; or active again."""
        if found := self._twin(self.rng.choice(["customer", "item"])):
            entity = "Customer" if "DisplayName" in found[1] else "Item"
            self.books.edit(entity, found[1]["Id"], Active=not found[1].get("Active", True))

    def move_to_a_site_there(self) -> None:
        """An invoice is put down to a place of its customer's."""
        if found := self._twin("invoice"):
            parent = found[1]["CustomerRef"]["value"]
            name, of = f"Site {next(self.numbers)}", {"value": parent}
            site = self.books.add("Customer", DisplayName=name, ParentRef=of, Job=True)
            self.books.edit("Invoice", found[1]["Id"], CustomerRef={"value": site["Id"]})

    def renumber_there(self) -> None:
        if found := self._twin("invoice"):
            self.books.edit("Invoice", found[1]["Id"], DocNumber=f"R-{next(self.numbers)}")

    def bill_by_hand_there(self) -> None:
        """Under the next number of FieldCamp's, or with none of its own."""
        row = self._any(row for row in self.books.all("Customer") if row.get("Active", True))
        if row is None:
            return
        last = max((int(one.number) for one in Invoice.objects.all() if one.number.isdigit()), default=1)
        number = self.rng.choice([str(last + 1), str(last), f"H-{next(self.numbers)}"])
        item = self.books.one("Item", Name="Services")
        detail = {"ItemRef": {"value": item["Id"]}, "Qty": 1, "UnitPrice": float(self._price())}
        line = {"DetailType": "SalesItemLineDetail", "Amount": detail["UnitPrice"], "SalesItemLineDetail": detail}
        self.books.add("Invoice", CustomerRef={"value": row["Id"]}, DocNumber=number, TxnDate=DAY.isoformat(),
                       Line=[line])  # fmt: skip

    def correct_by_journal_there(self) -> None:
        """What a customer owes is made more or less by a journal entry, as year-ends do."""
        row = self._any(row for row in self.books.all("Customer") if row.get("Active", True))
        if row is not None:
            lines = journal(self.books, row["Id"], float(self._price()), "Credit", "Debit")
            self.books.add("JournalEntry", DocNumber=f"W-{next(self.numbers)}", Line=lines)

    def price_with_tax_there(self) -> None:
        """An item's price is made one that includes the tax, or one before it."""
        if found := self._twin("item"):
            self.books.edit("Item", found[1]["Id"], SalesTaxIncluded=not found[1].get("SalesTaxIncluded", False))

    def receive_the_same_there(self) -> None:
        """Money that FieldCamp has as well, typed in once more, perhaps a day later."""
        posted = Link.objects.filter(kind="payment", seen__isnull=False).values("record_id")
        payments = Payment.objects.filter(voided_at=None, made_in="").exclude(pk__in=posted)
        payment = self._any(payments.order_by("pk"))
        share = payment.allocations.first() if payment else None
        found = self._twin("invoice", share.invoice_id) if share else None
        if payment and found and money(found[1]["Balance"]):
            day = payment.date + dt.timedelta(days=self.rng.choice([0, 0, 1]))
            amount = min(money(found[1]["Balance"]), payment.amount)
            self.books.receive(found[1], str(amount), TxnDate=day.isoformat(), PaymentRefNum=payment.reference)

    def pay_too_much_there(self) -> None:
        if (found := self._twin("payment")) and money(found[1]["TotalAmt"]):
            self.books.edit("Payment", found[1]["Id"], TotalAmt=float(money(found[1]["TotalAmt"]) + 5))

    def mark_a_line_there(self) -> None:
        found = self._twin("invoice")
        if not found or not money(found[1]["TotalAmt"]):
            return
        rows = [row for row in found[1]["Line"] if row["DetailType"] == "SalesItemLineDetail"]
        row = self.rng.choice(rows)
        row["SalesItemLineDetail"]["ServiceDate"] = f"2026-10-{self.rng.randint(10, 28)}"
        kept = [{name: value for name, value in one.items() if name != "LineEx"} for one in found[1]["Line"]]
        edited = self.books.edit("Invoice", found[1]["Id"], Line=kept)
        for one in edited["Line"]:
            if when := one.get("SalesItemLineDetail", {}).get("ServiceDate"):
                self.marked[edited["Id"], one["Id"]] = {"ServiceDate": when}

    def edit_lines_there(self) -> None:
        super().edit_lines_there()
        self._forget_marks()

    def edit_lines(self) -> None:
        super().edit_lines()
        self._forget_marks()  # a line that is another one now has none

    def _forget_marks(self) -> None:
        self.marked.clear()

    # --- here -------------------------------------------------------------------------------------------------------

    def add_namesake(self) -> None:
        if client := self._any(Client.objects.alive().order_by("pk")):
            names = {"first_name": client.first_name or client.own_name, "last_name": client.last_name}
            Client.objects.create(workspace=self.workspace, **names)

    def rename_client(self) -> None:
        if client := self._any(Client.objects.alive().order_by("pk")):
            changes = {"last_name": f"Newname {next(self.numbers)}"}
            update_client(workspace=self.workspace, client_id=client.pk, changes=changes)

    # --- answers ----------------------------------------------------------------------------------------------------

    def answer(self) -> str:
        """Presses a button of an open problem; what was pressed."""
        problem = self._any(Problem.objects.open().filter(ignored_at=None).order_by("pk"))
        if problem is None:
            return "nothing"
        press = self.rng.choice(self._buttons(problem))
        try:
            job = press[1]()
        except NO as error:
            return f"{problem.code} {press[0]}: {error}"
        if job is not None:
            finish(job)
        return f"{problem.code} {press[0]}"

    def _buttons(self, problem: Problem) -> list[tuple[str, Any]]:
        them = {"problem": problem, "user": self.olga}
        found: list[tuple[str, Any]] = [("retry", lambda: retry(**them)), ("all", lambda: retry_cause(**them))]
        name = f"New {next(self.numbers)}"
        for choice in candidates_in(problem.data):
            found.append((f"same as {choice}", lambda choice=choice: decide_match(choice=choice, **them)))
        if candidates_in(problem.data) or problem.code == ProblemCode.POSSIBLE_DUPLICATE:
            found.append(("new", lambda: decide_match(choice="new", name=name, **them)))
        if problem.code == ProblemCode.POSSIBLE_DUPLICATE and problem.record_kind == "payment":
            found.append(("same money", lambda: decide_match(choice=problem.record_id, **them)))
        if problem.code == ProblemCode.RECORD_REMOVED:
            found += [("post again", lambda: post_again(**them)), ("void here", lambda: void_here(**them))]
        if problem.code == ProblemCode.CONFLICT and problem.link:
            for side in ("local", "remote"):
                found.append((side, lambda side=side: resolve_conflict(link=problem.link, choice=side, user=self.olga)))
        return found

    def part_something(self) -> str:
        links = Link.objects.present().linked().filter(kind__in=("customer", "item", "invoice", "payment"))
        link = self._any(links.order_by("pk"))
        if link is None:
            return "nothing"
        try:
            job = part(link=link, user=self.olga)
        except NO as error:
            return str(error)
        if job is not None:
            finish(job)
        return f"{link.kind} {link.record_id}"
