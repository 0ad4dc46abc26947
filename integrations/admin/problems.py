"""Open problems with the buttons that fix them. What is said about each is in `fixes`."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from django.urls import reverse
from django.utils.translation import gettext as _

from fieldcamp.desk.seat import Seat
from fieldcamp.workspace.tracking import TrackedModel
from integrations.accounts.rights import Rights
from integrations.admin.bookcards import BooksCard, books_cards, voiding
from integrations.admin.buttons import Button, reconnect_button, rights_at
from integrations.admin.conflicts import Unit, units_of
from integrations.admin.fixes import Fix, Lead, fix_of
from integrations.admin.subjects import page_of, subjects
from integrations.models import Hold, Issue
from integrations.providers import PROVIDERS

RECONNECT = ("NEEDS_RECONNECT", "NEEDS_PERMISSION")
_BROKEN = (*RECONNECT, "MISCONFIGURED", "INTERNAL_ERROR")


@dataclass(frozen=True)
class Problem:
    """An open problem as its card shows it."""

    issue: Issue
    fix: Fix
    record: TrackedModel | None = None
    record_url: str = ""
    hold: Hold | None = None
    buttons: list[Button] = field(default_factory=list)
    units: list[Unit] = field(default_factory=list)
    card: BooksCard | None = None

    @property
    def title(self) -> str:
        return self.fix.title

    @property
    def tone(self) -> str:
        if self.issue.notice:
            return "info"
        return "danger" if self.issue.code in _BROKEN else "warning"

    @property
    def place(self) -> str:
        provider = PROVIDERS.get(self.issue.integration)
        return provider.label if provider else self.issue.integration

    @property
    def record_kind(self) -> str:
        return str(type(self.record)._meta.verbose_name).capitalize() if self.record else ""

    @property
    def client(self) -> str:
        """Whose record it is, where it is not the client's own."""
        return str(getattr(self.record, "client", "") or "")

    @property
    def templates(self) -> list[str]:
        own = ["integrations/fix/match.html"] if self.card and self.card.candidates else []
        return [*own, f"integrations/fix/{self.issue.code.lower()}.html", "integrations/fix/default.html"]

    @property
    def open(self) -> bool:
        return self.issue.resolved_at is None and self.issue.ignored_at is None


def problems(issues: Sequence[Issue], seat: Seat) -> list[Problem]:
    """The issues in their order; one query for the held removals and one for each kind of record."""
    about = subjects((issue.workspace_id, issue.record_kind, issue.record_id) for issue in issues)
    held = [issue.record_id for issue in issues if issue.code == "CONFIRMATION_NEEDED"]
    holds = {hold.pk: hold for hold in Hold.objects.filter(pk__in=held, decision="").select_related("stream")}
    cards = books_cards(issues, about)
    rights = rights_at(seat)
    found = []
    for issue in issues:
        record = about.get((issue.record_kind, issue.record_id))
        url = page_of(record, seat) if record else ""
        hold = holds.get(issue.record_id)
        found.append(
            Problem(
                issue=issue,
                fix=fix_of(issue),
                record=record,
                record_url=url,
                hold=hold,
                buttons=_buttons(issue, hold, url, seat, rights, cards.get(issue.pk)),
                units=units_of(issue) if issue.code == "CONFLICT" else [],
                card=cards.get(issue.pk),
            )
        )
    return found


def _buttons(
    issue: Issue, hold: Hold | None, url: str, seat: Seat, rights: Rights, card: BooksCard | None
) -> list[Button]:
    if issue.resolved_at:
        return []
    if issue.ignored_at:
        return [_of(issue, "unignore", _("Bring it back"))] if seat.may("ignore") else []
    if issue.code in RECONNECT and issue.connection:
        allowed = rights.may_change(issue.connection)
        return [reconnect_button(issue.connection, key="fix-")] if allowed else []
    if issue.code == "CONFIRMATION_NEEDED":
        return _decisions(issue, hold) if hold and seat.may("settings") else []
    fix = fix_of(issue)
    found: list[Button] = [*card.buttons] if card and seat.may("retry") else []
    if issue.notice or not (fix.button or found):
        found += voiding(issue) if seat.may("settings") else []
        return [*found, _of(issue, "ignore", _("Got it"))] if seat.may("ignore") else []
    if issue.code == "CONFLICT" and issue.link_id:
        if seat.may("retry"):
            found += _sides(issue)
    else:
        found += _leads(issue, fix, url, seat, rights)
        if seat.may("retry") and issue.connection_id and fix.button:
            found.append(_of(issue, "retry", fix.button, tone="" if found else "primary"))
    if seat.may("ignore"):
        found.append(_of(issue, "ignore", _("Ignore until it changes")))
    return found


def _sides(issue: Issue) -> list[Button]:
    there = PROVIDERS[issue.integration].label
    return [
        _of(issue, "resolve", _("Keep FieldCamp's"), tone="primary", choice="local"),
        _of(issue, "resolve", _("Keep {place}'s").format(place=there), choice="remote"),
    ]


def _leads(issue: Issue, fix: Fix, url: str, seat: Seat, rights: Rights) -> list[Button]:
    """The button to the place where the cause is corrected, for who may correct it."""
    key = f"fix-{issue.pk}"
    if fix.leads is Lead.RECORD and url and seat.may("settings"):
        return [Button(key, fix.link, url, post=False, tone="primary")]
    if issue.connection is None or not rights.may_change(issue.connection):
        return []
    if fix.leads is Lead.MAPPING:
        place = reverse("integrations:mapping", args=[issue.connection.pk])
        return [Button(key, fix.link, place, post=False, tone="primary")]
    if fix.leads is Lead.CONNECTION:
        place = reverse("admin:integrations_connection_change", args=[issue.connection.pk])
        return [Button(key, fix.link, place, post=False, tone="primary")]
    return []


def _of(issue: Issue, verb: str, label: str, tone: str = "", **fields: str) -> Button:
    key = "-".join([verb, *fields.values(), issue.pk])
    url = reverse(f"integrations:{verb}", args=[issue.pk])
    return Button(key, label, url, tone=tone, fields=fields, swaps=True)


def _decisions(issue: Issue, hold: Hold) -> list[Button]:
    url = reverse("integrations:decide", args=[hold.pk])
    fields = {"reject": {"decision": "reject"}, "confirm": {"decision": "confirm"}}
    back = _("Put the events back") if not hold.stream.kind else _("Put them back")
    return [
        Button(f"reject-{hold.pk}", back, url, tone="primary", fields=fields["reject"], swaps=True),
        Button(f"confirm-{hold.pk}", _("Cut them loose"), url, tone="danger", fields=fields["confirm"], swaps=True),
    ]
