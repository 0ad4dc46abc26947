"""Doing what is due with channels: opening, renewing, stopping. Each is claimed in the database first, so any number of
workers may do this, and one that is killed leaves its claim to lapse. No transaction is open while a vendor is asked.
"""

import datetime as dt

import structlog
from django.utils import timezone
from django_q.tasks import async_task

from integrations.accounts.clients import client_for, token_source
from integrations.accounts.grants import OrmGrantStore
from integrations.errors import AccessRefused, Gone, ProviderError, RateLimited, Unavailable
from integrations.models import PushChannel
from integrations.providers import PROVIDERS
from integrations.providers.push import (
    ChannelApi,
    HeldChannel,
    PushMisconfigured,
    PushUnsupported,
    WantedChannel,
)
from integrations.push import channels, outcomes, switch
from integrations.push.channels import State
from integrations.selectors.push_switch import push_url

log = structlog.get_logger(__name__)

FRESH = dt.timedelta(minutes=30)  # how long a token lasts yet which channels are to live on
MOST_STOPS = 5  # tries to stop a channel that ends by itself


def tend_due(now: dt.datetime | None = None, most: int = channels.AT_ONCE) -> int:
    """Does what is due, one after the other; how much it was."""
    done = 0
    for row in channels.due(now or timezone.now(), most):
        at = now or timezone.now()
        if channels.claim(row, at):
            done += 1
            tend(row, at)
    return done


def tend(row: PushChannel, now: dt.datetime) -> None:
    """Does what is due with one channel, which is claimed."""
    try:
        match row.state:
            case State.OPENING:
                _open(row, now)
            case State.UNSUPPORTED:
                outcomes.ask_again(row)
                _open(row, now)
            case State.LIVE:
                _renew(row, now)
            case State.LOST:
                _replace(row, now)
            case State.RETIRING:
                _stop(row, now)
    except Exception:  # one channel's trouble is no other's; its claim lapses
        log.exception("push_channel_broke", connection_id=row.stream.connection_id, stream=row.stream_id)


def _api(row: PushChannel) -> ChannelApi:
    """Returns the account's channels at its vendor. Raises `ProviderError`."""
    connection = row.stream.connection
    provider = PROVIDERS[row.integration]
    assert provider.push and provider.push.channels
    if provider.push.until_token_ends:
        grant = OrmGrantStore(connection.pk).read()
        if grant.access_token and not grant.lives_until(timezone.now() + FRESH):
            token_source(connection, provider).renewed(rejected=grant.access_token)
    return provider.push.channels(client_for(connection, provider, attempts=2))


def _open(row: PushChannel, now: dt.datetime) -> None:
    if not switch.may_try(row.integration, now):
        PushChannel.objects.filter(pk=row.pk).update(renew_at=now + outcomes.HOURLY)
        return
    stream, sent = row.stream, False
    try:
        api = _api(row)
        secret = channels.begin_opening(row, now)
        if secret is None:
            return
        sent = True
        opened = api.open(WantedChannel(row.channel_id, secret, push_url(row.integration), stream.container_id))
    except PushUnsupported as error:
        outcomes.refuse(row, str(error), now, again=not error.certain)
    except PushMisconfigured as error:
        switch.refused(row.integration, str(error), error.fault, now)
        outcomes.put_off(row, str(error), now, asked=False, until=now + outcomes.HOURLY)
    except ProviderError as error:
        lost = isinstance(error, Unavailable) and not isinstance(error, AccessRefused)
        _failed(row, error, now, asked=sent and lost)
    else:
        switch.taken(row.integration)
        if not outcomes.take_opened(row, opened, timezone.now()):
            _end(api, HeldChannel(row.channel_id, opened.resource_id, stream.container_id))


def _end(api: ChannelApi, held: HeldChannel) -> None:
    """Stops what nobody wants any more, as far as the vendor lets us."""
    try:
        api.stop(held)
    except ProviderError as error:
        log.warning("push_stop_failed", error=type(error).__name__)


def _renew(row: PushChannel, now: dt.datetime) -> None:
    if row.expires_at is not None and row.expires_at <= now:
        _replace(row, now)
        return
    try:
        extended = _api(row).extend(_held(row))
    except Gone:
        outcomes.take_loss(row, "The vendor did not know the channel any more.", now)
        _replace(row, now)
    except ProviderError as error:
        _failed(row, error, now, asked=True)
    else:
        if extended is None:
            _replace(row, now)
        else:
            outcomes.take_extended(row, extended, now)


def _replace(row: PushChannel, now: dt.datetime) -> None:
    """Opens another channel for the same calendar. This one is heard until that one works."""
    if another := outcomes.open_another(row, now):
        _open(another, now)


def _stop(row: PushChannel, now: dt.datetime) -> None:
    """Stops a channel. One whose opening was never answered is found by what the vendor lists, or by the name that its
    calendar has there; as long as nobody knows that, it is waited for."""
    if row.expires_at is not None and row.expires_at <= now:
        outcomes.take_stopped(row)
        return
    try:
        api = _api(row)
        found = [_held(row)] if row.resource_id else _unanswered(row, api)
        for held in found or []:
            api.stop(held)
    except ProviderError as error:
        if row.failures + 1 >= MOST_STOPS:
            outcomes.take_stopped(row)
        else:
            outcomes.put_off(row, type(error).__name__, now, asked=True)
        return
    if found is not None or row.created_at < now - channels.KEPT:
        outcomes.take_stopped(row)


def _unanswered(row: PushChannel, api: ChannelApi) -> list[HeldChannel] | None:
    """Returns what an opening may have left at the vendor; None while that cannot be told."""
    container_id = row.stream.container_id
    live = PushChannel.objects.filter(stream=row.stream_id, state=State.LIVE).exclude(resource_id="").first()
    if live is None or channels.being_opened_elsewhere(row):
        return None
    lost = HeldChannel(row.channel_id, live.resource_id, container_id)
    return api.strays(push_url(row.integration), lost, lambda ids: channels.known(row.integration, ids))


def _held(row: PushChannel) -> HeldChannel:
    return HeldChannel(row.channel_id, row.resource_id, row.stream.container_id)


def _failed(row: PushChannel, error: ProviderError, now: dt.datetime, *, asked: bool) -> None:
    until = error.retry_at if isinstance(error, RateLimited) else None
    why = (
        f"{error} {error.detail[:80]}".strip() if isinstance(error, Unavailable | RateLimited) else _refusal(row, error)
    )
    if outcomes.put_off(row, why, now, asked=asked, until=until):
        async_task("integrations.jobs.tasks.tell_of_failing_push", row.stream.connection_id, why[:200])


def _refusal(row: PushChannel, error: ProviderError) -> str:
    """Says what was refused: sentences of refusals speak of events otherwise."""
    return f"{PROVIDERS[row.integration].label} refuses to push: {error.detail[:120] or type(error).__name__}"
