"""The books' pages are sent what nobody sends by pressing a button: said at the field, and nothing is saved."""

import pytest
from django.contrib.auth.models import User
from django.test import Client as Browser
from django.utils.html import escape

from fieldcamp.workspace.models import Role, TaxRate
from integrations.models import BooksSettings, Link, SyncJob
from tests.integrations.hostile import VALUES, assert_refused, stored

FIELDS = ("income_account", "default_item", "import_customers", "import_items", "invoices_from", "direction",
          "policy_lists", "policy_documents")  # fmt: skip


@pytest.fixture
def browser(make_member) -> Browser:
    """An admin's."""
    user = User.objects.create_user(username="bea", is_staff=True)
    make_member(first_name="Bea", user=user, role=Role.ADMIN)
    browser = Browser()
    browser.force_login(user)
    return browser


@pytest.fixture
def setup(company) -> str:
    return f"/admin/integrations/connections/{company.pk}/setup/"


@pytest.fixture
def mapping(company) -> str:
    return f"/admin/integrations/connections/{company.pk}/mapping/"


@pytest.fixture
def choices(company) -> dict[str, str]:
    return {
        "income_account": company.books.income_account_id, "default_item": company.books.default_item_id,
        "import_customers": "1", "invoices_from": "2026-10-01", "direction": "push", "policy_lists": "remote",
        "policy_documents": "local",
    }  # fmt: skip


@pytest.mark.slow
@pytest.mark.once
@pytest.mark.parametrize("field", FIELDS)
def test_the_set_up(field, browser, setup, choices):
    before = stored()
    for value in VALUES:
        assert_refused(browser.post(setup, choices | {field: value}), before, field)
    twice = choices | {field: [choices.get(field, "1")] * 2}
    assert "more than once" in assert_refused(browser.post(setup, twice), before, field)[field]
    if field in ("direction", "policy_lists", "policy_documents"):
        missing = {name: value for name, value in choices.items() if name != field}
        assert_refused(browser.post(setup, missing), before, field)


@pytest.mark.slow
@pytest.mark.once
@pytest.mark.parametrize("day", ["2026-02-30", "31.01.2026", "20260131", "2026-13-01", "0000-01-01", "99999-01-01"])
def test_no_day(day, browser, setup, choices):
    said = assert_refused(browser.post(setup, choices | {"invoices_from": day}), stored(), "invoices_from")
    assert said["invoices_from"] == "Give a day like 2026-01-31, or leave it empty."


@pytest.mark.slow
def test_one_wrong_choice_of_a_set_up_saves_none_and_keeps_all(browser, setup, choices):
    response = browser.post(setup, choices | {"policy_lists": "newest", "import_items": "1"})
    assert_refused(response, stored(), "policy_lists")
    page = response.content.decode()
    assert '<option value="push" selected>' in page
    assert 'value="2026-10-01"' in page
    assert page.count('value="1" checked') == 2


@pytest.mark.slow
def test_what_the_service_refuses_stands_at_its_field(browser, setup, choices):
    response = browser.post(setup, choices | {"income_account": ""})
    said = assert_refused(response, stored(), "income_account")
    assert said["income_account"] == "Choose an income account of QuickBooks that is active."
    browser.post(setup, choices | {"income_account": "", "direction": "pull"})
    assert BooksSettings.objects.get().income_account_id == ""


@pytest.mark.slow
def test_what_is_ticked(browser, setup, choices):
    page = browser.get(setup).content.decode()
    assert 'value="1" checked' not in page
    browser.post(setup, choices)
    settings = BooksSettings.objects.get()
    assert (settings.import_customers, settings.import_items) == (True, False)
    page = browser.get(setup).content.decode()
    assert 'id="import_customers" name="import_customers" value="1" checked' in page


@pytest.mark.slow
@pytest.mark.once
def test_the_taxes(browser, mapping, make_tax):
    one, other = make_tax("One", "0.08"), make_tax("<i>Other</i>", "0.08")
    before = stored()
    for value in VALUES:
        response = browser.post(mapping, {"part": "taxes", f"tax-{one.pk}": "2", f"tax-{other.pk}": value})
        said = assert_refused(response, before, f"tax-{other.pk}")
        assert said[f"tax-{other.pk}"] == "Choose one of the tax codes of the list."
        page = response.content.decode()
        assert '<option value="2" selected>' in page
        assert escape("<i>Other</i>") in page
    twice = {"part": "taxes", f"tax-{one.pk}": ["2", "3"]}
    assert_refused(browser.post(mapping, twice), before, f"tax-{one.pk}")


