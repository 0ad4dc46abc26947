"""A company's settings: closed books, subscription, numbers, what is tracked, sales tax and its rates."""

from collections.abc import Callable

from werkzeug.datastructures import MultiDict

from fieldcamp.sandbox.days import parse_day
from fieldcamp.sandbox.http import BadInput
from fieldcamp.sandbox.intuit import preferences, rate_history, tax
from fieldcamp.sandbox.intuit.amounts import decimal
from fieldcamp.sandbox.intuit.books import Books
from fieldcamp.sandbox.intuit.entity import Body
from fieldcamp.sandbox.intuit.preferences import TaxMode
from fieldcamp.sandbox.intuit.ui_parts import Field, Section, parsed, plain

MODES = (
    (TaxMode.NONE.value, "No sales tax"),
    (TaxMode.MANUAL.value, "A code in each invoice"),
    (TaxMode.AUTOMATED.value, "Automated, by the address"),
)
CHOICES = (
    ("ClassTrackingPerTxnLine", "AccountingInfoPrefs", "A class for each line"),
    ("TrackDepartments", "AccountingInfoPrefs", "A location"),
    ("AllowServiceDate", "SalesFormsPrefs", "A service date for each line"),
    ("AllowShipping", "SalesFormsPrefs", "Shipping"),
    ("AllowDeposit", "SalesFormsPrefs", "A deposit"),
    ("AutoApplyCredit", "SalesFormsPrefs", "Apply credits to invoices by itself"),
)


def sections(books: Books) -> list[Section]:
    """The forms, filled with what holds now."""
    prefs, active = books.the("Preferences").body, is_subscribed(books)
    forms = prefs["SalesFormsPrefs"]
    found = [
        Section(
            "close",
            "Close the books",
            "Save",
            (Field("day", "Closed up to", preferences.books_closed_until(prefs), "date", hint="empty: open"),),
            "Nothing of that day or before can be changed.",
        ),
        Section(
            "subscription",
            "Subscription",
            "Let it lapse" if active else "Renew it",
            text="It is paid." if active else "It has lapsed: the company can be read only.",
            danger=active,
        ),
        Section(
            "numbers",
            "Invoices",
            "Save",
            (
                Field("custom", "Custom transaction numbers", forms["CustomTxnNumbers"], "tick"),
                Field("warn", "Refuse a number twice", books.switch("duplicate_number_warning", False), "tick"),
                Field("refuse", "Refuse to void a paid invoice", _refuses(books), "tick"),
            ),
        ),
        Section(
            "tracking",
            "What is kept of a sale",
            "Save",
            tuple(Field(name, label, prefs[group][name], "tick") for name, group, label in CHOICES),
        ),
    ]
    mode = tax.mode(books)
    if mode != TaxMode.FOREIGN:
        choice = Field("mode", "How invoices are taxed", mode.value, "select", options=MODES)
        found.append(Section("tax", "Sales tax", "Save", (choice,)))
    return [*found, _rates(books)]


def _rates(books: Books) -> Section:
    rates = list(books.rows("TaxRate", "active AND NOT deleted", order=books.entities["TaxRate"].order))
    today = [(each.id, f"{each.body['Name']}, {plain(rate_history.on(each.body, books.today))}%") for each in rates]
    fields = (
        Field("tax_rate", "Tax rate", "", "select", options=today),
        Field("percent", "Is, in percent", "", required=True),
        Field("from", "From this day on", books.today, "date", required=True),
    )
    return Section("rate", "A tax rate changes", "Save", fields, "Sales of earlier days keep the rate of their day.")


def act(books: Books, sent: MultiDict) -> None:
    """Does what one of the forms says."""
    action = sent.get("action")
    if action == "close":
        day = sent.get("day", "").strip()
        if day and parse_day(day, 1900, 9999) is None:
            raise BadInput("Give a date.")
        _prefer(books, lambda body: preferences.with_books_closed(body, day))
    elif action == "subscription":
        books.store.switch(books.realm, {"subscription": "lapsed" if is_subscribed(books) else None})
    elif action == "numbers":
        _prefer(books, lambda body: preferences.with_sales_forms(body, CustomTxnNumbers=bool(sent.get("custom"))))
        warn, refuse = bool(sent.get("warn")), bool(sent.get("refuse"))
        switches = {"duplicate_number_warning": warn or None, "void_refused_with_payments": None if refuse else False}
        books.store.switch(books.realm, switches)
    elif action == "tracking":
        _prefer(books, lambda body: _with_choices(body, sent))
    elif action == "rate":
        _change_rate(books, sent)
    elif action == "tax" and sent.get("mode") in dict(MODES) and tax.mode(books) != TaxMode.FOREIGN:
        _prefer(books, lambda body: preferences.with_tax_mode(body, TaxMode(sent["mode"])))
    else:
        raise BadInput("Nothing to do.")


def _change_rate(books: Books, sent: MultiDict) -> None:
    rate, day = books.get("TaxRate", sent.get("tax_rate", "")), sent.get("from", "").strip()
    if rate is None or parse_day(day, 1900, 9999) is None or not sent.get("percent", "").strip():
        raise BadInput("Say which rate, how many percent, and from which day on.")
    percent = decimal(parsed(sent["percent"], "The rate"))
    with books.store.state.transaction():
        rate_history.change(books, rate, percent, day)


def _with_choices(body: Body, sent: MultiDict) -> Body:
    for name, group, _ in CHOICES:
        body = body | {group: body[group] | {name: bool(sent.get(name))}}
    return body


def is_subscribed(books: Books) -> bool:
    """Whether the company may be written to."""
    return bool(books.switch("subscription", "active") == "active")


def _refuses(books: Books) -> bool:
    return bool(books.switch("void_refused_with_payments", True))


def _prefer(books: Books, change: Callable[[Body], Body]) -> None:
    with books.store.state.transaction():
        stored = books.the("Preferences")
        body = change(stored.body)
        if body != stored.body:
            books.change(stored, body)
