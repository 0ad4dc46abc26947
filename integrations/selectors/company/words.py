"""Times, names and numbers as the sentences about a company's state say them: in its own zone, whoever reads."""

import datetime as dt
import zoneinfo
from collections.abc import Sequence

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from integrations.models import Connection
from integrations.providers import PROVIDERS


def clock(moment: dt.datetime, zone: zoneinfo.ZoneInfo, now: dt.datetime) -> str:
    """Returns `21:02`, or with its day where that is another one: `Fri 27 Nov, 21:00`."""
    there, today = moment.astimezone(zone), now.astimezone(zone)
    if there.date() == today.date():
        return date_format(there, "H:i")
    return date_format(there, "D j M, H:i" if there.year == today.year else "D j M Y, H:i")


def day(moment: dt.datetime, zone: zoneinfo.ZoneInfo, now: dt.datetime) -> str:
    """Returns `3 Nov`; the year only where it is another one."""
    there = moment.astimezone(zone)
    return date_format(there, "j M" if there.year == now.astimezone(zone).year else "j M Y")


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
