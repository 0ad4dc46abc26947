"""The pages on which somebody decides what becomes of an account's events, busy times and visits."""

import pytest
from django.contrib.messages import get_messages
from django.test import Client as Browser

from fieldcamp.workspace.models import BlockedTime, Member, Visit
from fieldcamp.workspace.team import update_member
from integrations.models import Connection, Problem, SyncJob
from tests.integrations.admin.conftest import login, posts_of


@pytest.fixture
def left(ours):
    """The page about our technician, who has just left."""
    update_member(workspace=ours.workspace, member_id=ours.tech.pk, by=None, changes={"is_active": False})
    return f"/admin/integrations/connections/{ours.connection.pk}/leaving/"


@pytest.mark.slow
def test_what_is_chosen_for_a_person_who_has_left_is_carried_out(left, desk, ours):
    lee = Member.objects.create(workspace=ours.workspace, first_name="Lee", is_technician=True)
    browser = desk("admin")
    [problem] = Problem.objects.open().filter(code="MEMBER_INACTIVE")
    first_page = browser.get("/admin/").content.decode()
    assert left in first_page and "Person not active" in first_page
    asked = browser.get(left).content.decode()
    assert "The 2 events that FieldCamp made" in asked and "Carry this out" in asked
    coming = Visit.objects.filter(technician=ours.tech).exclude(visit_status__in=["completed", "cancelled"])
    assert f"The coming visit of {ours.tech}" in asked and "Lee" in asked
    wrong = browser.post(left, {"visits_to": ours.tech.pk})
    assert wrong.status_code == 400 and "Choose an active technician." in wrong.content.decode()
    assert Problem.objects.open().filter(pk=problem.pk).exists()
    response = browser.post(left, {"events": "remove", "visits_to": lee.pk})
    job = SyncJob.objects.in_flight().get()
    assert response["Location"] == f"/admin/integrations/syncjob/{job.pk}/change/"
    assert "are being removed" in str([*get_messages(response.wsgi_request)][0])
    assert job.actor.startswith("admin")
    assert not Problem.objects.open().filter(pk=problem.pk).exists()
    assert not coming.exists()
    assert BlockedTime.objects.exists()  # nobody has chosen to remove them


@pytest.mark.slow
def test_technicians_disconnect_their_own_account_and_do_not_decide_about_visits(desk, ours):
    Member.objects.create(workspace=ours.workspace, first_name="Lee", is_technician=True)
    assert "visits_to" in desk("admin").get(posts_of(ours)["disconnect"][0]).content.decode()
    ours.tech.user = login("tech")
    ours.tech.save()
    browser = Browser()
    browser.force_login(ours.tech.user)
    url = posts_of(ours)["disconnect"][0]
    asked = browser.get(url).content.decode()
    assert "The 2 events that FieldCamp made" in asked and "visits_to" not in asked
    browser.post(url, {"events": "remove", "visits_to": "anybody"})
    assert SyncJob.objects.in_flight().get().connection == ours.connection
    assert Visit.objects.filter(technician=ours.tech).exists()


def test_the_page_about_who_is_active_leads_to_the_account(desk, ours):
    url = f"/admin/integrations/connections/{ours.connection.pk}/leaving/"
    assert desk().get(url)["Location"] == f"/admin/integrations/connection/{ours.connection.pk}/change/"
    assert desk("viewer").get(url).status_code == 403
    assert Connection.objects.get(pk=ours.connection.pk).state == "active"
