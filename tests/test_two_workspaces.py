"""Two companies: every address of the API and of the desk, found by walking the resolver, is tried from the other one.

A new route is covered by itself: its path parameters are filled with every id that the other company has.
"""

import itertools
import re
from collections.abc import Iterator

import pytest
from django.test import Client as Browser
from django.urls import URLPattern, get_resolver

from fieldcamp.api.models import ApiKey
from fieldcamp.webhooks.models import WebhookDelivery, WebhookEndpoint, WebhookEvent
from fieldcamp.workspace.models import AuditEntry, BlockedTime, Client, Invoice, Item, Member, Payment, TaxRate, Visit
from integrations.models import (
    Connection,
    ConnectLink,
    Hold,
    JobItem,
    Link,
    OAuthGrant,
    Plan,
    Problem,
    ReturnAddress,
    Stream,
    SyncJob,
)
from tests.conftest import api_client
from tests.integrations.admin.conftest import Company, company, login

pytestmark = [pytest.mark.django_db, pytest.mark.slow]

METHODS = ("get", "post", "put", "patch", "delete")
FORMS = ("get", "post")  # all that the desk tells apart
# What is nobody's in particular: the way in, the vendors' redirects, the documentation.
OPEN = re.compile(
    r"^(|healthz|readyz|metrics|accounts/.*|api/docs.*|api/v1/schema|admin/(login|logout|jsi18n)/|admin/password/.*)$"
)
MODELS = (
    ApiKey,
    Client,
    Member,
    Visit,
    Item,
    TaxRate,
    Invoice,
    Payment,
    BlockedTime,
    Connection,
    ConnectLink,
    ReturnAddress,
    Hold,
    Problem,
    Plan,
    JobItem,
    Link,
    OAuthGrant,
    Stream,
    SyncJob,
    WebhookEndpoint,
    WebhookEvent,
    WebhookDelivery,
)


def routes() -> Iterator[str]:
    def walk(patterns, before: str) -> Iterator[str]:
        for each in patterns:
            here = before + str(each.pattern)
            if isinstance(each, URLPattern):
                yield here
            else:
                yield from walk(each.url_patterns, here)

    for route in walk(get_resolver().url_patterns, ""):
        if not OPEN.match(route) and "(?P" not in route:
            yield route


def is_api(route: str) -> bool:
    return route.startswith("api/")


WITH_IDS = [route for route in routes() if re.search(r"<(?!slug:)", route)]
WITHOUT_IDS = [re.sub(r"<slug:slug>", "google-calendar", route) for route in routes() if route not in WITH_IDS]


@pytest.fixture
def ours(db) -> Company:
    return company("Ours")


@pytest.fixture
def theirs(db) -> Company:
    return company("Theirs")


@pytest.fixture
def key(ours, api_key):
    return api_client(api_key(workspace=ours.workspace))


@pytest.fixture
def owner(ours) -> Browser:
    """An owner: whoever may do the most in their own company."""
    user = login("ours-owner")
    Member.objects.create(workspace=ours.workspace, user=user, first_name="Owner", role="owner")
    browser = Browser(raise_request_exception=False)
    browser.force_login(user)
    return browser


def ids_of(rows: Company) -> list[str]:
    return [str(row.pk) for row in vars(rows).values() if hasattr(row, "pk")]


def marks_of(rows: Company) -> set[str]:
    """Texts that only this company's pages and answers have."""
    return {pk for pk in ids_of(rows) if "_" in pk} | {
        "of Theirs",
        f"account-{rows.workspace.pk}",
        "Conflict of Theirs",
    }


def stored(rows: Company) -> str:
    """All that is stored of the company."""
    pks = ids_of(rows)
    return "\n".join(
        str(list(model.objects.filter(pk__in=[pk for pk in pks if _fits(model, pk)]).order_by("pk").values()))
        for model in MODELS
    )


def _fits(model, pk: str) -> bool:
    return pk.isdigit() == (model._meta.pk.get_internal_type() == "BigAutoField")


def assert_nothing_shown(response, marks: set[str], sent: str) -> None:
    body = b"".join(response.streaming_content) if response.streaming else response.content
    text = body.decode() + str(dict(response.headers))
    # What was asked for may be repeated; nothing else of theirs may.
    shown = {mark for mark in marks if mark in text and mark not in sent}
    assert not shown, f"{sent}: {shown}"


def test_the_walk_finds_the_routes():
    assert {"api/v1/visits/<str:record_id>", "api/v1/integrations/jobs/<str:job_id>/cancel"} <= set(WITH_IDS)
    assert "admin/integrations/connections/<str:connection_id>/pause/" in WITH_IDS
    assert {"api/v1/visits", "api/v1/integrations/google-calendar/sync", "admin/"} <= set(WITHOUT_IDS)


@pytest.mark.parametrize(
    "routes", [WITH_IDS[start : start + 10] for start in range(0, len(WITH_IDS), 10)], ids=lambda routes: routes[0]
)
def test_their_ids_are_unknown(routes, ours, theirs, key, owner, monkeypatch):
    """Several routes with the same two companies, which is what takes time; nothing of theirs changes."""
    monkeypatch.setattr("integrations.views.connect_links.A_MINUTE", 1_000_000)
    before = stored(theirs)
    for route in routes:
        try_their_ids(route, theirs, key if is_api(route) else owner)
        assert stored(theirs) == before, route


