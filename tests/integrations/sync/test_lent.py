"""Calendars of colleagues at the vendors themselves: a role that changes, and an owner who goes."""

import datetime as dt

import pytest
from django.utils import timezone

from fieldcamp.workspace.models import BlockedTime, Visit
from integrations.accounts.clients import open_remote
from integrations.models import Hold, Problem
from integrations.services.connections import list_containers, set_up
from integrations.views.forms.calendars import CalendarSetupForm
from tests.integrations.sync.google import Google

pytestmark = [pytest.mark.django_db, pytest.mark.slow]


@pytest.fixture
def sandboxed(people):
    """Only for vendors of which the sandbox has the sharing."""
    if people.world != "sandbox":
        pytest.skip("The vendor in memory has one role alone.")


@pytest.fixture
def hannah(sandboxed, connect, people, vendors):
    """Hannah, whose visits go to a calendar of Nina's."""
    vendors.throttle(False)
    connection, nina = connect("hannah"), people(vendors, "nina")
    lent = nina.lend("hannah")
    set_up(connection=connection, member=connection.member, target_container_id=lent, busy_container_ids=[lent])
    return connection, nina


def test_a_calendar_that_may_only_be_read_for_a_while_waits_as_one_problem(hannah, sync, make_visits):
    connection, nina = hannah
    visits = make_visits(connection.member, 3)
    assert sync().pushed == 3
    nina.may_read("hannah")
    Visit.objects.update(title="Retitled")
    nina.add("Inspection", timezone.now() + dt.timedelta(days=3))
    for _ in range(2):
        job = sync()
        assert job.status != "succeeded"
        [told] = job.errors
        assert told["connection_id"] == connection.pk and "record" not in told
        assert Problem.objects.open().count() == 1
    assert BlockedTime.objects.get().member == connection.member  # what may be read is
    nina.lend("hannah")
    assert sync().status == "succeeded"
    assert all("Retitled" in event.title for event in nina.ours().values())
    assert set(nina.ours()) == {visit.pk for visit in visits}
    quiet = sync(mode="full")
    assert (quiet.status, quiet.pulled, quiet.pushed) == ("succeeded", 0, 0)
    assert not Problem.objects.open().exists()


def test_a_target_that_ends_with_the_account_of_its_owner(hannah, people, vendors, sync, make_visits):
    connection, nina = hannah
    visits = make_visits(connection.member, 3)
    target = connection.streams.get(is_target=True).container_id
    if people is Google:  # its primary calendar would end at once
        target = nina.own_calendar("Crew")
        nina.vendors.call("POST", "share", json={"vendor": "google", "account": nina.account, "calendar": target,
                                                 "with": "hannah@google.test", "role": "writer"})  # fmt: skip
        set_up(connection=connection, member=connection.member, target_container_id=target, busy_container_ids=[])
    sync()
    asked = {"vendor": nina.vendor, "account": nina.account, "calendars_end_after_seconds": 86_400}
    vendors.call("POST", "leave", json=asked)
    if people is Google:
        assert sync().status == "succeeded"
        vendors.advance(86_401)
    for _ in range(2):
        job = sync()
        assert job.status in ("partial", "failed") and len(job.errors) == 1
    assert "is not there any more" in job.errors[0]["message"]
    hers = people(vendors, "hannah")
    set_up(connection=connection, member=connection.member, target_container_id=hers.main, busy_container_ids=[])
    sync()
    assert set(hers.ours()) == {visit.pk for visit in visits}
    quiet = sync(mode="full")
    assert (quiet.status, quiet.pulled, quiet.pushed) == ("succeeded", 0, 0)
    assert not Hold.objects.exists()
    told = Problem.objects.open().get()
    assert told.notice and "Its 3 events of visits are given up" in told.message
    listed = {one.id for one in open_remote(connection).containers()}
    assert hers.main in listed and target not in listed  # what cannot be had is not offered either


def test_a_target_that_its_vendor_deletes_in_the_middle_of_a_run(google, connect, people, vendors, sync, make_visits):
    connection, nina = connect("hannah"), people(vendors, "nina")
    target = nina.own_calendar("Crew")
    share = {"vendor": "google", "account": nina.account, "calendar": target, "with": connection.account_name}
    vendors.call("POST", "share", json=share | {"role": "writer"})
    main = people(vendors, "hannah").main
    set_up(connection=connection, member=connection.member, target_container_id=target, busy_container_ids=[main])
    visits = make_visits(connection.member, 3)
    sync()
    due = {"vendor": "google", "account": nina.account, "calendars_end_after_seconds": 86_400}
    vendors.call("POST", "leave", json=due)
    Visit.objects.update(title="Retitled")
    passed: list[str] = []

    def time_passes(path, send):
        if nina.batch in path and not passed:  # its changes are listed, and its writes on their way
            passed.append(path)
            vendors.advance(86_401)
        return send()

    heal = vendors.around(time_passes)
    jobs = [sync(), sync(), sync()]
    heal()
    assert passed and {job.status for job in jobs} == {"partial"}
    assert all(len(job.errors) == 1 and "record" not in job.errors[0] for job in jobs)
    assert "is not there any more" in jobs[-1].errors[0]["message"]
    set_up(connection=connection, member=connection.member, target_container_id=main, busy_container_ids=[main])
    assert [sync().status, sync().status] == ["succeeded"] * 2
    assert set(people(vendors, "hannah").ours()) == {visit.pk for visit in visits}


def test_one_occurrence_of_a_series_that_is_elsewhere_blocks_its_own_time(sandboxed, connect, people, vendors, sync):
    lee, dana = connect("lee"), people(vendors, "dana")
    begin = timezone.now().replace(minute=0, second=0, microsecond=0) + dt.timedelta(days=2)
    series = dana.add("Safety briefing", begin, repeat=("weekly", 4))
    second = dana.instances(series)[1]
    asked = {"vendor": dana.vendor, "account": dana.account, "event": second.id, "with": lee.account_name}
    vendors.call("POST", "invite", json=asked)
    for mode in ("incremental", "full", "incremental"):
        assert sync(mode=mode).status == "succeeded"
        blocked = BlockedTime.objects.get()
        assert (blocked.member, blocked.starts_at) == (lee.member, second.start)
    hers = people(vendors, "lee")
    [alone] = hers.events()
    hers.delete(alone.id)
    sync()
    assert not BlockedTime.objects.exists() and not Problem.objects.open().exists()


def test_whose_a_lent_calendar_is_stands_where_it_is_chosen(hannah, people, vendors):
    connection, nina = hannah
    calendars = list_containers(connection)
    form = CalendarSetupForm(None, initial={}, members=[connection.member], calendars=calendars)
    labels = [str(label) for _, label in form.fields["target"].widget.choices]
    assert [nina.account in label for label in labels].count(True) == 1
    assert not any(connection.account_name in label for label in labels)
    assert "may end with their account" in form["target"].help_text
    own = [each for each in calendars if not each.owner]
    alone = CalendarSetupForm(None, initial={}, members=[], calendars=own)
    assert "may end with their account" not in alone["target"].help_text
