"""Whether an endpoint is sent anything: enabling, pausing, resuming; waiting for a test of its address."""

from typing import Any

from django.db import transaction
from django.utils import timezone

from fieldcamp.webhooks.checked_urls import without_query
from fieldcamp.webhooks.counters import locked_counter
from fieldcamp.webhooks.missing import MissedEvents, begin_missing, forget_missed, queue_missed
from fieldcamp.webhooks.models import EventCounter, WebhookDelivery, WebhookEndpoint
from fieldcamp.webhooks.replaying import DISABLED, TEST_FIRST
from fieldcamp.webhooks.waiting import pull_forward
from fieldcamp.workspace.audit import audit
from fieldcamp.workspace.errors import InvalidTransition
from fieldcamp.workspace.models import Workspace

URL_CHANGED = "url_changed"
Status = WebhookEndpoint.Status


def enable(endpoint: WebhookEndpoint, replay_missed: bool = False) -> tuple[WebhookEndpoint, MissedEvents]:
    """Sends to the endpoint again, at once, whatever it failed with before, and returns it and how many missed events
    were queued.

    `replay_missed`: also what happened since it was disabled, and what waited then: the oldest ones, up to
    `missing.MOST`; the next call queues what is left. InvalidTransition for one whose address was never accepted.
    """
    with transaction.atomic():
        counter = locked_counter(endpoint.workspace_id)
        current = locked(endpoint.workspace, endpoint.pk)
        if current.status == Status.PENDING:
            raise InvalidTransition(TEST_FIRST)
        return current, _enable(current, counter, replay_missed)


def confirm(endpoint: WebhookEndpoint) -> bool:
    """Enables a pending endpoint whose server has accepted a test; whether it did. An address that was changed
    meanwhile waits for a test of its own."""
    with transaction.atomic():
        counter = locked_counter(endpoint.workspace_id)
        current = locked(endpoint.workspace, endpoint.pk)
        if current.status != Status.PENDING or current.url != endpoint.url:
            return False
        _enable(current, counter, replay_missed=True)
    return True


def _enable(endpoint: WebhookEndpoint, counter: EventCounter, replay_missed: bool) -> MissedEvents:
    """Enables the locked endpoint, under the lock of the company's counter."""
    was = endpoint.status
    if was == Status.ENABLED and not replay_missed:
        return MissedEvents()
    _begin_anew(endpoint)
    pull_forward(endpoint.pk, timezone.now())
    missed = MissedEvents()
    if replay_missed:
        missed = queue_missed(endpoint, counter)
    elif was == Status.DISABLED:
        forget_missed(endpoint)
    endpoint.save()
    after = {"status": endpoint.status, "missed": missed.queued, "left": missed.left}
    note("webhook.enabled", endpoint, before={"status": was}, after=after)
    return missed


def pause(endpoint: WebhookEndpoint) -> WebhookEndpoint:
    """Sends nothing to the endpoint until it is resumed: its events wait, and none is lost."""
    return _moved(endpoint, {Status.ENABLED, Status.FAILING}, Status.PAUSED, "webhook.paused")


def resume(endpoint: WebhookEndpoint) -> WebhookEndpoint:
    """Sends to a paused endpoint again, what has waited first."""
    return _moved(endpoint, {Status.PAUSED}, Status.ENABLED, "webhook.resumed")


_INSTEAD = {
    Status.PENDING: TEST_FIRST,
    Status.DISABLED: DISABLED,
}


def _moved(endpoint: WebhookEndpoint, origins: set[Status], to: Status, action: str) -> WebhookEndpoint:
    with transaction.atomic():
        current = locked(endpoint.workspace, endpoint.pk)
        if current.status in _INSTEAD:
            raise InvalidTransition(_INSTEAD[Status(current.status)])
        if current.status in origins:
            was = current.status
            if to == Status.ENABLED:
                _begin_anew(current)
                pull_forward(current.pk, timezone.now())
            current.status = to
            current.save()
            note(action, current, before={"status": was}, after={"status": to})
    return current


def skip_waiting(endpoint: WebhookEndpoint) -> int:
    """Ends the deliveries that wait for their next attempt, unsent; how many."""
    waiting = WebhookDelivery.objects.filter(endpoint=endpoint, state=WebhookDelivery.State.PENDING)
    return waiting.update(state=WebhookDelivery.State.SKIPPED, next_at=None, finished_at=timezone.now())


def locked(workspace: Workspace, endpoint_id: str) -> WebhookEndpoint:
    found = WebhookEndpoint.objects.alive().select_for_update(of=("self",)).select_related("workspace")
    return found.get(pk=endpoint_id, workspace=workspace)


def _begin_anew(endpoint: WebhookEndpoint) -> None:
    """Makes the endpoint an enabled one with no failure in its past."""
    endpoint.status, endpoint.disabled_reason, endpoint.disabled_at = Status.ENABLED, "", None
    endpoint.failures = endpoint.probes = 0
    endpoint.failing_since = endpoint.probe_at = endpoint.paced_until = endpoint.disable_at = None
    endpoint.told = []


def await_test(endpoint: WebhookEndpoint, counter: EventCounter) -> None:
    """Has the locked endpoint wait for a test of its address, under the lock of the company's counter. The caller saves
    it."""
    since = endpoint.disabled_at
    first = endpoint.status == Status.PENDING and since is None  # it has never been sent anything
    _begin_anew(endpoint)
    endpoint.status = Status.PENDING
    if not first:
        now = timezone.now()
        endpoint.disabled_reason, endpoint.disabled_at = URL_CHANGED, since or now
        begin_missing(endpoint, counter, now)


def note(action: str, endpoint: WebhookEndpoint, **values: Any) -> None:
    name = without_query(endpoint.url)
    audit(action, workspace_id=endpoint.workspace_id, object_id=endpoint.pk, object_name=name, **values)
