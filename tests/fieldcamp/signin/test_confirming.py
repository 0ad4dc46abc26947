"""What matters is done for who has just shown that it is them; everybody else is asked, and loses no input."""

import re

import pytest
from django.contrib import admin
from django.test import Client as Browser
from django.urls import resolve

from fieldcamp.api.models import ApiKey
from fieldcamp.desk.guards import CONFIRMED
from fieldcamp.workspace.models import AuditEntry, Member
from tests.fieldcamp.signin.conftest import PASSWORD, SECURITY, signed_in
from tests.integrations.admin.conftest import Company, company

pytestmark = pytest.mark.django_db
ADD = "/admin/api/apikey/add/"
NEW = {
    "name": 'Zapier "2"', "scopes": ["visits:read", "clients:read"], "expires_at_0": "2099-01-01",
    "expires_at_1": "00:00:00", "rate_limit_override": "",
}  # fmt: skip


@pytest.fixture
def stale(olivia, clock) -> Browser:
    """A browser whose person signed in a while ago."""
    browser = signed_in(olivia)
    clock.shift(901)
    return browser


def carried(page: str) -> dict[str, list[str]]:
    """The hidden fields of the page that asks, as a browser would send them."""
    found: dict[str, list[str]] = {}
    for name, value in re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', page):
        if name not in ("csrfmiddlewaretoken", "next"):  # the frame of the page has these
            found.setdefault(name, []).append(value.replace("&quot;", '"'))
    return found


@pytest.mark.slow
def test_the_key_is_made_after_the_password_with_all_that_was_entered(stale, mails):
    asked = stale.post(ADD, NEW)
    assert asked.status_code == 401 and not ApiKey.objects.exists()
    fields = carried(asked.content.decode())
    assert fields == {"name": ['Zapier "2"'], "scopes": NEW["scopes"], "expires_at_0": ["2099-01-01"],
                      "expires_at_1": ["00:00:00"], "rate_limit_override": [""]}  # fmt: skip
    wrong = stale.post(ADD, fields | {"confirm_password": "wrong"})
    assert wrong.status_code == 401 and "not right" in wrong.content.decode() and not ApiKey.objects.exists()
    assert carried(wrong.content.decode()) == fields
    done = stale.post(ADD, fields | {"confirm_password": PASSWORD})
    key = ApiKey.objects.get()
    assert (done.status_code, key.name, key.scopes) == (200, 'Zapier "2"', ["clients:read", "visits:read"])
    assert 'id="secret"' in done.content.decode()
    assert ("A new API key", ["olivia@example.test"]) in [(mail.subject, mail.to) for mail in mails]
    assert stale.post(f"/admin/api/apikey/{key.pk}/rotate/", {"overlap": "24"}).status_code == 200  # fresh now
    assert mails[-1].subject == "A new secret for an API key"


@pytest.mark.slow
def test_a_fragment_is_led_to_the_question(stale):
    there = {"HX-Request": "true", "HX-Current-URL": "http://testserver/admin/api/apikey/?q=1#top"}
    answer = stale.post(ADD, NEW, headers=there)
    assert (answer.status_code, answer["HX-Redirect"]) == (
        204, f"{SECURITY}confirm/?next=%2Fadmin%2Fapi%2Fapikey%2F%3Fq%3D1",
    )  # fmt: skip


@pytest.mark.slow
def test_the_demo_says_its_password(stale, settings, tmp_path):
    settings.ALLOW_SANDBOX, settings.SANDBOX_URL, settings.FIELDCAMP_DATA = True, "http://127.0.0.1:8001", tmp_path
    (tmp_path / "demo.json").write_text('{"admin": {"username": "olivia", "password": "demo-Password"}}')
    assert "In this demo it is demo-Password" in stale.post(ADD, NEW).content.decode()


@pytest.mark.slow
def test_guessing_here_is_throttled_too(stale):
    answers = [stale.post(ADD, NEW | {"confirm_password": f"wrong {n}"}).status_code for n in range(11)]
    assert answers == [401] * 10 + [429]
    assert stale.post(ADD, NEW | {"confirm_password": PASSWORD}).status_code == 429
    assert not ApiKey.objects.exists()
    assert AuditEntry.objects.filter(action="login.failed", after__step="confirmation").count() == 10


