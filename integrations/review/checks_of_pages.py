"""What people see: the pages for everybody, where help is asked for, what the desk offers before and after."""

import re
from email.message import Message
from html import unescape
from urllib.parse import urlsplit

from integrations.review.checks_of_answers import opened_without_login
from integrations.review.connecting import VendorSide, connected, connections, disconnect, sync, the_connection
from integrations.review.probe import Probe
from integrations.review.seen import Unmet, around, expect, words

LIMITED_USE = "Limited Use requirements"
MISSPELT = re.compile(r"\bQBO\b|\bQuick Books\b|\bQuickbooks\b|\bquickBooks\b|\bintuit inc\b")
LAUNCH = "/admin/"


def home_page(probe: Probe, side: VendorSide) -> str:
    """Opens the home page: what the product does with this vendor's data and why, links to privacy and terms."""
    page = opened_without_login(probe, "/", side.label)
    text = " ".join(words(page).split())
    expect(len(text) > 600, "The home page says next to nothing.")
    for each in ("reads", "written", "what for"):
        expect(each.rstrip("s") in text, f"The home page does not say what is {each}.")
    for target in ("/privacy", "/terms"):
        expect(f'href="{target}"' in page, f"The home page has no link to {target}.")
    probe.quote(text, side.label)
    return f"200 without a login, {len(text)} characters; names {side.label}, links to /privacy and /terms."


def privacy_policy(probe: Probe, side: VendorSide) -> str:
    """Opens the privacy policy: on the same host, linked from home and from where people connect, before they do."""
    page = opened_without_login(probe, "/privacy", side.label)
    text = words(page)
    for each in ("kept", "delete", "days"):
        expect(each in text.lower(), f"The privacy policy does not speak of what is kept or deleted ({each}).")
    before = probe.page(f"/admin/integrations/connect/{side.slug}/")
    expect('href="/privacy"' in before, "The page before the consent does not link the privacy policy.")
    expect(f'href="{LAUNCH}"' in page or "/privacy" in page, "The policy stands alone.")
    return "200 on the same host, and linked from the page before the consent."


def limited_use(probe: Probe) -> str:
    """Looks for Google's sentence on the home page and in the privacy policy."""
    for path in ("/", "/privacy"):
        page = opened_without_login(probe, path, LIMITED_USE)
        probe.quote(words(page), LIMITED_USE)
        target = "https://developers.google.com/terms/api-services-user-data-policy"
        expect(target in page, f"{path} does not link Google's policy.")
    return "The sentence and its link stand on the home page and in the privacy policy."


def terms_of_use(probe: Probe) -> str:
    """Opens the terms of use."""
    text = words(opened_without_login(probe, "/terms"))
    expect(len(" ".join(text.split())) > 400, "The terms say next to nothing.")
    return "200 without a login."


def legal_pages(probe: Probe, side: VendorSide) -> str:
    """Opens home page, privacy policy and terms."""
    return " ".join((home_page(probe, side), privacy_policy(probe, side), terms_of_use(probe)))


def disconnect_page(probe: Probe, side: VendorSide) -> str:
    """Ends the access at the vendor, opens the landing page without a login, and syncs: the card tells."""
    connected(probe, side)
    before = [each["state"] for each in connections(probe, side)]
    probe.vendor("POST", "revoke", vendor=side.vendor, account=side.account)
    page = opened_without_login(probe, f"/disconnected/{side.slug}", side.label, "What is kept", "How to connect again")
    expect(f'href="{LAUNCH}"' in page, "The landing page does not lead to where one connects again.")
    probe.quote(words(page), "What is kept")
    after = [each["state"] for each in connections(probe, side)]
    expect(before == after, f"Opening the landing page has changed the accounts from {before} to {after}.")
    sync(probe, side)
    state = the_connection(probe, side)["state"]
    expect(state == "needs_reconnect", f"The account is {state} after its end at the vendor and a sync.")
    card = probe.page("/admin/")
    expect("Reconnect" in card, "The card does not offer Reconnect.")
    connected(probe, side)
    return "200 without a login and nothing changed; the next sync noticed, the card offers Reconnect, and that worked."


