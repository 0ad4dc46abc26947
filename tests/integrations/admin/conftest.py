"""A company with everything in it, one more that must never be seen, and people of each role at the desk."""

import datetime as dt
import json
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from types import SimpleNamespace

import pytest
from django.contrib.auth.models import User
from django.test import Client as Browser
from django.utils import timezone

from fieldcamp.api.models import ApiKey
from fieldcamp.api.services import create_key
from fieldcamp.webhooks.models import DeliveryAttempt, EventCounter, WebhookDelivery, WebhookEndpoint, WebhookEvent
from fieldcamp.workspace.invoicing import create_invoice
from fieldcamp.workspace.models import BlockedTime, Client, Item, Member, Role, TaxRate, Visit, Workspace
from fieldcamp.workspace.paying import record_payment
from integrations.models import (
    Connection,
    ConnectionState,
    Hold,
    JobItem,
    JobPart,
    Link,
    OAuthGrant,
    Plan,
    Problem,
    ReturnAddress,
    Stream,
    SyncJob,
    WorkspaceIntegration,
)
from integrations.services.connect_links.making import LinkMaker, create_link

GOOGLE = "google_calendar"
CANARY = "ya29.CANARY-TOKEN"
WEBHOOK_CANARY = "whsec_Y2FuYXJ5Y2FuYXJ5Y2FuYXJ5Y2FuYXJ5"
ROLES = ("owner", "admin", "staff", "viewer")


@dataclass
class Company(SimpleNamespace):
    """One workspace's rows by name."""

    workspace: Workspace

    def __init__(self, **rows):
        SimpleNamespace.__init__(self, **rows)


def login(username: str, **fields) -> User:
    return User.objects.create_user(username, is_staff=True, **fields)


