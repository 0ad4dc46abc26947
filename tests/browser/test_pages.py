"""Every page of the desk: for everybody's eyes, ears and fingers, and on a phone."""

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.utils import timezone
from playwright.sync_api import expect

from fieldcamp.api.services import create_key
from fieldcamp.workspace.models import Invoice, Visit
from integrations.models import Connection, Link, Problem, SyncJob
from tests.browser.person import Person
from tests.integrations import build

pytestmark = [pytest.mark.browser, pytest.mark.once]


@pytest.fixture
def pages(connected, vendors) -> list[str]:
    """The addresses of all kinds of pages, with something on each of them."""
    connection, job, visit = Connection.objects.get(), SyncJob.objects.get(), Visit.objects.all()[0]
    Visit.objects.filter(pk=visit.pk).update(notes="n" * 200)
    problem = Problem.objects.create(
        workspace=visit.workspace,
        integration=connection.integration,
        connection=connection,
        code="RECORD_REJECTED",
        record_kind="visit",
        record_id=visit.pk,
        message="Google Calendar does not accept this event as it is.",
        detail="d" * 200,
        occurred_at=timezone.now(),
    )
    link = Link.objects.get(record_id=visit.pk)
    lines = [{"description": "Copper pipe", "quantity": "2", "unit_price": "4.50", "amount": "9.00"}] * 3
    for kind, here, there in (
        ("visit", {"start": "2026-11-24T14:00:00Z"}, {"start": "2026-11-24T18:00:00Z"}),
        ("invoice", {"lines": lines, "memo": "m" * 90}, {"lines": lines[:1], "memo": ""}),
    ):
        Problem.objects.create(
            workspace=visit.workspace, integration=connection.integration, connection=connection, link=link,
            code="CONFLICT", record_kind=kind, record_id=visit.pk, message="Choose.", occurred_at=timezone.now(),
            data={"local": here, "remote": there},
        )  # fmt: skip
    key, _ = create_key(workspace=visit.workspace, name="Zapier")
    at = "/admin/integrations"
    return [
        "/admin/",
        f"{at}/connection/",
        f"{at}/connection/{connection.pk}/change/",
        f"{at}/connections/{connection.pk}/setup/",
        f"{at}/connections/{connection.pk}/preview/",
        f"{at}/connections/{connection.pk}/disconnect/",
        f"{at}/connections/{connection.pk}/settings/",
        f"{at}/settings/google-calendar/",
        f"{at}/conflicts/",
        f"{at}/connect/google-calendar/",
        f"{at}/syncjob/",
        f"{at}/syncjob/{job.pk}/change/",
        f"{at}/problem/",
        f"{at}/problem/{problem.pk}/change/",
        "/admin/workspace/visit/",
        "/admin/workspace/visit/add/",
        f"/admin/workspace/visit/{visit.pk}/change/",
        f"/admin/workspace/visit/{visit.pk}/delete/",
        f"/admin/workspace/client/{visit.client_id}/change/",
        f"{at}/erase/client/{visit.client_id}/",
        f"/admin/workspace/member/{connection.member_id}/change/",
        f"/admin/workspace/member/{connection.member_id}/revoke/",
        "/admin/workspace/member/",
        "/admin/workspace/blockedtime/",
        "/admin/workspace/workspace/",
        "/admin/api/apikey/",
        "/admin/api/apikey/add/",
        f"/admin/api/apikey/{key.pk}/change/",
        f"{at}/find/?q=da",
        "/privacy",
        "/disconnected/quickbooks",
        "/support",
        "/admin/password/",
        "/admin/password/x/y/",
        "/admin/security/",
        "/admin/security/app/",
        "/admin/security/passkey/",
        "/admin/security/confirm/?next=/admin/",
    ]


EVERYTHING: dict[str, Any] = {"rules": {"target-size": {"enabled": True}}}
COLOURS = {"runOnly": ["color-contrast"]}  # in the dark the rest is the same; each kind of page is among every second


