"""What each answer of a vendor makes of a channel's row. No vendor is asked here."""

import datetime as dt
import random
from typing import Any

import structlog
from django.db import transaction

from integrations.models import Connection, PushChannel
from integrations.providers import PROVIDERS
from integrations.providers.push import OpenedChannel
from integrations.push.channels import CURRENT, State, claim, make_due, new_row

log = structlog.get_logger(__name__)

LADDER = (dt.timedelta(minutes=15), dt.timedelta(hours=1), dt.timedelta(hours=4), dt.timedelta(hours=12))
LAST_DAY, HOURLY = dt.timedelta(days=1), dt.timedelta(hours=1)
ASKED_AGAIN = dt.timedelta(days=7)  # of what a vendor has refused as such, where it may say so by mistake
TOLD_AFTER = 5  # failures in a row


def take_opened(row: PushChannel, opened: OpenedChannel, now: dt.datetime) -> bool:
    """Takes in that a channel was opened: it is live, the ones before it are to be stopped, its calendar is due, for
    nobody has told what happened in between. False: nobody wants it any more."""
    mine = PushChannel.objects.filter(
        pk=row.pk, channel_id=row.channel_id, state__in=(State.OPENING, State.LIVE, State.LOST)
    )
    with transaction.atomic():
        if not mine.update(state=State.LIVE, opened_at=now, **_granted(row, opened, now)):
            return False
        earlier = PushChannel.objects.filter(stream=row.stream_id, state__in=(State.LIVE, State.LOST))
        earlier.exclude(pk=row.pk).update(state=State.RETIRING, renew_at=now)
    make_due([row.stream_id], now)
    log.info("push_channel_opened", connection_id=row.stream.connection_id, stream=row.stream_id)
    return True


def take_extended(row: PushChannel, opened: OpenedChannel, now: dt.datetime) -> None:
    """Takes in that a channel lasts longer."""
    PushChannel.objects.filter(pk=row.pk, state=State.LIVE).update(**_granted(row, opened, now))


def _granted(row: PushChannel, opened: OpenedChannel, now: dt.datetime) -> dict[str, Any]:
    push = PROVIDERS[row.integration].push
    assert push
    life = max(opened.expires_at - now, HOURLY)
    renew_at = now + life * random.uniform(*push.renew_after)  # noqa: S311
    return {
        "resource_id": opened.resource_id,
        "expires_at": opened.expires_at,
        "renew_at": renew_at,
        "failures": 0,
        "reason": "",
    }


def open_another(row: PushChannel, now: dt.datetime) -> PushChannel | None:
    """Returns the row of the channel that is to take this one's place, claimed; None where somebody else is at it. This
    one goes on until the other works, and is looked at again when it ends."""
    expired = row.expires_at is not None and row.expires_at <= now
    with transaction.atomic():
        if row.state == State.LIVE and expired:
            PushChannel.objects.filter(pk=row.pk).update(state=State.LOST, reason="It has ended.")
        later = row.expires_at if row.state == State.LIVE and row.expires_at and not expired else now + LADDER[-1]
        PushChannel.objects.filter(pk=row.pk).update(renew_at=later)
        PushChannel.objects.bulk_create(
            [new_row(row.stream_id, row.integration, now, state=State.OPENING)], ignore_conflicts=True
        )
    if row.state == State.LIVE and expired:
        make_due([row.stream_id], now)
    new = PushChannel.objects.filter(stream=row.stream_id, state=State.OPENING, renew_at__lte=now)
    found = new.select_related("stream__connection__workspace").first()
    return found if found is not None and claim(found, now) else None


def take_loss(row: PushChannel, reason: str, now: dt.datetime) -> None:
    """Takes in that the vendor does not know the channel any more."""
    PushChannel.objects.filter(pk=row.pk, state=State.LIVE).update(state=State.LOST, renew_at=now, reason=reason[:300])
    row.state = State.LOST
    make_due([row.stream_id], now)


def put_off(row: PushChannel, reason: str, now: dt.datetime, *, asked: bool, until: dt.datetime | None = None) -> bool:
    """Takes in that it did not work; whether people are to be told. `asked`: the vendor may have done it all the same;
    `until`: it has said when to come back, which is no failure."""
    rows = PushChannel.objects.filter(pk=row.pk, state=row.state)
    failures = row.failures + (until is None)
    when = max(until, now + LADDER[0]) if until else now + _wait(row, failures, now)
    values: dict[str, Any] = {"renew_at": when, "reason": reason[:300], "failures": failures}
    if not asked and row.state == State.OPENING:
        values["opened_at"] = None
    if not rows.update(**values) or until:
        return False
    log.warning(
        "push_channel_failed",
        connection_id=row.stream.connection_id,
        stream=row.stream_id,
        failures=failures,
        why=reason,
    )
    return failures == TOLD_AFTER and row.state != State.RETIRING and _is_first(row)


def _wait(row: PushChannel, failures: int, now: dt.datetime) -> dt.timedelta:
    """Returns how long it is waited after so many failures, ±15 %; in a channel's last day, an hour at most."""
    wait = LADDER[min(max(failures, 1), len(LADDER)) - 1]
    ends = [row.expires_at] if row.state == State.LIVE else []
    ends += PushChannel.objects.filter(stream=row.stream_id, state=State.LIVE).values_list("expires_at", flat=True)
    if any(end is not None and end - now < LAST_DAY for end in ends):
        wait = min(wait, HOURLY)
    return wait * random.uniform(0.85, 1.15)  # noqa: S311


def _is_first(row: PushChannel) -> bool:
    """Returns whether nobody was told of the account yet: none of its other channels fails as long."""
    with transaction.atomic():
        Connection.objects.select_for_update(no_key=True).get(pk=row.stream.connection_id)
        failing = PushChannel.objects.filter(stream__connection=row.stream.connection_id, failures__gte=TOLD_AFTER)
        return not failing.exclude(pk=row.pk).filter(state__in=CURRENT).exists()


def refuse(row: PushChannel, reason: str, now: dt.datetime, *, again: bool) -> None:
    """Takes in that the vendor tells nothing of this calendar, whatever is asked. `again`: it may be wrong, and is
    asked again in a week."""
    later = now + ASKED_AGAIN if again else None
    PushChannel.objects.filter(pk=row.pk, state=State.OPENING).update(
        state=State.UNSUPPORTED, renew_at=later, opened_at=None, failures=0, reason=reason[:300]
    )
    earlier = PushChannel.objects.filter(stream=row.stream_id, state__in=(State.LIVE, State.LOST))
    earlier.update(state=State.RETIRING, renew_at=now)
    log.info("push_not_offered", connection_id=row.stream.connection_id, stream=row.stream_id)


def ask_again(row: PushChannel) -> None:
    """Turns a refusal back into a wish."""
    PushChannel.objects.filter(pk=row.pk, state=State.UNSUPPORTED).update(state=State.OPENING, opened_at=None)
    row.state, row.opened_at = State.OPENING, None


def take_stopped(row: PushChannel) -> None:
    """Takes in that a channel is stopped."""
    PushChannel.objects.filter(pk=row.pk).update(state=State.STOPPED, renew_at=None, failures=0)