def company(name: str) -> Company:
    now = timezone.now()
    workspace = Workspace.objects.create(name=name)
    tech = Member.objects.create(
        workspace=workspace, first_name=f"Tech of {name}", email="tech@google.test", is_technician=True
    )
    client = Client.objects.create(workspace=workspace, company_name=f"Client of {name}")
    visit = Visit.objects.create(
        workspace=workspace,
        client=client,
        technician=tech,
        title=f"Visit of {name}",
        scheduled_start=now,
        scheduled_end=now + dt.timedelta(hours=1),
        visit_status="scheduled",
        timezone=workspace.timezone,
    )
    item = Item.objects.create(workspace=workspace, name=f"Item of {name}", price=100)
    tax = TaxRate.objects.create(workspace=workspace, name=f"Tax of {name}", rate="0.08")
    invoice = create_invoice(
        workspace=workspace, client_id=client.pk, lines=[{"item_id": item.pk}], tax_rate_id=tax.pk, send=True
    )
    shares = [{"invoice_id": invoice.pk, "amount": 8}]
    payment = record_payment(workspace=workspace, client_id=client.pk, amount=Decimal(10), allocations=shares)
    connection = Connection.objects.create(
        workspace=workspace,
        integration=GOOGLE,
        member=tech,
        account_id=f"id of {name}",
        account_name=f"account-{workspace.pk}@google.test",
        state=ConnectionState.ACTIVE,
        connected_at=now,
    )
    OAuthGrant.objects.create(
        connection=connection,
        access_token=CANARY,
        refresh_token=f"1//{CANARY}",
        answer=json.dumps({"access_token": CANARY}),
        scopes=["https://www.googleapis.com/auth/calendar.events"],
        granted_at=now,
        expires_at=now + dt.timedelta(hours=1),
    )
    stream = Stream.objects.create(
        connection=connection, container_id="main", container_name=f"Calendar of {name}", is_target=True
    )
    WorkspaceIntegration.objects.create(
        workspace=workspace, integration=GOOGLE, next_sync_at=now + dt.timedelta(minutes=28, seconds=30)
    )
    job = SyncJob.objects.create(
        workspace=workspace,
        integration=GOOGLE,
        status="partial",
        triggered_by="admin",
        actor=f"Somebody of {name}",
        created_at=now - dt.timedelta(hours=1),
        started_at=now - dt.timedelta(hours=1),
        finished_at=now - dt.timedelta(minutes=59),
        pushed=1,
        failed=1,
    )
    JobPart.objects.create(job=job, connection=connection, status="done")
    JobItem.objects.create(
        job=job, connection=connection, kind="visit", key=visit.pk, record_id=visit.pk, outcome="pushed"
    )
    JobItem.objects.create(
        job=job, connection=connection, kind="block", key="=1+1", remote_id="=1+1", outcome="failed", message="@SUM(A1)"
    )
    link = Link.objects.create(
        stream=stream, kind="visit", record_id=visit.pk, remote_id=f"event{workspace.pk}", seen_at=now, parked=True
    )
    plan = Plan.objects.create(
        workspace=workspace, integration=GOOGLE, job=job, made_at=now, expires_at=now + dt.timedelta(hours=1),
        counts={"operations": 0}, approved_by=f"account-{workspace.pk}",
    )  # fmt: skip
    hold = Hold.objects.create(stream=stream, job=job, removals=10, of=24)
    held = Link.objects.create(stream=stream, kind="visit", record_id="vis_held", remote_id="held", hold=hold)
    blocked = BlockedTime.objects.create(
        workspace=workspace, member=tech, key="k", starts_at=now, ends_at=now + dt.timedelta(hours=1)
    )
    key, _ = create_key(workspace=workspace, name=f"Key of {name}")
    common = {"workspace": workspace, "integration": GOOGLE, "connection": connection, "occurred_at": now}
    conflict = Problem.objects.create(
        **common,
        link=link,
        code="CONFLICT",
        record_kind="visit",
        record_id=visit.pk,
        message=f"Conflict of {name}",
        data={"local": {"start": "2026-11-24T14:00:00Z"}, "remote": {"start": "2026-11-24T18:00:00Z"}},
    )
    removals = Problem.objects.create(
        **common,
        code="CONFIRMATION_NEEDED",
        record_kind="hold",
        record_id=hold.pk,
        message="10 of 24 visits would lose their calendar event (42 %).",
    )
    connect_link, _ = create_link(
        workspace=workspace, integration=GOOGLE, member_id=tech.pk, maker=LinkMaker(f"Somebody of {name}", key=key)
    )
    address = ReturnAddress.objects.create(workspace=workspace, url=f"https://{name.lower()}.example/connected")
    webhook, event, delivery = sent_webhook(workspace, visit.pk, job.pk)
    return Company(
        workspace=workspace, tech=tech, client=client, visit=visit,
        item=item, tax=tax, invoice=invoice, payment=payment,
        connection=connection, stream=stream, job=job,
        link=link, hold=hold, plan=plan, held=held, blocked=blocked, key=key, conflict=conflict, removals=removals,
        webhook=webhook, event=event, delivery=delivery, connect_link=connect_link, address=address,
    )  # fmt: skip


def sent_webhook(
    workspace: Workspace, record_id: str, job_id: str
) -> tuple[WebhookEndpoint, WebhookEvent, WebhookDelivery]:
    """A webhook that has taken an event of a record at its second try."""
    now = timezone.now()
    source = {"kind": "sync", "integration": GOOGLE, "job_id": job_id, "actor": None, "request_id": None}
    body = {"type": "visit.updated", "source": source, "data": {"object": {"id": record_id, "notes": "Ring twice"}}}
    event = WebhookEvent.objects.create(
        workspace=workspace, type="visit.updated", record_id=record_id, source="sync", sequence=1, fanned_out_at=now,
        body=json.dumps(body, separators=(",", ":")).encode(),
    )  # fmt: skip
    EventCounter.objects.create(workspace=workspace, last=1)
    host = workspace.pk.lower().replace("_", "-")
    endpoint = WebhookEndpoint.objects.create(
        workspace=workspace, url=f"https://{host}.example/hooks?key=canary", events=["visit.*"],
        status="enabled", scopes=["visits:read"], secret=WEBHOOK_CANARY, secret_hint="ARIA", last_delivered_at=now,
        description=f"account-{workspace.pk}",
    )  # fmt: skip
    delivery = WebhookDelivery.objects.create(
        workspace=workspace, endpoint=endpoint, event=event, state="delivered", attempts=2, last_status=204,
        finished_at=now,
    )  # fmt: skip
    for number, status, excerpt in ((1, 500, "<b>No room</b>"), (2, 204, "")):
        DeliveryAttempt.objects.create(
            delivery=delivery, number=number, at=now, ms=14_000 if status == 204 else 80, status=status, excerpt=excerpt
        )
    return endpoint, event, delivery


