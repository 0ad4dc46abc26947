"""Connecting an account through a vendor's consent and back, syncing, and ending it: what most rows begin with."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import requests

from integrations.demo.browser import forms_of
from integrations.review.probe import Probe
from integrations.review.seen import Unmet, expect

LIVE = ("active", "paused")


@dataclass(frozen=True, slots=True)
class VendorSide:
    """A provider as its vendor reviews it: `slug` in our addresses, `vendor` and `account` at the simulator, `person`
    whose calendar it is ("" for books)."""

    slug: str
    vendor: str
    label: str
    account: str
    person: str = ""


def authorize(probe: Probe, side: VendorSide, connection: str = "") -> str:
    """Presses *Connect* and returns the address at the vendor that the browser is led to."""
    path = f"/admin/integrations/connect/{side.slug}/"
    if not side.person and not connection and (known := connections(probe, side)):
        connection = known[-1]["id"]  # a company has one set of books, which is connected again
    values, renewed = ({"connection": connection}, f"?connection={connection}") if connection else ({}, "")
    response = probe.submit(path + renewed, values, action=f"connect/{side.slug}/")
    expect(response.status_code == 302, f"Pressing Connect answered {response.status_code}.")
    return response.headers["Location"]


def asked_of(location: str) -> dict[str, str]:
    """Returns the parameters of the consent's address."""
    return dict(parse_qsl(urlsplit(location).query))


def consented(probe: Probe, location: str, account: str, **choices: str) -> str:
    """Answers the vendor's page of consent, and returns the address that it sends the browser back to."""
    session = requests.Session()
    session.trust_env = False
    probe.place.mount(session)
    query = urlencode({"sandbox_auto": account, **choices})
    response = session.get(f"{location}&{query}", allow_redirects=False, timeout=60)
    expect(response.status_code in (302, 303), f"The vendor's consent answered {response.status_code}.")
    return response.headers["Location"]


def connections(probe: Probe, side: VendorSide) -> list[dict[str, Any]]:
    """Returns the integration's accounts as the API's status has them."""
    found: list[dict[str, Any]] = status(probe, side)["connections"]
    return found


def status(probe: Probe, side: VendorSide) -> dict[str, Any]:
    """Returns the API's status of the integration."""
    found: dict[str, Any] = probe.caller("GET", f"/integrations/{side.slug}/status")
    return found


def the_connection(probe: Probe, side: VendorSide) -> dict[str, Any]:
    """Returns the account that the review connects. Unmet where there is none."""
    found = [each for each in connections(probe, side) if not side.person or side.account == each["account"]]
    if not found:
        raise Unmet(f"{side.label} is not connected.")
    return found[-1]


def connected(probe: Probe, side: VendorSide) -> dict[str, Any]:
    """Returns the account, connected and synced at least once; connects it again where it has ended."""
    probe.vendor("DELETE", "faults")
    probe.vendor("POST", "throttle", vendor=side.vendor, enabled=False)
    found = [each for each in connections(probe, side) if not side.person or side.account == each["account"]]
    if any(each["state"] in LIVE for each in found):
        return the_connection(probe, side)
    connect(probe, side, found[-1]["id"] if found and found[-1]["state"] != "setup" else "")
    sync(probe, side)
    return the_connection(probe, side)


def connect(probe: Probe, side: VendorSide, connection_id: str = "") -> None:
    """Connects the account at the desk, for the first time or again."""
    back = consented(probe, authorize(probe, side, connection_id), side.account)
    response = probe.ask(back, by=probe.owner.session)
    expect(response.status_code == 302, f"The way back from {side.label}'s consent answered {response.status_code}.")
    setup = response.headers["Location"]
    page = probe.ask(setup, by=probe.owner.session)
    needed = {"member", "target"} if side.person else {"income_account"}
    if page.status_code == 200 and any(needed <= {name for name, _ in form.values} for form in forms_of(page.text)):
        member = {"member": probe.company.technicians[side.person]} if side.person else {}
        form = next(form for form in forms_of(page.text) if needed <= {name for name, _ in form.values})
        fields = [*(pair for pair in form.values if pair[0] not in member), *member.items()]
        response = probe.ask(
            setup, "POST", by=probe.owner.session, data=fields, headers={"Referer": probe.place.url + setup}
        )
        expect(response.status_code == 302, f"The set-up of {side.label} answered {response.status_code}.")
    state = the_connection(probe, side)["state"]
    expect(state in LIVE, f"{side.label} is {state} after it was connected.")


def disconnect(probe: Probe, side: VendorSide) -> None:
    """Disconnects the account at the desk."""
    path = f"/admin/integrations/connections/{the_connection(probe, side)['id']}/disconnect/"
    response = probe.submit(path)
    expect(response.status_code == 302, f"Disconnecting answered {response.status_code}.")


def sync(probe: Probe, side: VendorSide) -> dict[str, Any]:
    """Triggers a sync by the API and returns the job when it is over."""
    job_id = probe.caller("POST", f"/integrations/{side.slug}/sync", {})["job_id"]
    probe.place.finish(job_id)
    job: dict[str, Any] = probe.caller("GET", f"/integrations/jobs/{job_id}")
    return job
