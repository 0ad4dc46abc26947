"""What an invoice was made from: estimates and hours of work, which an app may link, and charges, which it may not.

https://developer.intuit.com/app/developer/qbo/docs/workflows/manage-linked-transactions
"""

from collections.abc import Iterable, Iterator
from typing import Any

from fieldcamp.sandbox.intuit import line_sums
from fieldcamp.sandbox.intuit.books import Books
from fieldcamp.sandbox.intuit.errors import Fault
from fieldcamp.sandbox.intuit.line_kinds import GROUP
from fieldcamp.sandbox.intuit.store import Stored

Body = dict[str, Any]

ESTIMATE, TIME = "Estimate", "TimeActivity"
WRITABLE = (ESTIMATE, TIME)
CLOSED, PENDING = "Closed", "Pending"
BILLED, BILLABLE = "HasBeenBilled", "Billable"


def prepare(books: Books, draft: Body, old: Stored | None, sent: Body) -> None:
    """Keeps the links that are not the app's to change, and takes the others from the request and from its lines."""
    before = old.body.get("LinkedTxn", []) if old else []
    on_lines = list(_of_lines(draft.get("Line", [])))
    left_lines = [link for link in _of_lines(old.body.get("Line", []) if old else []) if link not in on_lines]
    asked = [_plain(link) for link in draft.get("LinkedTxn", []) if link.get("TxnType") in WRITABLE]
    if "LinkedTxn" not in sent:
        asked = [link for link in asked if link not in left_lines]
    wanted = [*asked, *(link for link in on_lines if link not in asked)]
    kept = [link for link in before if link["TxnType"] not in WRITABLE or link in wanted]
    new = [link for link in wanted if link not in kept]
    for link in new:
        _check(books, draft, link)
    draft["LinkedTxn"] = kept + [link for n, link in enumerate(new) if link not in new[:n]]


def settle(books: Books, new: Stored | None, old: Stored | None) -> None:
    """After an invoice is written: estimates and hours that it links are billed, what it links no more is not."""
    after, before = (_writable(stored.body) if stored else [] for stored in (new, old))
    either = new or old
    if either is None:
        return
    for link in before:
        if link not in after:
            _turn(books, link, either.id, billed=False)
    for link in after:
        if link not in before:
            _turn(books, link, either.id, billed=True)


def _turn(books: Books, link: Body, invoice: str, billed: bool) -> None:
    """Recorded answers show it: LastUpdatedTime moves, the SyncToken does not."""
    stored = books.get(link["TxnType"], link["TxnId"])
    if stored is None:
        return
    if link["TxnType"] == TIME:
        books.change(stored, stored.body | {"BillableStatus": BILLED if billed else BILLABLE}, bump=False)
        return
    back = {"TxnId": invoice, "TxnType": "Invoice"}
    others = [each for each in stored.body.get("LinkedTxn", []) if each != back]
    body = stored.body | {"TxnStatus": CLOSED if billed else PENDING, "LinkedTxn": [*others, back]}
    if not billed:
        body["LinkedTxn"] = others
    books.change(stored, {name: value for name, value in body.items() if name != "LinkedTxn" or value}, bump=False)


def _check(books: Books, draft: Body, link: Body) -> None:
    stored = books.get(link["TxnType"], link["TxnId"])
    customer = stored.body.get("CustomerRef", {}).get("value") if stored else None
    billed = stored is not None and (
        stored.body.get("LinkedTxn") or stored.body.get("BillableStatus") not in (None, BILLABLE)
    )
    if customer != draft["CustomerRef"]["value"] or billed:
        text = f"{link['TxnType']} {link['TxnId']} cannot be linked to an invoice of this customer."
        raise Fault(620, "Transaction cannot be linked", text, "LinkedTxn.TxnId")


def _of_lines(lines: Iterable[Body]) -> Iterator[Body]:
    kept = list(lines)
    for line in (*kept, *line_sums.flat(line for line in kept if GROUP in line)):
        yield from (_plain(link) for link in line.get("LinkedTxn", []) if link.get("TxnType") in WRITABLE)


def _writable(body: Body) -> list[Body]:
    return [link for link in body.get("LinkedTxn", []) if link.get("TxnType") in WRITABLE]


def _plain(link: Body) -> Body:
    return {"TxnId": link.get("TxnId", ""), "TxnType": link["TxnType"]}
