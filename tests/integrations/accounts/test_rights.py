"""Who may connect whose account, and that nobody gets in through a calendar."""

import pytest
from allauth.socialaccount.models import SocialAccount

from fieldcamp.workspace.models import Role
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


def test_other_companies_connections_do_not_exist(desk, second_workspace, person):
    desk.consent()
    connection = only_connection()
    unmatched = person("Sam", role=Role.OWNER, workspace=second_workspace)
    desk.force_login(unmatched.user)
    for path in ("setup", "preview"):
        assert desk.get(f"/admin/integrations/connections/{connection.pk}/{path}/").status_code == 404
    assert desk.post(f"/admin/integrations/connections/{connection.pk}/sync/").status_code == 404
    assert desk.get(f"{CONNECT}?connection={connection.pk}").status_code == 404
