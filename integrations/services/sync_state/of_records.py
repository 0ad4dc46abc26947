"""Why a record has no place at the other side, as long as it is as it is."""

import datetime as dt
from collections.abc import Callable
from typing import Any

from django.conf import settings

from fieldcamp.workspace.models import Visit
from integrations.kinds import Kind
from integrations.services.sync_state.reasons import Explanation, SyncReason, because
from integrations.services.sync_state.wording import count, day, days_between
from integrations.sync.state import Absence

NOTHING_TO_DO = "Nothing to do."


def _deleted(record: Any, kind: Kind, label: str, since: dt.date | None) -> tuple[str, str]:
    on = f" on {day(record.deleted_at.astimezone(dt.UTC).date())}" if record.deleted_at else ""
    return f"The {kind.singular} was deleted in FieldCamp{on}.", NOTHING_TO_DO


def _merged(record: Any, kind: Kind, label: str, since: dt.date | None) -> tuple[str, str]:
    into = record.merged_into_id
    return f"The {kind.singular} was merged into {into}, which is synced in its place.", f"Ask about {into} instead."


def _cancelled(record: Any, kind: Kind, label: str, since: dt.date | None) -> tuple[str, str]:
    return (
        "The visit is cancelled, and cancelled visits are in no calendar.",
        "Nothing to do. If it takes place after all, create a new visit.",
    )


def _unscheduled(record: Any, kind: Kind, label: str, since: dt.date | None) -> tuple[str, str]:
    return "The visit has no time yet, and a calendar shows only what has one.", "Give it a start and an end."


def _no_technician(record: Any, kind: Kind, label: str, since: dt.date | None) -> tuple[str, str]:
    step = NOTHING_TO_DO if record.is_over else "Assign a technician who is connected."
    return "Nobody is assigned to the visit, so it belongs into no calendar.", step


def _draft(record: Any, kind: Kind, label: str, since: dt.date | None) -> tuple[str, str]:
    return "The invoice is a draft, and only invoices that were sent are posted.", "Send the invoice."


def _void(record: Any, kind: Kind, label: str, since: dt.date | None) -> tuple[str, str]:
    return f"The {kind.singular} was voided, and what is void is not posted.", NOTHING_TO_DO


def _inactive(record: Any, kind: Kind, label: str, since: dt.date | None) -> tuple[str, str]:
    return (
        f"The {kind.singular} is inactive, and nothing inactive is made in {label}.",
        "Make it active to have it there.",
    )


def _made_elsewhere(record: Any, kind: Kind, label: str, since: dt.date | None) -> tuple[str, str]:
    return "The payment was entered in the books of another account, which have it.", NOTHING_TO_DO


def _before_opening(record: Any, kind: Kind, label: str, since: dt.date | None) -> tuple[str, str]:
    dated = f"The {kind.singular} is dated {day(record.date)}; " if getattr(record, "date", None) else ""
    posted = f"invoices and payments are posted from {day(since)} on." if since else "earlier ones are not posted."
    sentence = f"{dated}{posted}"
    earlier = "Choose an earlier day in the settings of the connected company if it is to be posted."
    return sentence[0].upper() + sentence[1:], f"Nothing to do. {earlier}"


Said = Callable[[Any, Kind, str, dt.date | None], tuple[str, str]]
_SAID: dict[Absence, tuple[SyncReason, Said]] = {
    Absence.DELETED: (SyncReason.DELETED, _deleted),
    Absence.MERGED: (SyncReason.MERGED_INTO, _merged),
    Absence.CANCELLED: (SyncReason.CANCELLED, _cancelled),
    Absence.UNSCHEDULED: (SyncReason.UNSCHEDULED, _unscheduled),
    Absence.NO_TECHNICIAN: (SyncReason.NO_TECHNICIAN, _no_technician),
    Absence.DRAFT: (SyncReason.DRAFT, _draft),
    Absence.VOID: (SyncReason.VOID, _void),
    Absence.INACTIVE: (SyncReason.INACTIVE, _inactive),
    Absence.MADE_THERE: (SyncReason.MADE_ELSEWHERE, _made_elsewhere),
    Absence.BEFORE_OPENING_DATE: (SyncReason.BEFORE_OPENING_DATE, _before_opening),
}


def why_absent(
    record: Any, kind: Kind, absence: Absence, label: str = "", since: dt.date | None = None
) -> Explanation | None:
    """Returns why the other side has no place for it; None where that is the place's affair (another technician's
    calendar) and not the record's."""
    if absence is Absence.DELETED and getattr(record, "merged_into_id", None):
        absence = Absence.MERGED
    if absence not in _SAID:
        return None
    reason, said = _SAID[absence]
    return because(reason, *said(record, kind, label, since))


def why_out_of_window(visit: Visit, now: dt.datetime) -> Explanation:
    """Returns why a visit with a time is beyond the time that calendars are synced for."""
    back, ahead = settings.SYNC_WINDOW_PAST_DAYS, settings.SYNC_WINDOW_FUTURE_DAYS
    assert visit.scheduled_start and visit.scheduled_end
    if visit.scheduled_end <= now:
        last = visit.scheduled_end - dt.timedelta(microseconds=1)  # at midnight the day before ends
        over = count(days_between(last, now), "day")
        return because(
            SyncReason.TOO_OLD,
            f"It ended {over} ago; visits are synced {count(back, 'day')} back.",
            NOTHING_TO_DO if visit.is_over else "Nothing to do. If it is still to come, give it its new time.",
        )
    comes = visit.scheduled_start.astimezone(dt.UTC).date() - dt.timedelta(days=ahead)
    return because(
        SyncReason.TOO_FAR_AHEAD,
        f"It starts in {count(days_between(now, visit.scheduled_start), 'day')}; visits are synced "
        f"{count(ahead, 'day')} ahead.",
        f"Nothing to do: it is synced by itself from {day(comes)} on.",
    )
