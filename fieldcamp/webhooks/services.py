"""What can be done with webhooks. The API and the desk both come through here, and each of it is in the audit trail,
in the name that `workspace.tracking.attributed` says.

Values that cannot be taken raise InvalidFields, a state that forbids it InvalidTransition, a scope that whoever asks
lacks ScopeMissing, an endpoint that is not there its model's DoesNotExist. `scopes` are those of whoever asks: nobody
has events sent on, or handles an endpoint that is sent events, that they may not read themselves.
"""

import datetime as dt
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from fieldcamp.api.models import ApiKey
from fieldcamp.encryption import DecryptionError
from fieldcamp.webhooks import secret as secrets
from fieldcamp.webhooks.checked_urls import CheckedUrl, is_same_url, without_query
from fieldcamp.webhooks.counters import locked_counter
from fieldcamp.webhooks.enabling import (
    Status,
    await_test,
    confirm,
    enable,
    locked,
    note,
    pause,
    resume,
    skip_waiting,
)
from fieldcamp.webhooks.errors import ScopeMissing
from fieldcamp.webhooks.event_types import EVENT_TYPES
from fieldcamp.webhooks.models import WebhookDelivery, WebhookEndpoint, WebhookEvent
from fieldcamp.webhooks.replaying import replay, replay_range
from fieldcamp.webhooks.subscriptions import KNOWN, lacking, overlaps, subscribed
from fieldcamp.webhooks.testing import send_test
from fieldcamp.workspace.errors import InvalidFields, InvalidTransition
from fieldcamp.workspace.models import Workspace

__all__ = [
    "change_endpoint", "confirm", "create_endpoint", "delete_endpoint", "enable", "pause", "replay", "replay_range",
    "resume", "rotate_secret", "send_test",
]  # fmt: skip

MOST_ENDPOINTS = 20  # of a workspace
LONGEST_OVERLAP = dt.timedelta(days=7)
CHANGEABLE = ("url", "events", "description", "payload", "only_changed", "sources", "max_per_second")
# What decides who sees what: only somebody who may read all of it changes these.
_DECIDING = frozenset({"url", "events", "payload"})
Check = Callable[[WebhookEndpoint], None]


def create_endpoint(
    *,
    workspace: Workspace,
    url: CheckedUrl,
    scopes: Collection[str],
    by: ApiKey | None = None,
    created_by: str = "",
    **values: Any,
) -> tuple[WebhookEndpoint, str]:
    """Creates an endpoint and returns it with its secret, which is not shown again. It is `pending` until a test
    delivery was accepted: nobody aims events at a server that is not theirs.

    `values`: `events`, and what else is CHANGEABLE. `by` is the key that asks for it; its scopes are copied, so that
    what becomes of the key changes nothing of the endpoint.
    """
    text = secrets.new_secret()
    endpoint = WebhookEndpoint(
        workspace=workspace,
        url=url.text,
        scopes=_readable(scopes),
        secret=text,
        secret_hint=secrets.hint(text),
        made_by_key=by,
        chosen_by_keys=[by.pk] if by else [],
        created_by=created_by,
        **values,
    )
    with _turn(workspace.pk):
        if WebhookEndpoint.objects.alive().filter(workspace=workspace).count() >= MOST_ENDPOINTS:
            raise InvalidTransition(f"There are {MOST_ENDPOINTS} webhooks, which is the most. Delete one first.")
        _check(endpoint, scopes)
        endpoint.save(force_insert=True)
        note("webhook.created", endpoint, after=_facts(endpoint))
    return endpoint, text


def change_endpoint(
    *,
    workspace: Workspace,
    endpoint_id: str,
    changes: Mapping[str, Any],
    scopes: Collection[str],
    by: ApiKey | None = None,
    check: Check | None = None,
) -> WebhookEndpoint:
    """Makes `changes` (of CHANGEABLE; `url` is a CheckedUrl) to the endpoint. `check` is called with what it was,
    under its lock.

    With another address it is `pending` again; what happens until its test is accepted is sent then. Who changes the
    address, the events or the payload has to have the scopes of all that is sent there, and their scopes count from
    then on: what waits and is not theirs to have sent is not sent. `by` is the key that asks for it.
    """
    with _turn(workspace.pk):
        counter = locked_counter(workspace.pk) if "url" in changes else None
        endpoint = locked(workspace, endpoint_id)
        if check:
            check(endpoint)
        before, old = _facts(endpoint), endpoint.url
        new = {**changes, "url": changes["url"].text} if "url" in changes else dict(changes)
        deciding = any(new[name] != getattr(endpoint, name) for name in _DECIDING & new.keys())
        if deciding:
            _check_may_handle(endpoint, scopes)
        for name in CHANGEABLE:
            if name in new:
                setattr(endpoint, name, new[name])
        if deciding:
            endpoint.scopes = _readable(scopes)
            if by and by.pk not in endpoint.chosen_by_keys:
                endpoint.chosen_by_keys = [*endpoint.chosen_by_keys, by.pk]
            _check(endpoint, scopes)
            _skip_unwanted(endpoint)
        if counter and endpoint.url != old:
            await_test(endpoint, counter)
        if endpoint.url != old or _facts(endpoint) != before:
            endpoint.save()
            note("webhook.updated", endpoint, before=before, after=_facts(endpoint))
    return endpoint


def delete_endpoint(*, workspace: Workspace, endpoint_id: str, check: Check | None = None) -> None:
    """Deletes the endpoint: nothing more is sent, what waits is not sent either, and its secrets are forgotten."""
    with transaction.atomic():
        endpoint = locked(workspace, endpoint_id)
        if check:
            check(endpoint)
        endpoint.deleted_at = timezone.now()
        endpoint.secret = endpoint.previous_secret = ""
        endpoint.save()
        skip_waiting(endpoint)
        note("webhook.deleted", endpoint, before=_facts(endpoint))


