"""The mails about one account: to whom, what they say, and that their links work."""

import re

import pytest
from django.contrib.auth.models import User
from django.test import Client as Browser

from fieldcamp.workspace.models import Role
from integrations.mail.alerts import alert_needs_person, alert_paused
from integrations.models import ConnectionState
from integrations.services import connections
from tests.integrations import build

pytestmark = pytest.mark.django_db


@pytest.fixture
def company(settings):
    settings.PUBLIC_URL = "https://fieldcamp.example"
    workspace = build.workspace("Dana's Plumbing")
    owner = build.owner(workspace)
    owner.user = User.objects.create_user("olga", is_staff=True)
    owner.save()
    return workspace


def html_of(mail) -> str:
    [(page, kind)] = mail.alternatives
    assert kind == "text/html"
    return page


def open_link(url: str, expected: int = 200):
    browser = Browser()
    browser.force_login(User.objects.get(username="olga"))
    assert url.startswith("https://fieldcamp.example/")
    answer = browser.get(url.removeprefix("https://fieldcamp.example"))
    assert answer.status_code == expected
    return answer


def test_reconnect(company, mailoutbox):
    build.member(company, role=Role.ADMIN, email="admin@fieldcamp.test")
    build.member(company, role=Role.ADMIN, email="gone@fieldcamp.test", is_active=False)
    build.member(company, role=Role.STAFF, email="staff@fieldcamp.test")
    lee = build.member(company, email="lee@fieldcamp.test")
    account = build.connection(company, member=lee, account_name="lee@google.test")
    connections.mark_needs_reconnect(
        account,
        "Google Calendar has withdrawn the <access>.",
    )
    alert_needs_person(account.pk)
    mail = mailoutbox[-1]
    assert mail.to == ["admin@fieldcamp.test", "lee@fieldcamp.test", "owner@fieldcamp.test"]
    assert mail.subject == "Google Calendar of lee@google.test needs to be reconnected"
    assert "has withdrawn the <access>." in mail.body
    assert "has withdrawn the &lt;access&gt;." in html_of(mail)
    assert "Dana's Plumbing in FieldCamp" in mail.body
    [url] = re.findall(r"https?://\S+", mail.body)
    assert f'href="{url}"' in html_of(mail)
    assert f"?connection={account.pk}" in url
    assert "lee@google.test" in open_link(url).content.decode()


def test_permission(company, mailoutbox):
    account = build.connection(company)
    connections.mark_needs_permission(account, "Permission is missing: See your events.")
    alert_needs_person(account.pk)
    mail = mailoutbox[-1]
    assert mail.subject == f"Google Calendar of {account.account_name} lacks a permission"
    assert "Permission is missing: See your events." in mail.body
    assert "leave every box ticked" in mail.body


def test_paused(company, mailoutbox):
    build.member(company, role=Role.ADMIN, email="admin@fieldcamp.test")
    account = build.connection(company, ConnectionState.PAUSED, state_reason="Paused after 10 failed syncs in a row.")
    alert_paused(account.pk)
    [mail] = mailoutbox
    assert mail.to == ["owner@fieldcamp.test"]
    assert mail.subject == f"Google Calendar of {account.account_name} is paused"
    assert "Paused after 10 failed syncs in a row." in mail.body
    [url] = re.findall(r"https?://\S+", mail.body)
    assert account.account_name in open_link(url).content.decode()


def test_nobody_to_write_to(company, mailoutbox):
    company.members.update(email="")
    account = build.connection(company)
    company.members.update(email="")
    alert_paused(account.pk)
    alert_needs_person(account.pk)
    assert mailoutbox == []


def test_a_name_with_a_line_break_stays_in_one_line(company, mailoutbox):
    account = build.connection(company, account_name="lee\r\nBcc: everybody@fieldcamp.test")
    alert_paused(account.pk)
    assert mailoutbox[0].subject == "Google Calendar of lee Bcc: everybody@fieldcamp.test is paused"


def test_a_mail_leads_to_help_about_its_account(company, mailoutbox, settings):
    account = build.connection(company)
    for target, shown in (("", ""), ("help@sync.example", f"Ask help@sync.example and name {account.pk}.")):
        settings.SUPPORT_URL = target
        alert_paused(account.pk)
        assert ("Need help?" in mailoutbox[-1].body) == bool(target) and shown in mailoutbox[-1].body
        assert (f"mailto:help@sync.example?subject=FieldCamp%20{account.pk}" in html_of(mailoutbox[-1])) == bool(target)
