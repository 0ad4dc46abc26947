"""What stands at the top of the desk's pages while a vendor does not answer."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from django.utils.translation import gettext as _

from fieldcamp import formats
from fieldcamp.desk.templatetags.desk import span
from integrations.providers import PROVIDERS
from integrations.selectors.company.findings import FindingKind
from integrations.selectors.company.state import CompanyState


@dataclass(frozen=True)
class VendorDown:
    """A vendor that does not answer, since when, and when it is tried again; facts, which are worded when shown."""

    integration: str
    since: dt.datetime
    next_at: dt.datetime | None


@dataclass(frozen=True)
class DownLine:
    """A line of the banner; `page` is where the vendor says whether it works."""

    text: str
    page: str
    vendor: str


def downs_in(state: CompanyState) -> list[VendorDown]:
    """Returns the vendors of whom the company's state says that they do not answer."""
    return [
        VendorDown(finding.integration, finding.since, finding.next_at)
        for finding in state.findings
        if finding.kind is FindingKind.VENDOR_DOWN and finding.since is not None
    ]


def lines_of_downs(downs: Iterable[VendorDown], now: dt.datetime) -> list[DownLine]:
    """Returns what is said of each: for how long, when it is tried again, and that nothing is lost."""
    lines = []
    for down in downs:
        provider = PROVIDERS[down.integration]
        said = _("{vendor} has not answered for {length}.").format(vendor=provider.label, length=span(now - down.since))
        if down.next_at is None:
            then = _("FieldCamp tries again with the next sync that somebody starts; nothing is lost.")
        elif down.next_at <= now:
            then = _("FieldCamp tries again in a moment; nothing is lost.")
        else:
            then = _("FieldCamp tries again at {time}; nothing is lost.").format(time=formats.clock(down.next_at))
        lines.append(DownLine(f"{said} {then}", provider.status_page, provider.disclosure.vendor))
    return lines
