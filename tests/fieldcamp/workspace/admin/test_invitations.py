"""An invitation claims nothing: what exists is for the eyes of whoever reads the mailbox, and nobody else's."""

import datetime as dt

import pytest
import time_machine
from django.contrib.auth.models import User
from django.test import Client as Browser

from fieldcamp.workspace import logins
from fieldcamp.workspace.errors import InvalidTransition
from fieldcamp.workspace.logins import LoginState, login_state
from fieldcamp.workspace.models import Invitation, Member, Workspace
from tests.fieldcamp.workspace.admin.test_logins import PASSWORD, invite, link_in, revoke, set_password, sign_in
from tests.integrations.admin.conftest import pages_of
from tests.integrations.admin.test_buttons import press
from tests.integrations.admin.test_records import form_of, member_page

ADDRESS = "tech@google.test"
CHOOSE = "/admin/integrations/company/"


def follow(link: str, browser: Browser | None = None):
    """What the person sees, in their own browser."""
    return (browser or Browser()).get(link, follow=True)


def accept(link: str, browser: Browser):
    return browser.post(follow(link, browser).redirect_chain[-1][0], follow=True)


@pytest.mark.slow
def test_two_companies_invite_one_address_and_both_are_accepted(desk, ours, theirs, mailoutbox):
    assert invite(desk("admin"), ours.tech) == invite(desk("admin", at=theirs), theirs.tech)
    first, second = map(link_in, mailoutbox)
    assert "Your password is set" in set_password(first).content.decode()
    page = follow(second).content.decode()
    assert "There is a login with tech@google.test already" in page and "new_password1" not in page
    person = sign_in(ADDRESS)
    assert accept(second, person).status_code == 200
    members = {row.workspace: row.user for row in Member.objects.filter(email=ADDRESS)}
    assert set(members.values()) == {User.objects.get(username=ADDRESS)} and len(members) == 2
    # The company that was joined last is shown; the other one is a choice away, and no third.
    assert person.get(pages_of(theirs)["visit"]).status_code == 200
    assert person.get(pages_of(ours)["visit"]).status_code == 404
    assert "You belong to several companies" in person.get("/admin/").content.decode()
    assert person.post(CHOOSE, {"company": ours.workspace.pk}).status_code == 302
    assert person.get(pages_of(ours)["visit"]).status_code == 200
    assert person.get(pages_of(theirs)["visit"]).status_code == 404
    assert person.post(CHOOSE, {"company": ""}).status_code == 403
    # One company takes back what it has given, and nothing of the other's.
    revoke(desk(), ours.tech)
    assert person.get("/admin/").status_code == 200
    assert person.get(pages_of(ours)["visit"]).status_code == 404
    assert person.get(pages_of(theirs)["visit"]).status_code == 200
    revoke(desk(at=theirs), theirs.tech)
    assert person.get("/admin/").status_code == 302 and sign_in(ADDRESS) is None


@pytest.mark.slow
def test_each_role_counts_in_its_own_company(desk, ours, theirs, mailoutbox):
    Member.objects.filter(pk=theirs.tech.pk).update(role="owner", is_technician=False)
    Member.objects.filter(pk=ours.tech.pk).update(role="viewer", is_technician=False)
    for company in (ours, theirs):
        invite(desk(at=company), company.tech)
    set_password(link_in(mailoutbox[0]))
    person = sign_in(ADDRESS)
    accept(link_in(mailoutbox[1]), person)
    assert person.get("/admin/api/apikey/add/").status_code == 200
    assert person.get(f"/admin/integrations/connections/{ours.connection.pk}/settings/").status_code == 404
    person.post(CHOOSE, {"company": ours.workspace.pk})
    assert person.get(member_page(ours.tech)).status_code == 200
    assert person.post(f"/admin/workspace/member/{ours.tech.pk}/invite/").status_code == 403
    assert person.post("/admin/api/apikey/add/", {}).status_code == 403


def known_elsewhere(theirs):
    user = User.objects.create_user(ADDRESS, ADDRESS, PASSWORD, is_staff=True)
    Member.objects.filter(pk=theirs.tech.pk).update(user=user)


def operators(theirs):
    User.objects.create_superuser("root-of-all", ADDRESS, PASSWORD)


def switched_off(theirs):
    known_elsewhere(theirs)
    User.objects.update(is_active=False)


def named_like_it(theirs):
    User.objects.create_user(ADDRESS, "other@x.test", PASSWORD)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("exists", "told"),
    [
        (lambda theirs: None, "Choose a password"),
        (known_elsewhere, "There is a login with tech@google.test already"),
        (operators, "looked after by the operators"),
        (switched_off, "looked after by the operators"),
        (named_like_it, "looked after by the operators"),
        (lambda theirs: Member.objects.filter(pk=theirs.tech.pk).update(email="x@x.test"), "Choose a password"),
    ],
    ids=["unknown", "another company's", "an operator's", "switched off", "a name", "foreign"],
)
def test_the_one_who_invites_is_told_the_same_whatever_exists(exists, told, desk, ours, theirs, mailoutbox):
    exists(theirs)
    users = list(User.objects.exclude(username__startswith="admin-").values())
    answer, said = press(desk("admin"), f"/admin/workspace/member/{ours.tech.pk}/invite/")
    assert (answer.status_code, said) == (302, [f"The invitation is on its way to {ADDRESS}."])
    assert "Invited" in desk("admin").get(member_page(ours.tech)).content.decode()
    assert mailoutbox[0].to == [ADDRESS]
    assert list(User.objects.exclude(username__startswith="admin-").values()) == users  # claims nothing
    page = follow(link_in(mailoutbox[0]))
    assert told in page.content.decode()
    if "Choose" not in told:  # nobody gets in by the mailbox alone where there is a login
        set_password_anyway = {"new_password1": PASSWORD + "!", "new_password2": PASSWORD + "!"}
        browser = Browser()
        at = follow(link_in(mailoutbox[0]), browser).redirect_chain[-1][0]
        assert browser.post(at, set_password_anyway).status_code == 409
        assert list(User.objects.exclude(username__startswith="admin-").values()) == users
        assert Member.objects.get(pk=ours.tech.pk).user is None


