"""The whole way of a connect link: followed by somebody without a login, to the vendor's consent, and back."""

import datetime as dt
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.utils import timezone

from fieldcamp.redaction import redact
from fieldcamp.webhooks.models import WebhookEvent
from fieldcamp.workspace.models import AuditEntry, Member
from integrations.jobs.housekeeping import daily
from integrations.models import Connection, ConnectionState, ConnectLink, OAuthGrant, ReturnAddress
from integrations.selectors.connect_links import connect_link_url, connect_links
from integrations.services import connections
from integrations.services.connect_links.making import LinkMaker, create_link, revoke_link
from integrations.services.erasure.accounts import erase_account
from integrations.services.erasure.members import erase_member
from tests.integrations.connecting import GOOGLE, MAIN, QUICKBOOKS, only_connection
from tests.sandboxed import COMPANY

LEES = "lee@google.test"
BACK = "https://app.example.com/connected?tenant=7"


@pytest.fixture
def made(workspace, admin, dana):
    """Makes a link, and returns it with its address."""

    def made(**fields) -> tuple[ConnectLink, str]:
        maker = LinkMaker(str(admin), user=admin.user)
        given = {"workspace": workspace, "integration": GOOGLE.name, "member_id": dana.pk, "maker": maker, **fields}
        link, token = create_link(**given)
        return link, connect_link_url(token).removeprefix("http://127.0.0.1:8000")

    return made


@pytest.fixture
def stranger(browse):
    """Returns a browser that nobody has signed in with; `connect` goes the whole way."""

    def stranger():
        browser = browse()

        def follow(address: str) -> str:
            browser.connect_page = browser.get(address)["Location"]
            return browser.connect_page

        browser.follow = follow
        return browser

    return stranger


def come_back(browser, location: str):
    """The answer to who comes back: the page that it leads to."""
    parts = urlsplit(location)
    answer = browser.get(f"{parts.path}?{parts.query}")
    assert (answer.status_code, answer.content, answer["Referrer-Policy"]) == (302, b"", "no-referrer")
    return browser.get(answer["Location"]) if answer["Location"].startswith("/") else answer


def go(browser, address: str, account: str = MAIN):
    browser.follow(address)
    return come_back(browser, browser.answer(browser.start(), account))


def text(response) -> str:
    return response.content.decode()


def state_of(link: ConnectLink) -> str:
    return connect_links().get(pk=link.pk).state


def test_a_technician_connects_without_a_login(made, stranger, dana, workspace, admin):
    link, address = made()
    browser, users = stranger(), User.objects.count()
    followed = browser.get(address)
    assert (followed.status_code, followed["Referrer-Policy"], followed["Cache-Control"]) == (
        302, "no-referrer", "no-store",
    )  # fmt: skip
    token = address.rpartition("/")[2]
    assert token not in followed["Location"] and token not in str(dict(browser.session))
    page = browser.get(followed["Location"])
    assert (page.status_code, page["Cache-Control"], page["X-Robots-Tag"]) == (200, "no-store", "noindex")
    assert "form-action" not in page["Content-Security-Policy"]
    for words in (workspace.name, str(dana), str(admin), *GOOGLE.permissions.values(), "Continue to Google Calendar"):
        assert words.replace("'", "&#x27;") in text(page)
    done = go(browser, address)
    assert "is connected" in text(done) and done.status_code == 200
    connection = only_connection()
    assert (connection.member, connection.state, connection.account_name) == (dana, ConnectionState.SETUP, MAIN)
    assert not connection.usable and not connection.streams.exists()
    link = connect_links().get()
    assert (link.state, link.connection, link.granted) == ("used", connection, OAuthGrant.objects.get().scopes)
    assert set(GOOGLE.permissions) <= set(link.granted)
    # Who, when, for which scopes, with which link.
    used = AuditEntry.objects.get(action="connect_link.used")
    assert (used.object_id, used.actor) == (link.pk, f"{dana} ({link.pk})")
    assert used.after == {"account": MAIN, "connection": connection.pk, "scopes": link.granted}
    assert AuditEntry.objects.get(action="connection.connected").actor == f"{dana} ({link.pk})"
    event = WebhookEvent.objects.get(type="connect_link.used")
    assert event.record_id == link.pk
    # Nobody is signed in by it, and the desk stays shut.
    assert "_auth_user_id" not in browser.session and User.objects.count() == users
    for shut in (f"/admin/integrations/connections/{connection.pk}/setup/", "/admin/"):
        assert browser.get(shut)["Location"].startswith("/admin/login/")


