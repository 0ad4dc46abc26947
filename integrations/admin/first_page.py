"""How the company stands, as the first page says it: the sentence, what stands beneath it, and what moves on the open
page."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from django.core.cache import cache
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _

from fieldcamp.desk.users import DeskUser, desk_user_of
from fieldcamp.workspace.models import Workspace
from integrations.admin.buttons import Button, connect_button, pause_button, rights_at
from integrations.admin.cards import cards_of
from integrations.admin.outage_banner import VendorDown, downs_in
from integrations.models import ConnectionState
from integrations.providers import PROVIDERS
from integrations.selectors.company.findings import CompanyFinding, FindingKind
from integrations.selectors.company.state import CompanyState, company_state, in_step_of
from integrations.selectors.runs import strips_of

KEPT = 15  # seconds
_STOPS = "stops-work:{}"
_DOWN = "vendors-down:{}"
LIVE, STILL = "3s", "15s"  # how often the open page asks, while something runs and otherwise


@dataclass(frozen=True)
class StateLine:
    """A line beneath the sentence: who acts next and when, and what this person can do about it."""

    text: str
    tone: str
    buttons: list[Button] = field(default_factory=list)
    says_command: bool = False  # what whoever runs the site types
    asks_support: bool = False


def state_at(request: HttpRequest, workspace: Workspace) -> CompanyState:
    """Returns how the company stands, read once for each request: the menu and the first page say the same."""
    known: CompanyState | None = getattr(request, "_company_state", None)
    if known is None or known.workspace.pk != workspace.pk:
        known = company_state(workspace)
        request._company_state = known  # type: ignore[attr-defined]
        cache.set(_STOPS.format(workspace.pk), known.stops, KEPT)
        cache.set(_DOWN.format(workspace.pk), downs_in(known), KEPT)
    return known


def stops_at(request: HttpRequest, workspace: Workspace) -> int:
    """Returns how many things stop work, for the menu of each page: on the first page as that says, elsewhere as it was
    a few seconds ago."""
    if request.path != reverse("admin:index"):
        kept: int | None = cache.get(_STOPS.format(workspace.pk))
        if kept is not None:
            return kept
    return state_at(request, workspace).stops


def vendors_down_at(request: HttpRequest, workspace: Workspace) -> list[VendorDown]:
    """Returns which vendors do not answer, for the top of each page but the first, whose sentence says it: as it was a
    few seconds ago."""
    if request.path == reverse("admin:index"):
        return []
    kept: list[VendorDown] | None = cache.get(_DOWN.format(workspace.pk))
    return downs_in(state_at(request, workspace)) if kept is None else kept


def lines_of(state: CompanyState, desk_user: DeskUser) -> list[StateLine]:
    """Returns the lines of the clauses that the sentence shows, and of the others behind them."""
    found: list[StateLine] = []
    for clause in state.clauses:
        if clause.kind is FindingKind.NEEDS_YOU:
            found.append(StateLine(clause.details[0], clause.tone))
            continue
        found += [_line(finding, desk_user) for finding in clause.findings]
    return [line for line in found if line.text]


def _line(finding: CompanyFinding, desk_user: DeskUser) -> StateLine:
    stopped = finding.kind is FindingKind.NOBODY_WORKS
    runs_site = desk_user.is_operator or desk_user.is_superuser
    return StateLine(
        finding.detail,
        finding.tone,
        [*_buttons(finding, desk_user)],
        says_command=stopped and runs_site,
        asks_support=stopped and not runs_site,
    )


def _buttons(finding: CompanyFinding, desk_user: DeskUser) -> Iterable[Button]:
    rights = rights_at(desk_user)
    key = f"state-{finding.kind}-{finding.integration or 'all'}"
    if finding.kind is FindingKind.NOT_CONNECTED:
        for provider in PROVIDERS.values():
            if rights.may_connect_to(provider.name):
                label = _("Connect {place}").format(place=provider.label)
                yield Button(f"first-{provider.slug}", label, connect_button(provider.slug).url, post=False)
    elif finding.kind is FindingKind.VENDOR_DOWN:
        if desk_user.may("sync"):
            yield Button(key, finding.label, finding.url, fields={"mode": "incremental"})
        if page := PROVIDERS[finding.integration].status_page:
            label = _("Status page of {vendor}").format(vendor=PROVIDERS[finding.integration].disclosure.vendor)
            yield Button(f"{key}-page", label, page, post=False)
    elif finding.kind is FindingKind.SETUP:
        for account in finding.connections[:3]:
            if rights.may_change(account):
                url = reverse("integrations:setup", args=[account.pk])
                yield Button(f"{key}-{account.pk}", finding.label, url, post=False, about=account.account_name)
    elif finding.kind is FindingKind.PAUSED:
        account = finding.connections[0]
        if rights.may_change(account) and account.state == ConnectionState.PAUSED:
            yield pause_button(account).plain().keyed(f"{key}-{account.pk}")
    elif finding.url.startswith("/") and finding.label:
        about = ", ".join(account.account_name for account in finding.connections[:1])
        one = finding.connections[0].pk if len(finding.connections) == 1 else ""
        yield Button(f"{key}{'-' if one else ''}{one}", finding.label, finding.url, post=False, about=about)


def first_page(request: HttpRequest, seen: dict[str, str] | None = None) -> dict[str, Any]:
    """Returns what the first page shows of the company's state, read once for all of it. `seen`: what the open page
    shows already, by digests, so that only what has changed is sent."""
    desk_user = desk_user_of(request)
    if desk_user.workspace is None:
        return {"state": None, "cards": []}
    state = state_at(request, desk_user.workspace)
    digests = {
        "said": _digest(state.said + state.word),
        "needs": _digest(",".join(pk for finding in state.findings for pk in finding.problem_ids), state.needs),
        "runs": _digest(*(one.last_job.pk for one in state.standings if one.last_job), state.now.date()),
    }
    seen = seen or {}
    changed = {name: seen.get(name) != digest for name, digest in digests.items()}
    live = any(one.live_job for one in state.standings)
    return {
        "state": state,
        "lines": lines_of(state, desk_user),
        "agree": in_step_of(state) if state.calm else "",
        "cards": cards_of(state, desk_user),
        "queue": state.facts.queue,
        "strips": strips_of(desk_user.workspace, state.facts.accounts, state.now) if changed["runs"] else [],
        "digests": digests,
        "changed": changed,
        "every": LIVE if live else STILL,
    }


def _digest(*parts: object) -> str:
    return hashlib.sha256("\n".join(map(str, parts)).encode()).hexdigest()[:12]
