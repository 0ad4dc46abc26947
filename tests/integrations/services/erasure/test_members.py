"""A person of the team who was erased is in no table any more; what they did is still there, and when."""

import datetime as dt
from decimal import Decimal

import pytest
from allauth.account.models import EmailAddress
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.core.management import CommandError, call_command
from django.test import Client as Browser
from django.utils import timezone

from fieldcamp.api.models import ApiKey
from fieldcamp.api.services import create_key
from fieldcamp.workspace import invoicing, paying, services
from fieldcamp.workspace.audit import audit
from fieldcamp.workspace.audit_chain import ERASED, check, seal
from fieldcamp.workspace.errors import InvalidTransition
from fieldcamp.workspace.models import AuditEntry, BlockedTime, Change, Client, Item, Member, Role, Visit
from fieldcamp.workspace.tracking import attributed
from integrations.models import Connection, JobItem, Link, SummaryMail, SyncJob
from integrations.services.erasure import erase_client, erase_member
from tests.canary import rows, spelled

pytestmark = pytest.mark.django_db
WORD = "quixotry"


def told() -> list[str]:
    """The tables that still hold the word."""
    return [table for table, text in rows() if any(each in text.lower() for each in spelled(WORD))]


@pytest.fixture
def olga(make_member) -> Member:
    return make_member(first_name="Olga", role=Role.OWNER, user=User.objects.create_user("olga", password="x"))


@pytest.fixture
def person_to_erase(make_technician) -> Member:
    address = f"{WORD}@team.test"
    user = User.objects.create_user(address, email=address, first_name=f"{WORD}a", last_name=f"{WORD}b", is_staff=True)
    EmailAddress.objects.create(user=user, email=address)
    return make_technician(first_name=f"{WORD}a", last_name=f"{WORD}b", email=address, role=Role.ADMIN, user=user)


@pytest.mark.slow
@pytest.mark.engine
def test_a_canary_in_every_field_is_gone(olga, person_to_erase, connect, people, person, sync, workspace, make_visit):
    member, user = person_to_erase, person_to_erase.user
    name = str(member)
    connection = connect(member=member)
    Connection.objects.filter(pk=connection.pk).update(account_name=f"{WORD}@calendar.test", state_reason=f"By {name}.")
    connection.refresh_from_db()
    person.add("Dentist", timezone.now() + dt.timedelta(days=1))
    start = timezone.now() + dt.timedelta(days=2)
    coming = make_visit(technician=member, scheduled_start=start, scheduled_end=start + dt.timedelta(hours=1))
    over = make_visit(technician=member, visit_status="completed")
    with attributed(actor=name):
        services.update_visit(workspace=workspace, visit_id=coming.pk, changes={"notes": "Ring twice"})
        audit("key.created", workspace_id=workspace.pk, object_id="key_1", object_name=f"{name}'s laptop")
    audit("login.created", workspace_id=None, object_id=f"user_{user.pk}", object_name=user.username, actor="root")
    ApiKey.objects.create(workspace=workspace, name=f"{name}'s laptop", prefix="fc", created_by=name)
    SummaryMail.objects.create(member=member, week=dt.date(2026, 11, 16))
    kind = ContentType.objects.get_for_model(User)
    LogEntry.objects.create(
        user=user, content_type=kind, object_id=str(user.pk), object_repr=user.username, action_flag=CHANGE
    )
    browser = Browser(headers={"host": "127.0.0.1:8000"})
    browser.force_login(user)
    sync()
    SyncJob.objects.update(actor=name, errors=[{"message": f"{name} is not active"}])
    assert BlockedTime.objects.exists() and len(told()) >= 8, "the word has to be there first"

    erase_member(member, by=olga, actor="Olga")

    assert told() == []
    member.refresh_from_db()
    assert (str(member), member.user, member.is_active) == (ERASED, None, False)
    assert not Connection.objects.exists() and not BlockedTime.objects.exists()
    assert not User.objects.get(pk=user.pk).is_active and "_auth_user_id" not in browser.session
    assert not Visit.objects.get(pk=coming.pk).technician and Visit.objects.get(pk=over.pk).technician == member
    assert Change.objects.get(record_id=coming.pk, after__notes="Ring twice").actor == ERASED
    assert SyncJob.objects.get().actor == ERASED
    for scope in (workspace.pk, ""):
        seal(scope)
        assert check(scope).holds


