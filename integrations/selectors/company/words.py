"""Times, names and numbers as the sentences about a company's state say them: in its own zone, whoever reads."""

import datetime as dt
import zoneinfo
from collections.abc import Sequence

from django.utils import timezone
from django.utils.translation import gettext as _

from fieldcamp import formats
from integrations.models import Connection
from integrations.providers import PROVIDERS


def clock(moment: dt.datetime, zone: zoneinfo.ZoneInfo, now: dt.datetime) -> str:
    """Returns `21:02`, or with its day where that is another one: `Fri 27 Nov, 21:00`."""
    today = moment.astimezone(zone).date() == now.astimezone(zone).date()
    with timezone.override(zone):
        return formats.clock(moment) if today else formats.moment(moment)


def day(moment: dt.datetime, zone: zoneinfo.ZoneInfo, now: dt.datetime) -> str:
    """Returns `3 Nov`; the year only where it is another one."""
    there = moment.astimezone(zone)
    return formats.short_day(there) if there.year == now.astimezone(zone).year else formats.day(there.date())


def place(integration: str) -> str:
    """Returns how people call an integration."""
    provider = PROVIDERS.get(integration)
    return str(provider.label) if provider else integration


def names(connections: Sequence[Connection], most: int = 3) -> str:
    """Returns `maria@example.com, tom@example.com`, and how many more there are."""
    return listed([connection.account_name for connection in connections], len(connections), most)


def listed(some: Sequence[str], number: int, most: int = 3) -> str:
    """Returns the first few of `number` names."""
    said = ", ".join(some[:most])
    if number > len(some[:most]):
        return _("{names} and {number} more").format(names=said, number=number - len(some[:most]))
    return said


def owned(connection: Connection) -> str:
    """Returns `Google Calendar of lee@example.com`."""
    return _("{integration} of {account}").format(
        integration=place(connection.integration), account=connection.account_name
    )
