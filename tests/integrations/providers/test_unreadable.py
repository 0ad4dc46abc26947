"""A record that no mapping can read is told as such, and takes nothing else of its listing with it."""

from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest

from integrations import errors
from integrations.providers.quickbooks.mapping import invoices
from integrations.records import RemoteRecord
from tests.integrations.engine import PEOPLE
from tests.integrations.mangling import JUNK, Change, mangled
from tests.integrations.providers.contract import AtIntuit, Calendar

INCOME = "79"  # an account of the sample company's
SANDBOXED = [leg for leg in PEOPLE if leg.world == "sandbox"]


class Entity(AtIntuit):
    """Another list of the same company's."""

    ROWS = {
        "Customer": {"DisplayName": "Theirs {}", "PrimaryEmailAddr": {"Address": "a@example.com"},
                     "PrimaryPhone": {"FreeFormNumber": "555"}, "BillAddr": {"Line1": "1 Main St", "City": "Troy"}},
        "Item": {"Name": "Drain {}", "Type": "Service", "UnitPrice": 5, "Sku": "D"},
        "Invoice": {"DocNumber": "N{}", "TxnDate": "2026-11-20", "DueDate": "2026-11-30",
                    "BillEmail": {"Address": "a@example.com"}, "CustomerMemo": {"value": "Thanks"}},
        "Payment": {"TotalAmt": 5, "TxnDate": "2026-11-20", "PaymentRefNum": "R{}"},
        "TaxCode": {"Name": "County {}"},
    }  # fmt: skip

    def __init__(self, vendors: Any, entity: str):
        super().__init__(vendors)
        self.container = entity

    def owner_adds(self, number: int) -> str:
        row = self.ROWS[self.container]
        given = {name: value.format(number) if isinstance(value, str) else value for name, value in row.items()}
        if self.container == "Item":
            given["IncomeAccountRef"] = {"value": INCOME}
        if self.container in ("Invoice", "Payment"):
            given["CustomerRef"] = {"value": self.owner.add("Customer", DisplayName=f"Payer {number}")["Id"]}
        if self.container == "Invoice":
            item = self.owner.add("Item", Name=f"Item {number}", Type="Service", IncomeAccountRef={"value": INCOME})
            detail = {"ItemRef": {"value": item["Id"]}, "Qty": 1, "UnitPrice": 5}
            given["Line"] = [{"DetailType": "SalesItemLineDetail", "Amount": 5, "SalesItemLineDetail": detail}]
        return self.owner.add(self.container, **given)["Id"]


@pytest.fixture
def account(request, sandbox):
    leg = request.param
    return Entity(sandbox, leg) if isinstance(leg, str) else Calendar(sandbox, leg)


def records(account, cursor: str = "") -> dict[str, RemoteRecord]:
    return account.listed(cursor)[0]


def paths_of(value: Any, path: tuple = ()) -> Iterator[tuple]:
    """Where something stands in a row, however deep."""
    if path:
        yield path
    if isinstance(value, dict):
        inside = list(value.items())
    else:
        inside = list(enumerate(value)) if isinstance(value, list) else []
    for name, inner in inside:
        yield from paths_of(inner, (*path, name))


def put(row: Any, path: tuple, value: Any) -> None:
    for name in path[:-1]:
        row = row[name]
    row[path[-1]] = value


def raw(account, id: str) -> dict[str, Any]:
    """The row as it comes over the wire."""
    seen: list[dict[str, Any]] = []
    with mangled(account.vendors, id, seen.append):
        records(account)
    return seen[-1]


@pytest.mark.slow
@pytest.mark.parametrize(
    "account",
    [*SANDBOXED, "Payment", "Customer", "Item", "Invoice"],
    indirect=True,
    ids=lambda leg: leg if isinstance(leg, str) else leg.vendor,
)
def test_whatever_stands_in_a_field_the_other_records_are_listed(account):
    bad, good = account.owner_adds(1), account.owner_adds(2)
    _, cursor = account.listed()
    expected = records(account)[good]
    paths = [path for path in paths_of(raw(account, bad)) if path not in (("id",), ("Id",))]
    assert len(paths) > 5
    unread: list[Change] = []
    for path in paths:
        for junk in JUNK:
            change = partial(put, path=path, value=junk)
            with mangled(account.vendors, bad, change):
                found = records(account)
            assert found[good] == expected, (path, junk)
            if bad in found and found[bad].fault is not None:
                unread.append(change)
                assert not found[bad].gone and not found[bad].fields
    assert unread or account.container == "Customer"  # of whose fields nothing is too strange to be read as a text
    for change in unread[:3]:
        with mangled(account.vendors, bad, change):
            again = records(account, cursor)
            assert bad not in again or again[bad].fault is not None
            if isinstance(account, Entity):  # Google's batches are no JSON
                assert account.look(bad).fault is not None
                assert account.look(good).fault is None


@pytest.mark.parametrize("account", SANDBOXED, indirect=True, ids=lambda leg: leg.vendor)
def test_what_is_no_record_at_all_is_passed_over(account):
    good = account.owner_adds(1)
    wanted = records(account)

    def wrapper(_path, send):
        response = send()
        for key in (b'"items": [', b'"items":[', b'"value": [', b'"value":['):
            response._content = response.content.replace(key, key + b'null, 7, "x", [], {}, ')
        return response

    heal = account.vendors.around(wrapper)
    assert records(account)[good] == wanted[good]
    heal()


def test_a_call_that_fails_while_a_row_is_read_is_the_accounts(sandbox, monkeypatch):
    """Else a vendor that is down would look like a record that cannot be read."""
    account = Entity(sandbox, "Invoice")
    account.owner_adds(1)

    def down(*_args, **_given):
        raise errors.Unavailable("Down.")

    monkeypatch.setattr(invoices, "to_fields", down)
    with pytest.raises(errors.Unavailable):
        records(account)
