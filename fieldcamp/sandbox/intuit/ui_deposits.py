"""Bank deposits, as a bookkeeper puts payments and sales receipts into the bank together."""

from collections.abc import Iterator, Mapping
from typing import Any

from werkzeug.datastructures import MultiDict

from fieldcamp.sandbox.http import BadInput
from fieldcamp.sandbox.intuit import deposit, engine, payment
from fieldcamp.sandbox.intuit.amounts import decimal
from fieldcamp.sandbox.intuit.books import Books
from fieldcamp.sandbox.intuit.entity import Body
from fieldcamp.sandbox.intuit.store import Stored
from fieldcamp.sandbox.intuit.ui_parts import MONEY, Action, Field, Row, choices, known, money, parsed, plain

TAKE, SEPARATOR = "take", ":"
BANKS = "active AND NOT deleted AND json_extract(body, '$.AccountType') = 'Bank'"
WAITS = "NOT deleted AND json_extract(body, '$.DepositToAccountRef.value') = ?"
OTHER = "Other money"


class Deposits:
    """The list of deposits and the page of one."""

    entity, title, new = "Deposit", "Deposits", "New deposit"
    heads = (("Date", ""), ("Account", ""), ("Note", ""), ("Total", MONEY))
    template, number = "deposit", "PrivateNote"

    def row(self, books: Books, stored: Stored) -> Row:
        """The deposit in the list."""
        body = stored.body
        account = books.label("Account", body["DepositToAccountRef"]["value"])
        return Row(stored.id, (body["TxnDate"], account, body.get("PrivateNote", ""), money(body["TotalAmt"])))

    def form(self, books: Books, stored: Stored | None, query: Mapping[str, str], root: str) -> dict[str, Any]:
        """All that the page of a deposit shows: what is in it, and what waits for the bank."""
        body = stored.body if stored else {}
        account = body.get("DepositToAccountRef", {}).get("value", deposit.CHECKING)
        other = _other(body)
        accounts = choices(books, "Account", keep=[other.get("AccountRef", {}).get("value", "")])
        return {
            "title": "Deposit" if stored else self.new,
            "chips": [],
            "facts": [("Total", money(body["TotalAmt"]))] if stored else [],
            "links": [],
            "fields": [
                Field("account", "Into", account, "select", options=choices(books, "Account", BANKS, keep=[account])),
                Field("TxnDate", "Date", body.get("TxnDate", books.today), "date", required=True),
                Field("PrivateNote", "Note", body.get("PrivateNote", ""), "area"),
                Field("amount", OTHER, plain(other.get("Amount")), hint="an amount"),
                Field("from", "From", other.get("AccountRef", {}).get("value", ""), "select", options=accounts),
            ],
            "money": list(_waiting(books, stored)),
            "actions": [Action("delete", "Delete", danger=True)] if stored else [],
        }

    def save(self, books: Books, stored: Stored | None, sent: MultiDict) -> str:
        """Writes what the form says; the deposit's id."""
        lines: list[Body] = []
        for text in sent.getlist(TAKE):
            kind, _, txn = text.partition(SEPARATOR)
            found = books.get(kind, txn) if kind in deposit.DEPOSITED else None
            if found is None:
                raise BadInput("That is no money that could be put into a deposit.")
            lines.append({"Amount": found.body["TotalAmt"], "LinkedTxn": [{"TxnId": txn, "TxnType": kind}]})
        old = [line for line in (stored.body["Line"] if stored else []) if not line.get("LinkedTxn")]
        amount = parsed(sent.get("amount", ""), OTHER)
        if amount:
            first: Body = old[0] if old else {}
            detail = first.get(deposit.DETAIL, {}) | {"AccountRef": {"value": sent.get("from", "")}}
            lines.append(first | {"Amount": amount, "DetailType": deposit.DETAIL, deposit.DETAIL: detail})
        body: Body = {
            "DepositToAccountRef": {"value": sent.get("account", "")},
            **{name: sent.get(name, "") for name in ("TxnDate", "PrivateNote")},
            "Line": [*lines, *old[1:]],
        }
        if stored is not None:
            body |= known(stored, sent)
        return str(engine.write(books, books.entities["Deposit"], body)["Id"])

    def act(self, books: Books, stored: Stored, sent: MultiDict) -> str:
        """Deletes the deposit: what was in it waits for the bank again."""
        if sent.get("action") != "delete":
            raise BadInput("Nothing to do.")
        engine.delete(books, books.entities["Deposit"], {"Id": stored.id, "SyncToken": str(stored.token)})
        return ""


def _other(body: Body) -> Body:
    """The first line that is neither a payment nor a sale."""
    line: Body = next((line for line in body.get("Line", []) if not line.get("LinkedTxn")), {})
    return {"Amount": line.get("Amount"), **line.get(deposit.DETAIL, {})} if line else {}


def _waiting(books: Books, stored: Stored | None) -> Iterator[dict[str, Any]]:
    links = [link for line in (stored.body["Line"] if stored else []) for link in line.get("LinkedTxn", [])]
    inside = {(link["TxnType"], link["TxnId"]) for link in links}
    for kind in deposit.DEPOSITED:
        for each in books.rows(kind, WAITS, payment.UNDEPOSITED_FUNDS):
            within = (kind, each.id) in inside
            if within or (decimal(each.body["TotalAmt"]) and not payment.is_deposited(each.body)):
                customer = books.label("Customer", each.body.get("CustomerRef", {}).get("value", ""))
                text = f"{each.body['TxnDate']} {customer} {each.body.get('PaymentRefNum', '')}".strip()
                value = f"{kind}{SEPARATOR}{each.id}"
                yield {"value": value, "text": text, "amount": money(each.body["TotalAmt"]), "chosen": within}
