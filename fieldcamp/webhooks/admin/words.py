"""How webhooks and deliveries are spoken of at the desk."""

from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit

from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from fieldcamp import formats
from fieldcamp.webhooks.disabling import FAILING, GONE
from fieldcamp.webhooks.models import WebhookDelivery, WebhookEndpoint, WebhookEvent
from fieldcamp.webhooks.monitoring import DayNumbers
from integrations.transport.webhook_client import TOTAL_SECONDS

# An attempt is given up after so many seconds without a whole answer.
LONGEST = int(TOTAL_SECONDS)

Status, State = WebhookEndpoint.Status, WebhookDelivery.State
TONES = {
    Status.PENDING: "warning",
    Status.ENABLED: "success",
    Status.FAILING: "danger",
    Status.PAUSED: "info",
    Status.DISABLED: "danger",
}
SHORT = {
    Status.PENDING: _("Waits for a test"),
    Status.ENABLED: _("Enabled"),
    Status.FAILING: _("Failing"),
    Status.PAUSED: _("Paused"),
    Status.DISABLED: _("Disabled"),
}
STATE_TONES = {
    State.PENDING: "info",
    State.SENDING: "info",
    State.DELIVERED: "success",
    State.FAILED: "danger",
    State.SKIPPED: "muted",
}
BLOCKED = "BLOCKED_ADDRESS"
# What stands in an attempt where nothing was answered.
ERRORS = {
    "TIMEOUT": _("your server did not answer in time"),
    "CONNECT": _("your server could not be reached"),
    "TLS": _("your server's certificate was not accepted, or no secure connection came about"),
    "DNS": _("the address could not be found"),
    BLOCKED: _("the address points into a private network"),
    "TOO_LARGE": _("your server's answer was too large"),
    "INTERNAL": _("FieldCamp could not sign it, which is not your server's fault"),
}
# Why an endpoint was disabled, by `disabled_reason`.
REASONS = {
    GONE: _("your server answered 410 Gone"),
    FAILING: _("no delivery has succeeded for five days"),
}
HINTS = {
    301: _("It answers with a redirect: enter the final address."),
    302: _("It answers with a redirect: enter the final address."),
    307: _("It answers with a redirect: enter the final address."),
    308: _("It answers with a redirect: enter the final address."),
    401: _("It refuses the call: no sign-in may be asked for there, the signature takes its place."),
    403: _("It refuses the call: no sign-in may be asked for there, the signature takes its place."),
    404: _("There is nothing at this address: see whether the path is right."),
    405: _("It takes no POST at this address."),
    410: _("It says that the address is gone for good."),
}


def host_of(endpoint: WebhookEndpoint) -> Any:
    """Returns the address with its host set off."""
    line = '<span class="fc-address"><b>{}</b><span class="fc-muted">{}</span></span>'
    return format_html(line, plain_host(endpoint), path_of(endpoint))


def plain_host(endpoint: WebhookEndpoint) -> str:
    return urlsplit(endpoint.url).netloc


def path_of(endpoint: WebhookEndpoint) -> str:
    """Returns what follows the host. Many put a password behind the question mark: that is on the form only."""
    parts = urlsplit(endpoint.url)
    return f"{parts.path or '/'}{'?…' if parts.query else ''}"


def types_of(endpoint: WebhookEndpoint) -> str:
    """Returns what it is sent, a few types by name."""
    if "*" in endpoint.events:
        return gettext("All events")
    shown = ", ".join(endpoint.events[:3])
    more = len(endpoint.events) - 3
    if more <= 0:
        return shown
    return ngettext("{shown} and {number} more", "{shown} and {number} more", more).format(shown=shown, number=more)


def answer_of(status: int | None, error: str) -> str:
    """Returns what was answered, or why nothing was, as a part of a sentence."""
    if error:
        return str(ERRORS.get(error) or gettext("the delivery failed ({error})").format(error=error))
    if status:
        return gettext("your server answers {status}").format(status=status)
    return gettext("nothing is known of the last try")


def _clock(moment: Any) -> str:
    """Returns the time; with its day where that is not today."""
    today = timezone.localtime(moment).date() == timezone.localdate()
    return formats.clock(moment) if today else formats.moment(moment)


def _wait(number: int) -> str:
    if not number:
        return ""
    return ngettext("{number} event waits, none is lost.", "{number} events wait, none is lost.", number).format(
        number=f"{number:,}"
    )


