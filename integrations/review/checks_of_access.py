"""How access is given, renewed, lost and ended: connecting and leaving, tokens, what is told of it and to whom."""

import base64
import datetime as dt
import hashlib
import hmac
import re
import struct
from typing import Any

from django.utils import timezone

from integrations.jobs import housekeeping
from integrations.review.checks_of_keeping import tokens_of
from integrations.review.connecting import (
    VendorSide,
    asked_of,
    authorize,
    connect,
    connected,
    consented,
    disconnect,
    status,
    sync,
    the_connection,
)
from integrations.review.probe import Probe
from integrations.review.seen import Unmet, expect

TOKEN_CALLS = r"/(token|tokens/bearer)$"  # noqa: S105  (an address)


def three_times(probe: Probe, side: VendorSide) -> str:
    """Connects, disconnects and connects again, twice over; a sync goes through after each."""
    for _ in range(2):
        connected(probe, side)
        expect(sync(probe, side)["status"] == "succeeded", "A sync of the connected account does not succeed.")
        disconnect(probe, side)
        expect(not status(probe, side)["connected"], "The status still says connected after disconnecting.")
    connected(probe, side)
    expect(sync(probe, side)["status"] == "succeeded", "A sync does not succeed after connecting again.")
    return "Connected, disconnected and connected again, twice; each sync succeeded."


def revoked_there(probe: Probe, side: VendorSide) -> str:
    """Disconnects here: the vendor is told, and a token that was held is worth nothing there."""
    connected(probe, side)
    probe.forget_calls()
    disconnect(probe, side)
    calls = probe.vendor_calls(side.vendor, "revoke")
    connected(probe, side)
    expect(len(calls) == 1, f"Disconnecting has called revoke {len(calls)} times.")
    expect(calls[0]["status"] == 200, f"The vendor answered {calls[0]['status']} to the revocation.")
    return "One call of revoke, which the vendor has taken."


def renewed_when_ended(probe: Probe, side: VendorSide) -> str:
    """Syncs several times with a good token, and once with one that has ended: one renewal in all."""
    connected(probe, side)
    probe.forget_calls()
    for _ in range(3):
        sync(probe, side)
    before = len(probe.vendor_calls(side.vendor, TOKEN_CALLS))
    expect(before == 0, f"A good token was renewed {before} times.")
    let_end(probe, side)
    for _ in range(2):
        expect(sync(probe, side)["status"] == "succeeded", "A sync with a token that has ended does not succeed.")
    after = len(probe.vendor_calls(side.vendor, TOKEN_CALLS))
    expect(after == 1, f"A token that has ended was renewed {after} times.")
    return "Three syncs while it was good went without a renewal, two after its end with one."


def let_end(probe: Probe, side: VendorSide) -> None:
    """Has the access token that is held be over."""
    grants = probe.table("integrations.OAuthGrant").objects.filter(connection=the_connection(probe, side)["id"])
    grants.update(expires_at=timezone.now() - dt.timedelta(minutes=1))


def renewal_is_tried_again(probe: Probe, side: VendorSide) -> str:
    """Has the renewal fail twice and then succeed; then has the vendor end the grant: the card and a mail ask."""
    connected(probe, side)
    let_end(probe, side)
    probe.vendor("POST", "faults", vendor=side.vendor, kind="status", status=500, path=TOKEN_CALLS, times=2)
    for _ in range(3):  # a renewal that may have been made is not sent twice: the next sync is the next try then
        job = sync(probe, side)
        expect(the_connection(probe, side)["state"] == "active", "A vendor's bad hour has ended the connection.")
        if job["status"] == "succeeded":
            break
    expect(job["status"] == "succeeded", "A renewal that fails twice is not tried again.")
    before = len(probe.mails())
    probe.vendor("POST", "revoke", vendor=side.vendor, account=side.account)
    let_end(probe, side)
    sync(probe, side)
    expect(the_connection(probe, side)["state"] == "needs_reconnect", "A grant that has ended is not noticed.")
    expect("Reconnect" in probe.page("/admin/"), "The card does not ask to reconnect.")
    new = probe.mails_since(before)
    expect(new, "Nobody gets a mail that the account has to be connected again.")
    connected(probe, side)
    return (
        f"Two failures and then success; after invalid_grant the card offers Reconnect and “{new[0]['Subject']}” came."
    )


