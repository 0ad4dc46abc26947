"""What an account's page says in sentences: how it stands, what is synced with it, and how long its access lasts."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.utils.translation import gettext

from fieldcamp import formats
from integrations.models import ConflictPolicy, Connection, ConnectionState, Direction, Stream

_WAY = {Direction.TWO_WAY: "both", Direction.PUSH: "there", Direction.PULL: "here"}


def account_heading(connection: Connection, label: str) -> str:
    """Returns `Lee Okafor's Google Calendar`; of books and of an account that is nobody's yet the account's name."""
    if connection.member:
        return gettext("{person}'s {vendor}").format(person=connection.member, vendor=label)
    return f"{label}: {connection.account_name}"


def account_word(connection: Connection, *, stalled: bool, asks: bool) -> str:
    """Returns how the account stands, in a word: in step only where nothing keeps it and nothing is asked."""
    if connection.state != ConnectionState.ACTIVE:
        return str(connection.get_state_display())
    if stalled:
        return gettext("Not up to date")
    if asks:
        return gettext("Needs you")
    return gettext("In step") if connection.last_synced_at else gettext("Not synced yet")


def calendar_sentences(streams: Sequence[Stream]) -> list[str]:
    """Returns what goes where in the account's calendars."""
    active = [stream for stream in streams if stream.is_active]
    target = next((stream for stream in active if stream.is_target), None)
    busy = [str(stream) for stream in active if stream.reads_busy]
    said = []
    if target:
        way = {
            "both": gettext("Visits go to “{calendar}”, both ways: what is moved there moves here."),
            "there": gettext("Visits go to “{calendar}”. What is changed there is not taken over."),
            "here": gettext("“{calendar}” is only read: FieldCamp writes nothing into it."),
        }[_WAY[Direction(target.direction)]]
        said.append(way.format(calendar=target))
    if busy:
        names = ", ".join(f"“{name}”" for name in busy)
        said.append(gettext("Busy time is read from {calendars}; of it only when, never what.").format(calendars=names))
    if target and target.direction == Direction.TWO_WAY:
        said.append(both_changed(target))
    return said


def both_changed(stream: Stream) -> str:
    """Returns who wins where both sides have changed the same."""
    return {
        ConflictPolicy.LOCAL: gettext("If both sides changed the same: FieldCamp wins."),
        ConflictPolicy.REMOTE: gettext("If both sides changed the same: the other side wins."),
        ConflictPolicy.ASK: gettext("If both sides changed the same: you are asked."),
    }[ConflictPolicy(stream.policy)]


def books_sentences(rows: Iterable[Any]) -> list[str]:
    """Returns which kinds of records go which way, one sentence a way; `rows` as the books' card has them."""
    by_way: dict[str, list[str]] = {}
    for row in rows:
        by_way.setdefault(row.direction, []).append(str(row.plural))
    return [f"{', '.join(plurals)}: {way[:1].lower()}{way[1:]}." for way, plurals in by_way.items()]


def access_sentences(connection: Connection, passport: Any, label: str) -> list[str]:
    """Returns since when the account is connected, and until when it stays so without anybody's doing anything."""
    if passport is None:
        return [gettext("FieldCamp holds no permission for this account.")]
    said = []
    if connection.connected_at:
        who = connection.connected_by
        by = (who.get_full_name() or who.get_username()) if who else ""
        day = formats.day(connection.connected_at)
        since = gettext("Connected on {day} by {person}.") if by else gettext("Connected on {day}.")
        said.append(since.format(day=day, person=by))
    if any(not permission.granted for permission in passport.permissions):
        said.append(gettext("A permission is missing: reconnect, and leave every box ticked."))
    ends = passport.refresh_expires_at
    if ends is None:
        said.append(gettext("Renews itself; {vendor} gave no end.").format(vendor=label))
    elif passport.is_short:
        said.append(gettext("Ends on {day}: reconnect before.").format(day=formats.day(ends)))
    else:
        renews = gettext("Renews itself; reconnect by {day} if it is not used.")
        said.append(renews.format(day=formats.day(ends)))
    return said