def sentence(
    endpoint: WebhookEndpoint, *, waiting: int, failure: WebhookDelivery | None = None, next_at: Any = None
) -> str:
    """Returns how it stands with the endpoint, and what comes next."""
    if endpoint.status == Status.FAILING:
        since = endpoint.failing_since or endpoint.updated_at
        why = answer_of(failure.last_status, failure.last_error) if failure else answer_of(None, "")
        said = [gettext("Failing since {time}: {why}.").format(time=_clock(since), why=why)]
        following = endpoint.probe_at or next_at
        if following and following > timezone.now():
            said.append(gettext("Next try {time}.").format(time=_clock(following)))
        elif waiting:
            said.append(gettext("The next try is due now."))
        if failure and (hint := HINTS.get(failure.last_status or 0)):
            said.append(str(hint))
        return " ".join([*said, _wait(waiting)]).strip()
    if endpoint.status == Status.DISABLED:
        return _disabled(endpoint)
    if endpoint.status == Status.PAUSED:
        queue = _wait(waiting) or gettext("Nothing waits.")
        return " ".join([gettext("Paused: events are kept and sent when it goes on."), queue])
    if endpoint.status == Status.PENDING and endpoint.disabled_at:
        return gettext(
            "Its address is a new one: send a test. When your server answers it with 2xx, what has happened since the "
            "change is sent, too."
        )
    if endpoint.status == Status.PENDING:
        return gettext(
            "Nothing is sent here yet: send a test. When your server answers it with 2xx, the webhook is enabled."
        )
    if endpoint.failing_since and failure:
        why = answer_of(failure.last_status, failure.last_error)
        lately = gettext("Enabled, but the last deliveries have failed since {time}: {why}.")
        return " ".join([lately.format(time=_clock(endpoint.failing_since), why=why), _wait(waiting)]).strip()
    if endpoint.last_delivered_at is None and not waiting:
        return gettext("Enabled. Nothing has happened yet that it is sent for.")
    return " ".join([gettext("Enabled: events are sent within seconds."), _wait(waiting)]).strip()


def _disabled(endpoint: WebhookEndpoint) -> str:
    since = _clock(endpoint.disabled_at) if endpoint.disabled_at else gettext("some time")
    why = REASONS.get(endpoint.disabled_reason, gettext("it was switched off"))
    return gettext(
        "Disabled since {time}: {why}. Nothing is sent until somebody enables it; what has happened since can be sent "
        "then."
    ).format(time=since, why=why)


def answered(status: int | None, error: str, ms: int) -> str:
    """Returns what came of a try: "Answered 200 after 14.0 s of 15"."""
    seconds = f"{ms / 1000:.1f}" if ms >= 1000 else f"{ms / 1000:.2f}"
    if status and not error:
        return gettext("Answered {status} after {seconds} s of {longest}").format(
            status=status, seconds=seconds, longest=LONGEST
        )
    why = answer_of(status, error)
    return gettext("{why}, after {seconds} s of {longest}").format(
        why=why[:1].upper() + why[1:], seconds=seconds, longest=LONGEST
    )


def bar(numbers: DayNumbers) -> Any:
    """Returns a day's deliveries as a bar and in words."""
    if not numbers.total:
        return format_html('<span class="fc-muted">{}</span>', gettext("none"))
    good = round(numbers.delivered * 100 / numbers.total)
    # What is there is to be seen, however little it is.
    bad = max(round(numbers.failed * 100 / numbers.total), 2) if numbers.failed else 0
    good = min(good, 100 - bad)
    return format_html(
        '<span class="fc-share"><svg viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true">'
        '<rect class="fc-share-good" width="{}" height="6"/><rect class="fc-share-bad" x="{}" width="{}" height="6"/>'
        "</svg><span>{}</span></span>",
        good,
        good,
        bad,
        shares(numbers),
    )


def shares(numbers: DayNumbers) -> str:
    said = [gettext("{number} delivered").format(number=f"{numbers.delivered:,}")]
    if numbers.failed:
        said.append(gettext("{number} failed").format(number=f"{numbers.failed:,}"))
    if numbers.waiting:
        said.append(gettext("{number} wait").format(number=f"{numbers.waiting:,}"))
    return " · ".join(said)


def length(ms: int | None) -> str:
    """Returns a time that somebody waits for: `120 ms`, `1.4 s`."""
    if ms is None:
        return "–"
    if ms < 1000:
        return gettext("{number} ms").format(number=ms)
    return gettext("{number} s").format(number=f"{ms / 1000:.1f}")


SOURCES = {
    WebhookEvent.Source.API: _("A program, over the API"),
    WebhookEvent.Source.DESK: _("A person, at the desk"),
    WebhookEvent.Source.SYNC: _("A sync"),
    WebhookEvent.Source.SYSTEM: _("FieldCamp itself"),
}


def sources_of(sources: Iterable[str]) -> str:
    """Returns whose doing is sent, in words; "" where it is everybody's."""
    return "; ".join(str(label) for source, label in SOURCES.items() if source in set(sources))
