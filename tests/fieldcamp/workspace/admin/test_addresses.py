"""A change of address: asked for, confirmed from the new mailbox, told to the old one, and moved in one go."""

import re

import pytest
from django.contrib.auth.models import User
from django.test import Client as Browser

from fieldcamp.api.models import RateWindow
from fieldcamp.workspace.models import AddressChange, AuditEntry, Member
from tests.fieldcamp.workspace.admin.test_logins import FORGOTTEN, PASSWORD, link_in, set_password, sign_in
from tests.integrations.admin.test_buttons import press
from tests.integrations.admin.test_records import errors_of, form_of, member_page

OLD, NEW = "tech@google.test", "new@x.test"


@pytest.fixture
def member(ours) -> Member:
    user = User.objects.create_user(OLD, OLD, PASSWORD, is_staff=True)
    Member.objects.filter(pk=ours.tech.pk).update(user=user, email="Tech@google.test")
    return Member.objects.get(pk=ours.tech.pk)


@pytest.fixture
def ask(desk, member, mailoutbox, django_capture_on_commit_callbacks):
    """An owner enters another address; the mails that went out by that."""

    def enter(address: str = NEW):
        mailoutbox.clear()
        data = form_of(desk(), member_page(member)) | {"email": address}
        with django_capture_on_commit_callbacks(execute=True):
            assert desk().post(member_page(member), data).status_code == 302
        return {mail.to[0]: mail for mail in mailoutbox}

    return enter


@pytest.fixture
def confirm(django_capture_on_commit_callbacks):
    def press_yes(link: str, browser: Browser | None = None):
        browser = browser or Browser()
        at = browser.get(link, follow=True).redirect_chain[-1][0]
        with django_capture_on_commit_callbacks(execute=True):
            return browser.post(at)

    return press_yes


def forgotten(address: str, mailoutbox) -> list[str]:
    """Whom a forgotten password is mailed."""
    RateWindow.objects.all().delete()  # a mail a minute
    mailoutbox.clear()
    Browser().post(FORGOTTEN, {"email": address})
    return [mail.to[0] for mail in mailoutbox]


def addresses_of(member: Member) -> tuple[str, str, str]:
    row = Member.objects.select_related("user").get(pk=member.pk)
    return row.email, row.user.email, row.user.username


@pytest.mark.slow
def test_before_it_is_confirmed_nothing_has_changed(desk, ask, member, mailoutbox):
    mails = ask()
    assert mails.keys() == {NEW, "Tech@google.test", OLD} and "/admin/password/" in mails[NEW].body
    assert not any("/admin/password/" in mails[old].body for old in mails.keys() - {NEW})
    assert NEW in mails[OLD].body
    assert addresses_of(member) == ("Tech@google.test", OLD, OLD)
    page = desk().get(member_page(member)).content.decode()
    assert "A link to confirm the new address went to" in page and NEW in page
    assert forgotten(NEW, mailoutbox) == []
    assert forgotten(OLD, mailoutbox) == [OLD]
    assert sign_in(OLD) and sign_in(NEW) is None


@pytest.mark.slow
def test_after_it_is_confirmed_the_old_address_is_nobodys(ask, confirm, member, mailoutbox):
    forgotten(OLD, mailoutbox)
    reset = link_in(mailoutbox[0])
    link = link_in(ask()[NEW])
    elsewhere, here = sign_in(OLD), sign_in(OLD)
    mailoutbox.clear()
    assert "Sign in with new@x.test from now on" in confirm(link, here).content.decode()
    assert addresses_of(member) == (NEW, NEW, NEW)
    assert [mail.to for mail in mailoutbox] == [[OLD]] and NEW in mailoutbox[0].body
    assert (here.get("/admin/").status_code, elsewhere.get("/admin/").status_code) == (200, 302)
    assert forgotten(OLD, mailoutbox) == []
    assert forgotten(NEW, mailoutbox) == [NEW]
    assert sign_in(OLD) is None and sign_in(NEW)
    assert "not good any more" in set_password(reset).content.decode()
    assert confirm(link).status_code == 200 and addresses_of(member) == (NEW, NEW, NEW)  # once
    entries = (
        AuditEntry.objects.filter(action__startswith="login.address", object_id=member.pk)
        .order_by("id")
        .values_list("action", "actor")
    )
    assert list(entries) == [("login.address_asked", "Owner"), ("login.address_changed", str(member))]


