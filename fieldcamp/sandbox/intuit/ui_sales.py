"""Invoices, estimates and credit memos, as a bookkeeper writes, changes, sends and voids them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from werkzeug.datastructures import MultiDict

from fieldcamp.sandbox.http import BadInput
from fieldcamp.sandbox.intuit import allocations, engine, line_kinds, line_sums, links, tax, transactions, ui_lines
from fieldcamp.sandbox.intuit.books import Books
from fieldcamp.sandbox.intuit.entity import Body
from fieldcamp.sandbox.intuit.preferences import TaxMode
from fieldcamp.sandbox.intuit.store import Stored
from fieldcamp.sandbox.intuit.ui_parts import MONEY, Action, Field, Row, choices, known, money

NUMBERED = (("Number", ""), ("Customer", ""), ("Date", ""))


def status(books: Books, stored: Stored) -> str:
    """What QuickBooks works out and nowhere keeps."""
    body = stored.body
    if stored.type == "Estimate":
        return str(body.get("TxnStatus", links.PENDING))
    if transactions.is_void(body):
        return "Voided"
    if not body["Balance"]:
        return "Paid" if stored.type == "Invoice" else "Applied"
    if body["Balance"] < body["TotalAmt"]:
        return "Partly paid" if stored.type == "Invoice" else "Partly applied"
    late = stored.type == "Invoice" and body["DueDate"] < books.today
    return "Overdue" if late else "Open"


@dataclass(frozen=True)
class SalesForm:
    """One of the forms of a sale: how it looks in a list and on its page, and what can be done to it."""

    entity: str
    title: str
    new: str
    heads: tuple[tuple[str, str], ...]
    template = "sale"
    number = "DocNumber"

    def row(self, books: Books, stored: Stored) -> Row:
        """The sale in the list."""
        body = stored.body
        customer = books.label("Customer", body.get("CustomerRef", {}).get("value", ""))
        cells = [body.get("DocNumber", "(no number)"), customer, body["TxnDate"]]
        cells += [body["DueDate"]] if self.entity == "Invoice" else []
        cells += [money(body["TotalAmt"])] + ([money(body["Balance"])] if "Balance" in body else [])
        return Row(stored.id, cells, (status(books, stored),))

    def form(self, books: Books, stored: Stored | None, query: Mapping[str, str], root: str) -> dict[str, Any]:
        """All that its page shows; without one, that of a new one."""
        body = stored.body if stored else {}
        customer = body.get("CustomerRef", {}).get("value", query.get("customer", ""))
        return {
            "title": f"{self.title[:-1]} {body.get('DocNumber', '')}".strip() if stored else self.new,
            "chips": [status(books, stored)] if stored else [],
            "facts": _facts(body) if stored else [],
            "links": _links(books, stored, root) if stored else [],
            "fields": self._fields(books, body, customer),
            "actions": self._actions(stored) if stored else [],
            **ui_lines.table(books, body),
        }

    def save(self, books: Books, stored: Stored | None, sent: MultiDict) -> str:
        """Writes what the form says; its id."""
        body: Body = {
            "CustomerRef": {"value": sent.get("customer", "")},
            **{name: sent[name] for name in ("TxnDate", "DueDate", "PrivateNote") if name in sent},
            "BillEmail": _address(sent.get("email", "")),
            "CustomerMemo": {"value": sent["memo"].strip()} if sent.get("memo", "").strip() else {},
            "Line": ui_lines.read(books, stored.body["Line"] if stored else [], sent),
        }
        for name, field in (("SalesTermRef", "term"), ("DepartmentRef", "location")):
            if field in sent:
                body[name] = {"value": sent[field]} if sent[field] else {}
        if sent.get("DocNumber") or stored is not None:
            body["DocNumber"] = sent.get("DocNumber", "")
        if "tax_code" in sent:
            body["TxnTaxDetail"] = {"TxnTaxCodeRef": {"value": sent["tax_code"]}}
        if stored is not None:
            # A form is sent with all its fields; what nobody has touched is not to be worked out anew.
            body = {name: value for name, value in body.items() if not _same(stored.body, name, value)}
            body |= known(stored, sent)
        return str(engine.write(books, books.entities[self.entity], body)["Id"])

    def act(self, books: Books, stored: Stored, sent: MultiDict) -> str:
        """Does what a button says; the id of the sale, nothing when it is gone, or the address of another page."""
        entity, target = books.entities[self.entity], {"Id": stored.id, "SyncToken": str(stored.token)}
        action = sent.get("action")
        if action == "void" and entity.void:
            engine.void(books, entity, target)
        elif action == "delete":
            engine.delete(books, entity, target)
            return ""
        elif action == "send":
            with books.store.state.transaction():
                entity.actions["send"](books, stored, {"sendTo": sent.get("to", "")})
        elif action == "bill" and self.entity == "Estimate":
            return f"/invoices/{_billed(books, stored)}"
        else:
            raise BadInput("Nothing to do.")
        return stored.id

    def _fields(self, books: Books, body: Body, customer: str) -> list[Field]:
        people = choices(books, "Customer", keep=[customer])
        found = [
            Field("customer", "Customer", customer, "select", options=people),
            Field("TxnDate", "Date", body.get("TxnDate", books.today), "date", required=True),
        ]
        if self.entity == "Invoice":
            terms = [("", "By the customer"), *choices(books, "Term")]
            found += [
                Field("term", "Terms", body.get("SalesTermRef", {}).get("value", ""), "select", options=terms),
                Field("DueDate", "Due", body.get("DueDate", ""), "date", hint="empty: by the terms"),
            ]
        places = choices(books, "Department", keep=[body.get("DepartmentRef", {}).get("value", "")])
        if places:
            place = body.get("DepartmentRef", {}).get("value", "")
            found.append(Field("location", "Location", place, "select", options=[("", ""), *places]))
        found += [
            Field("DocNumber", "Number", body.get("DocNumber", ""), hint="empty: the next one"),
            Field("email", "E-mail", body.get("BillEmail", {}).get("Address", ""), "emails"),
            Field("memo", "Message to the customer", body.get("CustomerMemo", {}).get("value", ""), "area"),
            Field("PrivateNote", "Private note", body.get("PrivateNote", ""), "area"),
            Field("discount", "Discount", ui_lines.discount_text(body), hint="10% or an amount"),
        ]
        if line_kinds.allowed(books, line_kinds.SHIPPING):
            found.append(Field("shipping", "Shipping", ui_lines.shipping_text(body), hint="an amount"))
        if tax.mode(books) == TaxMode.MANUAL:
            code = body.get("TxnTaxDetail", {}).get("TxnTaxCodeRef", {}).get("value", "")
            codes = choices(books, "TaxCode", "active AND NOT deleted AND id NOT IN ('TAX', 'NON')")
            found.append(Field("tax_code", "Sales tax", code, "select", options=[("", "None"), *codes]))
        return found

    def _actions(self, stored: Stored) -> list[Action]:
        to = Field("to", "Send to", stored.body.get("BillEmail", {}).get("Address", ""), "emails", required=True)
        found = [Action("send", "Send", fields=(to,))]
        if self.entity == "Estimate" and not stored.body.get("LinkedTxn"):
            found.append(Action("bill", "Make an invoice of it"))
        if self.entity == "Invoice":
            found.append(Action("void", "Void", danger=True))
        return [*found, Action("delete", "Delete", danger=True)]


def _address(text: str) -> Body:
    return {"Address": text.strip()} if text.strip() else {}


def _same(before: Body, name: str, value: Any) -> bool:
    """Whether a field says what is there already; nothing and not being there are the same."""
    there = before.get(name)
    if name == "Line":
        there = [line for line in before["Line"] if line.get("DetailType") != line_kinds.SUBTOTAL]
    if name == "TxnTaxDetail":
        there = {"TxnTaxCodeRef": (there or {}).get("TxnTaxCodeRef", {"value": ""})}
    return (there or None) == (value or None)


def _facts(body: Body) -> list[tuple[str, str]]:
    rest = line_sums.amount_of(line_sums.charges(body["Line"])) + line_sums.on_statements(body)[0]
    found = [
        ("Subtotal", money(line_sums.sum_of(body["Line"]))),
        ("Discount", money(line_sums.discount_of(body["Line"]))),
        ("Shipping and others", money(rest)),
        ("Tax", money(body["TxnTaxDetail"].get("TotalTax", 0))),
        ("Total", money(body["TotalAmt"])),
    ]
    found += [("Open", money(body["Balance"]))] if "Balance" in body else []
    return [*found, ("E-mail", "Sent" if body.get("EmailStatus") == "EmailSent" else "Not sent")]


def _links(books: Books, stored: Stored, root: str) -> list[tuple[str, str]]:
    """Where its money came from, what it was made from, and what one does with it next."""
    found, kind = [], stored.type
    for each in allocations.payments_of(books, stored.body):
        amount = money(allocations.of(each.body, kind).get(stored.id))
        found.append((f"{root}/payments/{each.id}", f"Payment of {amount}"))
    for link in stored.body.get("LinkedTxn", []):
        tab = {"Estimate": "estimates", "Invoice": "invoices"}.get(link["TxnType"])
        other = books.get(link["TxnType"], link["TxnId"]) if tab else None
        if other:
            found.append((f"{root}/{tab}/{other.id}", f"{link['TxnType']} {other.body.get('DocNumber', '')}"))
    if stored.body.get("Balance"):
        customer, what = stored.body["CustomerRef"]["value"], "invoice" if kind == "Invoice" else "credit"
        text = "Receive a payment" if kind == "Invoice" else "Apply it to invoices"
        found.append((f"{root}/payments/new?customer={customer}&{what}={stored.id}", text))
    return found


def _billed(books: Books, estimate: Stored) -> str:
    """As the user does with one button: an invoice of all that the estimate says, linked to it."""
    origin = [{"TxnId": estimate.id, "TxnType": "Estimate"}]
    copied = (
        "CustomerRef",
        "BillEmail",
        "BillAddr",
        "ShipAddr",
        "CustomerMemo",
        "DepartmentRef",
        "ApplyTaxAfterDiscount",
    )
    body = {name: estimate.body[name] for name in copied if name in estimate.body}
    code = estimate.body["TxnTaxDetail"].get("TxnTaxCodeRef")
    lines = []
    for line in estimate.body["Line"]:
        plain = {name: value for name, value in line.items() if name not in ("Id", "LineNum")}
        from_it = line["DetailType"] in (line_kinds.SALES, line_kinds.GROUP) and not line_sums.charge_of(line)
        lines.append(plain | ({"LinkedTxn": origin} if from_it else {}))
    taxed = {"TxnTaxDetail": {"TxnTaxCodeRef": code}} if code else {}
    made = engine.write(books, books.entities["Invoice"], body | taxed | {"Line": lines, "LinkedTxn": origin})
    return str(made["Id"])


SALES_FORMS = {
    "estimates": SalesForm("Estimate", "Estimates", "New estimate", (*NUMBERED, ("Total", MONEY))),
    "invoices": SalesForm(
        "Invoice", "Invoices", "New invoice", (*NUMBERED, ("Due", ""), ("Total", MONEY), ("Open", MONEY))
    ),
    "credits": SalesForm(
        "CreditMemo", "Credit memos", "New credit memo", (*NUMBERED, ("Total", MONEY), ("Open", MONEY))
    ),
}
