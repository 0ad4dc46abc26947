"""What vendors have announced, held against this installation; and what ends by itself: an app's secret, an app that
nobody uses."""

import datetime as dt
from collections.abc import Iterator

from django.conf import settings
from django.utils import timezone

from integrations.models import Connection
from integrations.providers import PROVIDERS
from integrations.providers.base import Provider
from integrations.providers.changes import Concerns, VendorChange
from integrations.providers.oauth import OAuth
from integrations.services.doctor.findings import Finding, Weight

AHEAD = dt.timedelta(days=90)  # so long before its day a change that asks for something is told of
UNREAD = dt.timedelta(days=90)  # pages that nobody has read for so long may say something else by now
IDLE_AHEAD = dt.timedelta(days=30)


def announced(*, whole: bool = False) -> Iterator[Finding]:
    """Yields what is to be done before a vendor's change, and which of their pages have not been read for long;
    `whole`: every row of the table, with its day and what it means here."""
    today = timezone.now().date()
    for provider in PROVIDERS.values():
        for change in sorted(provider.changes, key=lambda change: change.on):
            touched = _touched(provider, change.concerns)
            coming = today <= change.on <= today + AHEAD
            if whole or (coming and touched):
                yield _row(provider, change, touched, Weight.NOTE if coming and touched else Weight.FINE)
        unread = sorted({change.page for change in provider.changes if change.read < today - UNREAD})
        if unread:
            yield Finding(
                Weight.NOTE,
                provider.label,
                f"Nobody has looked for {UNREAD.days} days whether its announcements have changed.",
                f"Update FieldCamp; until then read {', '.join(unread)}",
            )


def _row(provider: Provider, change: VendorChange, touched: str, weight: Weight) -> Finding:
    concerned = f"This concerns you: {touched}." if touched else "Nothing to do here."
    return Finding(
        weight,
        provider.label,
        f"{change.on:%-d %B %Y}: {change.what} {change.here} {concerned}",
        f"{change.todo if touched else ''} {change.page}".strip(),
    )


def _touched(provider: Provider, concerns: Concerns) -> str:
    """Returns what of this installation the change is about; "" for nothing."""
    if concerns is Concerns.ACCOUNTS:
        accounts = Connection.objects.connected().filter(integration=provider.name).count()
        return f"connected accounts: {accounts}" if accounts else ""
    oauth = provider.authentication
    if concerns is Concerns.APP and isinstance(oauth, OAuth) and oauth.client["client_id"]:
        return "an app is set"
    return ""


def apps_that_end() -> Iterator[Finding]:
    """Finds secrets that end soon, by the day that the settings name, and apps that nobody has used for long."""
    today = timezone.now().date()
    for provider in PROVIDERS.values():
        oauth = provider.authentication
        if isinstance(oauth, OAuth) and oauth.client["client_id"] and not settings.SANDBOX_URL:
            yield from _secret(provider, oauth, today)
            yield from _idle(provider, oauth, today)


def _secret(provider: Provider, oauth: OAuth, today: dt.date) -> Iterator[Finding]:
    name, named = f"{oauth.app}_CLIENT_SECRET_ENDS", oauth.secret_ends
    renew = f"Make a new secret beside it, set {oauth.app}_CLIENT_SECRET and {name}, restart, delete the old one."
    if not named:
        if oauth.secret_months:
            yield Finding(
                Weight.NOTE,
                provider.label,
                f"The app's secret ends {oauth.secret_months} months after it was made at the latest, and nobody has "
                "said when.",
                f"Set {name} to the day that the vendor shows beside the secret, as 2027-05-31.",
            )
        return
    ends = dt.date.fromisoformat(named)
    if ends < today:
        yield Finding(Weight.WRONG, provider.label, f"The app's secret has ended on {ends:%-d %B %Y}.", renew)
    elif ends <= today + AHEAD:
        yield Finding(Weight.NOTE, provider.label, f"The app's secret ends on {ends:%-d %B %Y}.", renew)
    else:
        yield Finding(Weight.FINE, provider.label, f"The app's secret lasts until {ends:%-d %B %Y}.")


def _idle(provider: Provider, oauth: OAuth, today: dt.date) -> Iterator[Finding]:
    """Apps that their vendor deletes when no token was asked for by them for some months."""
    if not oauth.idle_days:
        return
    accounts = Connection.objects.filter(integration=provider.name)
    moments = accounts.values_list("grant__refreshed_at", "grant__granted_at", "last_synced_at", "connected_at")
    used = max((moment for row in moments for moment in row if moment), default=None)
    if used and used.date() + dt.timedelta(days=oauth.idle_days) - IDLE_AHEAD <= today:
        yield Finding(
            Weight.NOTE,
            provider.label,
            f"Nobody has used the app since {used:%-d %B %Y}; {oauth.vendor} deletes apps that are not used for "
            f"{oauth.idle_days // 30} months.",
            "Connect an account and sync it, or make a new app when it is needed.",
        )
