"""In a language that is not English, no English is left on the desk: pages are rendered in a made-up one."""

import datetime as dt
import re
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from fieldcamp.api.models import ApiKey
from fieldcamp.webhooks.models import WebhookEndpoint
from fieldcamp.workspace.models import (
    AuditEntry,
    Client,
    Invoice,
    InvoiceLine,
    Item,
    Member,
    TaxRate,
    VisitStatus,
)
from integrations.models import Connection, ConnectionState, ConnectLink, Heartbeat, Problem, Stream, SyncJob
from integrations.providers.google_calendar.api import GoogleCalendarClient
from integrations.records import Container, Lack
from tests.integrations.admin.conftest import LISTS, ROLES, pages_of
from tests.integrations.admin.test_pages import running
from tests.integrations.languages import another_language, english_in, pseudo  # noqa: F401  (a fixture)

OMEGA = "Ωμέγα"  # names of people and things, in no Latin letter
HOUR = dt.timedelta(hours=1)
LABEL = re.compile(
    r'class="inline-block font-semibold rounded-default[^"]*?bg-(\w+)-(?:100|500/8)[^"]*"[^>]*>\s*(.*?)\s*</span>', re.S
)
BADGE = re.compile(r'class="fc-badge fc-tone-(\w+)">(.*?)<')
ADDED = ("visit", "client", "member", "item", "taxrate", "invoice", "payment")
DELETED = {"visit": "visit", "client": "client", "item": "item", "taxrate": "tax"}


@pytest.fixture
def pages(ours, monkeypatch) -> dict[str, str]:
    """The pages of the product."""
    calendars = [Container("main", OMEGA, primary=True), Container("side", OMEGA, lacks=Lack.CHANGE)]
    monkeypatch.setattr(GoogleCalendarClient, "containers", lambda self: calendars)
    Heartbeat.objects.create(name="worker", at=timezone.now())
    running(ours)
    ours.workspace.name = ours.visit.title = OMEGA
    ours.workspace.save()
    ours.visit.save()
    for model, values in (
        (Client, {"company_name": OMEGA, "stage": OMEGA}), (Item, {"name": OMEGA}), (TaxRate, {"name": OMEGA}),
        (InvoiceLine, {"description": OMEGA}), (Member, {"first_name": OMEGA, "email": ""}),
        (Connection, {"account_name": "ω@ω"}), (Stream, {"container_name": OMEGA}), (ApiKey, {"name": OMEGA}),
        (WebhookEndpoint, {"url": "https://ω.ω/ω"}), (Problem, {"message": OMEGA}), (SyncJob, {"actor": OMEGA}),
        (AuditEntry, {"action": OMEGA, "object_name": OMEGA, "actor": OMEGA}),
        (Invoice, {"billed_to": {"name": OMEGA}, "tax_name": OMEGA, "tax_parts": [{"name": OMEGA, "rate": "0.08"}]}),
    ):  # fmt: skip
        model.objects.update(**values)
    at, account = "/admin/integrations", f"/admin/integrations/connections/{ours.connection.pk}"
    found = {
        **LISTS,
        **pages_of(ours),
        "audit trail": "/admin/workspace/auditentry/",
        "set-up": f"{account}/setup/",
        "settings": f"{account}/settings/",
        "schedule": f"{at}/settings/google-calendar/",
        "conflicts": f"{at}/conflicts/",
        "connect": f"{at}/connect/google-calendar/",
        "new key": "/admin/api/apikey/add/",
        **{f"new {name}": f"/admin/workspace/{name}/add/" for name in ADDED},
        **{
            f"delete {name}": f"/admin/workspace/{name}/{getattr(ours, row).pk}/delete/"
            for name, row in DELETED.items()
        },
    }
    found.pop("csv")  # for programs
    return found


@pytest.mark.slow
def test_no_english_is_left(desk, pages, another_language):  # noqa: F811
    browser = desk()
    Member.objects.update(first_name=OMEGA, email="")
    AuditEntry.objects.update(action=OMEGA, object_name=OMEGA, actor=OMEGA)  # the sign-in
    ConnectLink.objects.update(created_by=OMEGA)
    left, answers = set(), {}
    for name, address in pages.items():
        answers[name] = browser.get(address)
        left |= {f"{name}: {word}" for word in english_in(answers[name].content.decode())}
    assert sorted(left) == []
    assert {answer.status_code for answer in answers.values()} <= {200, 204}


