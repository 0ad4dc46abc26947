"""A second step beside the password: set up, used, lost, demanded."""

import re
import time

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from cryptography.fernet import Fernet
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import Client as Browser

from fieldcamp.signin import factors
from fieldcamp.workspace.models import AuditEntry, Member, Role, Workspace
from tests.fieldcamp.signin.authenticator import SoftwareAuthenticator
from tests.fieldcamp.signin.conftest import CODE, PASSWORD, SECURITY, sign_in, signed_in

pytestmark = pytest.mark.django_db


def code_of(secret: str, steps: int = 0) -> str:
    """What an authenticator app shows, so many steps of 30 s from now."""
    return format_hotp_value(hotp_value(secret, int(time.time()) // 30 + steps))


def set_up_app(browser: Browser) -> tuple[str, list[str]]:
    """Sets an authenticator app up by the pages; its secret, and the recovery codes if they came with it."""
    secret = re.search(r'id="secret">(\w+)<', browser.get(SECURITY + "app/").content.decode())[1]
    answer = browser.post(SECURITY + "app/", {"code": code_of(secret)})
    return secret, re.findall(r"<li>(\d{8})</li>", answer.content.decode())


@pytest.mark.slow
def test_set_up_and_sign_in(olivia, clock, mails):
    browser = signed_in(olivia)
    secret, codes = set_up_app(browser)
    assert len(codes) == len(set(codes)) == 10
    assert codes[0] not in browser.get(SECURITY).content.decode()
    assert secret not in str(list(Authenticator.objects.values()))
    assert [mail.subject for mail in mails] == ["A new sign-in", "A second step was added to your login"]
    assert mails[1].to == ["olivia@example.test"]
    assert AuditEntry.objects.filter(action="login.factor_added", object_id=olivia.pk, actor="Olivia").exists()

    clock.shift(60)
    person = Browser()
    assert sign_in("olivia", browser=person)["Location"] == CODE
    assert person.get("/admin/").status_code == 302  # nothing opens between the two steps
    assert person.post(CODE, {"code": "000000"}).status_code == 400
    code = code_of(secret)
    assert person.post(CODE, {"code": f" {code[:3]} {code[3:]}"})["Location"] == "/admin/"
    assert person.get("/admin/").status_code == 200

    # Used once is used up, in another process too: nothing but the database may remember it.
    from django.core.cache import cache

    cache.clear()
    other = Browser()
    sign_in("olivia", browser=other)
    assert other.post(CODE, {"code": code}).status_code == 400
    assert other.post(CODE, {"code": codes[3]}).status_code == 302
    third = Browser()
    sign_in("olivia", browser=third)
    assert third.post(CODE, {"code": codes[3]}).status_code == 400
    assert "9 are still good" in other.get(SECURITY).content.decode()


@pytest.mark.slow
def test_a_wrong_first_code_sets_nothing_up(olivia):
    browser = signed_in(olivia)
    browser.get(SECURITY + "app/")
    assert browser.post(SECURITY + "app/", {"code": "12"}).status_code == 400
    assert not Authenticator.objects.exists()


@pytest.mark.slow
def test_codes_are_guessed_as_slowly_as_passwords(olivia, clock):
    secret, _ = set_up_app(signed_in(olivia))
    clock.shift(60)
    person = Browser()
    sign_in("olivia", browser=person)
    assert [person.post(CODE, {"code": f"{n:06}"}).status_code for n in range(11)] == [400] * 10 + [429]
    assert person.post(CODE, {"code": code_of(secret)}).status_code == 429


@pytest.mark.parametrize("how", ["too late", "other password", "switched off", "never"])
@pytest.mark.slow
def test_the_second_step_belongs_to_a_first_one(how, olivia, clock):
    secret, _ = set_up_app(signed_in(olivia))
    clock.shift(60)
    person = Browser()
    if how != "never":
        sign_in("olivia", browser=person)
    if how == "too late":
        clock.shift(601)
    if how == "other password":
        olivia.user.set_password("another one entirely")
    if how == "switched off":
        olivia.user.is_active = False
    olivia.user.save()
    assert person.post(CODE, {"code": code_of(secret)})["Location"] == "/admin/login/"
    assert person.get("/admin/").status_code == 302


@pytest.mark.slow
def test_a_passkey_is_made_used_and_removed(olivia, mails):
    key = SoftwareAuthenticator("https://testserver")
    browser = signed_in(olivia)
    answer = browser.get(SECURITY + "passkey/")
    made = browser.post(
        SECURITY + "passkey/", {"name": "Telephone", "credential": key.create(answer.context["options"])}
    )
    assert "recovery codes" in made.content.decode()
    assert "Telephone" in browser.get(SECURITY).content.decode()

    person = Browser()
    sign_in("olivia", browser=person)
    options = person.get(CODE).context["options"]
    stranger = SoftwareAuthenticator("https://testserver", key.credential_id)
    for wrong in (
        stranger.get(options),
        key.get(options, challenge=b"of another day"),
        "{}",
        "[1]",
        '{"id": 1}',
        "x" * 30_000,
    ):
        assert person.post(CODE, {"credential": wrong}).status_code == 400
    options = person.get(CODE).context["options"]
    answer = key.get(options)
    assert person.post(CODE, {"credential": answer}).status_code == 302
    replay = Browser()
    sign_in("olivia", browser=replay)
    assert replay.post(CODE, {"credential": answer}).status_code == 400

    row = Authenticator.objects.get(type="webauthn")
    assert browser.post(f"{SECURITY}factors/{row.pk}/remove/").status_code == 302
    assert not Authenticator.objects.exists()  # the recovery codes went with it
    assert "removed" in mails[-1].subject
    assert sign_in("olivia")["Location"] == "/admin/"


@pytest.mark.slow
def test_nobody_removes_the_factor_of_another(olivia, make_person):
    set_up_app(signed_in(olivia))
    row = Authenticator.objects.get(type="totp")
    other = signed_in(make_person("victor"))
    assert other.post(f"{SECURITY}factors/{row.pk}/remove/").status_code == 404
    assert factors.has_factor(olivia.user)


@pytest.mark.parametrize(
    ("chosen", "role", "demanded"),
    [("managers", "owner", True), ("managers", "admin", True), ("managers", "staff", False), ("all", "viewer", True)],
)
@pytest.mark.slow
def test_whom_a_company_demands_it_of(chosen, role, demanded, workspace, make_person):
    Workspace.objects.update(second_factor=chosen)
    browser = signed_in(make_person("olivia", role=Role(role)))
    assert (browser.get("/admin/")["Location"] == SECURITY) if demanded else (browser.get("/admin/").status_code == 200)


@pytest.mark.slow
def test_what_one_company_demands_holds_for_the_login(olivia, workspace, second_workspace, make_member, clock):
    """Whichever of their companies the person looks at; and no company resets a factor for another."""
    make_member(workspace=second_workspace, user=olivia.user, role="viewer")
    boss = make_member(workspace=second_workspace, role="owner", user=User.objects.create_user("boss", is_staff=True))
    browser = signed_in(olivia)
    browser.post("/admin/integrations/company/", {"company": second_workspace.pk})
    Workspace.objects.filter(pk=workspace.pk).update(second_factor="managers")
    assert browser.get("/admin/")["Location"] == SECURITY
    set_up_app(browser)
    assert browser.get("/admin/").status_code == 200
    theirs = Browser()
    theirs.force_login(boss.user)
    person = Member.objects.get(workspace=second_workspace, user=olivia.user)
    assert theirs.post(f"{SECURITY}of/{person.pk}/reset/").status_code == 403 and factors.has_factor(olivia.user)
    clock.shift(12 * 3600)
    assert browser.get("/admin/").status_code == 302  # an owner's session, there too


@pytest.mark.slow
def test_demanded_nothing_else_opens_until_it_is_set_up(olivia, workspace, clock):
    browser = signed_in(olivia)
    page = f"/admin/workspace/workspace/{workspace.pk}/change/"
    form = {"name": workspace.name, "timezone": workspace.timezone, "second_factor": "all"}
    assert browser.post(page, form).status_code == 302
    entry = AuditEntry.objects.get(action="settings.changed")
    assert (entry.before, entry.after) == ({"second_factor": "nobody"}, {"second_factor": "all"})
    for shut in ("/admin/", page, "/admin/api/apikey/", "/admin/password_change/", "/admin/integrations/conflicts/"):
        assert browser.get(shut)["Location"] == SECURITY, shut
    assert browser.post(page, form | {"second_factor": "nobody"})["Location"] == SECURITY
    fragment = browser.get("/admin/integrations/needs/", headers={"HX-Request": "true"})
    assert (fragment.status_code, fragment["HX-Redirect"]) == (204, SECURITY)
    shown = browser.get(SECURITY).content.decode()
    assert "demanded of you" in shown and "/admin/api/apikey/" not in shown
    set_up_app(browser)
    assert browser.get("/admin/").status_code == 200
    row = Authenticator.objects.get(type="totp")
    browser.post(f"{SECURITY}factors/{row.pk}/remove/")
    assert factors.has_factor(olivia.user)  # the last one stays while it is demanded


@pytest.mark.slow
def test_operators_must_where_the_site_says_so(make_person, settings, django_user_model):
    root = django_user_model.objects.create_superuser("root", password=PASSWORD)
    browser = Browser()
    sign_in("root", browser=browser)
    assert browser.get("/admin/").status_code == 200
    settings.OPERATORS_NEED_SECOND_FACTOR = True
    assert browser.get("/admin/")["Location"] == SECURITY
    set_up_app(browser)
    assert browser.get("/admin/").status_code == 200
    call_command("reset_second_step", "root")
    assert not factors.has_factor(root)
    with pytest.raises(CommandError):
        call_command("reset_second_step", "nobody")


def test_who_resets_whose_factor(olivia, make_person, django_user_model, mails):
    victor, root_member = make_person("victor", role=Role.STAFF), make_person("rue", role=Role.VIEWER)
    django_user_model.objects.filter(pk=root_member.user_id).update(is_superuser=True)
    theirs = signed_in(victor)
    for member in (victor, root_member, olivia):
        factors.add_app(member.user, "A" * 32)
    mails.clear()

    def reset(browser: Browser, member) -> int:
        return browser.post(f"{SECURITY}of/{member.pk}/reset/").status_code

    owner, admin = Browser(), Browser()
    owner.force_login(olivia.user)
    admin.force_login(make_person("adam", role=Role.ADMIN).user)
    assert reset(admin, victor) == reset(owner, root_member) == reset(owner, olivia) == 403
    assert factors.has_factor(victor.user) and factors.has_factor(root_member.user) and factors.has_factor(olivia.user)
    assert "all sessions" in owner.get(f"{SECURITY}of/{victor.pk}/reset/").content.decode().lower()
    assert reset(owner, victor) == 302
    assert not factors.has_factor(victor.user)
    assert theirs.get("/admin/").status_code == 302
    assert [mail.to for mail in mails] == [["victor@example.test"]]
    assert AuditEntry.objects.get(action="login.factor_reset").actor == "Olivia"


@pytest.mark.slow
def test_secrets_are_rotated_with_the_keys(olivia, settings):
    codes = factors.new_recovery_codes(olivia.user)
    factors.add_app(olivia.user, "A" * 32)
    old = settings.TOKEN_ENCRYPTION_KEYS
    settings.TOKEN_ENCRYPTION_KEYS = [Fernet.generate_key().decode(), *old]
    call_command("rotate_tokens")
    settings.TOKEN_ENCRYPTION_KEYS = settings.TOKEN_ENCRYPTION_KEYS[:1]
    assert factors.takes_code(olivia.user, code_of("A" * 32)).type == "totp"
    assert factors.takes_code(olivia.user, codes[0]).type == "recovery_codes"
