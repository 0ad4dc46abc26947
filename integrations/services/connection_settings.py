"""Changing single settings of an account: what is not said stays; the services of the desk take the rest."""

import contextlib
import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from fieldcamp.workspace.errors import InvalidFields
from fieldcamp.workspace.models import Member
from integrations.accounts.acting import Actor
from integrations.models import Connection, ConnectionState
from integrations.providers import PROVIDERS
from integrations.records import Container, Reference
from integrations.selectors.connection_settings import DIRECTIONS, POLICIES, REFERENCES, settings_of
from integrations.services import setup
from integrations.services.books import mapping
from integrations.services.books.setup import open_books, read_choices, set_up_books
from integrations.services.jobs import require_usable
from integrations.services.metering import set_reads_per_day

TRIES = 5  # where others change the same account at the same time
_DIRECTION_OF, _POLICY_OF = ({name: value for value, name in table.items()} for table in (DIRECTIONS, POLICIES))
CALENDAR, BOOKS, READS = "calendar", "books", "metered_reads_per_day"
CHOOSE_PERSON = _("Choose a person of this company who is active.")
# The settings as the services call them, by what they are called here.
_CALENDAR = {
    "member": "member_id",
    "target": "target_calendar_id",
    "busy": "busy_calendar_ids",
    "policy": "conflict_policy",
}
_BOOKS = {
    "income_account": "income_account_id",
    "default_item": "default_item_id",
    "policy_lists": "conflict_policy_lists",
    "policy_documents": "conflict_policy_documents",
    **{name: f"{name}_id" for name in mapping.CATEGORIES},
}


class Contended(Exception):
    """Others have changed the same settings again and again meanwhile; nothing was changed."""

    def __init__(self) -> None:
        super().__init__(gettext("Somebody else is changing these settings just now. Nothing was changed. Try again."))


class _MovedMeanwhile(Exception):
    """The settings are not those any more that the change was made for."""


def change_settings(
    *,
    connection: Connection,
    changes: Mapping[str, Any],
    user: Actor,
    precondition: Callable[[Mapping[str, Any]], None] = lambda settings: None,
) -> dict[str, Any]:
    """Changes these settings of an account (`settings_of`, with ids in the place of what has a name) and returns all of
    them. One that was not set up yet is, if all is there that it takes. `precondition` is given the settings that are
    about to be changed, and may refuse them. Settings that somebody else has changed meanwhile are not lost.

    Raises InvalidFields, SetupError without a field, NotConnected, ProviderError, Contended, and what `precondition`
    raises."""
    for _turn in range(TRIES):
        seen = settings_of(connection)
        precondition(seen)
        try:
            _apply(connection, seen, changes, user)
        except _MovedMeanwhile:
            continue
        return settings_of(connection)
    raise Contended


def _apply(connection: Connection, seen: Mapping[str, Any], changes: Mapping[str, Any], user: Actor) -> None:
    other = BOOKS if PROVIDERS[connection.integration].is_calendar else CALENDAR
    if other in changes:
        raise InvalidFields.of(other, gettext("This account has no such settings."))
    if READS in changes and not PROVIDERS[connection.integration].meters_reads:
        raise InvalidFields.of(READS, gettext("The provider bills no calls of this account."))
    check = _Unchanged(connection, seen)
    if changes.get(CALENDAR):
        with _called(CALENDAR, _CALENDAR):
            _of_calendar(connection, seen[CALENDAR], changes[CALENDAR], user, check)
            check.look_again()
    if changes.get(BOOKS):
        with _called(BOOKS, _BOOKS):
            _of_books(connection, seen[BOOKS], changes[BOOKS], user, check)
            check.look_again()
    if READS in changes:
        set_reads_per_day(connection=connection, limit=changes[READS], user=user, unchanged=check)


class _Unchanged:
    """Called under a lock of the settings: raises _MovedMeanwhile unless they are as they were seen."""

    def __init__(self, connection: Connection, seen: Mapping[str, Any]):
        self.connection, self.seen = connection, seen

    def __call__(self) -> None:
        if settings_of(self.connection) != self.seen:
            raise _MovedMeanwhile

    def look_again(self) -> None:
        """Takes the settings as they are now for those that were seen: it was this call that has changed them."""
        self.seen = settings_of(self.connection)


@contextlib.contextmanager
def _called(section: str, names: Mapping[str, str]) -> Iterator[None]:
    """Has what a service refuses stand at the setting as it is called here."""
    try:
        yield
    except setup.SetupError as refusal:
        if not refusal.field:
            raise
        name = names.get(refusal.field, refusal.field)
        raise InvalidFields.of(f"{section}.{name}", str(refusal)) from refusal