WIDE, NARROW = {"width": 1440, "height": 900}, {"width": 360, "height": 800}
OTHER_WIDTH = 16  # so many pages, each of another kind, are looked at in both widths


@pytest.mark.parametrize(("scheme", "rules"), [("light", EVERYTHING), ("dark", COLOURS)])
def test_no_serious_finding_of_axe(open_page, google, pages, scheme, rules):
    person = Person(open_page(color_scheme=scheme), google)
    person.page.goto("/admin/login/")
    findings = _serious(person, rules)
    person.sign_in()
    for number, address in enumerate(pages if rules is EVERYTHING else pages[::2]):
        person.page.set_viewport_size(WIDE if number % 2 else NARROW)
        answer = person.page.goto(address)
        assert answer.status == 200, address
        findings += _serious(person, rules)
        if rules is EVERYTHING and number < OTHER_WIDTH:
            person.page.set_viewport_size(NARROW if number % 2 else WIDE)
            findings += _serious(person, rules)
    assert not findings, "\n".join(findings)


def _serious(person: Person, rules: dict[str, Any]) -> list[str]:
    # What the bar with Save lies over can be scrolled from under it.
    person.page.evaluate("for (const bar of document.querySelectorAll('.fc-submit')) bar.style.position = 'static'")
    found = Axe().run(person.page, options=rules).response["violations"]
    return [
        f"{person.page.url}: {each['id']}: {each['nodes'][0]['html'][:200]}"
        for each in found
        if each["impact"] in ("serious", "critical")
    ]


# What ends right of the edge, also where it could be scrolled to; text that is set in fixed width may scroll.
OUTSIDE = """() => {
  const edge = document.documentElement.clientWidth + 1, found = [];
  if (document.documentElement.scrollWidth > edge) found.push("the page");
  const left = "table[data-lines] > thead, pre, code, " +
    ".fc-hidden, .fc-skip, [inert], [aria-hidden=true], .select2-hidden-accessible";
  for (const one of document.querySelectorAll("td, th, button, a, input, select, textarea, summary, h1, h2, h3, p")) {
    const box = one.getBoundingClientRect();
    if (!box.width || !box.height || !one.checkVisibility() || one.closest(left)) continue;
    if (box.right > edge || box.left < -1) found.push(one.outerHTML.slice(0, 120));
  }
  return found;
}"""
# What reacts to a click and is no stop of the Tab key, or a stop without role or name.
UNREACHABLE = """() => {
  const found = [];
  const own = "a[href], button, input, select, textarea, summary, [role=button], [role=link], [role=option]";
  const clicked = "[onclick], [x-on\\\\:click], [\\\\@click], [hx-get], [hx-post], [tabindex='0']";
  for (const one of document.querySelectorAll(`${own}, ${clicked}`)) {
    if (!one.checkVisibility() || one.type === "hidden" || one.disabled || one.closest("[aria-hidden=true]")) continue;
    if (one.matches("form")) continue; // its button is the stop
    if (one.matches("[hx-get], [hx-post]") && /every|load|from:/.test(one.getAttribute("hx-trigger") ?? "")) continue;
    const stop = one.tabIndex >= 0, known = one.matches(`${own}, [role]`);
    const labels = [...(one.labels ?? [])].map((label) => label.textContent).join("");
    const by = one.getAttribute("aria-labelledby");
    const words = one.getAttribute("aria-label") || (by && document.getElementById(by.split(" ")[0])?.textContent)
      || labels || one.title || one.placeholder || one.value || one.querySelector("img")?.alt;
    const shown = [...one.childNodes].map((node) => node.ariaHidden === "true" ? "" : node.textContent).join("").trim();
    if (!stop || !known || !(words || shown)) found.push(`${stop} ${known} ${one.outerHTML.slice(0, 160)}`);
  }
  return found;
}"""
LANDMARKS = """() => {
  const icons = [...document.querySelectorAll(".material-symbols-outlined")];
  const read = icons.filter((one) => !one.closest("[aria-hidden=true]"));
  return [document.querySelectorAll("main").length, read.map((icon) => icon.outerHTML.slice(0, 120))];
}"""


