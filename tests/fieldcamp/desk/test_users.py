"""A superuser who belongs to no company chooses one on the dashboard; nobody else can."""

import pytest
from django.contrib.auth.models import User

from fieldcamp.desk.users import desk_user_of
from fieldcamp.workspace.models import Member
from integrations.models import SyncJob
from tests.integrations.admin.conftest import LISTS, pages_of

CHOOSE = "/admin/integrations/company/"


@pytest.fixture
def root(desk, ours, theirs):
    return desk("root")


@pytest.mark.slow
def test_the_dashboard_and_every_list_follow_the_choice(root, ours, theirs):
    assert "Client of Ours" in root.get(LISTS["clients"]).content.decode()
    assert root.post(CHOOSE, {"company": theirs.workspace.pk})["Location"] == "/admin/"
    page = root.get("/admin/").content.decode()
    assert f'value="{theirs.workspace.pk}" selected' in page
    assert theirs.connection.account_name in page
    assert ours.connection.account_name not in page
    clients = root.get(LISTS["clients"]).content.decode()
    assert "Client of Theirs" in clients
    assert "Client of Ours" not in clients
    assert root.get(pages_of(ours)["visit"]).status_code == 404
    assert root.post(CHOOSE, {"company": ""}).status_code == 302
    assert root.get(pages_of(ours)["visit"]).status_code == 200


@pytest.mark.slow
def test_what_is_done_is_done_for_the_chosen_company(root, theirs):
    root.post(CHOOSE, {"company": theirs.workspace.pk})
    root.post("/admin/integrations/sync/google-calendar/")
    assert SyncJob.objects.filter(status="queued").get().workspace == theirs.workspace
    root.post("/admin/workspace/client/add/", {"first_name": "Nia", "stage": "Active Client"})
    assert theirs.workspace.clients.filter(first_name="Nia").exists()


@pytest.mark.slow
def test_a_company_that_does_not_exist(root, ours):
    assert root.post(CHOOSE, {"company": "wsp_none"}).status_code == 404
    assert root.get(CHOOSE).status_code == 405
    assert root.post(CHOOSE, {"company": ours.workspace.pk, "next": "https://evil.test/"})["Location"] == "/admin/"


@pytest.mark.slow
@pytest.mark.parametrize("role", ["owner", "viewer"])
def test_members_stay_where_they_belong(role, desk, ours, theirs):
    browser = desk(role)
    assert browser.post(CHOOSE, {"company": theirs.workspace.pk}).status_code == 403
    session = browser.session
    session["desk_company"] = theirs.workspace.pk
    session.save()
    assert browser.get(pages_of(theirs)["visit"]).status_code == 404
    assert 'name="company"' not in browser.get("/admin/").content.decode()


@pytest.mark.slow
@pytest.mark.parametrize(
    "fields", [{"is_superuser": False}, {"is_superuser": True, "is_active": False}], ids=["no superuser", "has left"]
)
def test_a_choice_in_the_session_gives_nobody_a_company(fields, rf, theirs):
    """As it stays there of somebody who was a superuser when it was made, and is none any more."""
    request = rf.get("/admin/")
    request.user = User.objects.create_user("was-root", is_staff=True, **fields)
    request.session = {"desk_company": theirs.workspace.pk}
    desk_user = desk_user_of(request)
    assert desk_user.workspace is None and not desk_user.may_enter and not desk_user.may("view")
    assert not desk_user.scope(SyncJob.objects.all()).exists()


@pytest.mark.slow
def test_a_superuser_with_a_member_stays_in_the_members_company(rf, ours, theirs):
    """The right to do everything is no right to see everybody: who belongs to a company sees that one."""
    user = User.objects.create_superuser("root-member", is_staff=True)
    Member.objects.create(workspace=ours.workspace, user=user, first_name="Rue", role="viewer")
    request = rf.get("/admin/")
    request.user, request.session = user, {"desk_company": theirs.workspace.pk}
    desk_user = desk_user_of(request)
    assert (desk_user.workspace, desk_user.sees_all, desk_user.is_operator) == (ours.workspace, False, False)
    assert set(desk_user.scope(SyncJob.objects.all())) == {ours.job}
    assert desk_user.may("disconnect")


@pytest.mark.slow
def test_a_single_company_is_not_asked_about(desk, ours):
    assert 'name="company"' not in desk("root").get("/admin/").content.decode()
