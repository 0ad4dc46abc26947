"""Reports on what customers owe: their balances, and how old what is open is.

https://developer.intuit.com/app/developer/qbo/docs/api/accounting/all-entities/customerbalance
https://developer.intuit.com/app/developer/qbo/docs/api/accounting/all-entities/aragingsummary
https://developer.intuit.com/app/developer/qbo/docs/api/accounting/all-entities/customerbalancedetail
"""

from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from fieldcamp.sandbox.days import parse_day
from fieldcamp.sandbox.intuit import errors, receivables, times
from fieldcamp.sandbox.intuit.amounts import decimal
from fieldcamp.sandbox.intuit.books import Books
from fieldcamp.sandbox.intuit.store import Stored
from fieldcamp.sandbox.intuit.totals import ZERO

Body = dict[str, Any]
Amounts = dict[str, list[Decimal]]  # the columns' amounts of each customer, by id

PERIODS, PERIOD = 4, 30


def answer(books: Books, name: str, query: Mapping[str, str]) -> Body:
    """The report of that name."""
    make = REPORTS.get(name)
    if make is None:
        raise errors.unsupported(f"reports/{name}")
    day = parse_day(query.get("report_date") or books.today, 1900, 9999)
    if day is None:
        raise errors.unreadable(f"report_date {query['report_date']} is not a valid date")
    return make(books, day, query)


def _customer_balance(books: Books, day: date, query: Mapping[str, str]) -> Body:
    amounts = {each.id: [decimal(each.body.get("Balance"))] for each in books.rows("Customer")}
    return _report(books, "CustomerBalance", ["Total"], amounts, query, {"report_date": day.isoformat()})


