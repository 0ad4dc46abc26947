"""Giving an endpoint up, and telling of it: a mail when it has failed for an hour, one a day before it is disabled, one
when it is. Each once; a success in between begins anew. Only `watch` sends mails, in a thread of its own: a mail server
that hangs holds up no delivery.

What waits is ended as skipped, which is true, and comes back where whoever enables the endpoint asks for it.
"""

import datetime as dt

import structlog
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from fieldcamp.webhooks import mails, policy
from fieldcamp.webhooks.checked_urls import without_query
from fieldcamp.webhooks.counters import locked_counter
from fieldcamp.webhooks.missing import begin_missing
from fieldcamp.webhooks.models import EventCounter, WebhookDelivery, WebhookEndpoint
from fieldcamp.webhooks.recording import record_event
from fieldcamp.webhooks.rest.serializers import EndpointSerializer
from fieldcamp.workspace.audit import audit

log = structlog.get_logger(__name__)

State, Status = WebhookDelivery.State, WebhookEndpoint.Status
GONE, FAILING = "gone", "failing"
FAILING_TOLD, ENDING_TOLD, DISABLED_TOLD = "failing", "ending", "disabled"
_TRIED_FOR = dt.timedelta(days=3)  # to tell that an endpoint was disabled, where no mail can be sent


_FIELDS = (
    "status", "disabled_reason", "disabled_at", "probe_at", "missed_since", "missed_after", "missed_until",
    "updated_at",
)  # fmt: skip


def disable(endpoint: WebhookEndpoint, reason: str, counter: EventCounter, now: dt.datetime) -> None:
    """Disables the endpoint, which the caller's transaction has locked, and the company's counter before it: what waits
    is skipped, and the company's other endpoints are told. People are told by the next round of `watch`."""
    endpoint.status, endpoint.disabled_reason, endpoint.disabled_at = Status.DISABLED, reason, now
    endpoint.probe_at = endpoint.disable_at = None
    begin_missing(endpoint, counter, now)
    endpoint.save(update_fields=_FIELDS)
    waiting = WebhookDelivery.objects.filter(endpoint=endpoint, state=State.PENDING)
    skipped = waiting.update(state=State.SKIPPED, next_at=None, finished_at=now)
    audit(
        "webhook.disabled",
        workspace_id=endpoint.workspace_id,
        object_id=endpoint.pk,
        object_name=without_query(endpoint.url),
        after={"reason": reason, "skipped": skipped},
        actor="",
    )
    shown = _shown(endpoint)
    record_event(endpoint.workspace_id, "webhook.disabled", shown, record_id=endpoint.pk)
    log.warning("webhook_disabled", webhook_id=endpoint.pk, workspace_id=endpoint.workspace_id, reason=reason)


def _shown(endpoint: WebhookEndpoint) -> dict[str, object]:
    """Returns the endpoint as the others are told of it: of its address what is no secret of its owner's."""
    with timezone.override(dt.UTC):
        return {**EndpointSerializer(endpoint).data, "url": str(endpoint)}


def watch(now: dt.datetime) -> None:
    """Does what the clock asks for of endpoints that fail: mails, the announcement, the end. However many processes do
    this, each is done once. After a mail that could not be sent no other is tried in this round."""
    failing = Q(status=Status.FAILING, failing_since__lte=now - policy.TELL_AFTER)
    ended = Q(status=Status.DISABLED, disabled_reason__in=(GONE, FAILING), disabled_at__gte=now - _TRIED_FOR)
    # Whose mail failed in the last round comes last: it may be the address, and not the server.
    found = WebhookEndpoint.objects.alive().filter(failing | ended).order_by("updated_at", "pk")
    can_mail = True
    for endpoint_id, workspace_id in found.values_list("pk", "workspace_id"):
        with transaction.atomic():
            counter = locked_counter(workspace_id)
            rows = WebhookEndpoint.objects.alive().select_for_update(no_key=True, of=("self",))
            endpoint = rows.filter(pk=endpoint_id).first()
            if endpoint is None:
                continue
            if endpoint.status == Status.FAILING and endpoint.disable_at and endpoint.disable_at <= now:
                _end(endpoint, counter, now)
            news = _news(endpoint, now) if can_mail else []
            if news:
                endpoint.told = [*endpoint.told, *news]
                endpoint.save(update_fields=["told", "disable_at", "updated_at"])
        can_mail = can_mail and _send(endpoint, news)


def _end(endpoint: WebhookEndpoint, counter: EventCounter, now: dt.datetime) -> None:
    if endpoint.failing_since and undelivered(endpoint, endpoint.failing_since) >= policy.FEWEST_UNDELIVERED:
        disable(endpoint, FAILING, counter, now)


def _news(endpoint: WebhookEndpoint, now: dt.datetime) -> list[str]:
    """Returns what people are to be told of the locked endpoint, and sets the day of its end where that is told."""
    if endpoint.status == Status.DISABLED:
        return [] if DISABLED_TOLD in endpoint.told else [DISABLED_TOLD]
    since = endpoint.failing_since
    if endpoint.status != Status.FAILING or since is None or since > now - policy.TELL_AFTER:
        return []
    news = [] if FAILING_TOLD in endpoint.told else [FAILING_TOLD]
    is_time = endpoint.disable_at is None and since <= now - (policy.DISABLE_AFTER - policy.WARN_BEFORE)
    if is_time and undelivered(endpoint, since) >= policy.FEWEST_UNDELIVERED:
        endpoint.disable_at = max(since + policy.DISABLE_AFTER, now + policy.WARN_BEFORE)
        news.append(ENDING_TOLD)
    return news


def undelivered(endpoint: WebhookEndpoint, since: dt.datetime) -> int:
    """Returns how many events have not arrived in the time in which the endpoint has failed."""
    waiting = Q(state__in=(State.PENDING, State.SENDING)) | Q(state=State.FAILED, finished_at__gte=since)
    rows = WebhookDelivery.objects.filter(waiting, endpoint=endpoint, event__is_test=False)
    return rows.values("event").distinct()[: policy.FEWEST_UNDELIVERED].count()


def _send(endpoint: WebhookEndpoint, names: list[str]) -> bool:
    """Sends the mails that were noted as sent; whether all were. From the first on that was not the notes are taken
    back, and a later round tries again."""
    left = list(names)
    while left and mails.send(left[0], endpoint):
        del left[0]
    if left:
        with transaction.atomic():
            current = WebhookEndpoint.objects.select_for_update(no_key=True, of=("self",)).get(pk=endpoint.pk)
            current.told = [each for each in current.told if each not in left]
            if ENDING_TOLD in left:
                current.disable_at = None  # the day that nobody was told of
            current.save(update_fields=["told", "disable_at", "updated_at"])
    return not left
