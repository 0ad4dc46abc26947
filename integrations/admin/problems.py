"""Open problems with the buttons that fix them: one template for each code below `integrations/fix/`."""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.urls import reverse
from django.utils import timezone

from fieldcamp.desk.seat import Seat
from fieldcamp.workspace.models import Visit
from integrations.admin.buttons import Button, reconnect_button, rights_at
from integrations.models import Hold, Issue
from integrations.providers import PROVIDERS
from integrations.records import is_day, parse_instant
from integrations.services.rights import Rights

RECONNECT = ("NEEDS_RECONNECT", "NEEDS_PERMISSION")
_FIELDS = {"start": "Start", "end": "End", "title": "Title", "text": "Notes", "place": "Address"}
TITLES = {
    "NEEDS_RECONNECT": "Reconnect this account",
    "NEEDS_PERMISSION": "A permission is missing",
    "MISCONFIGURED": "For the operator",
    "CONFIRMATION_NEEDED": "Confirm removals",
    "CONFLICT": "Changed on both sides",
    "RECORD_REJECTED": "A record was refused",
    "AMOUNT_VARIANCE": "The totals differ",
    "FULL_SYNC_FORCED": "Everything was read again",
    "INTERNAL_ERROR": "Something went wrong on our side",
    "RATE_LIMITED": "The provider asks us to wait",
    "PROVIDER_UNAVAILABLE": "The provider does not answer",
    "EVENT_REMOVED": "An event was removed",
}


@dataclass(frozen=True)
class Side:
    """One field of a conflict, on either side."""

    label: str
    local: str
    remote: str


@dataclass(frozen=True)
class Problem:
    """An open problem as its card shows it."""

    issue: Issue
    record: Visit | None = None
    hold: Hold | None = None
    buttons: list[Button] = field(default_factory=list)
    sides: list[Side] = field(default_factory=list)

    @property
    def title(self) -> str:
        return TITLES.get(self.issue.code, self.issue.code.replace("_", " ").capitalize())

    @property
    def tone(self) -> str:
        if self.issue.notice:
            return "info"
        return "danger" if self.issue.code in (*RECONNECT, "MISCONFIGURED", "INTERNAL_ERROR") else "warning"

    @property
    def place(self) -> str:
        provider = PROVIDERS.get(self.issue.integration)
        return provider.label if provider else self.issue.integration

    @property
    def templates(self) -> list[str]:
        return [f"integrations/fix/{self.issue.code.lower()}.html", "integrations/fix/default.html"]

    @property
    def record_url(self) -> str:
        return reverse("admin:workspace_visit_change", args=[self.record.pk]) if self.record else ""


def problems(issues: Sequence[Issue], seat: Seat) -> list[Problem]:
    """The issues in their order; two further queries, however many there are."""
    visits = _visits(issues)
    holds = {
        hold.pk: hold
        for hold in Hold.objects.filter(
            pk__in=[issue.record_id for issue in issues if issue.code == "CONFIRMATION_NEEDED"], decision=""
        )
    }
    rights = rights_at(seat)
    return [
        Problem(
            issue=issue,
            record=visits.get(issue.record_id),
            hold=holds.get(issue.record_id),
            buttons=_buttons(issue, holds.get(issue.record_id), seat, rights),
            sides=_sides(issue) if issue.code == "CONFLICT" else [],
        )
        for issue in issues
    ]


def _visits(issues: Iterable[Issue]) -> dict[str, Visit]:
    ids = {(issue.workspace_id, issue.record_id) for issue in issues if issue.record_kind == "visit"}
    found = Visit.objects.select_related("client").filter(pk__in=[record_id for _, record_id in ids])
    return {visit.pk: visit for visit in found if (visit.workspace_id, visit.pk) in ids}


def _buttons(issue: Issue, hold: Hold | None, seat: Seat, rights: Rights) -> list[Button]:
    if issue.resolved_at:
        return []
    if issue.ignored_at:
        return [_of(issue, "unignore", "Bring it back")] if seat.may("ignore") else []
    if issue.code in RECONNECT and issue.connection:
        allowed = rights.may_change(issue.connection)
        return [reconnect_button(issue.connection, key="fix-")] if allowed else []
    if issue.code == "CONFIRMATION_NEEDED":
        return _decisions(hold) if hold and seat.may("settings") else []
    found: list[Button] = []
    if issue.code == "CONFLICT" and issue.link_id and seat.may("retry"):
        place = PROVIDERS[issue.integration].label
        found.append(_of(issue, "resolve", "Keep FieldCamp's", tone="primary", choice="local"))
        found.append(_of(issue, "resolve", f"Keep {place}'s", choice="remote"))
    elif issue.notice or issue.code == "FULL_SYNC_FORCED":
        return [_of(issue, "ignore", "Got it")] if seat.may("ignore") else []
    elif seat.may("retry") and issue.connection_id:
        found.append(_of(issue, "retry", "Try again", tone="primary"))
    if seat.may("ignore"):
        found.append(_of(issue, "ignore", "Ignore"))
    return found


def _of(issue: Issue, verb: str, label: str, tone: str = "", **fields: str) -> Button:
    key = "-".join([verb, *fields.values(), issue.pk])
    return Button(key, label, reverse(f"integrations:{verb}", args=[issue.pk]), tone=tone, fields=fields)


def _decisions(hold: Hold) -> list[Button]:
    url = reverse("integrations:decide", args=[hold.pk])
    return [
        Button(f"reject-{hold.pk}", "Put the events back", url, tone="primary", fields={"decision": "reject"}),
        Button(f"confirm-{hold.pk}", "Cut them loose", url, tone="danger", fields={"decision": "confirm"}),
    ]


def _sides(issue: Issue) -> list[Side]:
    """The fields in which both sides differ."""
    local, remote = issue.data.get("local") or {}, issue.data.get("remote") or {}
    return [
        Side(label, _shown(local.get(name)), _shown(remote.get(name)))
        for name, label in _FIELDS.items()
        if local.get(name) != remote.get(name)
    ]


def _shown(value: Any) -> str:
    if not isinstance(value, str) or not value:
        return "–"
    try:
        moment: dt.datetime = parse_instant(value)
    except ValueError:
        return value
    return value if is_day(value) else f"{timezone.localtime(moment):%a %-d %b, %H:%M}"