@pytest.mark.slow
def test_no_english_is_left_in_what_is_wrong(desk, pages, ours, another_language):  # noqa: F811
    browser = desk()
    Member.objects.update(first_name=OMEGA, email="")
    for name, posted in (
        ("set-up", {}), ("settings", {"policy": "x", "busy": "x", "direction": ["push", "pull"]}),
        ("schedule", {"minutes": "1"}), ("rotate", {"overlap": "1000"}), ("void invoice", {"reason": "ω" * 201}),
        ("new member", {}), ("new taxrate", {"parts": "ω"}), ("new key", {}),
    ):  # fmt: skip
        page = browser.post(pages[name], posted).content.decode()
        assert english_in(page) == set(), name


def colours_of(page: str) -> list[tuple[str, str]]:
    """The theme's labels in a list: their colours and words."""
    return LABEL.findall(page)


def look(browser, ours) -> dict[str, list[tuple[str, str]]]:
    """The badges in every state that there is."""
    now = timezone.now()
    seen: dict[str, list[tuple[str, str]]] = {"team": colours_of(browser.get(LISTS["team"]).content.decode())}
    states: list[tuple[str, Any, str, dict[str, Any]]] = [
        *((f"card {state}", ours.connection, "card", {"state": state}) for state in ConnectionState),
        *((f"connection {state}", ours.connection, "connections", {"state": state}) for state in ConnectionState),
        *((f"visit {status}", ours.visit, "visits", {"visit_status": status}) for status in VisitStatus),
        ("invoice partly", ours.invoice, "invoices", {}),
        ("invoice sent", ours.invoice, "invoices", {"settlement": "unpaid"}),
        ("invoice paid", ours.invoice, "invoices", {"settlement": "paid"}),
        ("invoice overdue", ours.invoice, "invoices", {"due_date": "2020-01-01"}),
        ("invoice draft", ours.invoice, "invoices", {"sent_at": None}),
        ("invoice void", ours.invoice, "invoices", {"voided_at": now}),
        ("payment", ours.payment, "payments", {}),
        ("payment void", ours.payment, "payments", {"voided_at": now}),
        ("key", ours.key, "keys", {}),
        ("key rotating", ours.key, "keys", {"previous_until": now + HOUR}),
        ("key soon", ours.key, "keys", {"expires_at": now + HOUR}),
        ("key expired", ours.key, "keys", {"expires_at": now}),
        ("key revoked", ours.key, "keys", {"revoked_at": now}),
    ]
    for name, row, page, values in states:
        with transaction.atomic():
            type(row).objects.filter(pk=row.pk).update(**values)
            html = browser.get(LISTS[page]).content.decode()
            seen[name] = BADGE.findall(html)[:1] if page == "card" else colours_of(html)
            transaction.set_rollback(True)
    return seen


@pytest.mark.slow
def test_a_badges_colour_does_not_depend_on_the_language(desk, ours, request):
    for role in ROLES:
        desk(role)
    browser = desk()
    before = look(browser, ours)
    request.getfixturevalue("another_language")
    after = look(browser, ours)
    for name, badges in before.items():
        assert badges, name
        assert [badge[0] for badge in after[name]] == [badge[0] for badge in badges], name
        assert all(english_in(badge[1]) == set() for badge in after[name])
    assert before["card needs_reconnect"] == [("danger", "Needs reconnect")]
    assert before["card disconnected"] == [("muted", "Not connected")]
    assert before["visit unscheduled"] == [("base", "Unscheduled")]
    assert before["invoice overdue"] == [("red", "Overdue")]
    assert before["key soon"] == [("orange", "Expires soon")]
    assert ("blue", "Owner") in before["team"]


def test_the_made_up_language_keeps_what_must_stay():
    assert pseudo("%(number)s events of {name}, <b>now</b>") == "%(number)s жжжжжж жж {name}, <b>жжж</b>"


def test_the_check_finds_english():
    assert english_in("<p title='Hello'>жжж</p> <b>World</b> syn_0123") == {"Hello", "World"}
