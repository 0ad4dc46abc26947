"""A client who was erased is in no table any more, and does not come back; what the books need is as it was."""

import datetime as dt
from decimal import Decimal

import pytest
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.core.mail import EmailMessage
from django.utils import timezone

from fieldcamp.api.models import IdempotencyRecord
from fieldcamp.webhooks.models import WebhookEvent
from fieldcamp.workspace import invoicing, paying, services
from fieldcamp.workspace.audit_chain import check, seal
from fieldcamp.workspace.models import Change, Client, Invoice, Payment, Visit, VisitStatus
from fieldcamp.workspace.tracking import attributed
from integrations.models import ChangeRow, Link, Problem, SyncJob
from integrations.selectors.feed import change
from integrations.services.erasure import erase_client, plan_client
from tests.canary import rows, spelled

pytestmark = pytest.mark.django_db
WORD = "quixotry"


def told() -> list[str]:
    """The tables that still hold the word."""
    return [table for table, text in rows() if any(each in text.lower() for each in spelled(WORD))]


@pytest.fixture
def kept_mails(settings, tmp_path):
    settings.EMAIL_FILE_PATH = tmp_path
    settings.EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    return tmp_path


def a_client(workspace) -> Client:
    place = {name: f"{WORD} {name}" for name in ("street", "city", "state", "postalCode", "country")}
    return services.create_client(
        workspace=workspace,
        first_name=f"{WORD}first",
        last_name=f"{WORD}last",
        company_name=f"{WORD} Ltd",
        display_name=f"{WORD} & Sons",
        email=f"{WORD}@home.test, other@{WORD}.test",
        phone_number={"countryCode": "+1", "number": f"555 {WORD}"},
        billing_address=place,
        property_address=place,
        stage=f"{WORD} stage",
    )


def a_visit(client: Client, technician, days: int = 1, **fields) -> Visit:
    start = (timezone.now() + dt.timedelta(days=days)).replace(hour=9, minute=0, second=0, microsecond=0)
    return services.create_visit(
        **{
            "workspace": client.workspace, "client_id": client.pk, "technician_id": technician and technician.pk,
            "title": f"{WORD} leak", "notes": f"{WORD} key", "address": f"{WORD} Street", "job_id": f"job {WORD}",
            "scheduled_start": start, "scheduled_end": start + dt.timedelta(hours=1), **fields,
        }
    )  # fmt: skip


def an_invoice(client: Client, **fields) -> Invoice:
    line = {
        "description": f"For {WORD}",
        "item_name": f"{WORD} work",
        "quantity": Decimal(2),
        "unit_price": Decimal(60),
    }
    return invoicing.create_invoice(
        workspace=client.workspace, client_id=client.pk, lines=[line], memo=f"Dear {WORD}",
        date=dt.date(2026, 11, 20), **fields,
    )  # fmt: skip


