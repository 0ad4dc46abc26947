"""The rows of channels: which there should be, with which something is to be done. No vendor is asked here.

A row is written before the vendor is asked, and `opened_at` before it is sent: whatever is lost after that, no channel
fires that nobody knows. `renew_at` is when something is to be done with a row, and the claim on doing it.
"""

import datetime as dt
import random
from collections.abc import Collection, Iterable
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from integrations.models import BROKEN, Connection, ConnectionState, PushChannel, PushMark, Stream
from integrations.providers import PROVIDERS
from integrations.push.secrets import digest_of, new_agreement
from integrations.selectors.push_switch import why_off

State = PushChannel.State
CLAIM = dt.timedelta(minutes=10)  # how long one may take to do what is due
KEPT = dt.timedelta(days=14)  # rows of channels that have ended
AT_ONCE = 500  # rows that one round makes or takes
CURRENT = (State.OPENING, State.LIVE, State.LOST, State.UNSUPPORTED)


def providers_with_channels() -> list[str]:
    """Returns the integrations whose vendors push through channels that we open."""
    return [name for name, provider in PROVIDERS.items() if provider.push and provider.push.channels]


def wanted_streams() -> QuerySet[Stream]:
    """Returns the calendars that should each have a channel: of accounts that can sync, paused ones too."""
    usable = Connection.objects.usable().filter(leaving__isnull=True, integration__in=providers_with_channels())
    return Stream.objects.filter(is_active=True, kind="", connection__in=usable)


def make_missing(now: dt.datetime) -> int:
    """Makes a row for each calendar that lacks one, due at once; how many."""
    on = [name for name in providers_with_channels() if not why_off(name, now)]
    has = PushChannel.objects.filter(stream=OuterRef("pk"), state__in=CURRENT)
    streams = wanted_streams().filter(~Exists(has), connection__integration__in=on)
    rows = [
        new_row(pk, integration, now)
        for pk, integration in streams.order_by("pk").values_list("pk", "connection__integration")[:AT_ONCE]
    ]
    PushChannel.objects.bulk_create(rows, ignore_conflicts=True)  # another worker may have made them
    return len(rows)


def new_row(stream_id: str, integration: str, now: dt.datetime, **more: Any) -> PushChannel:
    channel_id, secret = new_agreement()
    return PushChannel(
        stream_id=stream_id,
        integration=integration,
        channel_id=channel_id,
        secret_digest=digest_of(secret),
        renew_at=now,
        **more,
    )


def drop_unwanted(now: dt.datetime) -> None:
    """Has channels stopped whose calendar is not synced any more. Those of an account that cannot be asked at present
    stay as they are: it is connected again, or left."""
    rows = PushChannel.objects.filter(state__in=CURRENT).exclude(stream__in=wanted_streams())
    rows.filter(stream__connection__state=ConnectionState.DISCONNECTED).update(state=State.STOPPED, renew_at=None)
    rows = rows.exclude(stream__connection__state__in=(*BROKEN, ConnectionState.DISCONNECTED))
    never_asked = Q(state=State.UNSUPPORTED) | Q(state=State.OPENING, opened_at=None)
    rows.filter(never_asked).update(state=State.STOPPED, renew_at=None)
    rows.update(state=State.RETIRING, renew_at=now)


def due(now: dt.datetime, most: int = AT_ONCE) -> list[PushChannel]:
    """Returns the rows with which something is to be done, those that have waited longest first."""
    off = [name for name in providers_with_channels() if why_off(name, now)]
    rows = PushChannel.objects.filter(renew_at__lte=now).select_related("stream__connection__workspace")
    retiring = Q(state=State.RETIRING) & ~Q(stream__connection__state=ConnectionState.DISCONNECTED)
    kept = Q(stream__in=wanted_streams()) & ~Q(integration__in=off)
    return list(rows.filter(retiring | kept).order_by("renew_at", "pk")[:most])


