"""What a new webhook is usually wanted for: sets of types under one name, and the single types by their resources."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _

from fieldcamp.webhooks.event_types import EVENT_TYPES, EventType

CUSTOM = "custom"
EVERYTHING = "*"
# Made by FieldCamp when somebody asks for a test: nobody subscribes to it.
TEST = "webhook.test"


@dataclass(frozen=True)
class Preset:
    key: str
    label: Any
    about: Any
    events: tuple[str, ...]


PRESETS = (
    Preset(
        "everything",
        _("Everything"),
        _("Whatever happens, also what later versions tell of. Not each single change at a provider."),
        (EVERYTHING,),
    ),
    Preset("schedule", _("Schedule"), _("Visits: made, moved, completed, deleted."), ("visit.*",)),
    Preset(
        "money",
        _("Money"),
        _("Invoices, payments, items and taxes."),
        ("invoice.*", "payment.*", "item.*", "tax.*"),
    ),
    Preset(
        "health",
        _("Sync health"),
        _("Syncs that have ended, accounts that need somebody, conflicts and problems."),
        (
            "connection.*", "sync.completed", "sync.failed", "sync.cancelled", "sync.needs_confirmation", "conflict.*",
            "problem.*",
        ),
    ),
)  # fmt: skip
NAMES = {
    "visit": _("Visits"),
    "client": _("Clients"),
    "item": _("Items"),
    "tax": _("Taxes"),
    "invoice": _("Invoices"),
    "payment": _("Payments"),
    "team_member": _("Team"),
    "connection": _("Connections"),
    "connect_link": _("Connect links"),
    "sync": _("Syncs"),
    "conflict": _("Conflicts"),
    "problem": _("Problems"),
    "change": _("Changes at the provider"),
    "webhook": _("Webhooks"),
}


def types_within(scopes: Iterable[str]) -> list[EventType]:
    """Returns the types that may be subscribed to with these scopes."""
    allowed = set(scopes)
    return [each for each in EVENT_TYPES.values() if each.scope in allowed and each.name != TEST]


def presets_within(scopes: Iterable[str]) -> list[Preset]:
    """Returns the presets that these scopes allow in whole."""
    allowed = {each.name for each in types_within(scopes)}
    resources = {name.partition(".")[0] for name in allowed}

    def fits(event: str) -> bool:
        return event == EVERYTHING or event in allowed or (event.endswith(".*") and event[:-2] in resources)

    return [each for each in PRESETS if all(fits(event) for event in each.events)]


def choices_within(scopes: Iterable[str]) -> list[tuple[Any, list[tuple[str, str]]]]:
    """Returns what can be ticked, by resource: all of it, and each type."""
    groups: dict[str, list[EventType]] = {}
    for each in types_within(scopes):
        groups.setdefault(each.resource, []).append(each)
    return [
        (
            NAMES.get(resource, resource),
            [
                *([(f"{resource}.*", f"{resource}.*")] if len(types) > 1 else []),
                *((each.name, each.name) for each in types),
            ],
        )
        for resource, types in groups.items()
    ]


def preset_of(events: Sequence[str]) -> str:
    """Returns the preset that means just these events; else that they are chosen one by one."""
    found = next((each for each in PRESETS if set(each.events) == set(events)), None)
    return found.key if found else CUSTOM


def events_of(preset: str, ticked: Sequence[str]) -> list[str]:
    """Returns what is subscribed to for a choice in the form."""
    found = next((each for each in PRESETS if each.key == preset), None)
    return list(found.events) if found else list(ticked)
