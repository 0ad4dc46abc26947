"""Books are read less often while their vendor is known to tell of all changes, and as long as no longer."""

import datetime as dt

import pytest

from integrations.jobs import schedule
from integrations.models import Connection, PushMark, Stream, WorkspaceIntegration
from integrations.push.marks import mark
from integrations.push.silence import judge_silence
from integrations.queue.planning import TOLD_LATELY, interval_of
from integrations.selectors.stalls import all_freshness
from integrations.services.schedule import set_interval
from tests.integrations import build
from tests.integrations.build import NOW
from tests.integrations.push.test_silence import HOUR, MINUTE, SECOND, books, half, synced  # noqa: F401

pytestmark = pytest.mark.django_db
DAY = dt.timedelta(days=1)
USUAL, LONGER = 30 * MINUTE, 3 * HOUR
BOOKS = "quickbooks"


@pytest.fixture
def told(books):  # noqa: F811
    """Books whose invoices were told of a moment ago, and nothing else of them ever."""
    mark([books["invoice"].pk], NOW - SECOND, kind="qbo.invoice.updated.v1")
    return books


def row() -> WorkspaceIntegration:
    return WorkspaceIntegration.objects.get(integration=BOOKS, workspace__name="Books Inc.")


def interval(now: dt.datetime = NOW) -> dt.timedelta:
    return interval_of(row(), now)


def test_what_was_told_long_ago_is_no_reason(told):
    assert interval(NOW + TOLD_LATELY - MINUTE) == LONGER
    assert interval(NOW + TOLD_LATELY) == USUAL
    assert interval(NOW + 300 * DAY) == USUAL


def test_a_company_at_rest_is_read_seldom_while_others_are_told_of(told):
    other = build.connection(build.workspace("Others"), integration=BOOKS, member_id=None, member=None)
    stream = Stream.objects.create(connection=other, container_id="invoice", kind="invoice")
    mark([stream.pk], NOW + 299 * DAY, kind="qbo.invoice.updated.v1")
    assert interval(NOW + 300 * DAY) == LONGER


def test_but_not_one_that_was_never_told_of(books):  # noqa: F811
    other = build.connection(build.workspace("Others"), integration=BOOKS, member_id=None, member=None)
    stream = Stream.objects.create(connection=other, container_id="invoice", kind="invoice")
    mark([stream.pk], NOW, kind="qbo.invoice.updated.v1")
    assert interval() == USUAL


@pytest.mark.parametrize("kind", ["payment", "invoice"])
def test_one_miss_of_any_kind_ends_it_at_once_until_that_is_told_of(told, kind):
    stream = told[kind]
    PushMark.objects.update(pushed_at=NOW - 2 * HOUR)  # before the last look
    schedule.after_job(synced(stream, NOW, found=True), NOW + SECOND, half)
    assert row().next_sync_at == NOW + SECOND + LONGER
    missed_at = NOW + 20 * MINUTE
    assert judge_silence(missed_at) == 1
    assert (row().next_sync_at, interval(missed_at)) == (missed_at, USUAL)
    others = [stream.pk for name, stream in told.items() if name != kind]
    mark(others, missed_at + MINUTE, kind="qbo.customer.updated.v1")
    assert interval(missed_at + 2 * MINUTE) == USUAL
    mark([stream.pk], missed_at + 3 * MINUTE, kind="qbo.payment.updated.v1")
    assert interval(missed_at + 4 * MINUTE) == LONGER


def test_a_second_miss_after_it_was_told_of_again_ends_it_again(told):
    stream = told["payment"]
    for number in range(2):
        at = NOW + number * HOUR
        synced(stream, at, found=True)
        judge_silence(at + 20 * MINUTE)
        assert interval(at + 20 * MINUTE) == USUAL
        mark([stream.pk], at + 30 * MINUTE, kind="qbo.payment.updated.v1")
        assert interval(at + 31 * MINUTE) == LONGER
        synced(stream, at + 32 * MINUTE)


def test_a_plan_that_is_no_longer_than_usual_stays(told):
    planned = NOW + 25 * MINUTE
    WorkspaceIntegration.objects.update(next_sync_at=planned)
    PushMark.objects.create(stream=told["payment"], owed_by=NOW)
    assert judge_silence(NOW) == 1
    assert row().next_sync_at == planned


def test_who_chooses_the_usual_interval_gets_it_and_may_leave_it_again(told, django_user_model):
    user = django_user_model(username="olga")
    for minutes, expected, stored in ((30, USUAL, 30), (None, LONGER, 30), (0, 0 * MINUTE, 0), (15, 15 * MINUTE, 15)):
        made = set_interval(workspace=row().workspace, integration=BOOKS, minutes=minutes, user=user)
        assert (interval(), made.interval_minutes) == (expected, stored)
        assert made.interval_chosen == (minutes is not None)


def test_an_account_is_not_stalled_when_what_proved_it_grows_old_or_one_is_missed(told):
    connection = told["invoice"].connection

    def stalled(now: dt.datetime) -> bool:
        found = all_freshness([Connection.objects.get(pk=connection.pk)], {}, now)
        return found[connection.pk].stalled(now)

    lapsed = NOW + TOLD_LATELY
    Connection.objects.update(fresh_from=lapsed - 2 * HOUR, last_synced_at=lapsed - 2 * HOUR)
    WorkspaceIntegration.objects.update(next_sync_at=lapsed + HOUR)
    assert (interval(lapsed), stalled(lapsed + MINUTE)) == (USUAL, False)
    assert stalled(lapsed + 4 * HOUR)
    Connection.objects.update(fresh_from=NOW, last_synced_at=NOW)
    WorkspaceIntegration.objects.update(next_sync_at=NOW + LONGER)
    PushMark.objects.create(stream=told["payment"], owed_by=NOW + 2 * HOUR)
    judge_silence(NOW + 2 * HOUR)
    assert interval(NOW + 2 * HOUR) == USUAL and not stalled(NOW + 2 * HOUR)