@pytest.mark.slow
def test_a_code_or_a_passkey_is_as_good(stale, olivia, clock):
    from fieldcamp.signin import factors
    from tests.fieldcamp.signin.authenticator import SoftwareAuthenticator
    from tests.fieldcamp.signin.test_factors import code_of

    factors.add_app(olivia.user, "A" * 32)
    assert stale.post(ADD, NEW | {"confirm_code": code_of("A" * 32)}).status_code == 200
    key = SoftwareAuthenticator("https://testserver")
    options = stale.get(SECURITY + "passkey/").context["options"]
    stale.post(SECURITY + "passkey/", {"credential": key.create(options)})
    clock.shift(901)
    options = stale.post(ADD, NEW).context["options"]
    assert stale.post(ADD, NEW | {"confirm_credential": key.get(options)}).status_code == 200
    assert ApiKey.objects.count() == 2


@pytest.mark.slow
def test_a_new_password_is_not_kept_in_a_page(stale, olivia, django_user_model):
    django_user_model.objects.update(is_superuser=True)
    page = f"/admin/auth/user/{olivia.user_id}/password/"
    answer = stale.post(page, {"password1": "fjord under 9 lamps", "password2": "fjord under 9 lamps"})
    assert answer["Location"].startswith(SECURITY + "confirm/?next=%2Fadmin%2Fauth")
    assert stale.get(answer["Location"]).status_code == 200
    assert stale.post(answer["Location"], {"confirm_password": PASSWORD})["Location"] == page


@pytest.mark.slow
def test_pages_that_show_a_secret_ask_before(stale):
    answer = stale.get(SECURITY + "app/")
    assert answer["Location"] == f"{SECURITY}confirm/?next=%2Fadmin%2Fsecurity%2Fapp%2F"
    assert stale.post(answer["Location"], {"confirm_password": PASSWORD})["Location"] == SECURITY + "app/"
    assert stale.get(SECURITY + "app/").status_code == 200


@pytest.mark.parametrize("there", ["https://evil.test/", "//evil.test/", "javascript:alert(1)", ""])
@pytest.mark.slow
def test_nobody_is_led_elsewhere(there, stale):
    for answer in (stale.get(SECURITY + "confirm/", {"next": there}),
                   stale.post(f"{SECURITY}confirm/?next={there}", {"confirm_password": PASSWORD})):  # fmt: skip
        assert answer.status_code == 400


def deeds(rows: Company) -> list[str]:
    """The addresses of what is only done for who has just shown that it is them."""
    member = f"/admin/workspace/member/{rows.tech.pk}"
    return [
        ADD,
        f"/admin/api/apikey/{rows.key.pk}/change/",
        f"/admin/api/apikey/{rows.key.pk}/rotate/",
        "/admin/workspace/member/add/",
        *(f"{member}/{deed}/" for deed in ("change", "invite", "revoke", "address", "keys")),
        f"/admin/workspace/workspace/{rows.workspace.pk}/change/",
        "/admin/workspace/workspace/",
        f"/admin/integrations/connections/{rows.connection.pk}/disconnect/",
        *(f"{SECURITY}{deed}/" for deed in ("app", "passkey", "codes", "factors/1/remove", f"of/{rows.tech.pk}/reset")),
        f"/admin/integrations/erase/member/{rows.tech.pk}/",
        "/admin/auth/user/add/",
        "/admin/auth/user/",
        *(f"/admin/auth/user/1/{deed}/" for deed in ("change", "password", "delete")),
        *(f"/admin/auth/group/{deed}" for deed in ("", "add/", "1/change/", "1/delete/")),
    ]


@pytest.mark.slow
def test_what_is_confirmed(make_person, clock, django_user_model):
    rows = company("Ours")
    browser = signed_in(make_person("olivia", workspace=rows.workspace))
    django_user_model.objects.update(is_superuser=True)
    clock.shift(901)
    people = Member.objects.count()
    addresses = deeds(rows)
    assert [address for address in addresses if not hasattr(resolve(address).func, CONFIRMED)] == []
    for address in (addresses[2], addresses[3], f"/admin/integrations/connections/{rows.connection.pk}/disconnect/"):
        answer = browser.post(address, {"overlap": "24", "first_name": "Eve", "name": "x"})
        assert answer.status_code == 401 and "Is it still you?" in answer.content.decode(), address
    rows.connection.refresh_from_db()
    rows.key.refresh_from_db()
    assert (rows.connection.state, rows.key.previous_until, Member.objects.count()) == ("active", None, people)


def test_other_pages_of_the_desk_are_not(stale):
    """A mark on one view is not on those that share its class."""
    assert (
        stale.post("/admin/workspace/client/add/", {"first_name": "Nia", "stage": "Active Client"}).status_code == 302
    )
    marked = {
        name
        for name in ("client", "visit", "item")
        if hasattr(resolve(f"/admin/workspace/{name}/add/").func, CONFIRMED)
    }
    assert marked == set() and admin.site.name == "admin"
