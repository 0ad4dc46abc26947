"""What a role may not do it does not see, and cannot post either; another company's rows do not exist."""

import pytest
from django.contrib.auth.models import User
from django.test import Client as Browser
from django.utils import timezone

from fieldcamp.workspace.models import Member
from integrations.models import Connection, ConnectLink, Hold, Problem, SyncJob
from tests.integrations.admin.conftest import LISTS, ROLES, counted, login, pages_of, posts_of

OWNERS = {"owner", "root"}
MANAGERS = {"owner", "admin", "root"}
WORKERS = MANAGERS | {"staff"}
ALL = WORKERS | {"viewer"}
BOSSES = [role for role in (*ROLES, "root") if role not in ("staff", "viewer")]
REST = [role for role in (*ROLES, "root") if role != "viewer"]
PAGES = {
    **dict.fromkeys(LISTS, ALL),
    **dict.fromkeys(("job", "connection", "problem", "visit", "visit history", "client", "member"), ALL),
    **dict.fromkeys(("blocked time", "csv", "item", "tax rate", "invoice", "payment"), ALL),
    **dict.fromkeys(("void invoice", "void payment"), MANAGERS),
    **dict.fromkeys(("webhook", "delivery", "event"), ALL),
    **dict.fromkeys(("webhook form", "webhook secret", "enable webhook", "delete webhook"), MANAGERS),
    "disconnect": MANAGERS,
    "company": MANAGERS,
    **dict.fromkeys(
        ("connect links", "connect link", "new connect link", "return addresses", "return address"), MANAGERS
    ),
    **dict.fromkeys(("keys", "key", "revoke", "rotate"), OWNERS),
}
# Buttons whose pages ask first.
ASKING = {
    "disconnect", "revoke", "rotate", "void invoice", "void payment", "enable webhook", "delete webhook",
}  # fmt: skip
POSTS = {
    **dict.fromkeys(("sync", "cancel", "retry", "resolve", "ignore", "unignore"), WORKERS),
    **dict.fromkeys(("pause", "resume", "disconnect", "decide", "void invoice", "void payment"), MANAGERS),
    **dict.fromkeys(("pause webhook", "resume webhook", "enable webhook", "delete webhook", "revoke link"), MANAGERS),
    **dict.fromkeys(("resend failed", "resend delivery"), MANAGERS),
    **dict.fromkeys(("revoke", "rotate"), OWNERS),
}


@pytest.mark.slow
@pytest.mark.parametrize("role", ["viewer", *REST])
def test_each_page_opens_for_those_who_may(role, desk, ours):
    browser = desk(role)
    pages = {**LISTS, **pages_of(ours)}
    for name, allowed in PAGES.items():
        expected = 200 if role in allowed else 403
        assert browser.get(pages[name]).status_code == expected, name
    assert browser.get(pages["live"]).status_code == 204  # the job is over: the page is to load itself anew


@pytest.mark.parametrize("role", ["staff", "viewer", *(pytest.param(name, marks=pytest.mark.slow) for name in BOSSES)])
@pytest.mark.parametrize("name", POSTS)
def test_each_button_works_for_those_who_may(role, name, desk, ours, monkeypatch):
    monkeypatch.setattr("integrations.accounts.disconnecting._revoke", lambda connection, token: None)
    url, data = posts_of(ours)[name]
    status = desk(role).post(url, data).status_code
    assert status == ((200 if name == "rotate" else 302) if role in POSTS[name] else 403)


@pytest.mark.slow
@pytest.mark.parametrize("role", ROLES)
def test_a_page_offers_only_the_buttons_that_work(role, desk, ours):
    urls = [url for url, _ in posts_of(ours).values()]
    shown = "".join(desk(role).get(url).content.decode() for url in ("/admin/", pages_of(ours)["connection"]))
    for name, (url, _) in posts_of(ours).items():
        if url in shown:
            assert role in POSTS[name], name
    assert any(url in shown for url in urls) is (role != "viewer")


@pytest.mark.slow
def test_foreign_rows_are_404_and_stay_as_they_are(desk, theirs):
    for role in ("owner", "admin"):
        browser = desk(role)
        for name, url in pages_of(theirs).items():
            expected = 403 if role == "admin" and name in ("key", "revoke", "rotate") else 404
            assert browser.get(url).status_code == expected, name
        for name, (url, data) in posts_of(theirs).items():
            expected = 403 if role == "admin" and name in ("revoke", "rotate") else 404
            assert browser.post(url, data).status_code == expected, name
    assert Connection.objects.get(pk=theirs.connection.pk).state == "active"
    assert Hold.objects.get(pk=theirs.hold.pk).decision == ""
    assert Problem.objects.get(pk=theirs.conflict.pk).ignored_at is None
    assert SyncJob.objects.filter(workspace=theirs.workspace).count() == 1
    assert counted(theirs.key) == 1


