"""What customers owe by QuickBooks' own word, and what of it is neither an invoice nor a payment nor a credit memo.

https://developer.intuit.com/app/developer/qbo/docs/api/accounting/all-entities/customer
https://developer.intuit.com/app/developer/qbo/docs/api/accounting/all-entities/customerbalancedetail
"""

import datetime as dt
from collections.abc import Collection, Iterator
from typing import Any

from fieldcamp.money import cents
from integrations import errors
from integrations.providers.quickbooks.calls import Calls
from integrations.providers.quickbooks.company import ALL
from integrations.providers.quickbooks.mapping.parts import decimal, ref_id, without_deleted
from integrations.records import CustomerBalance, OtherEntry
from integrations.transport.client import utc_now

REPORT = "reports/CustomerBalanceDetail"
MOST = 100  # customers that are named in one call; for more, all are asked about
AHEAD = dt.timedelta(days=3650)  # a balance counts what is dated in the future, a report what is dated up to its day
READ = ("Invoice", "Payment", "Credit Memo")  # what is read as documents
KIND, NUMBER, DATE = "txn_type", "doc_num", "tx_date"
OPEN = ("subt_open_bal", "foreign_open_bal")  # the latter in companies with several currencies


def balances(calls: Calls) -> list[CustomerBalance]:
    """Returns what each customer owes; there is no "not equal" in queries."""
    found = [row for sign in "><" for row in calls.select("Customer", f"Balance {sign} '0'", ALL)]
    return [
        CustomerBalance(
            str(row["Id"]),
            without_deleted(row, "DisplayName"),
            ref_id(row, "ParentRef"),
            cents(decimal(row.get("Balance"))),
        )
        for row in found
    ]


def other_entries(calls: Calls, customers: Collection[str]) -> list[OtherEntry]:
    """Returns what else is open of these customers, by the report that lists all that is. One call.

    What it cannot tell (a plan without that report, rows of another shape) stays unexplained, and is told as that."""
    wanted = {*customers}
    columns = ",".join((DATE, KIND, NUMBER, *OPEN))
    only = {"customer": ",".join(sorted(wanted))} if len(wanted) <= MOST else {}
    day = (utc_now() + AHEAD).date().isoformat()
    try:
        report = calls.get(REPORT, report_date=day, columns=columns, **only)
    except errors.Rejected:
        return []
    return [entry for entry in _entries(report) if entry.customer in wanted]


def _entries(report: dict[str, Any]) -> Iterator[OtherEntry]:
    places = {name: at for at, column in enumerate(_list(report, "Columns", "Column")) for name in _names(column)}
    for customer, cells in _rows(report, ""):

        def cell(name: str, part: str = "value", cells: list[Any] = cells) -> str:
            at = places.get(name)
            found = cells[at] if at is not None and at < len(cells) else None
            return str(found.get(part) or "") if isinstance(found, dict) else ""

        kind, left = cell(KIND), decimal(next(filter(None, map(cell, OPEN)), "0"))
        if customer and kind not in READ and left:
            yield OtherEntry(cell(KIND, "id"), kind, customer, cell(NUMBER), cell(DATE), cents(left))


def _names(column: Any) -> Iterator[str]:
    """Yields what a column is called: its type says so, or its key."""
    if isinstance(column, dict):
        yield str(column.get("ColType") or "")
        for pair in column.get("MetaData") or ():
            if isinstance(pair, dict) and pair.get("Name") == "ColKey":
                yield str(pair.get("Value") or "")


def _rows(part: Any, customer: str) -> Iterator[tuple[str, list[Any]]]:
    """Yields each row with whose it is: a section's head names its customer, one with places holds theirs as well."""
    for row in _list(part, "Rows", "Row"):
        if not isinstance(row, dict):
            continue
        if isinstance(cells := row.get("ColData"), list):
            yield customer, cells
        head = row.get("Header")
        cells = head.get("ColData") if isinstance(head, dict) else None
        named = (
            str(cells[0].get("id") or "") if isinstance(cells, list) and cells and isinstance(cells[0], dict) else ""
        )
        if row.get("Rows"):
            yield from _rows(row, named or customer)


def _list(part: Any, name: str, inner: str) -> list[Any]:
    outer = part.get(name) if isinstance(part, dict) else None
    found = outer.get(inner) if isinstance(outer, dict) else None
    return found if isinstance(found, list) else []
