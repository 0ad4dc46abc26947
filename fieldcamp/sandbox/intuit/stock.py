"""What is left of the things that are kept in stock: it goes down with sales and up with returns.

https://developer.intuit.com/app/developer/qbo/docs/api/accounting/all-entities/item
"""

from fieldcamp.sandbox.intuit import errors, line_sums
from fieldcamp.sandbox.intuit.amounts import decimal, number
from fieldcamp.sandbox.intuit.books import Books
from fieldcamp.sandbox.intuit.entity import Body
from fieldcamp.sandbox.intuit.store import Stored
from fieldcamp.sandbox.intuit.totals import ZERO


def check(books: Books, draft: Body) -> None:
    """Refuses a sale of something before it was in stock at all."""
    for item_id in line_sums.quantities(draft["Line"]):
        item = books.get("Item", item_id)
        if item and item.body.get("TrackQtyOnHand") and draft["TxnDate"] < item.body.get("InvStartDate", ""):
            raise errors.business("Transaction date is prior to start date for inventory item", "TxnDate")


def move(books: Books, new: Stored | None, old: Stored | None, sign: int) -> None:
    """After a sale (-1) or a return (1): LastUpdatedTime of the items moves, their SyncToken does not."""
    after, before = (line_sums.quantities(stored.body["Line"]) if stored else {} for stored in (new, old))
    for item_id in {**before, **after}:
        by = (after.get(item_id, ZERO) - before.get(item_id, ZERO)) * sign
        item = books.get("Item", item_id)
        if by and item and item.body.get("TrackQtyOnHand"):
            left = decimal(item.body.get("QtyOnHand")) + by
            books.change(item, item.body | {"QtyOnHand": number(left)}, bump=False)
