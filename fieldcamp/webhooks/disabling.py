"""Giving an endpoint up, and telling of it: a mail when it has failed for an hour, one a day before it is disabled, one
when it is. Each once; a success in between begins anew.

What waits is ended as skipped, which is true, and comes back where whoever enables the endpoint asks for it.
"""

import datetime as dt

import structlog
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from fieldcamp.webhooks import mails, policy
from fieldcamp.webhooks.checked_urls import without_query
from fieldcamp.webhooks.models import WebhookDelivery, WebhookEndpoint
from fieldcamp.webhooks.recording import record_event
from fieldcamp.webhooks.rest.serializers import EndpointSerializer
from fieldcamp.workspace.audit import audit

log = structlog.get_logger(__name__)

State, Status = WebhookDelivery.State, WebhookEndpoint.Status
GONE, FAILING = "gone", "failing"
FAILING_TOLD, ENDING_TOLD, DISABLED_TOLD = "failing", "ending", "disabled"
_TRIED_FOR = dt.timedelta(days=3)  # to tell that an endpoint was disabled, where no mail can be sent


def disable(endpoint: WebhookEndpoint, reason: str, now: dt.datetime) -> None:
    """Disables the endpoint, which the caller's transaction has locked: what waits is skipped, the company's other
    endpoints are told, and a mail goes out once that is committed."""
    endpoint.status, endpoint.disabled_reason, endpoint.disabled_at = Status.DISABLED, reason, now
    endpoint.probe_at = endpoint.disable_at = None
    endpoint.save(update_fields=["status", "disabled_reason", "disabled_at", "probe_at", "updated_at"])
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
    _tell(endpoint, DISABLED_TOLD)


def _shown(endpoint: WebhookEndpoint) -> dict[str, object]:
    """Returns the endpoint as the others are told of it: of its address what is no secret of its owner's."""
    with timezone.override(dt.UTC):
        return {**EndpointSerializer(endpoint).data, "url": str(endpoint)}


def watch(now: dt.datetime) -> None:
    """Does what the clock asks for of endpoints that fail: mails, the announcement, the end. However many processes do
    this, each is done once."""
    failing = Q(status=Status.FAILING, failing_since__lte=now - policy.TELL_AFTER)
    ended = Q(status=Status.DISABLED, disabled_reason__in=(GONE, FAILING), disabled_at__gte=now - _TRIED_FOR)
    found = WebhookEndpoint.objects.alive().filter(failing | ended).order_by("pk")
    for endpoint_id in found.values_list("pk", flat=True):
        with transaction.atomic():
            rows = WebhookEndpoint.objects.alive().select_for_update(no_key=True, of=("self",))
            endpoint = rows.filter(pk=endpoint_id).first()
            if endpoint is None:
                continue
            if endpoint.status == Status.FAILING and endpoint.failing_since is not None:
                _watch(endpoint, endpoint.failing_since, now)
            elif endpoint.status == Status.DISABLED and DISABLED_TOLD not in endpoint.told:
                _tell(endpoint, DISABLED_TOLD)


def _watch(endpoint: WebhookEndpoint, since: dt.datetime, now: dt.datetime) -> None:
    if since > now - policy.TELL_AFTER:
        return
    if FAILING_TOLD not in endpoint.told:
        _tell(endpoint, FAILING_TOLD)
    if since > now - (policy.DISABLE_AFTER - policy.WARN_BEFORE):
        return
    if undelivered(endpoint, since) < policy.FEWEST_UNDELIVERED:
        return
    if endpoint.disable_at is None:
        endpoint.disable_at = max(since + policy.DISABLE_AFTER, now + policy.WARN_BEFORE)
        _tell(endpoint, ENDING_TOLD)
    elif endpoint.disable_at <= now:
        disable(endpoint, FAILING, now)


def undelivered(endpoint: WebhookEndpoint, since: dt.datetime) -> int:
    """Returns how many events have not arrived in the time in which the endpoint has failed."""
    waiting = Q(state__in=(State.PENDING, State.SENDING)) | Q(state=State.FAILED, finished_at__gte=since)
    rows = WebhookDelivery.objects.filter(waiting, endpoint=endpoint, event__is_test=False)
    return rows.values("event").distinct()[: policy.FEWEST_UNDELIVERED].count()


def _tell(endpoint: WebhookEndpoint, name: str) -> None:
    """Notes that a mail goes out, and sends it once that is committed; where it cannot be sent, the note is taken back
    and the next round tries again."""
    endpoint.told = [*endpoint.told, name]
    endpoint.save(update_fields=["told", "disable_at", "updated_at"])
    transaction.on_commit(lambda: _send(endpoint, name), robust=True)


def _send(endpoint: WebhookEndpoint, name: str) -> None:
    if mails.send(name, endpoint):
        return
    with transaction.atomic():
        current = WebhookEndpoint.objects.select_for_update(no_key=True, of=("self",)).get(pk=endpoint.pk)
        current.told = [each for each in current.told if each != name]
        if name == ENDING_TOLD:
            current.disable_at = None  # the day that nobody was told of
        current.save(update_fields=["told", "disable_at", "updated_at"])