@pytest.fixture
def ours(db) -> Company:
    return company("Ours")


@pytest.fixture
def theirs(db) -> Company:
    return company("Theirs")


@pytest.fixture
def desk(ours) -> Callable[..., Browser]:
    """A browser in which a member of this role is signed in; "root" is a superuser without a member."""

    def sit(role: str = "owner", at: Company = ours, **fields) -> Browser:
        browser = Browser()
        username = f"{role}-{at.workspace.pk}"
        user = User.objects.filter(username=username).first()
        if user is None:
            user = login(username, is_superuser=role == "root")
            if role != "root":
                Member.objects.create(
                    workspace=at.workspace, user=user, first_name=role.capitalize(), role=Role(role), **fields
                )
        browser.force_login(user)
        return browser

    return sit


def pages_of(rows: Company) -> dict[str, str]:
    """Every page that shows one row of the company."""
    at, desk = "/admin", "/admin/integrations"
    return {
        "job": f"{at}/integrations/syncjob/{rows.job.pk}/change/",
        "connection": f"{at}/integrations/connection/{rows.connection.pk}/change/",
        "problem": f"{at}/integrations/problem/{rows.conflict.pk}/change/",
        "visit": f"{at}/workspace/visit/{rows.visit.pk}/change/",
        "calendar visit": f"{desk}/calendar/visits/{rows.visit.pk}/",
        "visit history": f"{at}/workspace/visit/{rows.visit.pk}/history/",
        "client": f"{at}/workspace/client/{rows.client.pk}/change/",
        "item": f"{at}/workspace/item/{rows.item.pk}/change/",
        "tax rate": f"{at}/workspace/taxrate/{rows.tax.pk}/change/",
        "invoice": f"{at}/workspace/invoice/{rows.invoice.pk}/change/",
        "payment": f"{at}/workspace/payment/{rows.payment.pk}/change/",
        "void invoice": f"{at}/workspace/invoice/{rows.invoice.pk}/void/",
        "void payment": f"{at}/workspace/payment/{rows.payment.pk}/void/",
        "member": f"{at}/workspace/member/{rows.tech.pk}/change/",
        "blocked time": f"{at}/workspace/blockedtime/{rows.blocked.pk}/change/",
        "company": f"{at}/workspace/workspace/{rows.workspace.pk}/change/",
        "key": f"{at}/api/apikey/{rows.key.pk}/change/",
        "revoke": f"{at}/api/apikey/{rows.key.pk}/revoke/",
        "rotate": f"{at}/api/apikey/{rows.key.pk}/rotate/",
        "webhook": f"{at}/webhooks/webhookendpoint/{rows.webhook.pk}/change/",
        "webhook form": f"{at}/webhooks/webhookendpoint/{rows.webhook.pk}/edit/",
        "webhook secret": f"{at}/webhooks/webhookendpoint/{rows.webhook.pk}/rotate/",
        "enable webhook": f"{at}/webhooks/webhookendpoint/{rows.webhook.pk}/enable/",
        "delete webhook": f"{at}/webhooks/webhookendpoint/{rows.webhook.pk}/delete/",
        "delivery": f"{at}/webhooks/webhookdelivery/{rows.delivery.pk}/change/",
        "event": f"{at}/webhooks/webhookevent/{rows.event.pk}/change/",
        "connect link": f"{at}/integrations/connectlink/{rows.connect_link.pk}/change/",
        "return address": f"{at}/integrations/returnaddress/{rows.address.pk}/change/",
        "csv": f"{desk}/jobs/{rows.job.pk}/items.csv",
        "live": f"{desk}/jobs/{rows.job.pk}/live/",
        "disconnect": f"{desk}/connections/{rows.connection.pk}/disconnect/",
    }