@pytest.mark.slow
def test_following_and_breaking_off_does_not_use_it_up(made, stranger):
    link, address = made()
    for _ in range(3):
        assert stranger().get(address).status_code == stranger().head(address).status_code == 302
    browser = stranger()
    browser.follow(address)
    for error, words in (("access_denied", "you have not allowed it"), ("server_error", "Try again")):
        state = parse_qs(urlsplit(browser.start()).query)["state"][0]
        query = urlencode({"error": error, "state": state})
        page = come_back(browser, f"/accounts/{GOOGLE.slug}/login/callback/?{query}")
        assert page.status_code == 200 and words in text(page) and "Continue to" in text(page)
    assert state_of(link) == "open"
    assert "is connected" in text(go(browser, address))


@pytest.mark.slow
def test_a_stolen_link_in_two_browsers_binds_once(made, stranger, vendors):
    link, address = made()
    mine, thief = stranger(), stranger()
    backs = []
    for browser, account in ((mine, MAIN), (thief, LEES)):
        browser.follow(address)
        backs.append(browser.answer(browser.start(), account))
    crossed = come_back(thief, backs[0])  # what was begun in another browser is worth nothing in this one
    assert "begun in another browser" in text(crossed) and not Connection.objects.exists()
    assert "is connected" in text(come_back(mine, backs[0]))
    again = text(come_back(mine, backs[0]))  # the back button
    assert "This link has been used" in again and "given back" not in again
    late = come_back(thief, backs[1])
    assert late.status_code == 410 and "This link has been used" in text(late) and "given back" in text(late)
    assert only_connection().account_name == MAIN
    again = stranger()
    assert "This link has been used" in text(again.get(again.follow(address)))


def connect_at_desk(desk, member, account: str) -> Connection:
    setup = desk.consent(account)["Location"]
    desk.post(setup, {"member": member.pk, "target": account, "busy": account})
    return Connection.objects.get(account_name=account)


@pytest.mark.slow
def test_an_account_of_somebody_else_is_not_bound(made, stranger, desk, lee, vendors):
    """Nor is one that was theirs once: its history is theirs."""
    theirs, (link, address) = connect_at_desk(desk, lee, LEES), made()
    for state in ("active", "disconnected"):
        Connection.objects.update(state=state)
        vendors.forget_requests()
        page = go(stranger(), address, LEES)
        assert page.status_code == 200 and "belongs to somebody else" in text(page) and "Lee" not in text(page)
        theirs.refresh_from_db()
        assert (theirs.member, theirs.state, Connection.objects.count()) == (lee, state, 1)
        # What the consent brought is given back, unless that would end what Lee has connected.
        assert len(vendors.requests("/revoke")) == (1 if state == "disconnected" else 0)
    assert state_of(link) == "open"


@pytest.mark.slow
def test_it_renews_the_account_that_is_connected_and_no_other(made, stranger, desk, dana, vendors):
    before = connect_at_desk(desk, dana, MAIN)
    Connection.objects.update(state=ConnectionState.NEEDS_RECONNECT)
    (link, address), browser = made(), stranger()
    page = text(browser.get(browser.follow(address)))
    assert f"It was connected as <strong>{MAIN}</strong>" in page
    start = browser.start()
    assert parse_qs(urlsplit(start).query)["login_hint"] == [MAIN]
    version = OAuthGrant.objects.get().version
    wrong = come_back(browser, browser.answer(start, LEES))
    assert f"You chose {LEES}, and {MAIN} is what is connected" in text(wrong)
    assert OAuthGrant.objects.get().version == version and state_of(link) == "open"
    assert len(vendors.requests("/revoke")) == 1
    assert "is connected" in text(come_back(browser, browser.answer(browser.start())))
    again = only_connection()
    assert (again.pk, again.member, again.state) == (before.pk, dana, ConnectionState.ACTIVE)