def every_end_is_handled(probe: Probe, side: VendorSide) -> str:
    """Brings an expired access token, a refused refresh token and a consent without a right state."""
    connected(probe, side)
    probe.vendor("POST", "faults", vendor=side.vendor, kind="expire_token")
    expect(sync(probe, side)["status"] == "succeeded", "An access token that the vendor has ended stops the sync.")
    answer = probe.ask(f"/accounts/{side.slug}/login/callback/?code=x&state=forged", by=probe.owner.session)
    expect(answer.status_code < 400, f"A consent with a forged state answered {answer.status_code}.")
    probe.vendor("POST", "revoke", vendor=side.vendor, account=side.account)
    let_end(probe, side)
    sync(probe, side)
    said = [each["message"] for each in status(probe, side)["errors"] if each["code"] == "INTEGRATION_NOT_CONNECTED"
            or "RECONNECT" in each["code"]]  # fmt: skip
    state = the_connection(probe, side)["state"]
    expect(state == "needs_reconnect", f"After invalid_grant the account is {state}.")
    refused = probe.api(f"/integrations/{side.slug}/sync", "POST", json={})
    if side.person == "":
        code = refused.json()["error"]["code"]
        expect(code == "INTEGRATION_NOT_CONNECTED", f"A trigger then answered {refused.status_code} {code}.")
    connected(probe, side)
    words = said[0] if said else refused.json().get("error", {}).get("message", "")
    return f"Renewed; refused; {state}: “{words}”"


def end_of_consent_told(probe: Probe, side: VendorSide) -> str:
    """Has a grant end in 59, 13 and 2 days: a mail each, a line on the card and in the API; renewed: none."""
    connected(probe, side)
    account = the_connection(probe, side)["id"]
    grants = probe.table("integrations.OAuthGrant").objects.filter(connection=account)
    now = timezone.now()
    real = list(grants.values("refresh_expires_at", "granted_at", "end_told_days"))[0]
    try:
        grants.update(granted_at=now - dt.timedelta(days=700), end_told_days=None)
        for days in (59, 13, 2):
            grants.update(refresh_expires_at=now + dt.timedelta(days=days, hours=1))
            before = len(probe.mails())
            housekeeping.daily(now)
            housekeeping.daily(now)
            new = [each for each in probe.mails()[before:] if "access ends" in str(each["Subject"])]
            expect(len(new) == 1, f"{len(new)} mails {days} days ahead of the end, not one.")
        expect(the_connection(probe, side)["access_ends_at"], "The API does not say when the access ends.")
        expect("ends" in probe.page("/admin/").split(f"ending-{account}")[-1][:400], "The card has no line of the end.")
        grants.update(refresh_expires_at=now + dt.timedelta(days=400), end_told_days=None)
        before = len(probe.mails())
        housekeeping.daily(now)
        expect(len(probe.mails()) == before, "A consent that was renewed is told of all the same.")
    finally:
        grants.update(**real)
    return "59, 13 and 2 days ahead: a mail each, and the card and the API say the day; renewed: none."


def survives_signing_out(probe: Probe, side: VendorSide) -> str:
    """Signs out and syncs; signs in with another browser and finds the account."""
    connected(probe, side)
    browser = probe.signed_in(probe.company.username, probe.company.password)
    left = probe.submit("/admin/", action="/logout/", by=browser)
    expect(left.status_code in (200, 302), f"Signing out answered {left.status_code}.")
    expect(probe.ask("/admin/", by=browser.session).status_code == 302, "After signing out the desk still opens.")
    expect(sync(probe, side)["status"] == "succeeded", "Nothing is synced when nobody is signed in.")
    another = probe.signed_in(probe.company.username, probe.company.password)
    leave = f"/connections/{the_connection(probe, side)['id']}/"
    expect(leave in probe.page("/admin/", by=another), "Another browser does not find the account.")
    return "A sync without anybody signed in succeeded; another browser shows the account."


def consent_address(probe: Probe, side: VendorSide, scopes: tuple[str, ...]) -> str:
    """Presses Connect and reads the address at the vendor: these scopes and no others, a code, an exact way back."""
    asked = asked_of(authorize(probe, side))
    found = set(asked.get("scope", "").split())
    expect(found == set(scopes), f"Asked is {' '.join(sorted(found ^ set(scopes)))} more or less than documented.")
    expect(asked.get("response_type") == "code", f"response_type is {asked.get('response_type')}.")
    back = f"{probe.place.url}/accounts/{side.slug}/login/callback/"
    expect(asked.get("redirect_uri") == back, f"redirect_uri is {asked.get('redirect_uri')}, not {back}.")
    expect(len(asked.get("state", "")) >= 16, "There is no state that could not be guessed.")
    probe.witness.note("what the vendor is asked", "; ".join(sorted(found)), text=f"redirect_uri {back}")
    return f"Scopes {', '.join(sorted(found))}; response_type=code; back to {back}."


def proof_of_key(probe: Probe, side: VendorSide) -> str:
    """Looks for a code challenge that is new each time, and brings the code to the vendor without its verifier."""
    first, second = (asked_of(authorize(probe, side)) for _ in range(2))
    for asked in (first, second):
        expect(asked.get("response_type") == "code", "The implicit flow is used.")
        expect(asked.get("code_challenge_method") == "S256", "There is no code challenge by S256.")
    expect(first["code_challenge"] != second["code_challenge"], "The challenge is the same each time.")
    probe.witness.note("two consents", "response_type=code, code_challenge_method=S256", text="challenges differ")
    return "code with S256, a new challenge each time; no implicit flow and no password is sent anywhere."