@pytest.mark.slow
def test_only_the_last_link_counts_and_none_that_was_withdrawn(desk, ask, confirm, member, mailoutbox):
    first, second = link_in(ask("a@x.test")["a@x.test"]), link_in(ask()[NEW])
    assert "not good any more" in Browser().get(first, follow=True).content.decode()
    confirm(first)
    assert addresses_of(member)[1] == OLD
    button = f"/admin/workspace/member/{member.pk}/address/"
    assert press(desk(), button, {"withdraw": "1"})[1] == ["The new address is dropped. Tech@google.test stays."]
    confirm(second)
    assert addresses_of(member)[1] == OLD and not AddressChange.objects.exists()
    assert press(desk(), button)[1] == ["There is no new address to be confirmed."]
    assert desk("staff").post(button).status_code == 403


@pytest.mark.slow
def test_the_link_is_sent_again(desk, ask, confirm, member, mailoutbox, django_capture_on_commit_callbacks):
    first = link_in(ask()[NEW])
    mailoutbox.clear()
    with django_capture_on_commit_callbacks(execute=True):
        press(desk(), f"/admin/workspace/member/{member.pk}/address/")
    confirm(first)
    assert addresses_of(member)[1] == OLD
    confirm(link_in(next(mail for mail in mailoutbox if mail.to == [NEW])))
    assert addresses_of(member)[1] == NEW


@pytest.mark.slow
def test_a_mail_that_fails_is_told_and_keeps_the_change(desk, ask, member, monkeypatch):
    def refuse(*args, **kwargs):
        raise ValueError

    with monkeypatch.context() as patch:
        patch.setattr("django.core.mail.backends.locmem.EmailBackend.send_messages", refuse)
        assert ask() == {}
    assert "could not be sent to" in desk().get(member_page(member)).content.decode()


@pytest.mark.slow
def test_an_address_with_a_login_of_its_own_is_told_to_its_reader_alone(desk, ask, confirm, member, theirs):
    other = User.objects.create_user("another-name", NEW, PASSWORD)
    answer = confirm(link_in(ask()[NEW]))
    assert answer.status_code == 409 and "another login with this address" in answer.content.decode()
    assert addresses_of(member)[1] == OLD
    assert User.objects.get(pk=other.pk).email == NEW


@pytest.mark.slow
def test_no_company_leads_a_login_of_others_astray(desk, ask, confirm, member, theirs):
    """Its own word is what it takes: the mailbox that one company names is not enough."""
    Member.objects.filter(pk=theirs.tech.pk).update(user=member.user)
    link = link_in(ask("attacker@evil.test")["attacker@evil.test"])
    attacker = Browser()
    assert "Sign in with the old address first" in attacker.get(link, follow=True).content.decode()
    assert confirm(link, attacker).status_code == 409
    assert confirm(link, desk("owner")).status_code == 409
    assert addresses_of(member)[1:] == (OLD, OLD)
    confirm(link, sign_in(OLD))
    assert addresses_of(member)[1] == "attacker@evil.test"
    assert Member.objects.get(pk=theirs.tech.pk).email == "attacker@evil.test"  # one fact, wherever it stands


@pytest.mark.slow
@pytest.mark.parametrize(
    ("email", "said"),
    [("", "needs an e-mail address"), (f"a@{'.'.join(['x' * 50] * 3)}.test", "too long for a login")],
)
def test_what_cannot_be_an_address_of_a_login(email, said, desk, member):
    data = form_of(desk(), member_page(member)) | {"email": email}
    assert said in errors_of(desk().post(member_page(member), data))
    assert not AddressChange.objects.exists()


@pytest.mark.slow
def test_capitals_alone_wait_for_nobody(ask, member):
    assert ask("TECH@google.test") == {}
    assert addresses_of(member) == ("TECH@google.test", OLD, OLD)


@pytest.mark.slow
@pytest.mark.parametrize("off", [Member, User])
def test_nobody_who_is_switched_off_moves(off, ask, confirm, member):
    link = link_in(ask()[NEW])
    off.objects.filter(pk=member.pk if off is Member else member.user_id).update(is_active=False)
    assert "not good any more" in Browser().get(link, follow=True).content.decode()
    confirm(link)
    assert addresses_of(member)[1] == OLD


@pytest.mark.slow
def test_a_login_that_ended_takes_no_new_address(desk, ask, confirm, member):
    link = link_in(ask()[NEW])
    press(desk(), f"/admin/workspace/member/{member.pk}/revoke/")
    assert confirm(link).status_code == 200
    assert User.objects.get(username=OLD).email == OLD
    assert re.search("not good any more", Browser().get(link, follow=True).content.decode())