def _aged_receivables(books: Books, day: date, query: Mapping[str, str]) -> Body:
    """What is open by how many days it is late; credits and what is not applied count by their own day."""
    length, count = _whole(query, "aging_period", PERIOD), _whole(query, "num_periods", PERIODS)
    titles = ["Current", *(f"{n * length + 1} - {(n + 1) * length}" for n in range(count - 1))]
    titles += [f"{(count - 1) * length + 1} and over", "Total"]
    by_day = bool(books.preference("ReportPrefs", "CalcAgingReportFromTxnDate", False))
    amounts: Amounts = {}
    for item in receivables.open_items(books, day.isoformat()):
        since = item.due if item.kind == "Invoice" and not by_day else item.day
        late = (day - date.fromisoformat(since)).days
        column = 0 if late <= 0 else min((late - 1) // length + 1, count)
        row = amounts.setdefault(item.customer, [ZERO] * (count + 2))
        for n in (column, count + 1):
            row[n] += item.open
    header = {"report_date": day.isoformat()}
    return _report(books, "AgedReceivables", titles, amounts, query, header)


def _customer_balance_detail(books: Books, day: date, query: Mapping[str, str]) -> Body:
    """What is open of each transaction, customer by customer. In a company with several currencies the amounts are
    called by other names."""
    foreign = bool(books.preference("CurrencyPrefs", "MultiCurrencyEnabled", False))
    amount, left = ("foreign_amount", "foreign_open_bal") if foreign else ("subt_amount", "subt_open_bal")
    titles = {
        "tx_date": "Date",
        "txn_type": "Transaction Type",
        "doc_num": "Num",
        "due_date": "Due Date",
        amount: "Amount",
        left: "Open Balance",
    }
    wanted = [each for each in query.get("columns", "").split(",") if each in titles] or list(titles)
    only = {each for each in query.get("customer", "").split(",") if each}
    sections: dict[str, list[Body]] = {}
    totals: dict[str, Decimal] = {}
    for item in sorted(receivables.open_items(books, day.isoformat()), key=lambda item: (item.kind, item.day)):
        if only and item.customer not in only:
            continue
        cells: dict[str, Body] = {
            "tx_date": {"value": item.day},
            "txn_type": {"value": item.kind, "id": item.id},
            "doc_num": {"value": item.number},
            "due_date": {"value": item.due},
            amount: {"value": f"{item.amount:.2f}"},
            left: {"value": f"{item.open:.2f}"},
        }
        row = {"ColData": [cells[each] for each in wanted], "type": "Data"}
        sections.setdefault(item.customer, []).append(row)
        totals[item.customer] = totals.get(item.customer, ZERO) + item.open
    rows: list[Body] = [_section(books, customer, found, totals[customer]) for customer, found in sections.items()]
    if rows:
        sum_ = f"{sum(totals.values(), ZERO):.2f}"
        rows.append({"Summary": {"ColData": [{"value": "TOTAL"}, {"value": sum_}]}, "type": "Section"})
    header = _header(books, "CustomerBalanceDetail", query, {"report_date": day.isoformat()}, bool(rows))
    columns = [{"ColTitle": titles[each], "ColType": each} for each in wanted]
    return {"Header": header, "Columns": {"Column": columns}, "Rows": {"Row": rows} if rows else {}}


def _section(books: Books, customer: str, rows: list[Body], total: Decimal) -> Body:
    name = books.label("Customer", customer)
    foot = [{"value": f"Total for {name}"}, {"value": f"{total:.2f}"}]
    head = [{"value": name, "id": customer}, {"value": ""}]
    return {"Header": {"ColData": head}, "Rows": {"Row": rows}, "Summary": {"ColData": foot}, "type": "Section"}


def _report(
    books: Books, name: str, titles: list[str], amounts: Amounts, query: Mapping[str, str], options: dict[str, str]
) -> Body:
    wanted = [each for each in query.get("customer", "").split(",") if each]
    shown = {who: row for who, row in amounts.items() if not wanted or who in wanted}
    customers = list(books.rows("Customer", order=books.entities["Customer"].order))
    children: dict[str, list[Stored]] = {}
    for each in customers:
        children.setdefault(each.body.get("ParentRef", {}).get("value", ""), []).append(each)
    width = len(titles)
    rows = [row for each in children.get("", []) for row in _rows(each, children, shown, width)]
    if wanted:
        rows = [row for each in customers if each.id in wanted for row in _rows(each, {}, shown, width)]
    total = [sum(column, ZERO) for column in zip(*shown.values(), strict=True)] or [ZERO] * width
    if rows:
        cells = [{"value": "TOTAL"}, *_cells(total, ".00")]
        rows.append({"Summary": {"ColData": cells}, "type": "Section", "group": "GrandTotal"})
    header = _header(books, name, query, options, bool(rows))
    header |= {"StartPeriod": options["report_date"], "EndPeriod": options["report_date"]} if width > 1 else {}
    columns = [{"ColTitle": "", "ColType": "Customer"}, *({"ColTitle": each, "ColType": "Money"} for each in titles)]
    return {"Header": header, "Columns": {"Column": columns}, "Rows": {"Row": rows} if rows else {}}


def _header(books: Books, name: str, query: Mapping[str, str], options: dict[str, str], found: bool) -> Body:
    pairs = options | {"NoReportData": "false" if found else "true"}
    customers = {"Customer": query["customer"]} if query.get("customer", "").strip(",") else {}
    return {
        "Time": times.stamp(books.now, books.company.zone),
        "ReportName": name,
        "DateMacro": query.get("date_macro") or ("today" if name == "AgedReceivables" else "all"),
        "Currency": books.preference("CurrencyPrefs", "HomeCurrency", {"value": "USD"})["value"],
        "Option": [{"Name": option, "Value": value} for option, value in pairs.items()],
        **customers,
    }


def _rows(customer: Stored, children: dict[str, list[Stored]], amounts: Amounts, width: int) -> list[Body]:
    """The customer's row; one with others below it is a section, with a sum under it."""
    below = [row for each in children.get(customer.id, []) for row in _rows(each, children, amounts, width)]
    own, name = amounts.get(customer.id, [ZERO] * width), customer.body["DisplayName"]
    if not below:
        row = [{"value": name, "id": customer.id}, *_cells(own)]
        return [{"ColData": row}] if any(own) else []
    every = [own, *_all_below(customer, children, amounts)]
    total = [sum(column, ZERO) for column in zip(*every, strict=True)]
    head = [{"value": name, "id": customer.id}, *_cells(own)]
    foot = [{"value": f"Total {name}"}, *_cells(total, ".00")]
    return [{"Header": {"ColData": head}, "Rows": {"Row": below}, "Summary": {"ColData": foot}, "type": "Section"}]


def _all_below(customer: Stored, children: dict[str, list[Stored]], amounts: Amounts) -> list[list[Decimal]]:
    found = []
    for each in children.get(customer.id, []):
        found += [amounts[each.id]] if each.id in amounts else []
        found += _all_below(each, children, amounts)
    return found


def _cells(amounts: list[Decimal], nothing: str = "") -> list[Body]:
    return [{"value": f"{amount:.2f}" if amount else nothing} for amount in amounts]


def _whole(query: Mapping[str, str], name: str, default: int) -> int:
    text = query.get(name, "")
    return int(text) if text.isdecimal() and 0 < int(text) < 1000 else default


REPORTS: dict[str, Callable[[Books, date, Mapping[str, str]], Body]] = {
    "CustomerBalance": _customer_balance,
    "AgedReceivables": _aged_receivables,
    "CustomerBalanceDetail": _customer_balance_detail,
}
