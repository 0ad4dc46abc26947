"""A record is linked with another one of the books than it was, and that is taken back; one is synced alone."""

import pytest
from django.contrib.auth.models import User

from fieldcamp.workspace.models import AuditEntry
from fieldcamp.workspace.roles import Role
from integrations.models import Connection, Link, SyncJob
from integrations.services.books.decisions import NotPossible
from integrations.services.books.relinking import last_relinking, others_for, relink
from integrations.services.decisions import AlreadyDecided
from integrations.services.sync_records import sync_record
from tests.integrations.engine import finish


@pytest.fixture
def user(db) -> User:
    return User.objects.create_user("bea")


@pytest.fixture
def kim(company, books, sync, make_client):
    """A client who is linked with a customer, beside an inactive one that nobody belongs to."""
    books.add("Customer", DisplayName="Reed Plumbing", PrimaryEmailAddr={"Address": "office@example.test"})
    client = make_client(first_name="Kim", last_name="Reed", email="office@example.test")
    books.add("Customer", DisplayName="Kim of old", Active=False)
    assert sync().failed == 0
    return client


def link_of(record) -> Link:
    return Link.objects.live().select_related("stream__connection__workspace").get(record_id=record.pk)


def other() -> Link:
    return Link.objects.get(kind="customer", record_id="")


@pytest.mark.slow
def test_it_is_linked_with_the_other_one_and_back(kim, books, sync, user):
    former, chosen = link_of(kim), other()
    assert [each.pk for each in others_for(former, "of OLD")] == [chosen.pk]
    assert others_for(former, "nobody's") == []
    there = {row["Id"] for row in books.all("Customer")}
    finish(relink(link=former, other=chosen.pk, user=user))
    assert link_of(kim).pk == chosen.pk
    assert Link.objects.get(pk=former.pk).record_id == ""
    assert {row["Id"] for row in books.all("Customer")} == there
    entry = AuditEntry.objects.get(action="connection.relinked")
    assert (entry.actor, entry.before, entry.after) == (
        "bea", {"link": former.pk}, {"record": kim.pk, "link": chosen.pk},
    )  # fmt: skip
    with pytest.raises(AlreadyDecided):  # the second delivery of the same button
        relink(link=former, other=chosen.pk, user=user)
    assert AuditEntry.objects.filter(action="connection.relinked").count() == 1

    last = last_relinking([link_of(kim)])
    assert last is not None and (last.link.pk, last.former.pk) == (chosen.pk, former.pk)
    finish(relink(link=last.link, other=last.former.pk, user=user))
    assert link_of(kim).pk == former.pk
    sync("full")
    assert link_of(kim).pk == former.pk


@pytest.mark.slow
def test_what_cannot_be_chosen(kim, books, sync, make_client, user):
    link, chosen = link_of(kim), other()
    make_client(first_name="Lee")
    sync()
    taken = Link.objects.live().linked().filter(kind="customer").exclude(pk=link.pk).get()
    for number, words in ((taken.pk, "another record"), (link.pk, "not there"), (2**62, "not there")):
        with pytest.raises(NotPossible, match=words):
            relink(link=link, other=number, user=user)
    Link.objects.filter(pk=chosen.pk).update(intent={"verb": "update"})
    with pytest.raises(NotPossible, match="writing it just now"):
        relink(link=link, other=chosen.pk, user=user)
    Link.objects.filter(pk=chosen.pk).update(intent=None, seen_gone=True)
    with pytest.raises(NotPossible, match="not there"):
        relink(link=link, other=chosen.pk, user=user)
    assert link_of(kim).pk == link.pk


@pytest.mark.slow
def test_the_pages_say_what_will_happen_and_are_for_who_may(kim, desk):
    link, chosen = link_of(kim), other()
    page = f"/admin/workspace/client/{kim.pk}/change/"
    relinking, unlinking = (f"/admin/integrations/links/{link.pk}/{verb}/" for verb in ("relink", "part"))
    staff = desk(Role.STAFF)
    shown = staff.get(page).content.decode()
    assert relinking not in shown and unlinking not in shown and "Sync this one" in shown
    assert {staff.get(relinking).status_code, staff.post(relinking, {"other": chosen.pk}).status_code} == {403}
    browser = desk()
    shown = browser.get(page).content.decode()
    assert relinking in shown and unlinking in shown
    assert "Both sides beside each other" in shown and "Reed Plumbing" in shown
    said = browser.get(relinking, {"q": "kim"}).content.decode()
    assert "Neither of the two is changed" in said and "Kim of old" in said
    assert "Nothing in" in browser.get(relinking, {"q": "100%"}).content.decode()
    assert "Neither of the two is changed" in browser.get(unlinking).content.decode()
    assert browser.post(relinking, {"other": "x"}).status_code == 400
    for _ in range(2):
        assert browser.post(relinking, {"other": chosen.pk})["Location"] == page
    assert AuditEntry.objects.filter(action="connection.relinked").count() == 1
    shown = browser.get(page).content.decode()
    assert "It was linked with “Kim of old” instead of “Reed Plumbing”." in shown and "Undo" in shown


@pytest.mark.slow
def test_one_record_is_synced_alone(kim, books, sync, make_client, user, desk):
    lee = make_client(first_name="Lee", last_name="Ford")
    connection = Connection.objects.select_related("workspace").get()
    first = sync_record(record=lee, connection=connection, user=user)  # it is not there yet
    assert first is not None and first.only is None
    finish(first)
    assert any(row["DisplayName"] == "Lee Ford" for row in books.all("Customer"))
    job = sync_record(record=kim, connection=connection, user=user)
    assert job is not None and job.only == [link_of(kim).pk]
    assert sync_record(record=kim, connection=connection, user=user) is None  # one runs
    finish(job)
    address = f"/admin/integrations/records/customer/{kim.pk}/sync/"
    assert desk(Role.VIEWER).post(address, {"connection": connection.pk}).status_code == 403
    staff = desk(Role.STAFF)
    assert staff.post(address, {"connection": connection.pk}).status_code == 302
    assert SyncJob.objects.order_by("-created_at").first().only == [link_of(kim).pk]
    for bad in ({}, {"connection": "con_x"}):
        assert staff.post(address, bad).status_code == 404
    for kind in ("visit", "block", "nothing"):
        missing = f"/admin/integrations/records/{kind}/{kim.pk}/sync/"
        assert staff.post(missing, {"connection": connection.pk}).status_code == 404
