"""The sample company is the one that the walk through the product tells of."""

import datetime as dt
import itertools
import zoneinfo
from collections import Counter

import pytest
from django.contrib.auth.models import User

from fieldcamp.api.models import ApiKey
from fieldcamp.api.secret import prefix_of
from fieldcamp.api.services import create_key, rotate_key, update_key
from fieldcamp.signin import factors
from fieldcamp.workspace.models import Change, Client, Member, Visit, Workspace
from integrations.demo.company import make_admin, make_company, make_second_company
from integrations.management.commands.demo import usable_key

pytestmark = pytest.mark.django_db

SUNDAY = dt.date(2026, 11, 22)


def summary() -> list[tuple]:
    visits = Visit.objects.order_by("scheduled_start", "technician__first_name")
    return list(visits.values_list("title", "scheduled_start", "scheduled_end", "technician__email", "client__email"))


@pytest.mark.slow
def test_twelve_technicians_sixty_clients_and_twentyfour_visits_each():
    workspace = make_company(SUNDAY)
    assert Member.objects.filter(workspace=workspace, is_technician=True).count() == 12
    assert Client.objects.filter(workspace=workspace).count() == 60
    each = Counter(Visit.objects.exclude(technician=None).values_list("technician__first_name", flat=True))
    assert set(each.values()) == {24}
    assert Visit.objects.count() == 290
    assert workspace.daily_request_limit is None
    assert not Client.objects.filter(email="").exists()
    assert all(client.address for client in Client.objects.all())
    assert Change.objects.filter(kind="visit").count() == 290


@pytest.mark.slow
def test_visits_are_upcoming_in_working_hours_and_nobody_is_in_two_places():
    zone = zoneinfo.ZoneInfo(make_company(SUNDAY).timezone)
    for technician in Member.objects.filter(is_technician=True):
        times = [
            (visit.scheduled_start.astimezone(zone), visit.scheduled_end.astimezone(zone))
            for visit in technician.visits.order_by("scheduled_start")
        ]
        for start, end in times:
            assert start.date() > SUNDAY
            assert start.weekday() < 5
            assert dt.time(8) <= start.time() < end.time() <= dt.time(17)
        assert all(one[1] <= other[0] for one, other in itertools.pairwise(times))


@pytest.mark.slow
def test_the_same_day_gives_the_same_company_and_a_second_call_nothing_new():
    first = make_company(SUNDAY)
    before = summary()
    assert make_company(SUNDAY) == first
    assert summary() == before
    Visit.objects.all().delete()
    first.name = "Renamed"
    first.save()
    make_company(SUNDAY)
    assert summary() == before


@pytest.mark.slow
def test_two_companies_with_an_owner_each(client):
    first, second = make_company(SUNDAY), make_second_company()
    make_admin(first, "demo", "first-Password", "Olivia", "Hart")
    make_admin(second, "demo2", "second-Password", "Norman", "Reed")
    demo = User.objects.get(username="demo")
    factors.add_app(demo, "A" * 32)
    Workspace.objects.update(second_factor="all")
    make_admin(first, "demo", "new-Password", "Olivia", "Hart")
    first.refresh_from_db()
    assert not factors.has_factor(demo) and first.second_factor == "nobody"
    assert client.login(username="demo", password="new-Password")
    assert client.login(username="demo2", password="second-Password")
    owners = Member.objects.filter(role="owner").values_list("workspace__name", "user__username")
    assert set(owners) == {("Dana's Plumbing", "demo"), ("Northside Heating", "demo2")}


def test_what_a_visitor_did_to_companies_logins_and_keys_keeps_nobody_out():
    """The demo's next run finds its company under another name, lets its owner in, and has a key that may do all."""
    company = make_second_company()
    make_admin(company, "demo2", "first", "Norman", "Reed")
    key, secret = create_key(workspace=company, name="Demo")
    Workspace.objects.update(name="Renamed")
    Member.objects.filter(user__username="demo2").update(is_active=False, role="viewer", user=None)
    User.objects.filter(username="demo2").update(is_active=False, is_staff=False)
    update_key(key, changes={"scopes": ["visits:read"]})
    assert make_second_company(company.pk) == company
    make_admin(company, "demo2", "second", "Norman", "Reed")
    member = Member.objects.get(workspace=company, role="owner")
    assert Member.objects.filter(first_name="Norman").count() == 1
    assert (member.is_active, member.role, member.user.is_active, member.user.is_staff) == (True, "owner", True, True)
    assert member.user.check_password("second")
    another = usable_key(company, secret, None)
    assert another != secret
    assert usable_key(company, another, None) == another
    rotate_key(ApiKey.objects.get(prefix=prefix_of(another)), overlap=dt.timedelta(0))
    assert usable_key(company, another, None) != another