def rotate_secret(
    endpoint: WebhookEndpoint, overlap: dt.timedelta, *, scopes: Collection[str]
) -> tuple[WebhookEndpoint, str]:
    """Gives the endpoint a new secret, which is not shown again. For `overlap` (up to LONGEST_OVERLAP) deliveries are
    signed with both; the secret before the last rotation ends at once. One that cannot be read, since its encryption
    key is lost, ends at once as well: then this is the way out."""
    if not dt.timedelta() <= overlap <= LONGEST_OVERLAP:
        raise InvalidFields.of("overlap_hours", "Must lie between 0 and 168.")
    with transaction.atomic():
        current = locked(endpoint.workspace, endpoint.pk)
        _check_may_handle(current, scopes)
        text = secrets.new_secret()
        old = _readable_secret(current) if overlap else ""
        current.previous_secret = old
        current.previous_secret_until = timezone.now() + overlap if old else None
        current.secret, current.secret_hint = text, secrets.hint(text)
        current.save()
        note("webhook.rotated", current, after={"previous_secret_until": current.previous_secret_until})
    return current, text


def stop_webhooks_of(key: ApiKey) -> list[str]:
    """Pauses the webhooks that the key has made, or chosen where or what they send; their ids. Revoking a key leaves
    them as they are otherwise."""
    stopped = []
    for endpoint in _chosen_by(key):
        if endpoint.status in (Status.ENABLED, Status.FAILING):
            try:
                pause(endpoint)
            except (InvalidTransition, WebhookEndpoint.DoesNotExist):
                continue  # disabled, changed or deleted in this moment: it is sent nothing
            stopped.append(endpoint.pk)
    return stopped


def webhooks_of(key: ApiKey) -> dict[str, str]:
    """Returns the addresses of the webhooks that the key has made, or chosen where or what they send, by id."""
    return {endpoint.pk: str(endpoint) for endpoint in _chosen_by(key)}


def _chosen_by(key: ApiKey) -> list[WebhookEndpoint]:
    # No more than MOST_ENDPOINTS; SQLite cannot look into a list.
    found = WebhookEndpoint.objects.alive().filter(workspace=key.workspace_id).select_related("workspace")
    return [each for each in found.order_by("pk") if key.pk in (each.made_by_key_id, *each.chosen_by_keys)]


def _readable_secret(endpoint: WebhookEndpoint) -> str:
    try:
        return endpoint.secret
    except DecryptionError:
        return ""


def _skip_unwanted(endpoint: WebhookEndpoint) -> None:
    """Ends what waits for the locked endpoint, unsent, and is not to be sent there any more: what may not be read by
    whoever has just chosen, and what is not subscribed to; of the latter a replay stays, which somebody asked for."""
    mine = [each.name for each in EVENT_TYPES.values() if each.scope in endpoint.scopes]
    wanted = [each.name for each in subscribed(endpoint.events, endpoint.scopes)]
    unwanted = ~Q(event__type__in=mine) | Q(~Q(event__type__in=wanted), replay_of=None)
    waiting = WebhookDelivery.objects.filter(unwanted, endpoint=endpoint, state=WebhookDelivery.State.PENDING)
    waiting.update(state=WebhookDelivery.State.SKIPPED, next_at=None, finished_at=timezone.now())


@contextmanager
def _turn(workspace_id: str) -> Iterator[None]:
    """Opens a transaction in which nobody else adds or changes endpoints of the company."""
    with transaction.atomic():
        Workspace.objects.select_for_update(no_key=True).get(pk=workspace_id)
        yield


def _readable(scopes: Collection[str]) -> list[str]:
    """Returns those of the scopes that events need, in the order of the catalogue."""
    return [scope for scope in dict.fromkeys(each.scope for each in EVENT_TYPES.values()) if scope in scopes]


def _check_may_handle(endpoint: WebhookEndpoint, scopes: Collection[str]) -> None:
    for each in subscribed(endpoint.events, endpoint.scopes):
        if each.scope not in scopes:
            raise ScopeMissing(each.scope)


def _check(endpoint: WebhookEndpoint, scopes: Collection[str]) -> None:
    """Raises for subscriptions that cannot be: call it in the company's turn."""
    if not endpoint.events:
        raise InvalidFields.of("events", "Name at least one type of event.")
    unknown = [each for each in endpoint.events if each not in KNOWN]
    if unknown:
        raise InvalidFields.of("events", f"There is no type {unknown[0]}. GET /api/v1/webhook-events lists them all.")
    unknown = [each for each in endpoint.sources if each not in WebhookEvent.Source.values]
    if unknown:
        raise InvalidFields.of("sources", f"Must be some of {', '.join(WebhookEvent.Source.values)}.")
    if scope := lacking(endpoint.events, scopes):
        raise ScopeMissing(scope)
    for other in WebhookEndpoint.objects.alive().filter(workspace=endpoint.workspace_id).exclude(pk=endpoint.pk):
        if is_same_url(other.url, endpoint.url) and overlaps(other.events, endpoint.events):
            raise InvalidFields.of(
                "url", f"The webhook {other.pk} has this address already, with some of the same events. Change that."
            )


def _facts(endpoint: WebhookEndpoint) -> dict[str, Any]:
    """Returns what the audit trail says of it; what stands in an address behind its path may be a secret."""
    facts = {name: getattr(endpoint, name) for name in (*CHANGEABLE, "scopes", "status")}
    return facts | {"url": without_query(endpoint.url)}
