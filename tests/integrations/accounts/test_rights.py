"""Who may connect whose account, and that nobody gets in through a calendar."""

import pytest
from allauth.socialaccount.models import SocialAccount
from django.contrib.auth.models import User

from fieldcamp.workspace.models import Member, Role
from integrations.accounts.rights import Rights, rights_of
from integrations.models import Connection, OAuthGrant
from integrations.providers import PROVIDERS
from tests.integrations.connecting import CONNECT, only_connection

GOOGLE = PROVIDERS["google_calendar"]
CALLBACK = "/accounts/google-calendar/login/callback/"


def text(response) -> str:
    return response.content.decode()


def test_a_callback_in_another_browser(desk, browse, dana):
    back = desk.answer(desk.start())
    assert "not valid any more" in text(browse(dana).come_back(back))
    assert "not valid any more" in text(browse().come_back(back))
    assert Connection.objects.count() == 0


def test_signed_in_as_somebody_else_meanwhile(desk, dana):
    back = desk.answer(desk.start())
    session = desk.session
    session["_auth_user_id"], session["_auth_user_hash"] = str(dana.user.pk), dana.user.get_session_auth_hash()
    session.save()
    response = desk.come_back(back)
    assert response.status_code == 403
    assert Connection.objects.count() == 0


def test_signed_out_meanwhile(desk):
    back = desk.answer(desk.start())
    session = desk.session
    for key in ("_auth_user_id", "_auth_user_hash", "_auth_user_backend"):
        del session[key]
    session.save()
    assert desk.come_back(back).status_code == 403
    assert Connection.objects.count() == 0


def test_the_role_was_taken_away_meanwhile(desk, admin):
    back = desk.answer(desk.start())
    admin.role = Role.VIEWER
    admin.save()
    assert desk.come_back(back).status_code == 403
    assert Connection.objects.count() == 0


@pytest.mark.parametrize("fields", [{"is_active": False}, {"is_technician": False}], ids=["left", "another job"])
def test_a_technician_who_has_gone_meanwhile_brings_no_account(browse, dana, fields):
    """The login is still good; the person is nobody here any more, or nobody with a calendar."""
    browser = browse(dana)
    back = browser.answer(browser.start())
    for name, value in fields.items():
        setattr(dana, name, value)
    dana.role = Role.VIEWER
    dana.save()
    assert browser.come_back(back).status_code == 403
    assert Connection.objects.count() == 0


def test_an_admin_who_has_changed_the_company_meanwhile_brings_none_to_the_old_one(desk, admin, second_workspace):
    back = desk.answer(desk.start())
    admin.workspace = second_workspace
    admin.save()
    assert desk.come_back(back).status_code == 403
    assert Connection.objects.count() == 0


@pytest.mark.parametrize("process", ["login", "connect", "redirect", ""])
@pytest.mark.parametrize("method", ["get", "post"])
def test_allauths_own_start_is_closed(browse, admin, process, method):
    for browser in (browse(), browse(admin)):
        response = getattr(browser, method)(f"/accounts/google-calendar/login/?process={process}")
        assert response.status_code == 403
        assert "connected from the dashboard" in text(response)


@pytest.mark.parametrize("process", ["login", "connect"])
def test_a_dance_that_did_not_start_here_is_refused(desk, process):
    """Even where the session says that allauth itself began it."""
    back = desk.answer(desk.start())
    session = desk.session
    for state, *_ in session["socialaccount_states"].values():
        state["process"] = process
    session.save()
    response = desk.come_back(back)
    assert response.status_code == 403
    assert Connection.objects.count() == 0
    assert SocialAccount.objects.count() == 0


@pytest.mark.parametrize(
    "path",
    [
        "",
        "signup/",
        "email/",
        "password/reset/",
        "password/change/",
        "logout/",
        "3rdparty/",
        "social/signup/",
        "inactive/",
    ],
)
def test_allauths_other_pages_do_not_exist(desk, path):
    assert desk.get(f"/accounts/{path}").status_code == 404


def test_the_anonymous_sign_in_first(browse):
    response = browse().get(CONNECT)
    assert response.status_code == 302
    assert response["Location"] == f"/admin/login/?next={CONNECT}"
    assert browse().post(CONNECT).status_code == 302


def test_an_unknown_integration_is_not_found(desk):
    assert desk.get("/admin/integrations/connect/nothing/").status_code == 404
    assert desk.get(f"{CONNECT}?connection=con_unknown").status_code == 404


@pytest.mark.parametrize("role", [Role.STAFF, Role.VIEWER])
def test_who_may_not_connect(browse, person, role):
    browser = browse(person("Vera", role=role))
    for response in (browser.get(CONNECT), browser.post(CONNECT)):
        assert response.status_code == 403
        assert "Ask an admin" in text(response)


def test_a_technician_connects_their_own(browse, dana, lee):
    browser = browse(dana)
    setup = browser.consent()["Location"]
    page = text(browser.get(setup))
    assert f'value="{dana.pk}" selected' in page
    assert lee.pk not in page
    connection = only_connection()
    choices = {"member": lee.pk, "target": "dana@google.test", "busy": "dana@google.test"}
    assert browser.post(setup, choices).status_code == 400
    assert browser.post(setup, {**choices, "member": dana.pk}).status_code == 302
    connection.refresh_from_db()
    assert connection.member == dana


