"""What Google and Microsoft ask of a program that reads calendars: private events, consent, events of theirs."""

import base64
import datetime as dt
import json
from pathlib import Path

from django.conf import settings
from django.utils import timezone

from integrations.demo.caller import Caller
from integrations.review.checks_of_access import TOKEN_CALLS, let_end
from integrations.review.connecting import (
    VendorSide,
    asked_of,
    authorize,
    connected,
    connections,
    consented,
    sync,
    the_connection,
)
from integrations.review.probe import Probe
from integrations.review.seen import expect, words

PRIVATE_TITLE = "Xylophagous therapy"
CALENDARS = {"google": "/google/api/calendar/v3/calendars/primary", "microsoft": "/microsoft/graph/v1.0/me"}


def owner_of_calendar(probe: Probe, side: VendorSide) -> Caller:
    """Returns the person's own calendar, by the vendor's API."""
    token = probe.vendor("POST", "token", vendor=side.vendor, account=side.account)["access_token"]
    probe.witness.hide(token)
    caller = Caller(probe.place.sandbox_url + CALENDARS[side.vendor], token)
    probe.place.mount(caller.session)
    return caller


def private_titles(probe: Probe, side: VendorSide) -> str:
    """Puts a private appointment into the calendar: it blocks time, and its words are nowhere with us."""
    connected(probe, side)
    start = (timezone.now() + dt.timedelta(days=3)).replace(hour=20, minute=0, second=0, microsecond=0)
    times = {name: {"dateTime": f"{at:%Y-%m-%dT%H:%M:%SZ}"} for name, at in
             (("start", start), ("end", start + dt.timedelta(hours=1)))}  # fmt: skip
    calendar = owner_of_calendar(probe, side)
    made = calendar("POST", "/events", {"summary": PRIVATE_TITLE, "description": PRIVATE_TITLE, **times})
    sync(probe, side)
    blocked = probe.table("workspace.BlockedTime").objects.filter(starts_at=start)
    expect(blocked.exists(), "The private appointment does not block time: nothing could be looked for.")
    found = probe.holding(PRIVATE_TITLE)
    expect(not found, f"The private appointment's title is in {', '.join(sum(found.values(), []))}.")
    expect(PRIVATE_TITLE not in probe.log(), "The private appointment's title is in the log.")
    feed = probe.api(
        f"/integrations/{side.slug}/sync?since={timezone.now() - dt.timedelta(hours=1):%Y-%m-%dT%H:%M:%SZ}"
    )
    shown = [probe.page("/admin/workspace/blockedtime/"), feed.text]
    expect(not any(PRIVATE_TITLE in text for text in shown), "The private appointment's title is shown.")
    calendar("DELETE", f"/events/{made['id']}")
    return "It blocks time; its words are in no table, no log, no page and not in the change feed."


def scopes_have_reasons(probe: Probe, side: VendorSide) -> str:
    """Opens the page before the consent and the home page: each permission is named, and what it is for."""
    before = words(probe.page(f"/admin/integrations/connect/{side.slug}/"))
    asked = [scope for scope in asked_of(authorize(probe, side))["scope"].split() if "/" in scope]
    for each in ("events", "list"):
        expect(each in before.lower(), f"The page before the consent does not name the permission for {each}.")
    home = words(probe.ask("/").text)
    for each in ("e-mail address", "calendars", "visits"):
        expect(each in home, f"The home page gives no reason that speaks of {each}.")
    return f"{len(asked)} scopes beside the account's name; each named before the consent, with its reason at home."


def forged_events(probe: Probe, side: VendorSide) -> str:
    """Sends events about the account that Google has not signed: refused with 400, and nothing has changed."""
    connected(probe, side)
    before = connections(probe, side)
    account = probe.table("integrations.Connection").objects.get(pk=the_connection(probe, side)["id"]).account_id
    now = int(timezone.now().timestamp())
    claims = {
        "iss": "https://accounts.google.com/", "aud": "sandbox-client", "iat": now, "jti": "forged-1",
        "events": {"https://schemas.openid.net/secevent/risc/event-type/account-disabled": {
            "subject": {"subject_type": "iss-sub", "iss": "https://accounts.google.com/", "sub": account},
            "reason": "hijacking"}},
    }  # fmt: skip
    bodies = {
        "unsigned": _jwt({"alg": "none", "typ": "secevent+jwt"}, claims, b""),
        "forged": _jwt({"alg": "RS256", "kid": "unknown", "typ": "secevent+jwt"}, claims, b"\0" * 256),
        "shared secret": _jwt({"alg": "HS256", "typ": "secevent+jwt"}, claims, b"\0" * 32),
        "no token": "nonsense",
        "nothing": "",
    }
    for name, body in bodies.items():
        answer = probe.ask(
            f"/security-events/{side.slug}", "POST", data=body, headers={"Content-Type": "application/secevent+jwt"}
        )
        expect(answer.status_code == 400, f"An event that is {name} answered {answer.status_code}, not 400.")
        expect("err" in answer.json(), f"The refusal of an event that is {name} does not say why.")
    expect(connections(probe, side) == before, "A forged event has changed the account.")
    return f"{', '.join(bodies)}: 400 each, and the account is as it was."


