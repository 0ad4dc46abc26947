"""A login with rights of its own is out of every company's reach, whatever role its person has there."""

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.forms.models import model_to_dict

from fieldcamp.workspace.models import AddressChange, AuditEntry, Invitation, Member
from fieldcamp.workspace.team import update_member
from tests.fieldcamp.workspace.admin.test_logins import PASSWORD
from tests.integrations.admin.test_records import errors_of, member_page


def superuser(user: User) -> None:
    User.objects.filter(pk=user.pk).update(is_superuser=True)


def group(user: User) -> None:
    made = Group.objects.create(name="Support")
    made.permissions.set(Permission.objects.filter(codename="change_user"))
    user.groups.add(made)


def permission(user: User) -> None:
    user.user_permissions.set(Permission.objects.filter(codename="change_user"))


RIGHTS = (superuser, pytest.param(group, marks=pytest.mark.slow), pytest.param(permission, marks=pytest.mark.slow))
FORM = {"first_name": "Op", "last_name": "", "email": "op@x.test", "role": "viewer", "is_active": "on"}
DEEDS = {
    "address": ("change", FORM | {"email": "attacker@evil.test"}),
    "role": ("change", FORM | {"role": "admin"}),
    "switching off": ("change", {name: value for name, value in FORM.items() if name != "is_active"}),
    "name": ("change", FORM | {"first_name": "Another"}),
    "revoke": ("revoke", {}),
    "invite": ("invite", {}),
    "address again": ("address", {}),
    "keys": ("keys", {}),
}


@pytest.fixture
def operator(ours) -> Member:
    user = User.objects.create_user("op@x.test", "op@x.test", PASSWORD, is_staff=True)
    return Member.objects.create(
        workspace=ours.workspace, user=user, first_name="Op", email="op@x.test", role="viewer", weekly_summary=False
    )


def stands(member: Member) -> tuple:
    user = User.objects.get(username="op@x.test")
    rights = (user.password, user.email, user.is_active, user.is_superuser, user.groups.count())
    return model_to_dict(Member.objects.get(pk=member.pk)), rights, user.user_permissions.count()


def done_to(member: Member) -> int:
    """How often the trail names the person: who was refused stands in it as well."""
    return AuditEntry.objects.filter(object_id=member.pk).exclude(action="access.refused").count()


@pytest.mark.slow
@pytest.mark.parametrize("give", RIGHTS)
def test_no_company_touches_it(give, desk, operator, mailoutbox, django_capture_on_commit_callbacks):
    give(operator.user)
    before, noted = stands(operator), done_to(operator)
    for role in ("admin", "owner"):
        browser = desk(role)
        for deed, (page, data) in DEEDS.items():
            with django_capture_on_commit_callbacks(execute=True):
                answer = browser.post(f"/admin/workspace/member/{operator.pk}/{page}/", data)
            assert answer.status_code == 403, (role, deed)
        page = browser.get(member_page(operator)).content.decode()
        assert 'name="email"' not in page and "/revoke/" not in page
    assert stands(operator) == before
    assert done_to(operator) == noted
    assert (mailoutbox, Invitation.objects.count(), AddressChange.objects.count()) == ([], 0, 0)


@pytest.mark.parametrize("give", RIGHTS)
def test_the_service_refuses_it_too(give, operator, ours):
    """Whoever calls it: the desk's permissions are not all that stands before it."""
    give(operator.user)
    owner = Member.objects.create(workspace=ours.workspace, first_name="Owner", role="owner")
    for changes in ({"email": "a@evil.test"}, {"role": "owner"}, {"is_active": False}, {"first_name": "X"}):
        with pytest.raises(Exception, match="operator of this site"):
            update_member(workspace=ours.workspace, member_id=operator.pk, by=owner, changes=changes)


@pytest.mark.parametrize("give", RIGHTS)
def test_an_operator_revokes_it_with_all_its_rights(give, desk, operator):
    give(operator.user)
    assert desk("root").post(f"/admin/workspace/member/{operator.pk}/revoke/").status_code == 302
    user = User.objects.get(username="op@x.test")
    assert not (user.is_superuser or user.is_active or user.groups.exists() or user.user_permissions.exists())
    assert not user.has_usable_password() and Member.objects.get(pk=operator.pk).user is None


@pytest.mark.slow
@pytest.mark.parametrize("field", ["is_superuser", "groups", "user_permissions"])
def test_the_form_gives_no_right_to_a_login_of_a_company(field, desk, operator):
    some = {
        "is_superuser": "on",
        "groups": str(Group.objects.create(name="Support").pk),
        "user_permissions": str(Permission.objects.first().pk),
    }
    root, page = desk("root"), f"/admin/auth/user/{operator.user_id}/change/"
    data = {"is_active": "on", "is_staff": "on", "date_joined_0": "2026-11-01", "date_joined_1": "10:00:00"}
    errors = errors_of(root.post(page, data | {field: some[field], "email": "other@x.test"}))
    assert "belongs to Op of Ours" in errors
    assert root.post(page, data | {"email": "other@x.test"}).status_code == 302
    assert User.objects.get(pk=operator.user_id).email == "op@x.test"  # moves with the person's alone
