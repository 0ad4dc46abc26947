"""Deleting visits and clients: the page says what will happen, the service does it; and their
counterparts elsewhere."""

import pytest
from django.contrib.admin.models import LogEntry

from fieldcamp.workspace.models import Change, Client, Visit
from integrations.models import Connection, Link, Stream
from tests.integrations.admin.conftest import GOOGLE, pages_of
from tests.integrations.admin.test_pages import text_of


def delete_page(url: str) -> str:
    return url.replace("/change/", "/delete/")


@pytest.fixture
def page(ours):
    return pages_of(ours)


@pytest.mark.slow
def test_a_visit_is_hidden_and_its_event_goes_with_the_next_sync(desk, ours, page):
    assert "/delete/" in desk().get(page["visit"]).content.decode()
    asked = text_of(desk().get(delete_page(page["visit"])).content.decode())
    assert f"The next sync removes its event from Google Calendar ({ours.connection.account_name})." in asked
    assert Visit.objects.get(pk=ours.visit.pk).deleted_at is None
    assert desk().post(delete_page(page["visit"])).status_code == 302
    assert Visit.objects.get(pk=ours.visit.pk).deleted_at
    change = Change.objects.filter(kind="visit", record_id=ours.visit.pk).latest("seq")
    assert (change.action, change.actor) == ("deleted", "Owner")
    assert LogEntry.objects.filter(object_id=ours.visit.pk, action_flag=3).count() == 1
    assert desk().get(page["visit"]).status_code == 404
    assert desk().post(delete_page(page["visit"])).status_code == 404


def test_what_stays_there_is_said(desk, ours, page):
    Stream.objects.filter(pk=ours.stream.pk).update(direction="pull")
    assert "stays as it is." in text_of(desk().get(delete_page(page["visit"])).content.decode())
    Connection.objects.filter(pk=ours.connection.pk).update(state="disconnected")
    assert "that account is disconnected" in text_of(desk().get(delete_page(page["visit"])).content.decode())
    Link.objects.all().delete()
    assert "not synced with anything" in text_of(desk().get(delete_page(page["visit"])).content.decode())


@pytest.mark.slow
def test_a_client_is_hidden_and_its_visits_stay(desk, ours, page):
    Link.objects.create(stream=ours.stream, kind="customer", record_id=ours.client.pk, remote_id="61")
    asked = text_of(desk().get(delete_page(page["client"])).content.decode())
    assert "1 visit stays as it is. No new visit can be made for this client." in asked
    assert "Its counterpart in Google Calendar" in asked
    assert "stays as it is." in asked
    desk().post(delete_page(page["client"]))
    assert Client.objects.get(pk=ours.client.pk).deleted_at
    assert desk().get(page["visit"]).status_code == 200
    assert Visit.objects.get(pk=ours.visit.pk).deleted_at is None


@pytest.mark.slow
@pytest.mark.parametrize("name", ["visit", "client"])
def test_who_may_not_delete(name, desk, ours, theirs, page):
    for role in ("staff", "viewer"):
        assert desk(role).get(delete_page(page[name])).status_code == 403
        assert desk(role).post(delete_page(page[name])).status_code == 403
        assert "/delete/" not in desk(role).get(page[name]).content.decode()
    assert desk().post(delete_page(pages_of(theirs)[name])).status_code == 404
    assert Visit.objects.filter(deleted_at=None).count() == Client.objects.filter(deleted_at=None).count() == 2


@pytest.mark.slow
def test_a_clients_twin_and_its_problems_are_shown(desk, ours, page):
    assert "Not connected" in text_of(desk().get(page["client"]).content.decode())
    link = Link.objects.create(stream=ours.stream, kind="customer", record_id=ours.client.pk, remote_id="customer-61")
    type(ours.conflict).objects.create(
        workspace=ours.workspace, integration=GOOGLE, connection=ours.connection, link=link, code="RECORD_REJECTED",
        record_kind="customer", record_id=ours.client.pk, message="The name is taken.",
        occurred_at=ours.job.created_at, data={"reason": "duplicate_name"},
    )  # fmt: skip
    shown = text_of(desk().get(page["client"]).content.decode())
    assert "customer-61" not in shown  # nobody can read it
    assert "The name is taken." in shown and "Client: Client of Ours" in shown
    assert "Change the name" in shown
    assert "Client: Client of Ours" in text_of(desk().get("/admin/").content.decode())
