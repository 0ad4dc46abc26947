"""What an operator asks when something is odd, and before the first company connects: is everything as it must be?

Each examination returns what it has found, and how to mend it. Nothing is changed here and at the vendors.
"""

from collections.abc import Callable, Iterator
from functools import partial

from integrations.services.doctor.accounts import app_troubles, outages, short_grants, stalled, unreadable_tokens
from integrations.services.doctor.announced import announced, apps_that_end
from integrations.services.doctor.findings import Finding, Weight, examined
from integrations.services.doctor.machine import (
    audit_trail,
    database,
    mail,
    queue,
    settings_checks,
    site_address,
    workers,
)
from integrations.services.doctor.vendors import examine_vendors
from integrations.services.doctor.webhooks import webhooks

__all__ = ["Finding", "Weight", "announced", "examine"]

Examination = Callable[[], Iterator[Finding]]
_HERE: tuple[tuple[str, Examination], ...] = (
    ("Settings", settings_checks),
    ("Site address", site_address),
    ("Queue", queue),
    ("Workers", workers),
    ("Audit trail", audit_trail),
    ("Stored tokens", unreadable_tokens),
    ("Accounts", short_grants),
    ("Accounts", app_troubles),
    ("Accounts", outages),
    ("Accounts", stalled),
    ("Webhooks", webhooks),
    ("Announcements", announced),
    ("Apps at the vendors", apps_that_end),
)


def examine(*, offline: bool = False) -> Iterator[Finding]:
    """Yields everything that was looked at, as it is found. `offline` leaves out what needs the network."""
    reached = [*examined("Database", database)]
    yield from reached
    for about, examination in _HERE:
        if about in ("Settings", "Site address", "Queue") or reached[0].weight is not Weight.WRONG:
            yield from examined(about, examination)
    yield from examined("Mail", partial(mail, offline=offline))
    yield from examine_vendors(offline=offline)