def claim(row: PushChannel, now: dt.datetime) -> bool:
    """Returns whether it is ours to do something with the row: one conditional UPDATE, good for `CLAIM`."""
    mine = PushChannel.objects.filter(pk=row.pk, state=row.state, renew_at=row.renew_at)
    if not mine.update(renew_at=now + CLAIM):
        return False
    row.renew_at = now + CLAIM
    return True


def begin_opening(row: PushChannel, now: dt.datetime) -> str | None:
    """Agrees on a new id and secret, which are stored before the vendor hears of them; the secret, or None where the
    row is not to be opened any more. An earlier try whose answer was lost stays known under its own name."""
    channel_id, secret = new_agreement()
    with transaction.atomic():
        found = PushChannel.objects.select_for_update().filter(pk=row.pk, state=State.OPENING).first()
        if found is None:
            return None
        if found.opened_at is not None:
            asked = {"channel_id": found.channel_id, "secret_digest": found.secret_digest}
            later = {"opened_at": found.opened_at, "renew_at": now + CLAIM, "reason": "Its opening was not answered."}
            _rename(found, channel_id, secret, now)
            PushChannel.objects.create(
                stream_id=found.stream_id, integration=found.integration, state=State.RETIRING, **asked, **later
            )
        else:
            _rename(found, channel_id, secret, now)
    row.channel_id, row.opened_at = channel_id, now
    return secret


def _rename(row: PushChannel, channel_id: str, secret: str, now: dt.datetime) -> None:
    digest = digest_of(secret)
    PushChannel.objects.filter(pk=row.pk).update(
        channel_id=channel_id, secret_digest=digest, resource_id="", opened_at=now
    )


def reopen(connection_ids: Collection[str], now: dt.datetime, reason: str, spread: dt.timedelta = CLAIM * 0) -> int:
    """Has all live channels of these accounts opened anew: whether they still work is not known. How many."""
    rows = PushChannel.objects.filter(stream__connection__in=connection_ids, state=State.LIVE)
    return _lose(rows.values_list("pk", flat=True), now, reason, spread)


def reopen_all(now: dt.datetime, reason: str, spread: dt.timedelta) -> int:
    """Does so with the channels of all accounts."""
    live = PushChannel.objects.filter(state=State.LIVE, integration__in=providers_with_channels())
    return _lose(live.values_list("pk", flat=True), now, reason, spread)


def _lose(ids: Iterable[int], now: dt.datetime, reason: str, spread: dt.timedelta) -> int:
    lost = 0
    for pk in list(ids):
        when = now + spread * random.random()  # noqa: S311
        row = PushChannel.objects.filter(pk=pk, state=State.LIVE)
        lost += row.update(state=State.LOST, renew_at=when, reason=reason)
    return lost


def make_due(stream_ids: Collection[str], now: dt.datetime) -> None:
    """Makes streams due at once, of which nobody has told what happened to them meanwhile."""
    for stream_id in sorted(stream_ids):
        if not PushMark.objects.filter(Q(pushed_at=None) | Q(pushed_at__lte=now), stream=stream_id).update(
            due_at=now, pushed_at=now, taken_at=None
        ):
            PushMark.objects.bulk_create(
                [PushMark(stream_id=stream_id, due_at=now, pushed_at=now)], ignore_conflicts=True
            )


def known(integration: str, resource_ids: Collection[str]) -> set[str]:
    """Returns which of these the vendor has told us of."""
    rows = PushChannel.objects.filter(integration=integration, resource_id__in=resource_ids)
    return set(rows.exclude(state=State.STOPPED).values_list("resource_id", flat=True))


def being_opened_elsewhere(row: PushChannel) -> bool:
    """Returns whether another connection of the same account waits for an answer, whose channel is not known yet."""
    others = Connection.objects.same_account(row.stream.connection)
    return PushChannel.objects.filter(
        stream__connection__in=others, state=State.OPENING, opened_at__isnull=False
    ).exists()


def prune(now: dt.datetime) -> int:
    """Deletes the rows of channels that have ended long ago; how many."""
    ended = PushChannel.objects.filter(Q(expires_at=None) | Q(expires_at__lt=now), state=State.STOPPED)
    return ended.filter(created_at__lt=now - KEPT).delete()[0]
