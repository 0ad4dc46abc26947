"""What the accounts tell of this installation: keys that are missing, apps that let people in for days only."""

import datetime as dt
from collections.abc import Iterator

from django.conf import settings
from django.db.models import F, Min, Q, TextField
from django.db.models.functions import Cast

from integrations.errors import ProblemCode
from integrations.models import ConnectionState, OAuthGrant, Problem
from integrations.models.fields import key_id
from integrations.providers import PROVIDERS
from integrations.services.doctor.findings import Finding, Weight

SHORT = dt.timedelta(days=8)  # no vendor ends an app's access sooner that is not in a testing mode
_ENCRYPTED = ("access_token", "refresh_token", "answer")


def unreadable_tokens() -> Iterator[Finding]:
    """Compares the names of the keys that stored tokens were encrypted with; reads no token."""
    known = [f"{key_id(key)}:" for key in settings.TOKEN_ENCRYPTION_KEYS]
    lost = Q()
    for name in _ENCRYPTED:
        mine = Q(**{f"stored_{name}": ""})
        for prefix in known:
            mine |= Q(**{f"stored_{name}__startswith": prefix})
        lost |= ~mine
    stored = {f"stored_{name}": Cast(name, TextField()) for name in _ENCRYPTED}
    count = OAuthGrant.objects.annotate(**stored).filter(lost).count()
    if count:
        yield Finding(
            Weight.WRONG,
            "Stored tokens",
            f"The tokens of {count} accounts were encrypted with a key that TOKEN_ENCRYPTION_KEYS does not hold.",
            "Put that key back behind the newest one; if it is lost, each of these accounts has to be connected again.",
        )
    else:
        yield Finding(Weight.FINE, "Stored tokens", "TOKEN_ENCRYPTION_KEYS opens all of them.")


def short_grants() -> Iterator[Finding]:
    """Finds apps whose vendor ends the access of every account after a few days: they are in its testing mode."""
    grants = OAuthGrant.objects.filter(
        connection__state__in=(ConnectionState.ACTIVE, ConnectionState.PAUSED, ConnectionState.SETUP),
        refresh_expires_at__lte=F("granted_at") + SHORT,
    )
    ends = grants.order_by().values_list("connection__integration").annotate(first=Min("refresh_expires_at"))
    for integration, first in ends:
        label = PROVIDERS[integration].label if integration in PROVIDERS else integration
        yield Finding(
            Weight.WRONG,
            "Accounts",
            f"{label} lets this app in for a few days at a time, as it does in testing mode: the first account has to "
            f"be connected again on {first:%-d %B %Y}.",
            "Publish the app at the vendor, then connect these accounts again; docs/operating.md says how.",
        )


def app_troubles() -> Iterator[Finding]:
    """Finds what vendors have said against the app itself, in syncs."""
    for problem in Problem.objects.open().filter(code=ProblemCode.MISCONFIGURED).order_by("-occurred_at")[:5]:
        at = f"{problem.occurred_at:%Y-%m-%d %H:%M} UTC"
        yield Finding(Weight.WRONG, "Accounts", f"A sync failed at {at}: {problem.message}", problem.detail[:300])