@pytest.mark.slow
@pytest.mark.engine
def test_a_canary_in_every_field_is_gone_and_stays_away(dana, person, sync, workspace, kept_mails, api_key, client):
    erased, other = a_client(workspace), services.create_client(workspace=workspace, first_name="Kim")
    services.create_client(workspace=workspace, first_name="Kim")
    place = Client.objects.create(workspace=workspace, parent=erased, display_name=f"{WORD} barn")
    merged = Client.objects.create(
        workspace=workspace, merged_into=erased, display_name=f"{WORD} twin", deleted_at=timezone.now()
    )
    visit, kept = a_visit(erased, dana.member), a_visit(other, dana.member, title="Tap", notes="", address="", days=2)
    Visit.objects.filter(pk=kept.pk).update(job_id="")
    WebhookEvent.objects.filter(record_id=kept.pk).delete()
    old = a_visit(place, None, -9, visit_status=VisitStatus.SCHEDULED)
    draft, sent, void = (an_invoice(erased) for _ in range(3))
    for invoice in (sent, void):
        invoicing.send_invoice(workspace=workspace, invoice_id=invoice.pk)
    invoicing.void_invoice(workspace=workspace, invoice_id=void.pk, reason=f"{WORD} said so")
    payment = paying.record_payment(
        workspace=workspace, client_id=erased.pk, amount=Decimal(50), date=dt.date(2026, 11, 21), reference=WORD,
        notes=f"by {WORD}", allocations=[{"invoice_id": sent.pk, "amount": Decimal(50)}],
    )  # fmt: skip
    posted = {
        "content_type": "application/json",
        "headers": {"X-Api-Key": api_key(), "Idempotency-Key": "first", "host": "127.0.0.1:8000"},
    }
    body = {"firstName": f"{WORD}first", "lastName": f"{WORD}last", "email": f"{WORD}@home.test"}
    assert client.post("/api/v1/clients", body, **posted).status_code == 201
    IdempotencyRecord.objects.create(
        workspace=workspace, key=f"{WORD}@home.test-2", fingerprint="", status=200, body=b"{}"
    )
    twin = Client.objects.get(email=body["email"])
    Client.objects.filter(pk=twin.pk).update(parent=erased)
    with attributed(actor="Olga"):
        services.update_client(workspace=workspace, client_id=erased.pk, changes={"last_name": f"{WORD}ski"})
    assert sync().failed == 0
    event = person.ours()[visit.pk]
    person.rename(event.id, f"{WORD} moved")
    person.move(event.id, timezone.now().replace(minute=0, second=0, microsecond=0) + dt.timedelta(days=3))
    sync()
    link = Link.objects.get(record_id=visit.pk)
    Problem.objects.create(
        workspace=workspace, integration=dana.integration, connection=dana, link=link, code="CONFLICT",
        record_kind="visit", record_id=visit.pk, message=f"{WORD} leak", data={"remote": {"title": WORD}},
        occurred_at=timezone.now(),
    )  # fmt: skip
    Problem.objects.create(
        workspace=workspace, integration=dana.integration, connection=dana, code="RECORD_REJECTED", record_kind="visit",
        record_id=kept.pk, message=f"As “{WORD} & Sons” has it.", occurred_at=timezone.now(),
    )  # fmt: skip
    user = User.objects.create_user("olga")
    kind = ContentType.objects.get_for_model(Client)
    LogEntry.objects.create(
        user=user,
        content_type=kind,
        object_id=erased.pk,
        object_repr=str(erased),
        action_flag=CHANGE,
        change_message=WORD,
    )
    for to in (f"{WORD}@home.test", "kim@home.test"):
        EmailMessage(f"An invoice for {to}", "…", to=[to]).send()
    assert len(told()) >= 10, "the word has to be there first"
    before = Invoice.objects.get(pk=sent.pk)

    assert str(erased.own_name) in plan_client(erased).name
    erase_client(erased, actor="Olga")

    assert told() == []
    mails = b"".join(path.read_bytes() for path in kept_mails.iterdir())
    assert WORD.encode() not in mails and b"kim@home.test" in mails
    # What is needed has stayed.
    after = Invoice.objects.get(pk=sent.pk)
    names = ("number", "client_id", "date", "total", "tax_total", "paid", "settlement", "deleted_at")
    assert [getattr(after, name) for name in names] == [getattr(before, name) for name in names]
    assert after.version > before.version and after.lines.get().amount == Decimal(120)
    assert Payment.objects.get(pk=payment.pk).amount == 50
    gone = Client.objects.filter(pk__in=[erased.pk, place.pk, merged.pk, twin.pk], deleted_at__isnull=False)
    assert gone.count() == 4 and not Visit.objects.alive().filter(pk__in=[visit.pk, old.pk]).exists()
    assert not Invoice.objects.alive().filter(pk=draft.pk).exists()
    assert {row.after.get("last_name") for row in Change.objects.filter(record_id=erased.pk, actor="Olga")} >= {""}
    assert Problem.objects.get().message == "As “[erased]” has it."
    seal(workspace.pk)
    assert check(workspace.pk).holds
    # The feed goes on, and the first answer is not repeated, nor the client made again.
    (row,) = (change(row) for row in ChangeRow.objects.all())
    assert row["visit_id"] == visit.pk and row["event"]["summary"] is None and row["event"]["start"]
    replayed = client.post("/api/v1/clients", body, **posted)
    assert replayed.status_code == 404 and replayed.json()["error"]["code"] == "NOT_FOUND" and told() == []


@pytest.mark.slow
@pytest.mark.engine
def test_what_is_seen_of_an_erased_clients_event_is_not_taken_in(dana, person, sync, workspace):
    erased = a_client(workspace)
    visit = a_visit(erased, dana.member)
    sync()
    erase_client(erased, actor="Olga")
    person.rename(person.ours()[visit.pk].id, f"{WORD} after all")  # before the sync takes the event away
    job = sync()
    assert job.failed == 0 and told() == [] and person.ours() == {}
    assert sync("full").pulled == 0 and told() == []


def test_a_merged_client_is_not_erased_alone(workspace):
    into = services.create_client(workspace=workspace, first_name="Kim")
    merged = services.create_client(workspace=workspace, first_name="Kim")
    Client.objects.filter(pk=merged.pk).update(merged_into=into, deleted_at=timezone.now())
    with pytest.raises(Exception, match=into.pk):
        erase_client(Client.objects.get(pk=merged.pk), actor="Olga")


@pytest.mark.engine
def test_nothing_is_erased_under_a_running_sync(dana, workspace):
    erased = a_client(workspace)
    SyncJob.objects.create(
        workspace=workspace, integration=dana.integration, triggered_by="api", status="running", lease_owner="w",
        created_at=timezone.now(),
    )  # fmt: skip
    with pytest.raises(Exception, match="is running"):
        erase_client(erased, actor="Olga")
    assert Client.objects.get(pk=erased.pk).email
