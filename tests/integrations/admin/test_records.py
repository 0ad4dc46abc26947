"""Visits, clients, people and the company's settings, saved through their services."""

import datetime as dt

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from fieldcamp.workspace.history import history_of
from fieldcamp.workspace.models import Change, Client, Member, Visit, Workspace
from fieldcamp.workspace.tracking import attributed
from integrations.models import DirtyRow, RecordCall
from tests.integrations.admin.conftest import pages_of


def form_of(browser, url: str) -> dict[str, str]:
    """The page's form as a browser would send it back."""
    form = browser.get(url).context["adminform"].form
    data: dict[str, str] = {}
    for field in form:
        value = field.value()
        if isinstance(value, dt.datetime):
            local = timezone.localtime(value, timezone.get_current_timezone())
            value = local
        if field.name in ("scheduled_start", "scheduled_end"):
            widgets = field.field.widget.decompress(value)
            data[f"{field.name}_0"], data[f"{field.name}_1"] = (str(part or "") for part in widgets)
        elif value not in (None, False):
            data[field.name] = str(value)
    return data


def errors_of(response) -> str:
    assert response.status_code == 200
    return str(response.context["adminform"].form.errors)


@pytest.fixture
def page(ours):
    return pages_of(ours)


@pytest.fixture(autouse=True)
def utc(ours):
    """The company in UTC, so that forms read as the rows are written."""
    Workspace.objects.update(timezone="UTC")


@pytest.mark.slow
def test_saving_an_untouched_form_changes_nothing(desk, ours, page):
    before = Change.objects.count()
    assert desk().post(page["visit"], form_of(desk(), page["visit"])).status_code == 302
    assert Change.objects.count() == before


@pytest.mark.slow
def test_a_visit_is_moved_in_the_persons_name(desk, ours, page):
    data = form_of(desk(), page["visit"]) | {"scheduled_start_0": "2026-12-01", "scheduled_start_1": "09:30:00"}
    data |= {"scheduled_end_0": "2026-12-01", "scheduled_end_1": "11:00:00"}
    assert desk().post(page["visit"], data).status_code == 302
    visit = Visit.objects.get(pk=ours.visit.pk)
    assert visit.scheduled_start == dt.datetime(2026, 12, 1, 9, 30, tzinfo=dt.UTC)
    change = Change.objects.filter(kind="visit", record_id=visit.pk).latest("seq")
    assert (change.actor, change.origin) == ("Owner", "")
    assert "to Tue 1 Dec, 09:30 by Owner." in desk().get(page["visit"]).content.decode()


@pytest.mark.slow
def test_a_finished_visit_is_not_moved(desk, ours, page):
    Visit.objects.update(visit_status="completed")
    data = form_of(desk(), page["visit"]) | {"scheduled_start_0": "2026-12-01", "scheduled_start_1": "09:30:00"}
    data |= {"scheduled_end_0": "2026-12-01", "scheduled_end_1": "11:00:00"}
    assert "is completed and is not moved any more" in errors_of(desk().post(page["visit"], data))
    assert Visit.objects.get(pk=ours.visit.pk).scheduled_start == ours.visit.scheduled_start


@pytest.mark.slow
def test_an_end_before_the_start_is_an_error_of_that_field(desk, ours, page):
    data = form_of(desk(), page["visit"]) | {"scheduled_end_0": "2020-01-01", "scheduled_end_1": "00:00:00"}
    response = desk().post(page["visit"], data)
    assert "scheduled_end" in errors_of(response)


@pytest.mark.slow
def test_a_change_made_meanwhile_is_not_overwritten(desk, ours, page):
    data = form_of(desk(), page["visit"])
    with attributed(actor="lee@google.test", origin=ours.stream.pk):
        visit = Visit.objects.get(pk=ours.visit.pk)
        visit.scheduled_start += dt.timedelta(hours=3)
        visit.scheduled_end += dt.timedelta(hours=3)
        visit.save()
    response = desk().post(page["visit"], data | {"title": "Other title"})
    assert "was changed while you had it open" in errors_of(response)
    assert Visit.objects.get(pk=ours.visit.pk).scheduled_start == visit.scheduled_start
    assert "in Google Calendar by lee@google.test." in desk().get(page["visit"]).content.decode()


def test_panels_are_read_for_a_page_that_is_shown(desk, ours, page):
    asked = [f'FROM "{model._meta.db_table}"' for model in (DirtyRow, RecordCall)]  # only they read these
    data = form_of(desk(), page["visit"])

    def post(**changes: str):
        with CaptureQueriesContext(connection) as queries:
            answer = desk().post(page["visit"], data | changes)
        return answer, [table for table in asked if any(table in query["sql"] for query in queries)]

    refused, read = post(title="")
    assert errors_of(refused) and read == asked and "fc-states" in refused.content.decode()
    saved, read = post(title="Other title")
    assert (saved.status_code, read) == (302, [])


def test_a_new_visit_with_a_time_is_scheduled(desk, ours):
    data = {
        "title": "New", "client": ours.client.pk, "technician": ours.tech.pk, "visit_status": "unscheduled",
        "scheduled_start_0": "2026-12-01", "scheduled_start_1": "09:00:00", "scheduled_end_0": "",
        "scheduled_end_1": "", "timezone": "", "address": "", "notes": "",
    }  # fmt: skip
    assert desk().post("/admin/workspace/visit/add/", data).status_code == 302
    visit = Visit.objects.get(title="New")
    assert (visit.visit_status, visit.workspace) == ("scheduled", ours.workspace)
    assert visit.scheduled_end - visit.scheduled_start == dt.timedelta(hours=1)


