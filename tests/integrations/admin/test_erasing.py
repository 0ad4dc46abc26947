"""Owners erase clients and people at the desk, and read before what goes and what stays."""

import pytest

from fieldcamp.workspace.models import AuditEntry, Client, Member


@pytest.mark.slow
@pytest.mark.django_db
def test_an_owner_erases_a_client_and_a_person(desk, ours, theirs):
    browser, admin = desk("owner"), desk("admin")
    for what, row in (("client", ours.client), ("member", ours.tech)):
        page, url = f"/admin/workspace/{what}/{row.pk}/change/", f"/admin/integrations/erase/{what}/{row.pk}/"
        assert url in browser.get(page).content.decode() and url not in admin.get(page).content.decode()
        assert admin.get(url).status_code == admin.post(url).status_code == 403
        asked = browser.get(url).content.decode()
        assert "This stays:" in asked and str(row) in asked
        other = getattr(theirs, "client" if what == "client" else "tech")
        assert browser.post(f"/admin/integrations/erase/{what}/{other.pk}/").status_code == 404
        assert browser.post(url).status_code == 302
        entry = AuditEntry.objects.get(action=f"{what}.erased")
        assert (entry.object_id, entry.object_name) == (row.pk, "") and entry.actor
        again = browser.post(url)
        assert again.status_code == 409 and "erased already" in again.content.decode()
    assert Client.objects.get(pk=ours.client.pk).erased_at and Member.objects.get(pk=ours.tech.pk).erased_at
