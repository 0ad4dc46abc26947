"""Logins of members: invited by mail, revoked at once, and never so that a company is left without an owner."""

import re

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from django.test import Client as Browser

from fieldcamp.workspace.models import AuditEntry, Member
from tests.integrations.admin.conftest import CANARY
from tests.integrations.admin.test_buttons import press
from tests.integrations.admin.test_records import errors_of, form_of, member_page

PASSWORD = "correct horse battery staple"
FORGOTTEN = "/admin/password/"


@pytest.fixture(autouse=True)
def fresh_cache():
    cache.clear()


def invite(browser, member: Member) -> str:
    return press(browser, f"/admin/workspace/member/{member.pk}/invite/")[1][0]


def revoke(browser, member: Member):
    return press(browser, f"/admin/workspace/member/{member.pk}/revoke/")


def link_in(mail) -> str:
    return re.search(r"http://\S+(/admin/password/\S+)", mail.body)[1]


def set_password(link: str, password: str = PASSWORD):
    """The person follows the link and types a password."""
    person = Browser()
    form = person.get(link, follow=True)
    if not form.context["validlink"]:
        return form
    return person.post(form.redirect_chain[-1][0], {"new_password1": password, "new_password2": password}, follow=True)


def sign_in(username: str, password: str = PASSWORD) -> Browser | None:
    person = Browser()
    answer = person.post("/admin/login/", {"username": username, "password": password})
    return person if answer.status_code == 302 else None


def signed_in(member: Member) -> None:
    """Gives the member of a desk fixture a password of its own."""
    member.user.set_password(PASSWORD)
    member.user.save()


@pytest.mark.slow
def test_from_the_invitation_to_the_dashboard(desk, ours, mailoutbox):
    assert invite(desk("admin"), ours.tech) == "The invitation is on its way to tech@google.test."
    page = desk().get(member_page(ours.tech)).content.decode()
    assert "Invited" in page
    assert "Send the invitation again" in page
    link = link_in(mailoutbox[0])
    assert link not in page
    assert mailoutbox[0].to == ["tech@google.test"]
    assert "Your password is set" in set_password(link).content.decode()
    person = sign_in("tech@google.test")
    assert person.get("/admin/").status_code == 200
    page = desk().get(member_page(ours.tech)).content.decode()
    assert "Signs in as <b>tech@google.test</b>" in page
    assert "Send the invitation again" not in page
    deeds = ("login.invited", "login.accepted")
    entries = AuditEntry.objects.filter(object_id=ours.tech.pk, action__in=deeds).order_by("id")
    assert [(entry.action, entry.actor) for entry in entries] == [
        ("login.invited", "Admin"),
        ("login.accepted", "Tech of Ours"),
    ]


def test_a_link_works_once_and_not_after_a_newer_one(desk, ours, mailoutbox):
    invite(desk(), ours.tech)
    invite(desk(), ours.tech)
    older, newer = (link_in(mail) for mail in mailoutbox)
    assert "not good any more" in set_password(older).content.decode()
    assert "Your password is set" in set_password(newer).content.decode()
    assert "not good any more" in set_password(newer).content.decode()
    assert "can sign in already" in invite(desk(), ours.tech)
    assert len(mailoutbox) == 2


def test_an_easy_password_is_refused_on_the_page(desk, ours, mailoutbox):
    invite(desk(), ours.tech)
    assert "too common" in set_password(link_in(mailoutbox[0]), "password").content.decode()
    assert sign_in("tech@google.test", "password") is None


@pytest.mark.slow
def test_revoking_ends_the_session_and_the_password(desk, ours, mailoutbox):
    invite(desk(), ours.tech)
    set_password(link_in(mailoutbox[0]))
    person = sign_in("tech@google.test")
    asked = desk().get(f"/admin/workspace/member/{ours.tech.pk}/revoke/").content.decode()
    assert "signed out everywhere at once" in asked
    assert person.get("/admin/").status_code == 200
    revoke(desk(), ours.tech)
    assert person.get("/admin/").status_code == 302
    assert sign_in("tech@google.test") is None
    assert "Revoked" in desk().get(member_page(ours.tech)).content.decode()
    invite(desk(), ours.tech)
    set_password(link_in(mailoutbox[1]))
    assert sign_in("tech@google.test")
    assert User.objects.filter(email="tech@google.test").count() == 1


def test_revoking_ends_an_invitation_that_is_still_open(desk, ours, mailoutbox):
    invite(desk(), ours.tech)
    revoke(desk(), ours.tech)
    assert "not good any more" in set_password(link_in(mailoutbox[0])).content.decode()


