"""FieldCamp's side of the books: what each kind of record is to look like there, and what a pull does to it."""

from integrations.books.base import BooksSide
from integrations.books.clients import Clients
from integrations.books.invoices import Invoices
from integrations.books.items import Items
from integrations.books.payments import Payments
from integrations.books.taxes import Taxes

SIDES: dict[str, type[BooksSide]] = {side.kind.name: side for side in (Clients, Items, Taxes, Invoices, Payments)}
