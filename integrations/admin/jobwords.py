"""How a job's page says what was done: so many records of a kind, and what became of them on which side."""

from collections.abc import Callable
from typing import Any

from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from fieldcamp import formats
from integrations.models import JobItem, Outcome

# What was done to a record, said of it with the name of the other side.
ACTIONS: dict[str, Any] = {
    "nothing": _("Nothing to do"),
    "settle": _("Already equal"),
    "pull": _("Changed in FieldCamp"),
    "create_local": _("Created in FieldCamp"),
    "remove_local": _("Removed in FieldCamp"),
    "create_remote": _("Created in {place}"),
    "update_remote": _("Changed in {place}"),
    "remove_remote": _("Removed from {place}"),
    "cut": _("Removed from {place} by somebody there"),
    "forget": _("Forgotten"),
    "ask": _("Waits for your answer"),
    "hold": _("Waits for your answer"),
    "wait": _("Waits"),
}
# What was tried without success.
TRIED: dict[str, Any] = {
    "wait": _("Waits for you"),
    "ask": _("Waits for you"),
    "nothing": _("Waits for you"),
    "pull": _("Not taken in"),
    "create_local": _("Not taken in"),
    "remove_local": _("Not removed in FieldCamp"),
    "create_remote": _("Not created in {place}"),
    "update_remote": _("Not changed in {place}"),
    "remove_remote": _("Not removed from {place}"),
}
# The same of many: {records} is "59 clients".
GROUPS: dict[str, Any] = {
    "pull": _("{records} changed in FieldCamp"),
    "create_local": _("{records} created in FieldCamp"),
    "remove_local": _("{records} removed in FieldCamp"),
    "create_remote": _("{records} created in {place}"),
    "update_remote": _("{records} changed in {place}"),
    "remove_remote": _("{records} removed from {place}"),
    "cut": _("{records} removed from {place} by somebody there"),
}
_COUNTED: dict[str, Callable[[int], str]] = {
    "visit": lambda n: ngettext("{number} visit", "{number} visits", n),
    "block": lambda n: ngettext("{number} busy time", "{number} busy times", n),
    "customer": lambda n: ngettext("{number} client", "{number} clients", n),
    "item": lambda n: ngettext("{number} item", "{number} items", n),
    "tax": lambda n: ngettext("{number} tax", "{number} taxes", n),
    "invoice": lambda n: ngettext("{number} invoice", "{number} invoices", n),
    "payment": lambda n: ngettext("{number} payment", "{number} payments", n),
}


def counted(kind: str, number: int) -> str:
    """Returns `59 clients`."""
    words = _COUNTED.get(kind, lambda n: ngettext("{number} record", "{number} records", n))(number)
    return words.format(number=formats.number(number))


def action_of(item: JobItem, place: str) -> str:
    """Says what was done to a record, or was tried without success; `place` is the other side's name."""
    if item.outcome == Outcome.FAILED and (tried := TRIED.get(item.action)):
        return str(tried).format(place=place)
    return str(ACTIONS.get(item.action) or _done(item.outcome)).format(place=place)


def _done(outcome: str) -> str:
    said = {
        Outcome.PULLED: gettext("Taken in"),
        Outcome.PUSHED: gettext("Sent to {place}"),
        Outcome.SKIPPED: gettext("Nothing to do"),
    }
    return said.get(Outcome(outcome), gettext("Waits for you"))


def group_of(kind: str, action: str, outcome: str, number: int, place: str) -> str:
    """Returns `59 clients created in QuickBooks`, `2 invoices wait for you`."""
    records = counted(kind, number)
    if outcome == Outcome.FAILED:
        waits = ngettext("{records} waits for you", "{records} wait for you", number)
        return waits.format(records=records)
    other = _("{records} taken in") if outcome == Outcome.PULLED else _("{records} sent to {place}")
    words = GROUPS.get(action, other)
    return str(words).format(records=records, place=place)
