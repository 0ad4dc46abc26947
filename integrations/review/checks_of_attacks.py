"""What somebody with bad intentions tries: forged forms, scripts in names, others' records, foreign redirects."""

import re
from urllib.parse import quote, urlsplit

from integrations.demo.browser import form_with
from integrations.review.company import FORMULA, QUOTES, SCRIPT
from integrations.review.connecting import VendorSide, authorize, connected, connections, consented
from integrations.review.probe import Probe
from integrations.review.seen import expect

FOREIGN = ("https://evil.example/", "//evil.example/", "/\\evil.example/", "javascript:alert(1)")


def forged_forms(probe: Probe) -> str:
    """Sends forms without their token, and from another site."""
    for path in ("/admin/login/", "/admin/password/", "/admin/integrations/sync/quickbooks/", "/admin/logout/"):
        answer = probe.ask(path, "POST", by=probe.owner.session, data={"next": "/admin/"})
        expect(answer.status_code == 403, f"{path} took a form without its token ({answer.status_code}).")
    headers = {"Origin": "https://evil.example", "Referer": "https://evil.example/"}
    answer = probe.ask("/admin/logout/", "POST", by=probe.owner.session, headers=headers)
    expect(answer.status_code == 403, "A form from another site is taken.")
    return "Forms that lack their token get 403."


def scripts_in_names(probe: Probe) -> str:
    """Looks at pages with a client whose name is a script, and sends one in a query."""
    raw, safe = SCRIPT, "&lt;svg onload=alert(77)&gt;"
    clients = probe.page("/admin/workspace/client/")
    expect(safe in clients, "The client with a script for a name is not on the page: nothing could be looked for.")
    sought = quote("<script>alert(78)</script>")
    pages = [clients, *(probe.page(path) for path in ("/admin/", "/admin/workspace/invoice/"))]
    for path in (f"/admin/workspace/client/?q={sought}", f"/admin/login/?next={sought}", f"/no/such/{sought}"):
        pages.append(probe.ask(path, by=probe.owner.session).text)
    expect(not any(raw in page or "<script>alert(78)" in page for page in pages), "A script in a name or query runs.")
    policy = probe.ask("/admin/", by=probe.owner.session).headers.get("Content-Security-Policy", "")
    script = re.search(r"(?:script-src|default-src)([^;]*)", policy)
    expect(script and "'unsafe-inline'" not in script[1], f"The policy allows inline scripts: {policy or 'none'}.")
    return "Scripts in names and queries are shown as text, and the policy allows none in a page."


def injections(probe: Probe) -> str:
    """Searches for what would end an SQL statement, and looks for formulas in a table that can be downloaded."""
    for path in (f"/clients?search={quote(QUOTES)}", f"/visits?clientId={quote(QUOTES)}"):
        answer = probe.api(path)
        expect(answer.status_code < 500, f"{path} answered {answer.status_code}.")
    answer = probe.api(f"/clients?search={quote('Robert')}")
    expect(QUOTES in answer.text, "The client with quotes in the name cannot be found.")
    made = probe.api("/api-keys", "POST", json={"name": FORMULA, "scopes": ["visits:read"]})
    probe.leave_out()
    expect(made.status_code == 201, f"A key with a formula for a name answered {made.status_code}.")
    table = probe.ask("/admin/workspace/auditentry/export/", by=probe.owner.session)
    expect(
        "HYPERLINK" in table.text, "The name that begins a formula is not in the table: nothing could be looked for."
    )
    expect(not re.search(r'(?m)(^|,)"?=HYPERLINK', table.text), "A cell of the downloaded table begins a formula.")
    return "Quotes in searches are text; cells of tables begin no formula."


def foreign_records(probe: Probe) -> str:
    """Asks for records as another company, with a key that may not, and without one; for pages without a login."""
    client = f"/clients/{probe.company.client_id}"
    wanted = {probe.company.other_key: 404, probe.company.reading_key: 403, "": 401}
    for key, status in wanted.items():
        answer = probe.api(client, key=key)
        expect(
            answer.status_code == status, f"A client of another company answered {answer.status_code}, not {status}."
        )
    listed = probe.api("/clients", key=probe.company.other_key)
    expect(probe.company.client_id not in listed.text, "Another company's list has the client.")
    for path in ("/admin/", "/admin/workspace/client/", "/admin/workspace/auditentry/export/"):
        answer = probe.ask(path)
        expect(answer.status_code == 302 and "/login/" in answer.headers["Location"], f"{path} opens without a login.")
    return "Another company's records get 404, a key that lacks the scope 403, no key 401; pages lead to the login."


def foreign_redirects(probe: Probe) -> str:
    """Signs in with an address of another site to be led to."""
    for target in FOREIGN:
        browser = probe.browser()
        page = probe.ask(f"/admin/login/?next={quote(target, safe='')}", by=browser.session)
        form = form_with(page.text, "username", "password")
        values = dict(form.values) | {"username": probe.company.username, "password": probe.company.password}
        answer = probe.ask(
            "/admin/login/", "POST", by=browser.session, data=values | {"next": target},
            headers={"Referer": f"{probe.place.url}/admin/login/"},
        )  # fmt: skip
        led = urlsplit(answer.headers.get("Location", ""))
        expect(answer.status_code == 302, f"Signing in answered {answer.status_code}.")
        expect(not led.netloc and led.scheme in ("", "https"), f"next={target} leads to another site.")
        expect("evil" not in answer.headers["Location"], f"next={target} is followed.")
    return "Addresses of other sites are not followed after signing in."


def forged_consent(probe: Probe, side: VendorSide) -> str:
    """Brings a consent of somebody else's browser, and one with a state that was never given out."""
    connected(probe, side)
    before = connections(probe, side)
    stranger = probe.browser()
    back = consented(probe, authorize(probe, side), side.account)
    for browser, address in (
        (stranger, back),
        (probe.owner, f"/accounts/{side.slug}/login/callback/?code=abc&state=never-given"),
    ):
        probe.ask(address, by=browser.session)
    expect(connections(probe, side) == before, "A consent of another browser has changed the accounts.")
    return "A consent with a foreign or forged state changes nothing."
