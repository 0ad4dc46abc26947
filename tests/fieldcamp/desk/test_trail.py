"""What people do to logins, and what they were refused, stands in the audit trail, whoever deletes what afterwards."""

import csv
import io

import pytest
from django.contrib.auth.models import Group, User
from django.core.cache import cache
from django.core.management import call_command
from django.test import Client as Browser

from fieldcamp.workspace.audit_chain import seal
from fieldcamp.workspace.models import AuditEntry, Member, Role
from tests.conftest import api_client

pytestmark = pytest.mark.django_db
PASSWORD = "correct horse battery staple"
AUDIT = "/admin/workspace/auditentry/"


@pytest.fixture(autouse=True)
def fresh_cache():
    cache.clear()


def trail(since: int = 0) -> list[tuple[str, str, str, str | None]]:
    """Each entry's action, actor, object's name and company."""
    rows = AuditEntry.objects.filter(pk__gt=since).order_by("pk")
    return list(rows.values_list("action", "actor", "object_name", "workspace"))


def latest() -> int:
    entry = AuditEntry.objects.order_by("-pk").first()
    return entry.pk if entry else 0


@pytest.fixture
def olivia(ours) -> Member:
    user = User.objects.create_user("olivia@x.test", "olivia@x.test", PASSWORD, is_staff=True)
    return Member.objects.create(workspace=ours.workspace, user=user, first_name="Olivia", role=Role.OWNER)


def sign_in(username: str, password: str = PASSWORD, **headers) -> Browser:
    browser = Browser()
    browser.post("/admin/login/", {"username": username, "password": password}, **headers)
    return browser


def test_signing_in_and_out(olivia, ours):
    start, at = latest(), ours.workspace.pk
    sign_in("olivia@x.test", "wrong")
    sign_in("my password typed as a name", "wrong")
    sign_in("olivia@x.test", HTTP_X_REQUEST_ID="req_FORGED").post("/admin/logout/")
    assert trail(start) == [
        ("login.failed", "", "Olivia", at),
        ("login.failed", "", "unknown name", None),
        ("login.succeeded", "Olivia", "Olivia", at),
        ("login.signed_out", "Olivia", "Olivia", at),
    ]
    forged = AuditEntry.objects.get(action="login.succeeded", object_id=olivia.pk)
    assert forged.caller_request_id == "req_FORGED" and forged.request_id != "req_FORGED"
    assert not AuditEntry.objects.filter(request_id="req_FORGED").exists()
    assert "my password" not in str(list(AuditEntry.objects.values()))
    olivia.user.delete()
    assert len(trail(start)) == 4


def edit(root, user: User, **changes):
    """Saves the form of a login under *Users*, with these values changed."""
    page = f"/admin/auth/user/{user.pk}/change/"
    form = root.get(page).context["adminform"].form
    values = {name: form.initial.get(name) or "" for name in form.fields if name != "password"}
    values |= {"date_joined_0": f"{user.date_joined:%Y-%m-%d}", "date_joined_1": f"{user.date_joined:%H:%M:%S}"}
    return root.post(
        page, values | {"is_active": "on", "is_staff": "on", "groups": [], "user_permissions": []} | changes
    )


@pytest.mark.slow
def test_what_an_operator_does_to_logins(desk, olivia, ours):
    root = desk("root")
    operator = User.objects.get(is_superuser=True).username
    group = Group.objects.create(name="Support")
    support = User.objects.create_user("support", is_staff=True)
    start = latest()
    assert edit(root, support, is_superuser="on", groups=[group.pk]).status_code == 302
    changed = AuditEntry.objects.get(action="login.changed")
    assert (changed.actor, changed.workspace_id) == (operator, None)
    assert changed.after["is_superuser"] is True and changed.after["groups"] == ["Support"]
    assert changed.before["is_superuser"] is False and changed.before["groups"] == []
    assert edit(root, olivia.user, first_name="Another").status_code == 302
    assert AuditEntry.objects.filter(action="login.changed").latest("id").workspace_id == ours.workspace.pk
    page = f"/admin/auth/user/{olivia.user_id}/"
    root.post(f"{page}password/", {"password1": PASSWORD + "!", "password2": PASSWORD + "!", "usable_password": "true"})
    root.post("/admin/auth/user/add/", {"username": "new", "password1": PASSWORD, "password2": PASSWORD,
                                        "usable_password": "true"})  # fmt: skip
    new = User.objects.get(username="new")
    root.post(f"/admin/auth/user/{new.pk}/delete/", {"post": "yes"})
    root.post("/admin/auth/user/", {"action": "delete_selected", "_selected_action": [olivia.user_id], "post": "yes"})
    assert not User.objects.filter(pk=olivia.user_id).exists()
    assert [(action, actor) for action, actor, _name, _at in trail(start)] == [
        ("login.changed", operator), ("login.changed", operator), ("login.password_set", operator),
        ("login.password_set", operator), ("login.created", operator), ("login.deleted", operator),
        ("login.deleted", operator),
    ]  # fmt: skip
    assert PASSWORD not in str(list(AuditEntry.objects.values()))


