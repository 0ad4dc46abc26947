"""A company with its books connected (as in `tests/integrations/books`), and reports about it."""

from tests.integrations.books.conftest import (  # noqa: F401  (fixtures)
    books,
    clock,
    company,
    connect_books,
    desk,
    heartbeat,
    intuit,
    make_invoice,
    make_item,
    make_tax,
    pay,
    quiet_queue,
    sync,
)
