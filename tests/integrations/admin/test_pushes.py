"""What the desk says of pushes: on the card, on the account's page, and whether saved records wait."""

import datetime as dt

import pytest
from django.utils import timezone

from fieldcamp.workspace.models import AuditEntry
from integrations.models import JobPart, PushChannel, PushMark, ReceivedPush, Stream, SyncJob, WorkspaceIntegration
from integrations.push.marks import mark
from integrations.selectors.push import push_states
from tests.integrations import build
from tests.integrations.admin.test_pages import text_of

pytestmark = pytest.mark.django_db
SETTINGS = "/admin/integrations/settings/google-calendar/"
MINUTE = dt.timedelta(minutes=1)


@pytest.fixture(autouse=True)
def public(settings):
    settings.PUBLIC_URL = "https://sync.example.com"


def channel(stream: Stream, state: str = "live", **fields) -> PushChannel:
    number = PushChannel.objects.count()
    return PushChannel.objects.create(
        stream=stream, integration=stream.connection.integration, channel_id=f"c{number}", state=state, **fields
    )


def said(connection) -> tuple[str, str] | None:
    state = push_states([connection], timezone.now()).get(connection.pk)
    return (state.label, state.reason) if state else None


@pytest.fixture
def stream():
    connection = build.connection(build.workspace())
    return Stream.objects.create(connection=connection, container_id="main", is_target=True)


def test_it_says_how_the_channels_stand(stream):
    connection = stream.connection
    assert said(connection) == ("being set up", "")
    row = channel(stream, "opening")
    assert said(connection) == ("being set up", "")
    for state, word, reason in (
        ("live", "working", ""),
        ("lost", "late", "It has ended."),
        ("unsupported", "off", "It has ended."),
        ("stopped", "being set up", ""),
    ):
        PushChannel.objects.filter(pk=row.pk).update(state=state, reason="It has ended.")
        assert said(connection) == (word, reason), state
    PushChannel.objects.filter(pk=row.pk).update(state="live")
    other = Stream.objects.create(connection=connection, container_id="holidays", reads_busy=True)
    channel(other, "unsupported", reason="not offered")
    assert said(connection) == ("working", "")
    PushMark.objects.create(stream=stream, missed=3)
    assert said(connection)[0] == "late"


def test_it_says_why_it_is_off_at_this_site(stream, settings):
    channel(stream)
    settings.PUBLIC_URL = "http://sync.example.com"
    settings.SANDBOX_URL = ""
    settings.GOOGLE_API_URL = "https://www.googleapis.com"
    assert said(stream.connection) == ("off", "this site has no public https address")


@pytest.mark.parametrize("state", ["disconnected", "needs_reconnect", "setup"])
def test_it_says_nothing_of_accounts_that_cannot_sync(stream, state):
    stream.connection.state = state
    assert said(stream.connection) is None


def test_books_are_told_of_by_the_app(settings):
    settings.INTUIT_WEBHOOK_VERIFIERS = ["v"]
    connection = build.connection(build.workspace(), integration="quickbooks", member=None, member_id=None)
    invoices = Stream.objects.create(connection=connection, container_id="invoice", kind="invoice")
    assert said(connection) == ("being set up", "nothing has come yet")
    mark([invoices.pk], timezone.now(), kind="qbo.invoice.updated.v1")
    assert said(connection) == ("working", "")
    PushMark.objects.update(missed=3)
    assert said(connection)[0] == "late"
    settings.INTUIT_WEBHOOK_VERIFIERS = []
    assert said(connection) == ("off", "it is not set up at this installation")


def test_it_takes_as_many_queries_for_many_accounts(django_assert_num_queries):
    company = build.workspace()
    rows = [build.connection(company) for _ in range(5)]
    for row in rows:
        channel(Stream.objects.create(connection=row, container_id="main", is_target=True))
    with django_assert_num_queries(3):
        assert len(push_states(rows, timezone.now())) == 5


def test_card_and_page_show_it_with_what_came_of_it(desk, ours):
    now = timezone.now()
    stream = Stream.objects.get(pk=ours.stream.pk)
    channel(stream, last_push_at=now - 4 * MINUTE)
    job = SyncJob.objects.create(
        workspace=ours.workspace, integration=ours.connection.integration, status="succeeded", triggered_by="push",
        actor="push", narrowed=True, created_at=now, finished_at=now,
    )  # fmt: skip
    JobPart.objects.create(job=job, connection=ours.connection, status="done")
    mark([stream.pk], now - 4 * MINUTE, kind="exists", message_id="4")
    ReceivedPush.objects.update(job=job)
    card = text_of(desk("viewer").get("/admin/").content.decode())
    assert "Push: working, last 4 min ago" in card
    page = desk("viewer").get(f"/admin/integrations/connection/{ours.connection.pk}/change/").content.decode()
    assert "Push: working, last 4 min ago" in text_of(page)
    assert "exists" in text_of(page) and f"/admin/integrations/syncjob/{job.pk}/change/" in page


def test_hostile_words_of_a_vendor_are_text(desk, ours):
    mark([ours.stream.pk], timezone.now(), kind="<script>alert(1)</script>")
    page = desk("viewer").get(f"/admin/integrations/connection/{ours.connection.pk}/change/").content.decode()
    assert "<script>alert" not in page and "&lt;script&gt;alert" in page


def test_whether_saved_records_wait_is_chosen_beside_the_schedule(desk, ours):
    row = WorkspaceIntegration.objects.get(workspace=ours.workspace, integration=ours.connection.integration)
    before = row.next_sync_at
    assert '<option value="at_once" selected>' in desk("admin").get(SETTINGS).content.decode()
    desk("admin").post(SETTINGS, {"minutes": row.interval_minutes, "on_save": "by_schedule"})
    row.refresh_from_db()
    assert (row.sync_on_save, row.next_sync_at) == (False, before)
    entry = AuditEntry.objects.get(action="integration.schedule_changed")
    assert (entry.before, entry.after) == ({"sync_on_save": True}, {"sync_on_save": False})
    desk("admin").post(SETTINGS, {"minutes": row.interval_minutes})  # as a form without the field does
    row.refresh_from_db()
    assert not row.sync_on_save
    assert desk("admin").post(SETTINGS, {"minutes": row.interval_minutes, "on_save": "never"}).status_code == 400
    assert desk("staff").post(SETTINGS, {"minutes": 30, "on_save": "at_once"}).status_code == 403
    row.refresh_from_db()
    assert not row.sync_on_save
