"""Why a record is not in step, in a few words: what stands beneath its badge in a list. Its page has the sentence."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_lazy as _

from integrations.services.problems.fix_reasons import REASONS as OF_REASONS
from integrations.services.problems.fixes import TITLES
from integrations.services.sync_state.reasons import SyncReason
from integrations.services.sync_state.standing import Stand

_WORDS: Mapping[str, Any] = {
    SyncReason.DELETED: _("deleted"),
    SyncReason.MERGED_INTO: _("merged into another"),
    SyncReason.CANCELLED: _("cancelled"),
    SyncReason.UNSCHEDULED: _("no time yet"),
    SyncReason.NO_TECHNICIAN: _("nobody assigned"),
    SyncReason.TOO_OLD: _("too long ago"),
    SyncReason.TOO_FAR_AHEAD: _("too far ahead"),
    SyncReason.DRAFT: _("a draft"),
    SyncReason.VOID: _("void"),
    SyncReason.INACTIVE: _("inactive"),
    SyncReason.MADE_ELSEWHERE: _("entered in other books"),
    SyncReason.BEFORE_OPENING_DATE: _("before the opening date"),
    SyncReason.NEVER_CONNECTED: _("nothing connected"),
    SyncReason.TECHNICIAN_NOT_CONNECTED: _("technician not connected"),
    SyncReason.DISCONNECTED: _("disconnected"),
    SyncReason.SETUP_UNFINISHED: _("set-up not finished"),
    SyncReason.NEEDS_RECONNECT: _("for a new connection"),
    SyncReason.NEEDS_PERMISSION: _("for a permission"),
    SyncReason.MEMBER_INACTIVE: _("its person has left"),
    SyncReason.LEAVING: _("the account is being left"),
    SyncReason.PAUSED: _("the account is paused"),
    SyncReason.PAUSED_AFTER_FAILURES: _("paused after failures"),
    SyncReason.KIND_NOT_SYNCED: _("not synced by choice"),
    SyncReason.REMOVAL_HELD: _("for a decision about removals"),
    SyncReason.IGNORED: _("ignored"),
    SyncReason.LEFT_REMOVED: _("left removed"),
    SyncReason.REMOVED_THERE: _("removed there"),
    SyncReason.ONLY_READ: _("only read there"),
    SyncReason.ONLY_WRITTEN: _("only written there"),
    SyncReason.WAITS_FOR_RECORD: _("for another record"),
    SyncReason.WRITE_UNCONFIRMED: _("for an answer"),
    SyncReason.NO_WORKER: _("nothing runs"),
    SyncReason.VENDOR_OUTAGE: _("the vendor is down"),
    SyncReason.READS_USED_UP: _("today’s limit is reached"),
    SyncReason.RATE_LIMITED: _("the vendor asked for a break"),
    SyncReason.PROVIDER_UNAVAILABLE: _("the vendor does not answer"),
    SyncReason.BACKS_OFF: _("after a failure"),
    SyncReason.SYNC_QUEUED: _("a sync is about to begin"),
    SyncReason.SYNC_RUNNING: _("a sync is running"),
    SyncReason.FIRST_SYNC: _("for the first sync"),
    SyncReason.FULL_SYNC_NEEDED: _("everything has to be checked"),
    SyncReason.EDITED_SINCE: _("edited since"),
    SyncReason.BY_HAND_ONLY: _("synced by hand only"),
    SyncReason.WAITS_FOR_SYNC: _("for the next sync"),
}


def why(stand: Stand) -> str:
    """Returns the reason in a few words; "" where the record is in step."""
    if not stand.reason:
        return ""
    if words := _WORDS.get(stand.reason):
        return str(words)
    fix = OF_REASONS.get(stand.reason)
    return str(fix.title if fix else TITLES.get(stand.reason.upper(), ""))