def support_everywhere(probe: Probe) -> str:
    """Looks for the way to support on pages of the desk, on errors and in a mail, with the id that belongs to it."""
    contact = _contact(probe)
    pages = {
        "/admin/": probe.ask("/admin/", by=probe.owner.session),
        "a list": probe.ask("/admin/workspace/client/", by=probe.owner.session),
        "not found": probe.ask("/admin/no/such/page/", by=probe.owner.session),
        "refused": probe.ask("/admin/password/", "POST", data={"email": "x@example.com"}),
        "login": probe.ask("/admin/login/"),
    }
    for name, answer in pages.items():
        expect(f'href="{contact}' in unescape(answer.text), f"{name} ({answer.status_code}) has no way to support.")
        reference = answer.headers.get("X-Request-Id", "")
        expect(reference and reference in answer.text, f"{name} does not name its request for support.")
    probe.quote(pages["not found"].text, "Support")
    expect(probe.ask("/support").status_code == 200, "/support does not open.")
    mail = _some_mail(probe)
    body = _body(mail)
    expect(contact.removeprefix("mailto:") in body, f"The mail “{mail['Subject']}” names no support.")
    return f"{', '.join(pages)} and a mail lead to {contact} and name the request."


def _contact(probe: Probe) -> str:
    """Returns where the page of support leads to; itself where the operator has named nothing."""
    link = re.search(r'href="(mailto:[^"?]+|https?://[^"?]+)', opened_without_login(probe, "/support"))
    return link[1] if link else f"{probe.place.url}/support"


def _some_mail(probe: Probe) -> Message:
    before = len(probe.mails())
    probe.submit("/admin/password/", {"email": f"{probe.company.username}@fieldcamp.test"}, by=probe.browser())
    if mails := probe.mails_since(before):
        return mails[-1]
    raise Unmet("A forgotten password sends no mail.")


def _body(mail: Message) -> str:
    part = mail.get_payload(decode=True)
    return part.decode() if isinstance(part, bytes) else str(mail)


def connect_control(probe: Probe, side: VendorSide) -> str:
    """Looks at the first page and the account's: Connect while nothing is connected, Disconnect in its place after."""
    connected(probe, side)
    button = f"/admin/integrations/connect/{side.slug}/"
    leave = f"/connections/{the_connection(probe, side)['id']}/disconnect/"
    account = f"/admin/integrations/connection/{the_connection(probe, side)['id']}/change/"
    for path in ("/admin/", account):
        page = probe.page(path)
        expect(leave in page, f"{path} of a connected account has no Disconnect.")
        fresh = [found for found in re.findall(r'(?:href|action)="([^"]+)"', page) if found == button]
        expect(not fresh or side.person, f"{path} still offers Connect.")
    disconnect(probe, side)
    page = probe.page("/admin/")
    expect(button in page, "After disconnecting, the first page has no Connect.")
    expect(leave not in page, "After disconnecting, the first page still has Disconnect.")
    connected(probe, side)
    return (
        "Connected: Disconnect and no Connect on the first page and the account's; disconnected: the other way round."
    )


def names_in_full(probe: Probe, side: VendorSide) -> str:
    """Reads pages for everybody, the desk's and the documentation: the vendor's names in full and in the right case."""
    connected(probe, side)
    account = the_connection(probe, side)["id"]
    paths = ("/", "/privacy", "/terms", "/support", f"/disconnected/{side.slug}", "/admin/", "/api/docs",
             f"/admin/integrations/connect/{side.slug}/", f"/admin/integrations/connection/{account}/change/",
             "/admin/integrations/problem/", "/admin/integrations/syncjob/", "/api/docs/quickbooks")  # fmt: skip
    for path in paths:
        answer = probe.ask(path, by=probe.owner.session)
        text = words(answer.text)
        if found := MISSPELT.search(text):
            raise Unmet(f"{path} says “{around(text, found.group(), 40)}”.")
    return f"{len(paths)} pages have the names in full."


def launch_address(probe: Probe) -> str:
    """Opens the launch address: the login without a session, the first page after it."""
    answer = probe.ask(LAUNCH)
    target = urlsplit(answer.headers.get("Location", "")).path
    expect(answer.status_code == 302 and target == "/admin/login/", f"It answered {answer.status_code} {target}.")
    expect(probe.ask(LAUNCH, by=probe.owner.session).status_code == 200, "It does not open after signing in.")
    return "302 to the login; 200 after it."