LISTS = {
    "dashboard": "/admin/",
    "card": "/admin/integrations/state/",
    "needs": "/admin/integrations/needs/",
    "today": "/admin/integrations/today/",
    "calendar": "/admin/integrations/calendar/",
    "jobs": "/admin/integrations/syncjob/",
    "connections": "/admin/integrations/connection/",
    "problems": "/admin/integrations/problem/",
    "visits": "/admin/workspace/visit/",
    "clients": "/admin/workspace/client/",
    "items": "/admin/workspace/item/",
    "tax rates": "/admin/workspace/taxrate/",
    "invoices": "/admin/workspace/invoice/",
    "payments": "/admin/workspace/payment/",
    "team": "/admin/workspace/member/",
    "blocked times": "/admin/workspace/blockedtime/",
    "company": "/admin/workspace/workspace/",
    "keys": "/admin/api/apikey/",
    "webhooks": "/admin/webhooks/webhookendpoint/",
    "events": "/admin/webhooks/webhookevent/",
    "connect links": "/admin/integrations/connectlink/",
    "new connect link": "/admin/integrations/connectlink/add/",
    "return addresses": "/admin/integrations/returnaddress/",
    "notices": "/admin/integrations/notices/",
}


def posts_of(rows: Company) -> dict[str, tuple[str, dict[str, str]]]:
    """Every button, with what it posts."""
    at = "/admin/integrations"
    connection, problem = f"{at}/connections/{rows.connection.pk}", f"{at}/problems/{rows.conflict.pk}"
    return {
        "sync": (f"{connection}/sync/", {}),
        "pause": (f"{connection}/pause/", {}),
        "resume": (f"{connection}/resume/", {}),
        "disconnect": (f"{connection}/disconnect/", {}),
        "cancel": (f"{at}/jobs/{rows.job.pk}/cancel/", {}),
        "retry": (f"{problem}/retry/", {}),
        "resolve": (f"{problem}/resolve/", {"choice": "local"}),
        "ignore": (f"{problem}/ignore/", {}),
        "unignore": (f"{problem}/unignore/", {}),
        "decide": (f"{at}/holds/{rows.hold.pk}/decide/", {"decision": "reject"}),
        "move visit": (f"{at}/calendar/visits/{rows.visit.pk}/move/", moved_of(rows)),
        "void payment": (f"/admin/workspace/payment/{rows.payment.pk}/void/", {}),
        "void invoice": (f"/admin/workspace/invoice/{rows.invoice.pk}/void/", {}),
        "revoke": (f"/admin/api/apikey/{rows.key.pk}/revoke/", {}),
        "rotate": (f"/admin/api/apikey/{rows.key.pk}/rotate/", {"overlap": "24"}),
        "pause webhook": (f"/admin/webhooks/webhookendpoint/{rows.webhook.pk}/pause/", {}),
        "resume webhook": (f"/admin/webhooks/webhookendpoint/{rows.webhook.pk}/resume/", {}),
        "enable webhook": (f"/admin/webhooks/webhookendpoint/{rows.webhook.pk}/enable/", {}),
        "resend failed": (f"/admin/webhooks/webhookendpoint/{rows.webhook.pk}/resend/", {}),
        "resend delivery": (f"/admin/webhooks/webhookdelivery/{rows.delivery.pk}/resend/", {}),
        "revoke link": (f"/admin/integrations/connectlink/{rows.connect_link.pk}/revoke/", {}),
        "delete webhook": (f"/admin/webhooks/webhookendpoint/{rows.webhook.pk}/delete/", {}),
    }


def moved_of(rows: Company) -> dict[str, str]:
    """What is posted to move the company's visit to the day after next."""
    day = timezone.now().date() + dt.timedelta(days=2)
    return {"day": str(day), "time": "09:00", "minutes": "60", "technician": "none", "version": str(rows.visit.version)}


def counted(key: ApiKey) -> int:
    return ApiKey.objects.filter(pk=key.pk, revoked_at=None).count()