def _require_open(connection: Connection) -> None:
    connection.refresh_from_db()
    if connection.state_now != ConnectionState.SETUP:
        require_usable(connection)


# --- calendars ------------------------------------------------------------------------------------------------------


def _of_calendar(
    connection: Connection, seen: Mapping[str, Any], changes: Mapping[str, Any], user: Actor, check: _Unchanged
) -> None:
    _require_open(connection)
    target = seen["target_calendar"]
    wanted = {
        "member_id": seen["member_id"],
        "target_calendar_id": target["id"] if target else None,
        "busy_calendar_ids": sorted(each["id"] for each in seen["busy_calendars"]),
        "direction": seen["direction"],
        "conflict_policy": seen["conflict_policy"],
    }
    before = dict(wanted)
    wanted |= {name: value for name, value in changes.items() if name in wanted}
    wanted["busy_calendar_ids"] = sorted({*wanted["busy_calendar_ids"]})
    if wanted == before and connection.state != ConnectionState.SETUP:
        return
    missing = [name for name in ("member_id", "target_calendar_id") if wanted[name] is None]
    if missing:
        sentence = gettext("It takes this to set the account up.")
        raise InvalidFields({f"{CALENDAR}.{name}": [sentence] for name in missing})
    members = Member.objects.filter(workspace=connection.workspace_id, pk=wanted["member_id"])
    member = members.first()
    if member is None:
        raise InvalidFields.of(f"{CALENDAR}.member_id", str(CHOOSE_PERSON))
    setup.set_up(
        connection=connection,
        member=member,
        target_container_id=wanted["target_calendar_id"],
        busy_container_ids=wanted["busy_calendar_ids"],
        direction=_DIRECTION_OF[wanted["direction"]],
        policy=_POLICY_OF[wanted["conflict_policy"]],
        keep_busy=changes.get("keep_busy_times", False),
        user=user,
        unchanged=check,
    )


# --- books ----------------------------------------------------------------------------------------------------------


def _of_books(
    connection: Connection, seen: Mapping[str, Any], changes: Mapping[str, Any], user: Actor, check: _Unchanged
) -> None:
    _require_open(connection)
    ids = {f"{name}_id": (seen[name] or {}).get("id", "") for name in REFERENCES}
    before = {**ids, **{name: value for name, value in seen.items() if name not in REFERENCES}}
    wanted = before | {name: value or "" if name in ids else value for name, value in changes.items() if name in before}
    changed = {name for name in wanted if wanted[name] != before[name]}
    categories = {name: wanted[f"{name}_id"] for name in mapping.CATEGORIES if f"{name}_id" in changed}
    is_set_up = connection.state != ConnectionState.SETUP
    if is_set_up and not changed:
        return
    if categories and not is_set_up:
        sentence = gettext("Set the books up first. Then this can be chosen.")
        raise InvalidFields({f"{BOOKS}.{name}_id": [sentence] for name in categories})
    columns = mapping.columns_of_categories(connection, categories)  # refuses what is none
    choices = read_choices(connection)
    accounts = {name: wanted[name] for name in ("income_account_id", "default_item_id")}
    if changed - {*ids} or not is_set_up:
        day = wanted["invoices_from"]
        set_up_books(
            connection=connection,
            **accounts,
            import_customers=wanted["import_customers"],
            import_items=wanted["import_items"],
            invoices_from=dt.date.fromisoformat(day) if day else None,
            direction=_DIRECTION_OF[wanted["direction"]],
            policy_lists=_POLICY_OF[wanted["conflict_policy_lists"]],
            policy_documents=_POLICY_OF[wanted["conflict_policy_documents"]],
            shared=changes.get("shared", False),
            user=user,
            choices=choices,
            categories=columns,
            unchanged=check,
        )
        if is_set_up and changed & {*ids}:
            mapping.try_what_waited(connection, user)
    else:
        mapping.set_defaults(
            connection=connection, **accounts, columns=columns, user=user, choices=choices, unchanged=check
        )


# --- what there is to choose from -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Offered:
    """What the provider has to choose from: calendars, or what the books name; inactive ones are left out."""

    calendars: list[Container] = field(default_factory=list)
    references: Mapping[str, list[Reference]] = field(default_factory=dict)


def what_is_offered(connection: Connection) -> Offered:
    """Asks the provider. Raises NotConnected, ProviderError."""
    _require_open(connection)
    if PROVIDERS[connection.integration].is_calendar:
        return Offered(calendars=setup.list_containers(connection))
    found = read_choices(connection)
    categories = mapping.categories_of(open_books(connection), found.company)
    return Offered(references={"income_account": found.income_accounts, "item": found.items, **categories})