@pytest.mark.slow
def test_who_was_paused_by_a_person_stays_so(made, stranger, desk, dana, admin):
    connection = connect_at_desk(desk, dana, MAIN)
    connections.pause(connection=connection, user=admin.user)
    go(stranger(), made()[1])
    assert only_connection().state == ConnectionState.PAUSED


@pytest.mark.slow
def test_a_box_left_empty_uses_nothing_up(made, stranger, vendors):
    lost, words = next(iter(GOOGLE.permissions.items()))
    (link, address), browser = made(), stranger()
    browser.follow(address)
    back = browser.answer(browser.start())
    vendors.fault(
        "status", path="/token", status=200, body=vendors.token(scopes=[s for s in GOOGLE.scopes if s != lost])
    )
    page = text(come_back(browser, back))
    assert words in page and "tick every box" in page and not Connection.objects.exists()
    assert state_of(link) == "open" and len(vendors.requests("/revoke")) == 1


def revoke(link, admin, dana):
    revoke_link(link=link, maker=LinkMaker("Adam", user=admin.user))


def disconnected_since(link, admin, dana):
    Connection.objects.create(
        workspace=link.workspace, integration=link.integration, member=dana, account_id="x", account_name="x",
        state=ConnectionState.DISCONNECTED, disconnected_at=timezone.now() + dt.timedelta(seconds=1),
    )  # fmt: skip


ENDINGS = {
    "expired": lambda link, admin, dana: ConnectLink.objects.update(expires_at=timezone.now()),
    "revoked": revoke,
    "person left": lambda link, admin, dana: Member.objects.filter(pk=dana.pk).update(is_active=False),
    "maker lost the right": lambda link, admin, dana: Member.objects.filter(pk=admin.pk).update(role="staff"),
    "maker is gone": lambda link, admin, dana: admin.user.delete(),
    "disconnected since": disconnected_since,
    "company erased": lambda link, admin, dana: link.workspace.delete(),
}


@pytest.mark.parametrize(
    "ending", [pytest.param(name, marks=() if name == "revoked" else pytest.mark.slow) for name in ENDINGS]
)
def test_what_ends_while_the_consent_is_under_way(made, stranger, vendors, admin, dana, ending):
    (link, address), browser = made(), stranger()
    browser.follow(address)
    back = browser.answer(browser.start())
    ENDINGS[ending](link, admin, dana)
    page = come_back(browser, back)
    assert page.status_code == (404 if ending == "company erased" else 410)
    assert not Connection.objects.exclude(state="disconnected").exists()
    assert len(vendors.requests("/revoke")) == 1  # given back
    if ending != "company erased":
        assert state_of(link) == ("expired" if ending == "expired" else "revoked")
        assert browser.post(browser.connect_page).status_code == 410  # it leads to no consent any more


@pytest.mark.slow
def test_it_leads_back_to_the_companys_own_application(made, stranger, workspace):
    ReturnAddress.objects.create(workspace=workspace, url=BACK)
    (link, address), browser = made(return_url=BACK), stranger()
    browser.follow(address)
    state = parse_qs(urlsplit(browser.start()).query)["state"][0]
    refusal = urlencode({"error": "access_denied", "state": state})
    page = text(come_back(browser, f"/accounts/{GOOGLE.slug}/login/callback/?{refusal}"))
    assert f"{BACK}&amp;link={link.pk}&amp;status=refused" in page
    assert go(browser, address)["Location"] == f"{BACK}&link={link.pk}&status=connected"
    ReturnAddress.objects.all().delete()
    assert BACK not in text(browser.get(browser.connect_page))