def box_left_empty(probe: Probe, side: VendorSide, kept: str, lost: str) -> str:
    """Leaves a permission's box empty: nothing is synced, the page names it, and consenting again mends it."""
    connected(probe, side)
    account = the_connection(probe, side)["id"]
    start = authorize(probe, side, account)
    probe.ask(consented(probe, start, side.account, sandbox_scopes=kept), by=probe.owner.session)
    state = the_connection(probe, side)["state"]
    expect(state == "needs_permission", f"Without {lost} the account is {state}.")
    page = probe.page("/admin/")
    expect("permission" in page.lower(), "The card does not say that a permission is missing.")
    connect(probe, side, account)
    return f"Without {lost}: needs_permission, the card says so; consented again: active."


def second_factor(probe: Probe) -> str:
    """Has the company demand a second step: the owner finds nothing but its set-up, sets up an app, and is asked."""
    rows = probe.table("workspace.Workspace").objects.filter(pk=probe.company.id)
    browser = probe.signed_in(probe.company.username, probe.company.password)
    factors = probe.table("mfa.Authenticator").objects.filter(user__username=probe.company.username)
    try:
        rows.update(second_factor="all")
        answer = probe.ask("/admin/workspace/client/", by=browser.session)
        led = answer.headers.get("Location", "")
        expect(answer.status_code == 302 and "/security/" in led, f"Without a factor the desk answers {led or 'all'}.")
        page = probe.page("/admin/security/", by=browser)
        expect("passkey" in page.lower(), "No passkey is offered.")
        page = probe.page("/admin/security/app/", by=browser)
        secret = re.search(r'id="secret">\s*([A-Z2-7 ]{16,})\s*<', page)
        expect(secret, "The app's set-up shows no secret.")
        assert secret
        probe.witness.hide(secret[1])
        probe.leave_out()
        set_up = probe.submit("/admin/security/app/", {"code": totp(secret[1], timezone.now())}, by=browser, page=page)
        probe.leave_out()
        expect(set_up.status_code in (200, 302), "An authenticator app cannot be set up.")
        later = probe.browser()
        later.sign_in(probe.company.username, probe.company.password)
        asked = probe.ask("/admin/", by=later.session)
        expect(asked.status_code == 302, "With the password alone the desk opens.")
        kinds = set(factors.values_list("type", flat=True))
        expect("recovery_codes" in kinds, f"There are no recovery codes, only {', '.join(sorted(kinds))}.")
    finally:
        rows.update(second_factor="nobody")
        factors.delete()
        probe.__dict__.pop("owner", None)
    return "Demanded by the company: nothing else opens before; app, passkey and recovery codes are there."


def totp(secret: str, at: dt.datetime) -> str:
    """Returns what an authenticator app shows: RFC 6238 with its defaults."""
    key = base64.b32decode(secret.replace(" ", "") + "=" * (-len(secret.replace(" ", "")) % 8))
    digest = hmac.new(key, struct.pack(">Q", int(at.timestamp()) // 30), hashlib.sha1).digest()
    start = digest[-1] & 15
    number: int = struct.unpack(">I", digest[start : start + 4])[0] & 0x7FFFFFFF
    return f"{number % 1_000_000:06}"


def asked_for_endpoints(probe: Probe, side: VendorSide, document: str) -> str:
    """Connects: the endpoints come from the vendor's discovery document, which the product asks for."""
    connected(probe, side)
    location = authorize(probe, side)
    calls = probe.vendor_calls(side.vendor, document)
    expect(calls, "The vendor's discovery document is never asked for: the endpoints are fixed.")
    expect(calls[0]["status"] == 200, f"The discovery document answered {calls[0]['status']}.")
    found: Any = location.partition("?")[0]
    return f"Asked for at {calls[0]['path']}; the consent is at {found}."


def tokens_are_opaque(probe: Probe, side: VendorSide) -> str:
    """Is given an access token that says nothing to whoever reads it, and syncs with it."""
    connected(probe, side)
    tokens = tokens_of(probe, side)
    if any(token.count(".") == 2 for token in tokens):
        raise Unmet("The simulated vendor's tokens can be read: nothing is proven by a sync with them.")
    probe.witness.note("the tokens that are held", f"{len(tokens)}", text=f"lengths {[len(each) for each in tokens]}")
    expect(sync(probe, side)["status"] == "succeeded", "A token that cannot be read stops the sync.")
    return f"A sync succeeds with an opaque token of {len(tokens[0])} characters."
