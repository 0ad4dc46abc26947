"""What the desk says of an account whose data is older than it should be, and of what its calls come to."""

import datetime as dt

import pytest
from django.utils import timezone

from integrations.models import Connection, DailyCalls, Heartbeat, Hold, Problem, WorkspaceIntegration
from integrations.selectors.metering import utc_day
from integrations.selectors.stalls import StallCause
from tests.integrations.admin.conftest import GOOGLE, LISTS
from tests.integrations.admin.test_pages import text_of

MINUTE = dt.timedelta(minutes=1)


@pytest.fixture
def synced(ours):
    """Synced so many minutes ago, while a worker works, and with nothing that needs a person."""

    def make(minutes: int) -> Connection:
        at = timezone.now() - minutes * MINUTE
        Connection.objects.filter(workspace=ours.workspace).update(fresh_from=at, last_synced_at=at)
        ours.workspace.sync_jobs.update(status="succeeded")
        Problem.objects.all().delete()
        Hold.objects.all().delete()
        Heartbeat.objects.update_or_create(name="worker", defaults={"at": timezone.now()})
        return ours.connection

    return make


def test_a_fresh_account_is_calm(desk, synced):
    one = synced(3)
    card, page, needs = (text_of(desk().get(url).content.decode()) for url in (LISTS["card"], page_of(one), "/admin/"))
    assert "Current until" in card and "Current until" in page
    assert "Not up to date" not in card + page + needs
    assert "All in step. Checked 3 min ago" in card and "All in step. Checked 3 min ago" in needs


def page_of(connection: Connection) -> str:
    return f"/admin/integrations/connection/{connection.pk}/change/"


@pytest.mark.slow
@pytest.mark.parametrize("worker", [True, False])
def test_a_stalled_account_says_so_everywhere_and_why(desk, synced, worker):
    one = synced(60)
    if not worker:
        Heartbeat.objects.update(at=timezone.now() - 10 * MINUTE)
    sentence = (StallCause.LATE if worker else StallCause.NO_WORKER).said(GOOGLE)
    card, page, first = (text_of(desk().get(url).content.decode()) for url in (LISTS["card"], page_of(one), "/admin/"))
    for shown in (card, page, first):
        assert "Not up to date since" in shown and sentence in shown
    assert "All in step" not in first
    assert ("1 account is not up to date" if worker else "Syncing has stopped: nothing has run since") in first
    assert "Current until" not in card


def test_what_is_by_hand_is_current_until_nobody_knows(desk, synced):
    one = synced(60)
    WorkspaceIntegration.objects.update(interval_minutes=0)
    assert "nothing keeps it current" in text_of(desk().get(page_of(one)).content.decode())


def test_calls_of_each_day_stand_on_the_page_and_todays_on_the_card(desk, synced):
    one = synced(3)
    today = utc_day(timezone.now())
    for back, counted in ((0, 1234), (1, 77), (3, 5), (29, 1)):
        day = today - dt.timedelta(days=back)
        DailyCalls.objects.create(connection=one, day=day, reads=2, writes=1, counted=counted)
    assert "1234 calls today" in text_of(desk().get(LISTS["card"]).content.decode()).replace(",", "")
    page = text_of(desk().get(page_of(one)).content.decode())
    assert "Today (UTC) 1,234 2 1" in page and "Yesterday 77 2 1" in page and "Last 30 days 1,317 8 4" in page
    assert f"{today - dt.timedelta(days=3):%a} {(today - dt.timedelta(days=3)).day}" in page