@pytest.mark.slow
def test_a_row_that_is_not_sent_stays_as_it_is(browser, mapping, make_tax):
    one, other = make_tax("One", "0.08"), make_tax("Other", "0.08")
    browser.post(mapping, {"part": "taxes", f"tax-{one.pk}": "2", f"tax-{other.pk}": "3"})
    assert browser.post(mapping, {"part": "taxes", f"tax-{other.pk}": ""}).status_code == 302
    assert dict(Link.objects.filter(kind="tax").exclude(record_id="").values_list("record_id", "remote_id")) == {
        one.pk: "2"
    }
    response = browser.post(mapping, {"part": "taxes", f"tax-{other.pk}": "none"})
    page = response.content.decode()
    assert page.count(" selected>") >= 1
    assert '<option value="2" selected>' in page  # as stored, not as if it had been sent empty


@pytest.mark.slow
def test_a_code_that_is_taken_is_refused_at_its_row(browser, mapping, make_tax, make_invoice, make_client):
    one, other = make_tax("One", "0.08"), make_tax("Other", "0.08")
    browser.post(mapping, {"part": "taxes", f"tax-{one.pk}": "2"})
    make_invoice(make_client(), [(None, 1, "100")], tax_rate_id=one.pk)
    response = browser.post(mapping, {"part": "taxes", f"tax-{one.pk}": "2", f"tax-{other.pk}": "2"})
    said = assert_refused(response, stored(), f"tax-{other.pk}")
    assert "stands for another record, which is used" in said[f"tax-{other.pk}"]


@pytest.mark.slow
@pytest.mark.once
def test_the_items(browser, mapping, books, make_item):
    labor = books.add("Item", Name="Labor", Type="Service", IncomeAccountRef={"value": "1"})
    one, other = make_item(name="Hour"), make_item(name="Day")
    before = stored()
    for value in set(VALUES) - {"\x00"}:
        response = browser.post(mapping, {"part": "items", f"item-{one.pk}": "Labor", f"item-{other.pk}": value})
        assert_refused(response, before, f"item-{other.pk}")
        assert 'value="Labor"' in response.content.decode()
    assert_refused(browser.post(mapping, {"part": "items", f"item-{one.pk}": ["Labor", ""]}), before, f"item-{one.pk}")
    response = browser.post(mapping, {"part": "items", f"item-{one.pk}": " lABOR ", f"item-{other.pk}": ""})
    assert response.status_code == 302
    assert Link.objects.get(record_id=one.pk).remote_id == labor["Id"]


@pytest.mark.slow
def test_an_item_whose_counterpart_is_inactive_by_now_does_not_stop_the_others(browser, mapping, books, make_item):
    there = [books.add("Item", Name=name, Type="Service", IncomeAccountRef={"value": "1"}) for name in ("A", "B")]
    old, new = make_item(name="Old hour"), make_item(name="New hour")
    browser.post(mapping, {"part": "items", f"item-{old.pk}": "A"})
    Link.objects.filter(record_id=old.pk).update(remote_id="991")  # which the list of active ones has not
    assert 'value="991"' in browser.get(f"{mapping}?q=hour").content.decode()
    rows = {f"item-{old.pk}": "991", f"item-{new.pk}": "B"}
    assert browser.post(f"{mapping}?q=hour", {"part": "items", **rows}).status_code == 302
    assert Link.objects.get(record_id=new.pk).remote_id == there[1]["Id"]
    assert Link.objects.get(record_id=old.pk).remote_id == "991"


@pytest.mark.slow
@pytest.mark.once
@pytest.mark.parametrize("part", ["tax", "item"])
@pytest.mark.parametrize("record", ["nobody", "", "\x00", "x" * 500])
def test_rows_of_nobody(part, record, browser, mapping, second_workspace, make_tax):
    own = make_tax("Own", "0.08")
    theirs = TaxRate.objects.create(workspace=second_workspace, name="Theirs", rate="0.08")
    before = stored()
    for pk in (record, theirs.pk):
        sent = {"part": {"tax": "taxes", "item": "items"}[part], f"{part}-{pk}": "2", f"tax-{own.pk}": "2"}
        response = browser.post(mapping, sent)
        assert_refused(response, before)
        assert "is not there any more" in response.content.decode()
        assert "Theirs" not in response.content.decode()


@pytest.mark.slow
@pytest.mark.once
def test_account_and_stand_in(browser, mapping, company):
    good = {"income_account": company.books.income_account_id, "default_item": company.books.default_item_id}
    before = stored()
    for field in good:
        for value in VALUES:
            response = browser.post(mapping, {"part": "defaults", **good, field: value})
            said = assert_refused(response, before, field)
            assert said[field].endswith("that is active.") or said[field].endswith("that is active, or none.")
    assert_refused(browser.post(mapping, {"part": "defaults", **good, "income_account": ""}), before, "income_account")


@pytest.mark.slow
@pytest.mark.once
@pytest.mark.parametrize("part", ["", "nothing", "\x00", "Taxes", "__class__"])
def test_a_part_that_the_page_has_not(part, browser, mapping):
    response = browser.post(mapping, {"part": part})
    assert_refused(response, stored())
    assert "Nothing was chosen." in response.content.decode()
    assert not SyncJob.objects.exists()