@pytest.mark.slow
def test_a_technician_does_not_touch_anothers_connection(browse, dana, lee):
    mine = browse(dana)
    setup = mine.consent()["Location"]
    mine.post(setup, {"member": dana.pk, "target": "dana@google.test"})
    connection, version = only_connection(), OAuthGrant.objects.get().version
    other = browse(lee)
    assert other.get(setup).status_code == 404
    assert other.get(f"{CONNECT}?connection={connection.pk}").status_code == 403
    assert other.consent("dana@google.test").status_code == 403
    assert OAuthGrant.objects.get().version == version


@pytest.fixture
def unbound(browse, dana, lee) -> Connection:
    """Connected by Dana, and bound to nobody yet. The two may do at the desk what is their own, and no more."""
    for technician in (dana, lee):
        technician.role = Role.VIEWER
        technician.save()
    browse(dana).consent()
    return only_connection()


def answers(browser, connection: Connection) -> dict[str, int]:
    """What becomes of everything that can be done with a connection; disconnecting it comes last."""
    at = f"/admin/integrations/connections/{connection.pk}"
    choices = {"member": "", "target": "dana@google.test"}
    return {
        "see the set-up": browser.get(f"{at}/setup/").status_code,
        "set up": browser.post(f"{at}/setup/", choices).status_code,
        "settings": browser.post(f"{at}/settings/", choices).status_code,
        "pause": browser.post(f"{at}/pause/").status_code,
        "resume": browser.post(f"{at}/resume/").status_code,
        "preview": browser.get(f"{at}/preview/").status_code,
        "renew": browser.post(CONNECT, {"connection": connection.pk}).status_code,
        "sync": browser.post(f"{at}/sync/").status_code,
        "see the end": browser.get(f"{at}/disconnect/").status_code,
        "disconnect": browser.post(f"{at}/disconnect/").status_code,
    }


def test_what_one_technician_has_connected_is_not_another_technicians(browse, lee, unbound):
    before = Connection.objects.values().get()
    found = answers(browse(lee), unbound)
    # 404: as one that does not exist. 403: its page may be seen, the button is not there.
    assert found == {
        "see the set-up": 404, "set up": 404, "settings": 403, "pause": 403, "resume": 403, "preview": 404,
        "renew": 403, "sync": 403, "see the end": 403, "disconnect": 403,
    }  # fmt: skip
    assert Connection.objects.values().get() == before
    assert OAuthGrant.objects.get().access_token


@pytest.mark.slow
def test_the_technician_who_has_connected_it_may_do_everything_with_it(browse, dana, unbound):
    assert set(answers(browse(dana), unbound).values()) <= {200, 302, 400}
    assert only_connection().state == "disconnected"


@pytest.mark.slow
def test_and_so_may_an_admin(browse, admin, unbound):
    assert set(answers(browse(admin), unbound).values()) <= {200, 302, 400}
    assert only_connection().state == "disconnected"


@pytest.mark.slow
def test_what_is_bound_is_its_members_and_not_any_more_who_connected_its(browse, dana, lee, unbound):
    """An admin, or Dana for Lee: the calendar is Lee's from then on."""
    Connection.objects.update(member=lee)
    before = Connection.objects.values().get()
    assert not set(answers(browse(dana), unbound).values()) & {200, 302}
    assert Connection.objects.values().get() == before
    assert set(answers(browse(lee), unbound).values()) <= {200, 302, 400}


def test_who_is_no_technician_any_more_has_lost_it(browse, dana, unbound):
    dana.is_technician = False
    dana.save()
    assert not set(answers(browse(dana), unbound).values()) & {200, 302}
    assert only_connection().state != "disconnected"


def test_who_has_left_has_lost_it(browse, dana, unbound):
    browser = browse(dana)
    dana.is_active = False
    dana.save()
    answers(browser, unbound)
    assert only_connection().state != "disconnected"


def test_a_connection_whose_starter_has_been_removed_is_the_admins(browse, dana, unbound):
    Connection.objects.update(connected_by=None)
    assert not set(answers(browse(dana), unbound).values()) & {200, 302}


def test_other_companies_connections_do_not_exist(desk, second_workspace, person):
    desk.consent()
    connection = only_connection()
    unmatched = person("Sam", role=Role.OWNER, workspace=second_workspace)
    desk.force_login(unmatched.user)
    for path in ("setup", "preview"):
        assert desk.get(f"/admin/integrations/connections/{connection.pk}/{path}/").status_code == 404
    assert desk.post(f"/admin/integrations/connections/{connection.pk}/sync/").status_code == 404
    assert desk.get(f"{CONNECT}?connection={connection.pk}").status_code == 404


def test_a_login_of_two_companies_has_in_each_what_its_role_there_gives(workspace, second_workspace, make_member):
    user = User.objects.create_user("both")
    make_member(user=user, role="owner")
    other = Member.objects.create(workspace=second_workspace, user=user, first_name="Both", role="viewer")
    assert rights_of(user, workspace).manages
    assert rights_of(user, second_workspace) == Rights(manages=False, member=other)
