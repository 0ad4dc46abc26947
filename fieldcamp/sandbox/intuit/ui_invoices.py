"""Invoices, as a bookkeeper writes, changes, sends and voids them."""

from collections.abc import Iterator
from typing import Any

from werkzeug.datastructures import MultiDict

from fieldcamp.sandbox.http import BadInput
from fieldcamp.sandbox.intuit import allocations, engine, line_sums, tax, transactions
from fieldcamp.sandbox.intuit.amounts import cents, decimal, number
from fieldcamp.sandbox.intuit.books import Books
from fieldcamp.sandbox.intuit.entity import Body
from fieldcamp.sandbox.intuit.line_kinds import DISCOUNT, SALES, TEXT
from fieldcamp.sandbox.intuit.preferences import TaxMode
from fieldcamp.sandbox.intuit.store import Stored
from fieldcamp.sandbox.intuit.ui_parts import MONEY, Action, Field, Options, Row, choices, known, money, parsed, plain

HEADS = (("Number", ""), ("Customer", ""), ("Date", ""), ("Due", ""), ("Total", MONEY), ("Open", MONEY))
EMPTY_ROWS = 3
LINE = ("line", "item", "description", "quantity", "price", "tax")


def status(books: Books, body: Body) -> str:
    """What QuickBooks works out and nowhere keeps."""
    if transactions.is_void(body):
        return "Voided"
    if not body["Balance"]:
        return "Paid"
    if body["Balance"] < body["TotalAmt"]:
        return "Partly paid"
    return "Overdue" if body["DueDate"] < books.today else "Open"


def row(books: Books, stored: Stored) -> Row:
    """The invoice in the list."""
    body = stored.body
    customer = books.label("Customer", body["CustomerRef"]["value"])
    cells = (body.get("DocNumber", "(no number)"), customer, body["TxnDate"], body["DueDate"])
    return Row(stored.id, (*cells, money(body["TotalAmt"]), money(body["Balance"])), (status(books, body),))


def form(books: Books, stored: Stored | None, customer: str, root: str) -> dict[str, Any]:
    """All that the page of an invoice shows; without one, that of a new one."""
    body = stored.body if stored else {}
    customer = body.get("CustomerRef", {}).get("value", customer)
    return {
        "title": f"Invoice {body.get('DocNumber', '')}".strip() if stored else "New invoice",
        "chips": [status(books, body)] if stored else [],
        "facts": _facts(body) if stored else [],
        "links": _links(books, stored, root) if stored else [],
        "fields": _fields(books, body, customer),
        "lines": list(_rows(books, body)),
        "items": _items(books, body),
        "line_taxes": _line_taxes(books),
        "actions": _actions(body) if stored else [],
    }


def save(books: Books, stored: Stored | None, sent: MultiDict) -> str:
    """Writes what the form says; the invoice's id."""
    lines = [_line(books, values) for values in _sent_rows(sent)]
    discount = _discount(sent.get("discount", ""))
    body: Body = {
        "CustomerRef": {"value": sent.get("customer", "")},
        **{name: sent.get(name, "") for name in ("TxnDate", "DueDate")},
        "BillEmail": {"Address": sent["email"].strip()} if sent.get("email", "").strip() else {},
        "CustomerMemo": {"value": sent["memo"].strip()} if sent.get("memo", "").strip() else {},
        "PrivateNote": sent.get("PrivateNote", ""),
        "Line": lines + ([discount] if discount else []),
    }
    if sent.get("DocNumber") or stored is not None:
        body["DocNumber"] = sent.get("DocNumber", "")
    if "tax_code" in sent:
        body["TxnTaxDetail"] = {"TxnTaxCodeRef": {"value": sent["tax_code"]}}
    if stored is not None:
        body |= known(stored, sent)
    return str(engine.write(books, books.entities["Invoice"], body)["Id"])


def act(books: Books, stored: Stored, sent: MultiDict) -> str:
    """Does what a button says; the id of the invoice, or nothing when it is gone."""
    entity, target = books.entities["Invoice"], {"Id": stored.id, "SyncToken": str(stored.token)}
    action = sent.get("action")
    if action == "void":
        engine.void(books, entity, target)
    elif action == "delete":
        engine.delete(books, entity, target)
        return ""
    elif action == "send":
        with books.store.state.transaction():
            entity.actions["send"](books, stored, {"sendTo": sent.get("to", "")})
    else:
        raise BadInput("Nothing to do.")
    return stored.id


def _facts(body: Body) -> list[tuple[str, str]]:
    tax_total = body["TxnTaxDetail"].get("TotalTax", 0)
    return [
        ("Subtotal", money(line_sums.sum_of(body["Line"]))),
        ("Discount", money(line_sums.discount_of(body["Line"]))),
        ("Tax", money(tax_total)),
        ("Total", money(body["TotalAmt"])),
        ("Open", money(body["Balance"])),
        ("E-mail", "Sent" if body["EmailStatus"] == "EmailSent" else "Not sent"),
    ]