def test_a_password_that_a_command_sets(olivia, monkeypatch):
    start = latest()
    monkeypatch.setattr("getpass.getpass", lambda prompt="": PASSWORD + "?")
    call_command("changepassword", "olivia@x.test", stdout=io.StringIO())
    assert [entry[0] for entry in trail(start)] == ["login.password_set"]
    # With an older kind of hash this would be a new hash, and no new password.
    assert olivia.user.check_password(PASSWORD)
    assert len(trail(start)) == 1


def test_an_operator_who_looks_at_a_company_is_in_its_trail(desk, ours, theirs):
    root, start = desk("root"), latest()
    operator = User.objects.get(is_superuser=True).username
    root.post("/admin/integrations/company/", {"company": theirs.workspace.pk})
    root.post("/admin/integrations/company/", {"company": ""})
    assert trail(start) == [
        ("operator.company_chosen", operator, "", theirs.workspace.pk),
        ("operator.company_left", operator, "", theirs.workspace.pk),
    ]


def test_what_was_refused(desk, ours, api_key):
    viewer, start, at = desk("viewer"), latest(), ours.workspace.pk
    for _ in range(3):  # once a minute is enough
        assert viewer.post(f"/admin/integrations/connections/{ours.connection.pk}/sync/").status_code == 403
    key = api_client(api_key(workspace=ours.workspace, scopes=["visits:read"], name="Reader"))
    assert key.get("/api/v1/clients").status_code == 403
    assert Browser(enforce_csrf_checks=True).post("/admin/login/", {"username": "x"}).status_code == 403
    refused = [row for row in trail(start) if row[0] == "access.refused"]
    assert [(actor.split(" (")[0], company) for _action, actor, _name, company in refused] == [
        ("Viewer", at), ("API key Reader", at),
    ]  # fmt: skip
    routes = AuditEntry.objects.filter(action="access.refused").order_by("pk").values_list("after__route", flat=True)
    assert list(routes) == ["integrations:sync", "clients"]


@pytest.mark.slow
def test_tables_that_were_taken_along(desk, ours, theirs):
    owner, start = desk("owner"), latest()
    answer = owner.get(f"/admin/integrations/jobs/{ours.job.pk}/items.csv")
    assert answer.status_code == 200
    rows = list(csv.DictReader(io.StringIO(owner.get(f"{AUDIT}export/").getvalue().decode())))
    assert [(action, name, at) for action, _actor, name, at in trail(start)] == [
        ("export.made", f"{ours.job.pk}.csv", ours.workspace.pk),
        ("export.made", rows[0]["object_name"], ours.workspace.pk),
    ]
    assert rows[0]["action"] == "export.made" and {"login.succeeded", "key.created"} <= {row["action"] for row in rows}
    assert "Key of Theirs" not in str(rows)
    page = owner.get(AUDIT).content.decode()
    assert "Download all entries" in page and f'{AUDIT}export/"' in page
    seal(ours.workspace.pk)
    entry = AuditEntry.objects.filter(workspace=ours.workspace).latest("pk")
    assert f">{entry.digest}<" in owner.get(f"{AUDIT}{entry.pk}/change/").content.decode().replace("<wbr>", "")
    assert desk("staff").get(f"{AUDIT}export/").status_code == 403