@pytest.mark.slow
def test_an_invitation_that_ends_frees_the_address(desk, ours, theirs, mailoutbox, settings):
    now = dt.datetime.now(dt.UTC)
    invite(desk(), ours.tech)
    with time_machine.travel(now + dt.timedelta(seconds=settings.PASSWORD_RESET_TIMEOUT + 1), tick=False):
        assert login_state(Member.objects.get(pk=ours.tech.pk)) == LoginState.NONE
        assert "not good any more" in set_password(link_in(mailoutbox[0])).content.decode()
        invite(desk(at=theirs), theirs.tech)
        assert "Your password is set" in set_password(link_in(mailoutbox[1])).content.decode()
    assert Member.objects.get(pk=ours.tech.pk).user is None


@pytest.mark.slow
@pytest.mark.parametrize(
    "change", [{"email": "new@x.test"}, {"is_active": None}], ids=["another address", "switched off"]
)
def test_what_ends_an_invitation(change, desk, ours, mailoutbox):
    invite(desk(), ours.tech)
    data = form_of(desk(), member_page(ours.tech)) | change
    answer = desk().post(member_page(ours.tech), {name: value for name, value in data.items() if value is not None})
    assert answer.status_code == 302
    assert "not good any more" in set_password(link_in(mailoutbox[0])).content.decode()
    assert not User.objects.filter(username=ADDRESS).exists()


def test_a_link_that_is_only_looked_at_accepts_nothing(desk, ours, mailoutbox):
    """Mail programs follow links by themselves, and the token stands in no address that is left behind."""
    invite(desk(), ours.tech)
    link = link_in(mailoutbox[0])
    answer = follow(link)
    assert link not in answer.redirect_chain[-1][0] and "no-store" in answer["Cache-Control"]
    assert Invitation.objects.get().is_open and not User.objects.filter(username=ADDRESS).exists()
    assert "not good any more" in follow("/admin/password/invitation/open/").content.decode()


@pytest.mark.slow
def test_somebody_else_who_is_signed_in_takes_nothing(desk, ours, theirs, mailoutbox):
    known_elsewhere(theirs)
    invite(desk(), ours.tech)
    other = desk("staff", at=theirs)
    assert "Sign out, then open the link" in follow(link_in(mailoutbox[0]), other).content.decode()
    assert accept(link_in(mailoutbox[0]), other).status_code == 409
    assert Member.objects.get(pk=ours.tech.pk).user is None


@pytest.mark.slow
def test_one_login_is_one_person_of_a_company(desk, ours, mailoutbox):
    user = User.objects.create_user(ADDRESS, ADDRESS, PASSWORD, is_staff=True)
    Member.objects.create(workspace=ours.workspace, user=user, first_name="Same")
    invite(desk(), ours.tech)
    person = sign_in(ADDRESS)
    assert "belongs to Ours already" in follow(link_in(mailoutbox[0]), person).content.decode()
    assert accept(link_in(mailoutbox[0]), person).status_code == 409


def test_a_long_address_is_refused_before_it_is_mailed(desk, ours, mailoutbox):
    long = f"t@{'.'.join(['x' * 60] * 3)}.test"
    Member.objects.filter(pk=ours.tech.pk).update(email=long)
    assert "too long for a login" in invite(desk(), ours.tech)
    assert mailoutbox == []


def test_a_link_is_used_up_once_even_at_the_same_moment(ours, mailoutbox):
    """The second one finds it gone: what both have read before is looked at again under the lock."""
    logins.invite(member=ours.tech, by=None)
    token = link_in(mailoutbox[0]).split("/")[-2]
    logins.accept_with_password(token=token, password=PASSWORD)
    with pytest.raises(Exception, match="not good any more"):
        logins.accept_with_password(token=token, password="another horse entirely")
    assert User.objects.get(username=ADDRESS).check_password(PASSWORD)


@pytest.mark.slow
def test_two_acceptances_at_one_moment_make_one_login(transactional_db, in_parallel, mailoutbox):
    """Of one link, and of two companies' links to one address."""
    members = []
    for name in ("One", "Two"):
        workspace = Workspace.objects.create(name=name)
        members.append(Member.objects.create(workspace=workspace, first_name="T", email=ADDRESS))
        logins.invite(member=members[-1], by=None)
    tokens = [link_in(mail).split("/")[-2] for mail in mailoutbox]

    def accept(number: int) -> bool:
        try:
            logins.accept_with_password(token=tokens[number % 2], password=f"{PASSWORD} {number}")
        except InvalidTransition:
            return False
        return True

    assert sum(in_parallel(6, accept)) == 1
    assert User.objects.count() == 1
    assert Member.objects.exclude(user=None).count() == 1 and Invitation.objects.count() == 1