def _links(books: Books, stored: Stored, root: str) -> list[tuple[str, str]]:
    links = [
        (f"{root}/payments/{each.id}", f"Payment of {money(allocations.of(each.body).get(stored.id))}")
        for each in allocations.payments_of(books, stored.body)
    ]
    if stored.body["Balance"]:
        customer = stored.body["CustomerRef"]["value"]
        links.append((f"{root}/payments/new?customer={customer}&invoice={stored.id}", "Receive a payment"))
    return links


def _fields(books: Books, body: Body, customer: str) -> list[Field]:
    people = choices(books, "Customer", keep=[customer])
    found = [
        Field("customer", "Customer", customer, "select", options=people),
        Field("TxnDate", "Date", body.get("TxnDate", books.today), "date", required=True),
        Field("DueDate", "Due", body.get("DueDate", ""), "date", hint="empty: by the terms"),
        Field("DocNumber", "Number", body.get("DocNumber", ""), hint="empty: the next one"),
        Field("email", "E-mail", body.get("BillEmail", {}).get("Address", ""), "email"),
        Field("memo", "Message to the customer", body.get("CustomerMemo", {}).get("value", ""), "area"),
        Field("PrivateNote", "Private note", body.get("PrivateNote", ""), "area"),
        Field("discount", "Discount", _discount_text(body), hint="10% or an amount"),
    ]
    if tax.mode(books) == TaxMode.MANUAL:
        code = body.get("TxnTaxDetail", {}).get("TxnTaxCodeRef", {}).get("value", "")
        codes = choices(books, "TaxCode", "active AND NOT deleted AND id NOT IN ('TAX', 'NON')")
        found.append(Field("tax_code", "Sales tax", code, "select", options=[("", "None"), *codes]))
    return found


def _actions(body: Body) -> list[Action]:
    to = Field("to", "Send to", body.get("BillEmail", {}).get("Address", ""), "email", required=True)
    return [
        Action("send", "Send", fields=(to,)),
        Action("void", "Void", danger=True),
        Action("delete", "Delete", danger=True),
    ]


def _line_taxes(books: Books) -> list[tuple[str, str]]:
    if tax.mode(books) == TaxMode.FOREIGN:
        return list(choices(books, "TaxCode"))
    return [("NON", "Not taxable"), ("TAX", "Taxable")]


def _items(books: Books, body: Body) -> Options:
    sold = [
        line[SALES].get("ItemRef", {}).get("value", "") for line in body.get("Line", []) if line["DetailType"] == SALES
    ]
    return choices(books, "Item", "active AND NOT deleted AND json_extract(body, '$.Type') != 'Category'", sold)


def _rows(books: Books, body: Body) -> Iterator[dict[str, str]]:
    """The lines as the form shows them, and a few empty ones."""
    first = _line_taxes(books)[0][0]
    for line in body.get("Line", []):
        if line["DetailType"] not in (SALES, TEXT):
            continue
        sold = line.get(SALES, {})
        quantity = sold.get("Qty", 1)
        yield {
            "id": line.get("Id", ""),
            "item": sold.get("ItemRef", {}).get("value", ""),
            "description": line.get("Description", ""),
            "quantity": plain(quantity) if sold else "",
            "price": plain(sold.get("UnitPrice", line.get("Amount"))) if sold else "",
            "tax": sold.get("TaxCodeRef", {}).get("value", first),
        }
    for _ in range(EMPTY_ROWS):
        yield {"id": "", "item": "", "description": "", "quantity": "", "price": "", "tax": first}


def _sent_rows(sent: MultiDict) -> Iterator[dict[str, str]]:
    columns = [sent.getlist(name) for name in LINE]
    for values in zip(*columns, strict=False):
        line = dict(zip(LINE, (value.strip() for value in values), strict=True))
        if line["item"] or line["description"]:
            yield line


def _line(books: Books, values: dict[str, str]) -> Body:
    line: Body = {"Id": values["line"]} if values["line"] else {}
    line |= {"Description": values["description"]} if values["description"] else {}
    if not values["item"]:
        return line | {"DetailType": TEXT, "DescriptionLineDetail": {}}
    quantity = parsed(values["quantity"] or "1", "The quantity")
    price = parsed(values["price"], "The price")
    if not values["price"] and (item := books.get("Item", values["item"])):
        price = item.body.get("UnitPrice", 0)
    detail = {
        "ItemRef": {"value": values["item"]},
        "Qty": quantity,
        "UnitPrice": price,
        "TaxCodeRef": {"value": values["tax"]},
    }
    return line | {
        "DetailType": SALES,
        "Amount": number(cents(decimal(quantity) * decimal(price))),
        SALES: detail,
    }


def _discount(text: str) -> Body | None:
    """A discount line from "10%" or "25.00"."""
    text = text.strip()
    if not text:
        return None
    if text.endswith("%"):
        detail = {"PercentBased": True, "DiscountPercent": parsed(text[:-1], "The discount")}
        return {"DetailType": DISCOUNT, DISCOUNT: detail}
    return {"DetailType": DISCOUNT, "Amount": parsed(text, "The discount"), DISCOUNT: {"PercentBased": False}}


def _discount_text(body: Body) -> str:
    for line in body.get("Line", []):
        if line["DetailType"] == DISCOUNT:
            detail = line[DISCOUNT]
            return f"{detail['DiscountPercent']}%" if detail["PercentBased"] else plain(line["Amount"])
    return ""