def test_all_is_on_the_page_and_within_reach(person, pages):
    wrong: list[Any] = []
    for address in pages:
        person.page.set_viewport_size(NARROW)
        person.page.goto(address)
        wrong += [(address, 360, one) for one in person.page.evaluate(OUTSIDE)]
        wrong += [(address, "reach", one) for one in person.page.evaluate(UNREACHABLE)]
        mains, icons = person.page.evaluate(LANDMARKS)
        wrong += [(address, "icon", icon) for icon in icons]
        if mains != 1:
            wrong.append((address, "mains", mains))
        person.page.evaluate("document.activeElement.blur()")
        person.page.keyboard.press("Tab")
        if not address.endswith(("?next=/admin/", "/add/")):  # their first field has the focus from the start
            skip = person.page.evaluate("document.activeElement.getAttribute('href')")
            if not (skip or "").startswith("#"):
                wrong.append(
                    (address, "first stop", person.page.evaluate("document.activeElement.outerHTML.slice(0, 100)"))
                )
        person.page.set_viewport_size({"width": 320, "height": 700})
        if address != "/admin/workspace/workspace/":  # its form is wider: the zone and its button
            wrong += [(address, 320, one) for one in person.page.evaluate(OUTSIDE)]
        person.page.set_viewport_size({"width": 1280, "height": 800})
        wrong += [(address, "reach", one) for one in person.page.evaluate(UNREACHABLE)]
        wrong += [(address, "wide", one) for one in person.page.evaluate(OUTSIDE) if one == "the page"]
    assert not wrong, "\n".join(str(one) for one in wrong)


def test_the_lines_of_an_invoice_name_their_fields(person, make_client):
    client = make_client()
    invoice = Invoice.objects.create(workspace=client.workspace, client=client, number="A-1", date="2026-11-24")
    person.page.goto(f"/admin/workspace/invoice/{invoice.pk}/change/")
    expect(person.page.locator("textarea[aria-label=Description]").first).to_be_attached()
    assert _serious(person, {}) == []


def test_a_long_name_pushes_nothing_aside(person, make_client):
    client = make_client(first_name="", display_name="Freeman Sporting Goods of Upper Middlefield: 55 Twin Lane")
    invoice = Invoice.objects.create(workspace=client.workspace, client=client, number="A-1", date="2026-11-24")
    person.page.goto(f"/admin/workspace/invoice/{invoice.pk}/change/")
    for width in (1280, 360):
        person.page.set_viewport_size({"width": width, "height": 800})
        client_box, number = (person.page.locator(f".field-{name}").bounding_box() for name in ("client", "number"))
        box = person.page.locator(".field-client .select2-container").bounding_box()
        assert box["x"] + box["width"] <= client_box["x"] + client_box["width"] <= width
        assert number["x"] + number["width"] <= width


def test_twelve_accounts_fit_on_a_screen_and_beneath_each_other_on_a_phone(person, connected):
    for _ in range(11):
        build.connection(connected.workspace, last_synced_at=timezone.now())
    person.page.set_viewport_size({"width": 1440, "height": 900})
    person.page.goto("/admin/")
    rows = person.card.locator("tr.fc-row")
    expect(rows).to_have_count(12)
    first, last = rows.first.bounding_box(), rows.last.bounding_box()
    assert last["y"] + last["height"] - first["y"] < 600
    person.page.set_viewport_size({"width": 360, "height": 800})
    for cell in rows.first.locator("th, td").all():
        box = cell.bounding_box()
        assert box is None or box["x"] + box["width"] <= 360