@pytest.mark.slow
def test_no_list_filter_or_choice_names_another_company(desk, theirs, ours):
    browser = desk("owner")
    extra = ["/admin/workspace/visit/add/", "/admin/search/?s=theirs&extended=1"]
    for url in [*LISTS.values(), *pages_of(ours).values(), *extra]:
        response = browser.get(url)
        body = b"".join(response) if response.streaming else response.content
        assert b"Theirs" not in body, url
        assert theirs.workspace.pk.encode() not in body, url
    found = browser.get(
        "/admin/autocomplete/", {"term": "", "app_label": "workspace", "model_name": "visit", "field_name": "client"}
    )
    assert [row["text"] for row in found.json()["results"]] == ["Client of Ours"]


@pytest.mark.slow
def test_a_superuser_without_a_company_sees_all(desk, ours, theirs):
    browser = desk("root")
    for rows in (ours, theirs):
        assert browser.get(pages_of(rows)["visit"]).status_code == 200
    shown = browser.get(LISTS["visits"]).content.decode()
    assert "Visit of Ours" in shown
    assert "Visit of Theirs" in shown


@pytest.mark.parametrize("kind", ["nobody", "no member", "switched off", "not staff", "member of old"])
def test_who_has_no_seat_is_sent_to_the_sign_in(kind, ours):
    browser = Browser()
    if kind != "nobody":
        user = login("x")
        if kind in ("switched off", "not staff"):
            Member.objects.create(workspace=ours.workspace, user=user, first_name="X", role="owner")
        if kind == "switched off":
            Member.objects.update(is_active=False)
        if kind == "not staff":
            User.objects.update(is_staff=False)
        browser.force_login(user)
    for url in ("/admin/", LISTS["card"], pages_of(ours)["job"]):
        response = browser.get(url)
        assert (response.status_code, response["Location"].split("?")[0]) == (302, "/admin/login/")
    url, data = posts_of(ours)["pause"]
    assert browser.post(url, data).status_code == 302
    assert Connection.objects.get().state == "active"


def test_a_fragment_without_a_session_reloads_the_page_around_it(ours):
    response = Browser().get(LISTS["card"], headers={"HX-Request": "true"})
    assert (response.status_code, response["HX-Refresh"]) == (204, "true")


@pytest.mark.slow
def test_buttons_need_a_token_against_forgery_and_a_post(desk, ours):
    guarded = Browser(enforce_csrf_checks=True)
    guarded.cookies = desk("owner").cookies
    for name, (url, data) in posts_of(ours).items():
        assert guarded.post(url, data).status_code == 403, name
        if name not in ASKING:
            assert desk("owner").get(url).status_code == 405, name


def test_a_technician_handles_the_own_account_and_no_other(desk, ours):
    browser = desk("viewer", is_technician=True)
    me = Member.objects.get(role="viewer")
    pause, _ = posts_of(ours)["pause"]
    assert browser.post(pause).status_code == 403
    Connection.objects.update(member=me)
    assert browser.post(pause).status_code == 302
    assert Connection.objects.get().state == "paused"


def test_the_link_that_an_account_came_by_is_shown_to_who_may_see_it(desk, ours):
    ConnectLink.objects.update(connection=ours.connection, used_at=timezone.now())
    Connection.objects.update(connected_by=None)
    pages = pages_of(ours)
    browser = desk("viewer", is_technician=True)
    Connection.objects.update(member=Member.objects.get(role="viewer"))
    for shown_to, is_shown in ((browser, False), (desk("staff"), False), (desk("admin"), True)):
        page = shown_to.get(pages["connection"])
        assert page.status_code == 200
        link = pages["connect link"]
        assert (link in page.content.decode()) is is_shown
        assert (shown_to.get(link).status_code == 200) is is_shown


@pytest.mark.slow
def test_site_tables_are_for_superusers(desk, ours):
    tables = ["auth/user", "auth/group", "django_q/ormq", "django_q/failure", "django_q/schedule"]
    for table in tables:
        assert desk("owner").get(f"/admin/{table}/").status_code == 403
        assert desk("root").get(f"/admin/{table}/").status_code == 200
    for gone in (
        "socialaccount/socialtoken",
        "socialaccount/socialaccount",
        "account/emailaddress",
        "django_q/success",
    ):
        assert desk("root").get(f"/admin/{gone}/").status_code == 404
    user = User.objects.get(username__startswith="root")
    assert desk("root").get(f"/admin/auth/user/{user.pk}/change/").status_code == 200
    assert desk("root").get("/admin/auth/user/add/").status_code == 200


def test_jobs_connections_and_problems_cannot_be_written_by_hand(desk, ours):
    browser = desk("root")
    for name in ("syncjob", "connection", "problem"):
        assert browser.get(f"/admin/integrations/{name}/add/").status_code == 403
    for url in (pages_of(ours)["job"], pages_of(ours)["connection"]):
        assert browser.get(url.replace("change", "delete")).status_code == 403