def test_nobody_erases_what_they_did_by_erasing_a_namesake(olga, make_member, make_client, workspace):
    with attributed(actor="Olga"):
        audit("key.created", workspace_id=workspace.pk, object_name="Olga's key")
        client = make_client(first_name="Kim")
    erase_member(make_member(first_name="Olga", email=""), by=None, actor="")  # while she is called so herself
    Member.objects.filter(pk=olga.pk).update(first_name="Other")
    erase_member(make_member(first_name="Olga", email=""), by=None, actor="")
    erase_client(make_client(company_name="Olga's key"), actor="Olga")
    entry = AuditEntry.objects.get(action="key.created")
    assert (entry.actor, entry.object_name) == ("Olga", "Olga's key")
    assert Change.objects.get(record_id=client.pk).actor == "Olga"


def test_who_may_not_be_erased(olga, make_member, workspace):
    with pytest.raises(InvalidTransition, match="only owner"):
        erase_member(olga, by=None, actor="")
    make_member(first_name="Otto", role=Role.OWNER)
    with pytest.raises(InvalidTransition, match="yourself"):
        erase_member(olga, by=olga, actor="")
    erase_member(olga, by=None, actor="")
    with pytest.raises(InvalidTransition, match="already"):
        erase_member(Member.objects.get(pk=olga.pk), by=None, actor="")


def test_an_operators_login_outlives_its_row_in_a_company(olga, make_member):
    root = User.objects.create_superuser("root", email="root@home.test")
    rita = make_member(first_name="Rita", user=root)
    with pytest.raises(InvalidTransition, match="operator"):
        erase_member(rita, by=olga, actor="Olga")
    erase_member(rita, by=None, actor="root")
    root.refresh_from_db()
    assert root.is_active and root.username == "root" and not hasattr(root, "member")


def test_the_command_says_what_goes_and_asks(olga, make_client, make_visit, monkeypatch, capsys):
    erased = make_client(first_name="Jane", last_name="Roe")
    make_visit(client=erased)
    answers = iter(["no", "yes"])
    monkeypatch.setattr("builtins.input", lambda _question: next(answers))
    with pytest.raises(CommandError, match="Nothing was erased"):
        call_command("erase", "client", erased.pk)
    said = capsys.readouterr().out
    assert "Jane Roe" in said and "\n- 1 visit: it is deleted" in said and "This stays:" in said
    call_command("erase", "client", erased.pk)
    with pytest.raises(CommandError, match="erased already"):
        call_command("erase", "client", erased.pk, "--yes")
    with pytest.raises(CommandError, match="no member"):
        call_command("erase", "member", "mem_none", "--yes")
    with pytest.raises(CommandError, match="only owner"):
        call_command("erase", "member", olga.pk, "--yes")


@pytest.mark.slow
@pytest.mark.engine
def test_an_account_and_then_the_company_are_erased(
    olga, connect, person_to_erase, sync, workspace, second_workspace, make_visit
):
    connection = connect(member=person_to_erase)
    start = timezone.now() + dt.timedelta(days=2)
    times = {"scheduled_start": start, "scheduled_end": start + dt.timedelta(hours=1), "visit_status": "scheduled"}
    make_visit(technician=person_to_erase, **times)
    sync()
    call_command("erase", "connection", connection.pk, "--yes")
    assert not Link.objects.exists() and not JobItem.objects.exists() and SyncJob.objects.get().pushed == 1
    seal(workspace.pk)
    assert check(workspace.pk).holds
    connect(member=person_to_erase)
    sync()
    item = Item.objects.create(workspace=workspace, name="Drain cleaning", price=1)
    erased = services.create_client(workspace=workspace, first_name="Kim")
    line = {"item_id": item.pk, "quantity": Decimal(1), "unit_price": Decimal(9)}
    invoice = invoicing.create_invoice(workspace=workspace, client_id=erased.pk, lines=[line])
    invoicing.send_invoice(workspace=workspace, invoice_id=invoice.pk)
    paying.record_payment(
        workspace=workspace, client_id=erased.pk, amount=Decimal(9), date=dt.date(2026, 11, 21),
        allocations=[{"invoice_id": invoice.pk, "amount": Decimal(9)}],
    )  # fmt: skip
    services.create_client(workspace=second_workspace, first_name="Kept")
    create_key(workspace=workspace, name="A key")
    call_command("erase", "workspace", workspace.pk, "--yes")
    assert Client.objects.get().first_name == "Kept" and not User.objects.exists() and not Change.objects.exclude(
        workspace=second_workspace
    ).exists()  # fmt: skip
    assert told() == []
    # Its id is said once: that, and when, it was erased.
    assert [table for table, text in rows() if workspace.pk in text] == ["workspace_auditentry"]
    assert AuditEntry.objects.get(object_id=workspace.pk).action == "workspace.erased"
