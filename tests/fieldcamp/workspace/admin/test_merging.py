"""Merging clients at the desk: choose, read, confirm; for who may edit clients."""

import pytest

from fieldcamp.workspace.models import AuditEntry, Client

pytestmark = pytest.mark.django_db


@pytest.fixture
def workspace(ours):
    return ours.workspace


@pytest.fixture
def ann(make_client):
    return make_client(first_name="Ann", last_name="Lee", email="ann@lee.test")


@pytest.fixture
def lee(make_client):
    return make_client(first_name="A.", last_name="Lee")


def page(client: Client, what: str = "merge", into: Client | None = None) -> str:
    return f"/admin/workspace/client/{client.pk}/{what}/" + (f"?into={into.pk}" if into else "")


@pytest.mark.slow
def test_from_the_clients_page_to_the_one_that_is_left(desk, ann, lee, make_visit):
    browser = desk()
    make_visit(client=ann, title="Boiler")
    assert page(ann) in browser.get(page(ann, "change")).content.decode()
    offered = browser.get(page(ann)).content.decode()
    assert "These look alike" in offered and page(ann, into=lee) in offered
    asked = browser.get(page(ann, into=lee)).content.decode()
    assert "1 visit moves: Boiler." in asked and "takes over what it lacks: the e-mail address" in asked
    assert page(lee, into=ann) in asked
    answer = browser.post(page(ann), {"into": lee.pk}, follow=True)
    assert answer.redirect_chain[-1][0] == page(lee, "change")
    assert "“Ann Lee” was merged into “A. Lee”." in answer.content.decode()
    assert AuditEntry.objects.get(action="client.merged").actor == "Owner"
    assert "“Ann Lee” was merged into this client by Owner." in answer.content.decode()
    led = browser.get(page(ann, "change"), follow=True)
    assert led.redirect_chain[-1][0] == page(lee, "change") and "was merged into “A. Lee”" in led.content.decode()
    assert browser.get(page(ann)).status_code == 404


def test_it_is_found_by_searching(desk, ann, make_client):
    other = make_client(company_name="Zeta Homes")
    browser = desk()
    assert page(ann, into=other) not in browser.get(page(ann)).content.decode()
    assert page(ann, into=other) in browser.get(page(ann), {"q": "zeta"}).content.decode()
    assert "None was found" in browser.get(page(ann), {"q": "nobody\x00"}).content.decode()


@pytest.mark.slow
@pytest.mark.parametrize("value", ["", "cli_unknown", "\x00", "x" * 500, "self", "foreign"])
def test_what_no_page_sends_is_a_sentence(value, desk, ann, make_client, second_workspace):
    into = {"self": ann.pk, "foreign": make_client(workspace=second_workspace).pk}.get(value, value)
    browser = desk()
    for answer in (browser.post(page(ann), {"into": into}), browser.get(page(ann), {"into": into})):
        assert answer.status_code == 400, value
        assert "Which client is Ann Lee as well?" in answer.content.decode()
    assert not Client.objects.filter(merged_into__isnull=False).exists()


def test_two_of_the_list(desk, ann, lee, make_client):
    browser, listed = desk(), "/admin/workspace/client/"
    three = [ann.pk, lee.pk, make_client().pk]
    assert "delete_selected" not in browser.get(listed).content.decode()
    answer = browser.post(listed, {"action": "merge_two", "_selected_action": three[:2]})
    assert answer["Location"] in (page(ann, into=lee), page(lee, into=ann))
    answer = browser.post(listed, {"action": "merge_two", "_selected_action": three}, follow=True)
    assert "Select two clients, and no more" in answer.content.decode()


@pytest.mark.slow
@pytest.mark.parametrize("role", ["staff", "viewer"])
def test_it_is_for_who_may_edit_clients(role, desk, ann, lee):
    browser = desk(role)
    assert page(ann) not in browser.get(page(ann, "change")).content.decode()
    assert "merge_two" not in browser.get("/admin/workspace/client/").content.decode()
    assert browser.get(page(ann)).status_code == browser.post(page(ann), {"into": lee.pk}).status_code == 403
    assert Client.objects.get(pk=ann.pk).merged_into_id is None


def test_another_companys_client_is_unknown(desk, lee, make_client, second_workspace):
    foreign = make_client(workspace=second_workspace)
    browser = desk()
    assert browser.get(page(foreign)).status_code == browser.post(page(foreign), {"into": lee.pk}).status_code == 404
