"""The time that calendars are synced for, and which moves in it are ordinary."""

import datetime as dt

from django.conf import settings

from integrations.records import Window, instant
from integrations.sync.far import FarMoves


def window_at(now: dt.datetime) -> Window:
    """Returns the time from SYNC_WINDOW_PAST_DAYS before to SYNC_WINDOW_FUTURE_DAYS after today, in whole days of UTC,
    so that a day's runs look at the same."""
    midnight = now.astimezone(dt.UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return Window(
        midnight - dt.timedelta(days=settings.SYNC_WINDOW_PAST_DAYS),
        midnight + dt.timedelta(days=settings.SYNC_WINDOW_FUTURE_DAYS + 1),
    )


def far_moves(now: dt.datetime) -> FarMoves:
    """Returns which moves of a visit's event a person is asked about."""
    return FarMoves(instant(now), settings.ASK_WHEN_MOVED_DAYS, settings.ASK_WHEN_LONGER_HOURS)