def test_who_cannot_be_invited(desk, ours, mailoutbox):
    Member.objects.filter(pk=ours.tech.pk).update(email="")
    assert "no e-mail address" in invite(desk(), ours.tech)
    Member.objects.filter(pk=ours.tech.pk).update(email="t@x.test", is_active=False)
    assert "switched off" in invite(desk(), ours.tech)
    assert mailoutbox == []


@pytest.mark.slow
@pytest.mark.parametrize("error", [ConnectionRefusedError, UnicodeError, KeyError])
def test_a_mail_that_cannot_be_sent_is_told_and_can_be_sent_again(error, desk, ours, mailoutbox, monkeypatch, capsys):
    def refuse(*args, **kwargs):
        raise error(CANARY)

    with monkeypatch.context() as patch:
        patch.setattr("django.core.mail.backends.locmem.EmailBackend.send_messages", refuse)
        assert "could not be sent" in invite(desk(), ours.tech)
    page = desk().get(member_page(ours.tech)).content.decode()
    assert "Invited" in page and "could not be sent to" in page
    assert CANARY not in capsys.readouterr().out
    invite(desk(), ours.tech)
    assert "Your password is set" in set_password(link_in(mailoutbox[0])).content.decode()


@pytest.mark.slow
def test_roles(desk, ours, theirs, mailoutbox):
    desk("owner")
    owner = Member.objects.get(role="owner")
    for role in ("staff", "viewer"):
        assert desk(role).post(f"/admin/workspace/member/{ours.tech.pk}/invite/").status_code == 403
        assert "/invite/" not in desk(role).get(member_page(ours.tech)).content.decode()
    for verb in ("invite", "revoke"):
        assert desk("admin").post(f"/admin/workspace/member/{owner.pk}/{verb}/").status_code == 403
        assert desk("owner").post(f"/admin/workspace/member/{theirs.tech.pk}/{verb}/").status_code == 404
    assert desk().get(f"/admin/workspace/member/{ours.tech.pk}/invite/").status_code == 405
    assert mailoutbox == []


def test_the_last_owner_is_not_locked_out(desk, ours):
    browser = desk("owner")
    owner = Member.objects.get(role="owner")
    signed_in(owner)
    browser = sign_in(owner.user.username)
    assert "your own login" in revoke(browser, owner)[1][0]
    second = Member.objects.create(workspace=ours.workspace, first_name="Second", role="owner", email="s@x.test")
    assert "only owner who can sign in" in revoke(desk("root"), owner)[1][0]
    root = desk("root")
    data = form_of(root, member_page(owner))
    assert "only owner who can sign in" in errors_of(root.post(member_page(owner), data | {"role": "staff"}))
    second.user = User.objects.create_user("second", password=PASSWORD, is_staff=True)
    second.save()
    revoke(desk("root"), owner)
    assert not User.objects.get(pk=owner.user_id).is_active


def test_a_forgotten_password(desk, ours, mailoutbox, settings):
    settings.PUBLIC_URL = "https://desk.example"
    invite(desk(), ours.tech)
    set_password(link_in_https(mailoutbox[0]))
    assert FORGOTTEN in Browser().get("/admin/login/").content.decode()
    answer = Browser(headers={"host": "localhost"}).post(FORGOTTEN, {"email": "Tech@Google.test"}, follow=True)
    assert "If there is a login with that address" in answer.content.decode()
    set_password(link_in_https(mailoutbox[1]), "another horse entirely")
    assert sign_in("tech@google.test", "another horse entirely")
    Browser().post(FORGOTTEN, {"email": "tech@google.test"})
    assert len(mailoutbox) == 2  # not again within a minute


def link_in_https(mail) -> str:
    return re.search(r"https://desk\.example(/admin/password/\S+)", mail.body)[1]


def test_nobody_without_a_seat_is_mailed_and_the_answer_is_the_same(desk, ours, mailoutbox):
    User.objects.create_user("x", email="x@x.test", password=PASSWORD)
    invite(desk(), ours.tech)
    revoke(desk(), ours.tech)
    mailoutbox.clear()
    for address in ("x@x.test", "tech@google.test", "nobody@x.test"):
        answer = Browser().post(FORGOTTEN, {"email": address}, follow=True)
        assert "If there is a login with that address" in answer.content.decode()
    assert mailoutbox == []


def test_a_new_person_is_invited_from_the_own_page(desk, ours):
    data = {"first_name": "Nia", "email": "nia@x.test", "role": "staff", "is_active": "on"}
    answer = desk("admin").post("/admin/workspace/member/add/", data)
    assert answer["Location"] == member_page(Member.objects.get(first_name="Nia"))
    assert ">Invite</button>" in desk("admin").get(answer["Location"]).content.decode()
