"""API keys outlive the login of whoever made them: they are listed when a person goes, and ended when asked."""

import pytest

from fieldcamp.api.models import ApiKey
from fieldcamp.api.services import create_key, revoke_key
from fieldcamp.workspace.models import AuditEntry, Member
from tests.integrations.admin.test_buttons import press
from tests.integrations.admin.test_records import form_of, member_page


@pytest.fixture
def maker(desk, ours, theirs) -> Member:
    """An owner who has made two keys at the desk, one of which is revoked already."""
    browser = desk("owner")
    member = Member.objects.get(role="owner", workspace=ours.workspace)
    for name in ("Alive", "Gone"):
        data = {"name": name, "scopes": ["visits:read"], "expires_at_0": "", "expires_at_1": ""}
        assert browser.post("/admin/api/apikey/add/", data).status_code == 200
    revoke_key(ApiKey.objects.get(name="Gone"))
    create_key(workspace=ours.workspace, name="Another's", created_by=str(member))
    Member.objects.create(workspace=ours.workspace, first_name="Stays", role="owner")
    return member


def alive() -> set[str]:
    return set(ApiKey.objects.filter(revoked_at=None).values_list("name", flat=True))


@pytest.mark.slow
@pytest.mark.parametrize("too", [True, False])
def test_revoking_lists_them_and_ends_them_when_asked(too, desk, maker):
    before = alive()
    page = desk("root").get(f"/admin/workspace/member/{maker.pk}/revoke/").content.decode()
    assert "Alive" in page and "End these, too" in page
    assert "Gone" not in page and "Another&#x27;s" not in page
    press(desk("root"), f"/admin/workspace/member/{maker.pk}/revoke/", {"keys": "1"} if too else {})
    assert before - alive() == ({"Alive"} if too else set())
    page = desk("root").get(member_page(maker)).content.decode()
    assert ("1 API key that" in page) is not too
    assert AuditEntry.objects.filter(action="key.revoked", object_name="Alive").exists() is too


@pytest.mark.slow
def test_switching_off_leads_to_them(desk, maker):
    data = form_of(desk("root"), member_page(maker))
    data.pop("is_active")
    answer = desk("root").post(member_page(maker), data)
    keys = f"/admin/workspace/member/{maker.pk}/keys/"
    assert answer["Location"] == keys
    assert "Alive" in desk("root").get(keys).content.decode()
    assert press(desk("root"), keys)[1] == ["API keys that were ended: 1."]
    assert "Alive" not in alive()
    assert "no key left" in desk("root").get(keys).content.decode()


@pytest.mark.slow
def test_who_may_not_end_keys_is_told_who_may(desk, ours, maker):
    """An admin hands out logins, but keys are the owners'."""
    Member.objects.filter(pk=maker.pk).update(role="staff")
    keys = f"/admin/workspace/member/{maker.pk}/keys/"
    page = desk("admin").get(keys).content.decode()
    assert "Alive" in page and "Only an owner" in page and "End these, too" not in page
    assert desk("admin").post(keys).status_code == 403
    assert desk("staff").get(keys).status_code == 403
    said = press(desk("admin"), f"/admin/workspace/member/{maker.pk}/revoke/", {"keys": "1"})[1]
    assert "can no longer sign in" in said[0] and "Only an owner ends API keys" in said[1]
    assert "Alive" in alive()
