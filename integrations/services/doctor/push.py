"""Whether vendors tell this site of changes: is it reached, do the channels work, has anything come?"""

from collections.abc import Iterator

from django.db.models import Count, Max, Q
from django.utils import timezone
from django.utils.timesince import timesince

from integrations.models import Connection, PushChannel, ReceivedPush
from integrations.providers import PROVIDERS
from integrations.providers.base import Provider
from integrations.providers.oauth import OAuth
from integrations.push.outcomes import TOLD_AFTER
from integrations.selectors.push_switch import is_refused, push_url, why_off
from integrations.services.doctor.findings import Finding, Weight

MENDED = "docs/push.md says what each vendor wants. Until then changes are found by the schedule."
State = PushChannel.State


def pushes() -> Iterator[Finding]:
    """Looks at each vendor that pushes and whose app is set."""
    for provider in PROVIDERS.values():
        oauth = provider.authentication
        if provider.push is not None and not (isinstance(oauth, OAuth) and not oauth.client["client_id"]):
            yield from _of(provider)


def _of(provider: Provider) -> Iterator[Finding]:
    about = f"Push from {provider.label}"
    if why := why_off(provider.name):
        weight = Weight.WRONG if is_refused(provider.name) else Weight.NOTE
        address = push_url(provider.name)
        yield Finding(weight, about, f"Push is off: {why}. The address would be {address}", MENDED)
        return
    last = ReceivedPush.objects.filter(integration=provider.name).aggregate(at=Max("received_at"))["at"]
    came = f"the last push came {timesince(last, timezone.now())} ago" if last else "no push has come in seven days"
    if provider.push and provider.push.channels is None:
        silent = not last and Connection.objects.active().filter(integration=provider.name).exists()
        weight, mend = (Weight.NOTE, MENDED) if silent else (Weight.FINE, "")
        yield Finding(weight, about, f"{push_url(provider.name)}: {came}.", mend)
        return
    yield from _failing(provider, about)
    live = PushChannel.objects.filter(integration=provider.name, state=State.LIVE).count()
    yield Finding(Weight.FINE, about, f"{live} calendars are watched at {push_url(provider.name)}; {came}.")


def _failing(provider: Provider, about: str) -> Iterator[Finding]:
    rows = PushChannel.objects.filter(integration=provider.name, state__in=(State.OPENING, State.LIVE, State.LOST))
    failing = rows.filter(failures__gt=0)
    counts = failing.aggregate(
        accounts=Count("stream__connection", distinct=True), long=Count("pk", filter=Q(failures__gte=TOLD_AFTER))
    )
    if counts["accounts"]:
        why = failing.order_by("-failures", "pk").values_list("reason", flat=True).first()
        yield Finding(
            Weight.WRONG if counts["long"] else Weight.NOTE,
            about,
            f"The channels of {counts['accounts']} accounts could not be opened or renewed: {why}",
            f"They are tried again by themselves. {MENDED}",
        )
    if refused := PushChannel.objects.filter(integration=provider.name, state=State.UNSUPPORTED).count():
        yield Finding(
            Weight.NOTE,
            about,
            f"Of {refused} calendars {provider.label} tells nothing, by their kind: they are read by the schedule.",
        )
