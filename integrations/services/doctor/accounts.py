"""What the accounts tell of this installation: keys that are missing, apps that let people in for days only."""

import datetime as dt
from collections.abc import Collection, Iterator, Sequence
from typing import Any

from django.conf import settings
from django.db.models import Count, F, Min, Q, QuerySet, TextField
from django.db.models.functions import Cast
from django.utils import timezone

from fieldcamp.encryption import key_id
from integrations.accounts.digests import stale
from integrations.errors import ProblemCode
from integrations.models import Connection, ConnectionState, IdentifierKey, OAuthGrant, Problem, VendorOutage
from integrations.providers import PROVIDERS
from integrations.selectors.freshness import AWAITED
from integrations.selectors.stalls import all_freshness, in_flight, stalls_among
from integrations.services.doctor.findings import Finding, Weight

SHORT = dt.timedelta(days=8)  # no vendor ends an app's access sooner that is not in a testing mode
TESTING = dt.timedelta(days=7)
NOTICED = dt.timedelta(hours=8)  # by a sync, which comes every six hours at least where nothing is switched off
_PUBLISH = "Publish the app at the vendor, then connect these accounts again; docs/operating.md says how."
_ENCRYPTED = ("access_token", "refresh_token", "answer")


def _first(ids: Collection[str]) -> str:
    """Returns the first five of them, and whether there are more."""
    return ", ".join(sorted(ids)[:5]) + (", …" if len(ids) > 5 else "")


def unreadable_tokens() -> Iterator[Finding]:
    """Compares the names of the keys that stored tokens and ids were encrypted with, and opens none of them."""
    accounts = {*_unopened(OAuthGrant.objects.all(), _ENCRYPTED).values_list("connection_id", flat=True)}
    accounts |= {*_unopened(Connection.objects.all(), ("sealed_account_id",)).values_list("pk", flat=True)}
    if accounts:
        yield Finding(
            Weight.WRONG,
            "Stored tokens",
            f"What lets FieldCamp into {len(accounts)} accounts (tokens, the account's id) was encrypted with a key "
            "that TOKEN_ENCRYPTION_KEYS does not hold.",
            "Put that key back behind the newest one; if it is lost, connect each of these accounts again, or erase it "
            f"(manage.py erase connection ID): {_first(accounts)}.",
        )
    else:
        yield Finding(Weight.FINE, "Stored tokens", "TOKEN_ENCRYPTION_KEYS opens all of them.")
    if count := _unopened(IdentifierKey.objects.all(), ("secret",)).count():
        yield Finding(
            Weight.WRONG,
            "Stored tokens",
            f"The identifiers of {count} companies' events are kept under a key that TOKEN_ENCRYPTION_KEYS does not "
            "hold.",
            "Put that key back behind the newest one; if it is lost, their busy times are read anew by the first sync "
            "after an account was connected again.",
        )

    if count := sum(1 for _ in stale()):
        yield Finding(
            Weight.WRONG,
            "Accounts",
            f"{count} accounts are not found when they are connected again: API_KEY_PEPPER was changed.",
            "Run `python manage.py account_digests`.",
        )


def _unopened(rows: QuerySet[Any], columns: Sequence[str]) -> QuerySet[Any]:
    """Returns the rows with a value that none of the keys has encrypted. Reads no value."""
    known = [f"{key_id(key)}:" for key in settings.TOKEN_ENCRYPTION_KEYS]
    lost = Q()
    for name in columns:
        mine = Q(**{f"stored_{name}": ""})
        for prefix in known:
            mine |= Q(**{f"stored_{name}__startswith": prefix})
        lost |= ~mine
    stored = {f"stored_{name}": Cast(name, TextField()) for name in columns}
    return rows.annotate(**stored).filter(lost)


def short_grants() -> Iterator[Finding]:
    """Finds apps whose vendor ends the access of every account after a few days: they are in its testing mode. It has
    said so with the tokens, or accounts have ended so."""
    grants = OAuthGrant.objects.filter(
        connection__state__in=(ConnectionState.ACTIVE, ConnectionState.PAUSED, ConnectionState.SETUP),
        refresh_expires_at__lte=F("granted_at") + SHORT,
    )
    ends = grants.order_by().values_list("connection__integration").annotate(first=Min("refresh_expires_at"))
    for integration, first in ends:
        yield Finding(
            Weight.WRONG,
            "Accounts",
            f"{_label(integration)} lets this app in for a few days at a time, as it does in testing mode: the first "
            f"account has to be connected again on {first:%-d %B %Y}.",
            _PUBLISH,
        )
    began = F("connection__grant__granted_at")
    died = Problem.objects.open().filter(
        code=ProblemCode.NEEDS_RECONNECT, occurred_at__gte=began + TESTING, occurred_at__lte=began + TESTING + NOTICED
    )
    for integration, count in died.order_by().values_list("integration").annotate(number=Count("pk")):
        if count > 1:
            yield Finding(
                Weight.WRONG,
                "Accounts",
                f"{_label(integration)} ended the access of {count} accounts {TESTING.days} days after they were "
                "connected, as it does in testing mode.",
                _PUBLISH,
            )


def _label(integration: str) -> str:
    return PROVIDERS[integration].label if integration in PROVIDERS else integration


def app_troubles() -> Iterator[Finding]:
    """Finds what vendors have said against the app itself, in syncs."""
    for problem in Problem.objects.open().filter(code=ProblemCode.MISCONFIGURED).order_by("-occurred_at")[:5]:
        at = f"{problem.occurred_at:%Y-%m-%d %H:%M} UTC"
        yield Finding(Weight.WRONG, "Accounts", f"A sync failed at {at}: {problem.message}", problem.detail[:300])


def stalled() -> Iterator[Finding]:
    """Finds accounts whose data is older than it should be, by what keeps them back."""
    now = timezone.now()
    connections = list(Connection.objects.filter(state__in=AWAITED).select_related("member"))
    jobs = in_flight()
    behind: dict[tuple[str, str], list[str]] = {}
    for stall in stalls_among(connections, all_freshness(connections, jobs, now), jobs, now):
        behind.setdefault((_label(stall.connection.integration), stall.sentence), []).append(stall.connection.pk)
    for (label, sentence), ids in behind.items():
        yield Finding(
            Weight.NOTE, "Accounts", f"{label}: {len(ids)} accounts are not up to date: {_first(ids)}.", sentence
        )


def outages() -> Iterator[Finding]:
    """Finds vendors that fail for everybody at present."""
    for outage in VendorOutage.objects.filter(closed_at=None, ended_at=None):
        yield Finding(
            Weight.NOTE,
            _label(outage.integration),
            f"It has failed for many accounts since {outage.began_at:%Y-%m-%d %H:%M} UTC.",
            "Look at the vendor's status page, and at its addresses below. Accounts go on by themselves.",
        )