@pytest.mark.slow
def test_another_companys_client_or_technician_cannot_be_chosen(desk, ours, theirs, page):
    for name, row in (("client", theirs.client), ("technician", theirs.tech)):
        data = form_of(desk(), page["visit"]) | {name: row.pk}
        assert name in errors_of(desk().post(page["visit"], data))


@pytest.mark.slow
def test_who_may_only_look_cannot_save(desk, ours, page):
    data = form_of(desk(), page["visit"]) | {"title": "Mine"}
    for role in ("staff", "viewer"):
        assert desk(role).post(page["visit"], data).status_code == 403
    assert not Visit.objects.filter(title="Mine").exists()


@pytest.mark.slow
def test_the_visits_twin_is_shown(desk, ours, page):
    shown = desk().get(page["visit"]).content.decode()
    assert ours.link.remote_id not in shown
    assert "Calendar of Ours" in shown
    assert "Needs somebody" in shown


@pytest.mark.slow
def test_a_clients_address_keeps_what_the_form_does_not_show(desk, ours, page):
    Client.objects.filter(pk=ours.client.pk).update(property_address={"street": "1 Old St", "unit": "7"})
    data = form_of(desk(), page["client"])
    assert data["property_address__street"] == "1 Old St"
    assert desk().post(page["client"], data | {"property_address__street": "2 New St"}).status_code == 302
    assert Client.objects.get(pk=ours.client.pk).property_address == {"street": "2 New St", "unit": "7"}


@pytest.mark.slow
def test_of_a_client_of_the_books_only_what_was_edited_is_changed(desk, ours, page):
    address = {"street": "Russ Sonnenschein\nFamily Store\n5647 Cypress Hill Ave.", "city": "Middlefield, " * 12 + "CA"}
    client = Client.objects.get(pk=ours.client.pk)
    client.email, client.display_name, client.billing_address = "a@x.test, B@x.test", "Smith, Jane", address
    client.save()
    data = form_of(desk(), page["client"]) | {"phone_number__number": "555 0199"}
    data = {name: str(value).replace("\n", "\r\n") for name, value in data.items()}  # as browsers do
    response = desk().post(page["client"], data)
    assert response.status_code == 302, errors_of(response)
    assert [*Change.objects.filter(record_id=client.pk).latest("seq").after] == ["phone_number"]


@pytest.mark.slow
def test_a_client_needs_a_name(desk, ours, page):
    data = form_of(desk(), page["client"]) | {"company_name": ""}
    assert "first name or a company name is required" in errors_of(desk().post(page["client"], data))


def test_a_new_client_belongs_to_the_own_company(desk, ours):
    data = {"first_name": "Nia", "stage": "Active Client", "phone_number__number": "5550100"}
    assert desk().post("/admin/workspace/client/add/", data).status_code == 302
    client = Client.objects.get(first_name="Nia")
    assert (client.workspace, client.phone_number) == (ours.workspace, {"number": "5550100"})


def member_page(member: Member) -> str:
    return f"/admin/workspace/member/{member.pk}/change/"


@pytest.mark.slow
def test_an_admin_makes_nobody_an_owner_and_leaves_owners_alone(desk, ours):
    owner, browser = desk("owner") and Member.objects.get(role="owner"), desk("admin")
    data = form_of(browser, member_page(ours.tech))
    assert "Only an owner" in errors_of(browser.post(member_page(ours.tech), data | {"role": "owner"}))
    assert browser.post(member_page(ours.tech), data | {"role": "viewer"}).status_code == 302
    data = form_of(browser, member_page(owner)) | {"email": "x@x.test"}
    assert "Only an owner" in errors_of(browser.post(member_page(owner), data))
    assert Member.objects.get(pk=ours.tech.pk).role == "viewer"


@pytest.mark.slow
def test_one_owner_stays_and_nobody_changes_the_own_role(desk, ours):
    browser = desk("owner")
    owner = Member.objects.get(role="owner")
    data = form_of(browser, member_page(owner))
    assert "your own role" in errors_of(browser.post(member_page(owner), data | {"role": "staff"}))
    root = desk("root")
    data = form_of(root, member_page(owner))
    assert "only owner" in errors_of(root.post(member_page(owner), data | {"role": "staff"}))
    del data["is_active"]
    assert "only owner" in errors_of(root.post(member_page(owner), data))


@pytest.mark.slow
def test_the_companys_settings(desk, ours):
    url = "/admin/workspace/workspace/"
    assert desk("admin").get(url).status_code == 200  # the own company's form
    page = f"{url}{ours.workspace.pk}/change/"
    assert "timezone" in errors_of(desk().post(page, {"name": "New", "timezone": "Mars/Base"}))
    assert desk().post(page, {"name": "New", "timezone": "Europe/Berlin"}).status_code == 302
    changed = Workspace.objects.get(pk=ours.workspace.pk)
    assert (changed.name, changed.timezone) == ("New", "Europe/Berlin")
    assert desk().get("/admin/workspace/workspace/add/").status_code == 403


def test_the_history_in_sentences(ours):
    visit = ours.visit
    with attributed(actor="API key Zapier"):
        visit.scheduled_start = visit.scheduled_end = None
        visit.visit_status = "unscheduled"
        visit.technician = None
        visit.save()
        visit.notes = visit.address = "x"
        visit.save()
    with attributed(actor="lee@google.test", origin=ours.stream.pk):
        visit.deleted_at = timezone.now()
        visit.save()
    said = [entry.sentence for entry in history_of(visit, {ours.stream.pk: "Google Calendar"})]
    assert said[0] == "Deleted in Google Calendar by lee@google.test."
    assert said[1] == "Address and notes changed by API key Zapier."
    assert said[2].startswith("Taken off the schedule (")
    assert said[2].endswith("taken from Tech of Ours, status unscheduled by API key Zapier.")
    assert said[3] == "Created."