def _jwt(header: dict[str, str], claims: dict[str, object], signature: bytes) -> str:
    parts = (json.dumps(header).encode(), json.dumps(claims).encode(), signature)
    return ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts)


def administrators_consent(probe: Probe, side: VendorSide) -> str:
    """Consents in an organization where only an administrator may: the page gives the link for them."""
    back = consented(probe, authorize(probe, side), "approval@outlook.test")
    answer = probe.ask(back, by=probe.owner.session)
    if answer.status_code == 302:
        answer = probe.ask(answer.headers["Location"], by=probe.owner.session)
    expect(answer.status_code == 200, f"A consent that needs an administrator answered {answer.status_code}.")
    expect("administrator" in answer.text, "The page does not say that an administrator is needed.")
    expect("/adminconsent" in answer.text, "The page gives no link with which an administrator can allow the app.")
    return "The page names the administrator and gives the link."


def no_second_consent(probe: Probe, side: VendorSide) -> str:
    """Reconnects with the same scopes: the vendor is not told to ask for consent again."""
    account = connected(probe, side)["id"]
    asked = asked_of(authorize(probe, side, account))
    prompt = asked.get("prompt", "")
    probe.witness.note("reconnecting with the same scopes", f"prompt={prompt or 'none'}")
    expect("consent" not in prompt.split(), f"prompt is {prompt}: people are asked for consent again.")
    return f"prompt={prompt or 'none'}."


def accounts_never_mix(probe: Probe, side: VendorSide, other: VendorSide) -> str:
    """Connects two accounts of one organization: each has its own tokens, and its own person's visits alone."""
    for each in (side, other):
        connected(probe, each)
        sync(probe, each)
    grants = probe.table("integrations.OAuthGrant").objects.filter(connection__integration="outlook_calendar")
    held = [(grant.access_token, grant.refresh_token) for grant in grants if grant.access_token]
    probe.witness.hide(*(token for pair in held for token in pair))
    expect(len(held) >= 2 and len(set(held)) == len(held), "The accounts share tokens.")
    for each, stranger in ((side, other), (other, side)):
        events = owner_of_calendar(probe, each)("GET", "/calendar/events?$top=100")["value"]
        titles = " ".join(event["subject"] for event in events)
        expect(f"of {each.person}" in titles, f"{each.account} does not have its person's visit.")
        expect(f"of {stranger.person}" not in titles, f"{each.account} has the other person's visit.")
    probe.witness.note("both calendars", "each with its own person's visit")
    return "Each account has its own tokens and its own person's visit."


def certificate_used(probe: Probe, side: VendorSide) -> str:
    """Renews a token as the app with a certificate: it is let in, and no more once the vendor has that taken away."""
    code, said = probe.command("doctor", "--offline")
    lines = [line.strip() for line in said.splitlines() if "certificate" in line.lower()]
    expect(lines, f"The doctor (it ended with {code}) knows of no certificate: the app has a secret alone.")
    certificate = Path(getattr(settings, "MICROSOFT_CERTIFICATE", {}).get("file", "")).read_text()

    def known(registered: bool) -> None:
        probe.vendor(
            "POST", "certificate", vendor=side.vendor, client_id="sandbox-client", certificate=certificate,
            registered=registered,
        )  # fmt: skip

    known(True)
    connected(probe, side)
    try:
        known(False)
        let_end(probe, side)
        probe.forget_calls()
        sync(probe, side)
        without = [row["status"] for row in probe.vendor_calls(side.vendor, TOKEN_CALLS)]
        expect(without and min(without) >= 400, f"Without its certificate the app is let in all the same: {without}.")
    finally:
        known(True)
    let_end(probe, side)
    expect(sync(probe, side)["status"] == "succeeded", "With its certificate the app is not let in.")
    return f"Let in with the certificate, refused without; {lines[0]}"
