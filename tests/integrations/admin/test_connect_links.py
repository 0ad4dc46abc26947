"""Connect links at the desk: made and mailed by who manages accounts; return addresses, registered letter by letter."""

import re

import pytest
from django.core import mail

from fieldcamp.workspace.models import AuditEntry, Member
from integrations.models import ConnectLink, ReturnAddress
from integrations.selectors.connect_links import find_connect_link
from integrations.services.connect_links.addresses import MOST, flaw_of_address, register_address

pytestmark = pytest.mark.django_db
ADD, LIST = "/admin/integrations/connectlink/add/", "/admin/integrations/connectlink/"
TOKEN = re.compile(r"http://127\.0\.0\.1:8000/link/([\w-]{43})")


def form(ours, **fields):
    return {"integration": "google_calendar", "member": ours.tech.pk, "hours": "24", "mail": "1", **fields}


def text(response) -> str:
    return response.content.decode()


@pytest.mark.slow
def test_made_and_mailed(desk, ours):
    browser = desk("admin")
    page = text(browser.get("/admin/integrations/connect/google-calendar/"))
    assert f"{ADD}?integration=google-calendar" in page
    assert f"{ADD}?member={ours.tech.pk}" in text(browser.get(f"/admin/workspace/member/{ours.tech.pk}/change/"))
    asked = text(browser.get(f"{ADD}?integration=google-calendar&member={ours.tech.pk}"))
    assert f'value="{ours.tech.pk}" selected' in asked and 'value="google_calendar" selected' in asked
    made = browser.post(ADD, form(ours))
    assert made.status_code == 200 and "It is on its way to tech@google.test" in text(made)
    assert "no-store" in made["Cache-Control"]
    token = TOKEN.search(text(made))[1]
    link = find_connect_link(token)
    assert (link.member, link.created_by, link.state) == (ours.tech, "Admin", "open")
    [sent] = mail.outbox
    assert sent.to == ["tech@google.test"] and "Ours" in sent.subject and "Google Calendar" in sent.subject
    assert TOKEN.search(sent.body)[1] == token and "you need no login" in sent.body.lower()
    assert "tech@google.test" not in sent.body
    assert {*AuditEntry.objects.filter(object_id=link.pk).values_list("action", "actor")} == {
        ("connect_link.created", "Admin"), ("connect_link.mailed", "Admin"),
    }  # fmt: skip
    assert token not in text(browser.get(LIST)) + text(browser.get(f"{LIST}{link.pk}/change/"))
    assert "The link is revoked" in text(browser.post(f"{LIST}{link.pk}/revoke/", follow=True))
    link = ConnectLink.objects.with_state(link.created_at).get(pk=link.pk)
    assert link.state == "revoked"


@pytest.mark.slow
def test_what_the_form_refuses(desk, ours, theirs):
    browser, before = desk("admin"), ConnectLink.objects.count()
    Member.objects.filter(pk=ours.tech.pk).update(email="")
    for wrong, words in (
        (form(ours), "has no e-mail address"),
        (form(ours, member="", mail=""), "Say whose calendar it is"),
        (form(ours, integration="quickbooks", mail=""), "name no person"),
        (form(ours, member=theirs.tech.pk), "Select a valid choice"),
        (form(ours, hours="9999"), "Select a valid choice"),
        (form(ours, integration="nobody"), "Select a valid choice"),
    ):
        page = browser.post(ADD, wrong)
        assert page.status_code == 400 and words in text(page), words
    assert (ConnectLink.objects.count(), mail.outbox) == (before, [])
    books = browser.post(ADD, form(ours, integration="quickbooks", member="", to="books@example.com"))
    assert TOKEN.search(text(books)) and mail.outbox[0].to == ["books@example.com"]


@pytest.mark.slow
def test_a_mail_that_does_not_go_out_is_said(desk, ours, settings):
    settings.EMAIL_BACKEND = "nowhere.Backend"
    page = text(desk("admin").post(ADD, form(ours)))
    assert "could not be sent" in page and TOKEN.search(page)


@pytest.mark.parametrize(
    "url",
    [
        "http://app.example.com/", "javascript:alert(1)", "//app.example.com", "https:///x", "https://", "HTTPS://x.example/",
        "https://user:word@app.example.com/", "https://app.example.com@evil.example/", "https://app.example.com/#x",
        "https://app.example.com/?status=connected", "https://app.example.com/?a=1&link=", "https://app.example.com\\@x/",
        "https://app.example.com/ x", "https://app.example.com/\r\nSet-Cookie:x", "https://ex\u00e4mple.com/",
        "https://app.example.com:port/", "https://app.example.com/<script>", f"https://app.example.com/{'x' * 500}",
        "https://[::1/", "",
    ],
)  # fmt: skip
def test_addresses_that_nobody_is_led_to(url):
    assert flaw_of_address(url)


@pytest.mark.slow
def test_return_addresses(desk, ours):
    add = "/admin/integrations/returnaddress/add/"
    browser, url = desk("admin"), "https://app.example.com:8443/connected?tenant=7"
    assert browser.post(add, {"url": url}).status_code == 302
    address = ReturnAddress.objects.get(url=url)
    assert (address.workspace, address.created_by) == (ours.workspace, "Admin")
    assert "registered already" in text(browser.post(add, {"url": url}))
    assert "must begin with https" in text(browser.post(add, {"url": "http://app.example.com/"}))
    assert browser.post(f"/admin/integrations/returnaddress/{address.pk}/delete/", {"post": "yes"}).status_code == 302
    assert not ReturnAddress.objects.filter(pk=address.pk).exists()
    actions = AuditEntry.objects.filter(object_name=url).order_by("pk").values_list("action", flat=True)
    assert [*actions] == ["return_address.added", "return_address.removed"]
    for number in range(MOST - 1):
        register_address(workspace=ours.workspace, url=f"https://app.example.com/{number}", actor="")
    assert "Remove one" in text(browser.post(add, {"url": url}))
