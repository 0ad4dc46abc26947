"""What is chosen for a company's books."""

import datetime as dt

import pytest
from django.utils import timezone

from fieldcamp.workspace.models import AuditEntry
from integrations.kinds import BOOKS
from integrations.models import BooksSettings, ConflictPolicy, ConnectionState, Direction
from integrations.services.books.setup import chosen, known_company, refresh_company, set_up_books
from integrations.services.setup import SetupError
from tests.integrations.connecting import DESIGN, SERVICES, UNDEPOSITED


def test_nothing_syncs_before_it_is_set_up(grant):
    connection = grant()
    assert (connection.state, connection.streams.count()) == (ConnectionState.SETUP, 0)
    assert chosen(connection) == {}


def test_setting_up_makes_a_stream_for_each_kind(grant):
    connection = set_up_books(connection=grant(), income_account_id=SERVICES)
    assert connection.state == ConnectionState.ACTIVE
    streams = {stream.kind: stream for stream in connection.streams.all()}
    assert list(streams) and set(streams) == {kind.name for kind in BOOKS}
    assert [streams[kind.name].container_id for kind in BOOKS] == ["Customer", "Item", "TaxCode", "Invoice", "Payment"]
    assert {kind: stream.policy for kind, stream in streams.items()} == {
        "customer": "local", "item": "local", "tax": "remote", "invoice": "ask", "payment": "ask",
    }  # fmt: skip
    assert [kind for kind, stream in streams.items() if stream.direction != Direction.TWO_WAY] == ["tax"]
    settings = BooksSettings.objects.get()
    assert (settings.income_account_name, settings.default_item_id) == ("Services", "")
    assert (settings.company["currency"], settings.company["tax_mode"]) == ("USD", "manual")
    assert known_company(connection).name == settings.company["name"]
    assert AuditEntry.objects.filter(action="connection.set_up").count() == 1


@pytest.mark.slow
@pytest.mark.parametrize(
    ("choice", "field"),
    [
        ({"income_account_id": ""}, "income_account"),
        ({"income_account_id": UNDEPOSITED}, "income_account"),
        ({"default_item_id": "99999"}, "default_item"),
        ({"direction": "sideways"}, "direction"),
        ({"policy_lists": "newest"}, "policy_lists"),
        ({"policy_documents": ""}, "policy_documents"),
    ],
)
def test_choices_that_cannot_be_taken(grant, choice, field):
    connection = grant()
    with pytest.raises(SetupError) as caught:
        set_up_books(connection=connection, **{"income_account_id": SERVICES, **choice})
    assert caught.value.field == field
    assert not connection.streams.exists()
    assert not BooksSettings.objects.exists()


def test_books_that_are_only_read_need_no_account(grant):
    connection = set_up_books(connection=grant(), direction=Direction.PULL)
    assert {stream.direction for stream in connection.streams.all()} == {"pull"}


def marks(connection) -> dict[str, str]:
    return dict(connection.streams.values_list("kind", "cursor"))


@pytest.mark.slow
def test_what_was_passed_over_is_read_anew(grant):
    day = dt.date(2026, 10, 1)
    first = {"income_account_id": SERVICES, "import_customers": False, "invoices_from": day}
    connection = set_up_books(connection=grant(), **first)
    connection.streams.update(cursor="read up to here", window_end=timezone.now())
    set_up_books(connection=connection, **first | {"income_account_id": DESIGN, "policy_lists": ConflictPolicy.ASK})
    assert set(marks(connection).values()) == {"read up to here"}
    set_up_books(connection=connection, **first | {"import_customers": True})
    assert [kind for kind, cursor in marks(connection).items() if not cursor] == ["customer"]
    set_up_books(connection=connection, **first | {"invoices_from": day + dt.timedelta(days=9)})
    assert marks(connection)["invoice"]
    set_up_books(connection=connection, **first | {"invoices_from": None})
    assert {kind for kind, cursor in marks(connection).items() if not cursor} == {"customer", "invoice", "payment"}
    assert connection.streams.filter(window_end=None).count() == 3


@pytest.mark.slow
def test_another_direction_reads_what_the_old_one_held_back(grant):
    connection = set_up_books(connection=grant(), direction=Direction.PULL, income_account_id=SERVICES)
    connection.streams.update(cursor="read up to here")
    set_up_books(connection=connection, direction=Direction.TWO_WAY, income_account_id=SERVICES)
    assert marks(connection) == {"customer": "", "item": "", "tax": "read up to here", "invoice": "", "payment": ""}


@pytest.mark.slow
def test_one_company_for_each_workspace(grant, second_workspace):
    set_up_books(connection=grant(), income_account_id=SERVICES)
    other = grant("9130002", "Northern")
    assert other.state == ConnectionState.SETUP
    with pytest.raises(SetupError, match="Disconnect that one first"):
        set_up_books(connection=other, direction=Direction.PULL)
    elsewhere = grant("9130002", "Northern", workspace=second_workspace)
    assert set_up_books(connection=elsewhere, direction=Direction.PULL).usable


@pytest.mark.slow
def test_a_paused_company_stays_paused(grant):
    connection = set_up_books(connection=grant(), income_account_id=SERVICES)
    connection.paused_by_person = True
    connection.save()
    assert set_up_books(connection=connection, income_account_id=DESIGN).state == ConnectionState.PAUSED
    connection.state = ConnectionState.NEEDS_RECONNECT
    connection.save()
    with pytest.raises(SetupError, match="Connect this company again"):
        set_up_books(connection=connection, income_account_id=DESIGN)


def test_what_the_company_is_like_is_asked_again(grant):
    connection = grant()
    assert known_company(connection) is None
    assert refresh_company(connection).id == connection.account_id
    assert known_company(connection).name
    assert connection.state == ConnectionState.SETUP