@pytest.mark.slow
def test_nobody_is_led_to_an_address_that_was_removed_meanwhile(made, stranger, workspace):
    address = ReturnAddress.objects.create(workspace=workspace, url=BACK)
    link = made(return_url=BACK)[1]
    address.delete()
    assert "is connected" in text(go(stranger(), link))


@pytest.mark.slow
def test_books_are_the_companys(made, stranger, intuit, workspace):
    _, address = made(integration=QUICKBOOKS.name, member_id=None)
    browser = stranger()
    browser.vendors = intuit
    page = text(browser.get(browser.follow(address)))
    assert f"This link is for the books of <strong>{workspace.name.replace(chr(39), '&#x27;')}</strong>" in page
    assert "is connected" in text(come_back(browser, browser.answer(browser.start(), COMPANY)))
    connection = only_connection()
    assert (connection.member, connection.state, connection.is_of(COMPANY)) == (None, ConnectionState.SETUP, True)


@pytest.mark.slow
def test_who_is_signed_in_at_the_desk_matters_nothing(made, browse, admin, dana):
    browser = browse(admin)
    browser.connect_page = browser.get(made()[1])["Location"]
    assert "is connected" in text(come_back(browser, browser.answer(browser.start())))
    assert (only_connection().member, only_connection().connected_by) == (dana, None)
    assert int(browser.session["_auth_user_id"]) == admin.user.pk


def test_what_is_not_a_link(made, stranger, browse):
    link, address = made()
    browser = stranger()
    for path in ("/link/x", f"/link/{link.pk}", f"/link/{link.digest}", "/link/%00", f"/link/{'x' * 3000}"):
        page = browser.get(path)
        assert (page.status_code, page["Referrer-Policy"], page["Cache-Control"]) == (404, "no-referrer", "no-store")
    assert not Session.objects.exists()
    # The page is for who has followed the link, whose id is no secret.
    for method in (browser.get, browser.post):
        assert method(f"/connect-links/{link.pk}/").status_code == 404
    assert browser.post(address).status_code == 405 and not Session.objects.exists()
    strict = type(browser)(enforce_csrf_checks=True, headers={"host": "127.0.0.1:8000"})
    page = strict.get(address)["Location"]
    assert strict.get(page).status_code == 200 and strict.post(page).status_code == 403


def test_one_address_asks_only_so_often(stranger, monkeypatch):
    monkeypatch.setattr("integrations.views.connect_links.A_MINUTE", 2)
    assert [stranger().get(f"/link/{number}").status_code for number in range(3)] == [404, 404, 429]


@pytest.mark.slow
def test_what_is_left_of_links(made, dana, admin, workspace):
    """Logs and error pages have no token; old links are forgotten, and so is the name of who made one."""
    link, address = made()
    assert address.rpartition("/")[2] not in redact(f"GET http://127.0.0.1:8000{address} HTTP/1.1")
    books, _ = made(integration=QUICKBOOKS.name, member_id=None)
    Member.objects.create(workspace=workspace, first_name="Olga", role="owner")
    erase_member(dana, by=None, actor="operator")
    assert not ConnectLink.objects.filter(pk=link.pk).exists()
    erase_member(admin, by=None, actor="operator")
    books.refresh_from_db()
    assert "Adam" not in books.created_by and state_of(books) == "revoked"
    ended = timezone.now() - dt.timedelta(days=89)
    ConnectLink.objects.update(expires_at=ended)
    daily(timezone.now())
    assert ConnectLink.objects.exists()
    daily(timezone.now() + dt.timedelta(days=2))
    assert not ConnectLink.objects.exists()


@pytest.mark.slow
def test_what_was_erased_is_not_brought_back(made, stranger, desk, dana):
    connection = connect_at_desk(desk, dana, MAIN)
    link, address = made()
    erase_account(connection, actor="Adam")
    assert state_of(link) == "revoked"
    browser = stranger()
    assert browser.get(browser.follow(address)).status_code == 410