def try_their_ids(route: str, theirs: Company, caller: Browser) -> None:
    marks, never = marks_of(theirs), set()
    for pk, method in itertools.product(ids_of(theirs), METHODS if is_api(route) else FORMS):
        if method in never or (pk.isdigit() and "auditentry" in route):
            continue  # the same number is an entry of ours: see the test below
        path = "/" + re.sub(r"<slug:\w+>", "google-calendar", re.sub(r"<(?!slug:)[^>]+>", pk, route))
        response = getattr(caller, method)(path)
        if response.status_code == 405:  # whatever the id
            never.add(method)
        if is_api(route):
            # 400: an empty body is refused before anything is looked for.
            assert response.status_code in (400, 404, 405), f"{method} {path}: {response.status_code}"
        else:
            assert response.status_code in (302, 400, 403, 404, 405), f"{method} {path}: {response.status_code}"
        assert_nothing_shown(response, marks, path)


@pytest.mark.parametrize("route", WITHOUT_IDS)
def test_lists_and_pages_show_only_ones_own(route, ours, theirs, key, owner, monkeypatch):
    from integrations.services import feed

    monkeypatch.setattr(feed, "observe_pending", lambda workspace, integration, reading_on=False: None)
    marks, before = marks_of(theirs), stored(theirs)
    caller = key if is_api(route) else owner
    for method in METHODS:
        response = getattr(caller, method)("/" + route)
        # 503: there is no app at the vendor here, which is what the page says.
        assert response.status_code < 500 or "connect/" in route, f"{method} {route}"
        assert_nothing_shown(response, marks, route)
    assert stored(theirs) == before


def test_their_audit_trail(ours, theirs, owner):
    entry = AuditEntry.objects.filter(workspace=theirs.workspace).latest("id")
    for page in ("change", "history", "delete"):
        assert owner.get(f"/admin/workspace/auditentry/{entry.pk}/{page}/").status_code in (403, 404)
    mine = AuditEntry.objects.filter(workspace=ours.workspace).latest("id")
    assert owner.get(f"/admin/workspace/auditentry/{mine.pk}/change/").status_code == 200


def test_their_ids_in_bodies_and_filters(ours, theirs, key):
    visit = {"clientId": theirs.client.pk, "title": "x"}
    assert key.post("/api/v1/visits", visit).status_code == 400
    assert (
        key.post("/api/v1/visits", visit | {"clientId": ours.client.pk, "technicianId": theirs.tech.pk}).status_code
        == 400
    )
    assert key.patch(f"/api/v1/visits/{ours.visit.pk}", {"technicianId": theirs.tech.pk}).status_code == 400
    assert key.get(f"/api/v1/visits?clientId={theirs.client.pk}").json()["data"] == []
    assert key.get(f"/api/v1/visits?technicianId={theirs.tech.pk}").json()["data"] == []
    invoice = {"clientId": ours.client.pk, "lines": []}
    for wrong in (
        {"clientId": theirs.client.pk},
        {"taxRateId": theirs.tax.pk},
        {"lines": [{"itemId": theirs.item.pk}]},
    ):
        assert key.post("/api/v1/invoices", invoice | wrong).status_code == 400
    share = {"invoiceId": theirs.invoice.pk, "amount": 1}
    payment = {"clientId": ours.client.pk, "amount": 1, "allocations": [share]}
    assert key.post("/api/v1/payments", payment).status_code == 400
    assert key.patch(f"/api/v1/payments/{ours.payment.pk}", {"allocations": [share]}).status_code == 400
    assert key.get(f"/api/v1/payments?invoiceId={theirs.invoice.pk}").json()["data"] == []
    assert key.get(f"/api/v1/invoices?clientId={theirs.client.pk}").json()["data"] == []
    trigger = key.post("/api/v1/integrations/google-calendar/sync", {"connection_id": theirs.connection.pk})
    assert trigger.json()["error"]["code"] == "NOT_FOUND"


def test_their_cursors_are_no_cursors_of_ours(ours, theirs, key, api_key):
    other = api_client(api_key(workspace=theirs.workspace))
    for rows in (ours, theirs):
        for number in range(2):
            Client.objects.create(workspace=rows.workspace, first_name=f"More {number}")
            SyncJob.objects.create(
                workspace=rows.workspace, integration="google_calendar", status="succeeded", triggered_by="api",
                created_at=rows.job.created_at,
            )  # fmt: skip
    for path in ("clients", "integrations/jobs"):
        answer = other.get(f"/api/v1/{path}?limit=1").json()
        cursor = answer.get("next_cursor") or answer["meta"]["next_cursor"]
        assert other.get(f"/api/v1/{path}?limit=1&cursor={cursor}").status_code == 200
        assert key.get(f"/api/v1/{path}?limit=1&cursor={cursor}").json()["error"]["code"] == "INVALID_CURSOR"
    feed = "/api/v1/integrations/google-calendar/sync"
    resume = other.get(f"{feed}?since=2026-11-20T00:00:00Z").json()["resume_cursor"]
    assert other.get(f"{feed}?cursor={resume}").status_code == 200
    assert key.get(f"{feed}?cursor={resume}").json()["error"]["code"] == "INVALID_CURSOR"


def test_one_idempotency_key_is_two_in_two_companies(ours, theirs, key, api_key):
    other = api_client(api_key(workspace=theirs.workspace))
    made = [
        caller.post("/api/v1/clients", {"firstName": "Ada"}, HTTP_IDEMPOTENCY_KEY="same") for caller in (key, other)
    ]
    assert [response.status_code for response in made] == [201, 201]
    assert not any("Idempotent-Replayed" in response for response in made)
    assert made[0].json()["data"]["id"] != made[1].json()["data"]["id"]
