"""Links: reading them under a lock, saving them, and what agreements and lost answers change of them in memory."""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from django.utils import timezone

from integrations.kinds import KINDS, Owner
from integrations.models import Link
from integrations.records import Fields, RemoteRecord, Verb, parse_instant
from integrations.sync.beside import spellings
from integrations.sync.folding import SPELLED_THERE, is_spelling, same
from integrations.sync.state import Action, Decision, Local, Pair

_COLUMNS = [
    "record_id", "remote_id", "series_id", "generation", "base", "seen", "seen_gone", "seen_tag", "unsettled",
    "seen_at", "pushed_at", "pulled_at", "intent", "hold", "parked", "refused_under", "decision", "spelled", "cut_at",
]  # fmt: skip


def locked_links(pairs: Sequence[Pair]) -> dict[int, Link]:
    """Returns the pairs' links by their ids. Locked: a person may be deciding about one of them right now."""
    links = Link.objects.select_for_update().order_by("pk")
    return {link.pk: link for link in links.filter(pk__in=[pair.link_id for pair in pairs if pair.link_id])}


def save_links(links: Sequence[Link]) -> None:
    """Writes everything that a run may have changed of links that exist already."""
    Link.objects.save_many(links, _COLUMNS)


def agreed(pair: Pair, fields: Fields, now: Local | None = None, pull: Fields | None = None) -> dict[str, Any]:
    """Returns what both sides have agreed on. Of what is each side's own affair, or not said or spelled otherwise
    there, ours is remembered (as it is `now`, where a `pull` has changed the record): a change of it is sent. How the
    other side spells it is remembered beside that: a change of it is taken over."""
    kind, own = pair.kind, (now.fields if now else {**(pair.local.fields or {}), **(pull or {})}) or fields
    unsaid = {name: own[name] for name in kind.fields if name in own and name not in fields}
    spelled = {name: own[name] for name in kind.folds if name in own and same(kind, name, own[name], fields.get(name))}
    theirs = {
        name: fields[name]
        for name, ours in spelled.items()
        if fields.get(name, ours) != ours and is_spelling(kind, name)
    }
    before = {name: value for name, value in (pair.base or {}).items() if name != SPELLED_THERE}
    own_affairs = {name: own.get(name) for name in kind.loose}
    return {**before, **unsaid, **fields, **spelled, **own_affairs, **({SPELLED_THERE: theirs} if theirs else {})}


def is_pending(link: Link) -> bool:
    return link.unsettled or link.parked or link.decision is not None


def is_over(link: Link, decision: Decision) -> bool:
    """Returns whether nothing remains to be remembered: a person's event that is gone (save an exception, which keeps
    its series from filling the place again), and a create that never came about."""
    if decision.pair.kind.owner is Owner.REMOTE:
        return decision.action in (Action.REMOVE_LOCAL, Action.FORGET) and not link.series_id
    return decision.action is Action.FORGET and not (decision.pair.has_counterpart and decision.pair.record_id)


def agree(link: Link, decision: Decision, record: RemoteRecord | None) -> None:
    """Takes an answered write into the link: both sides are the same now."""
    link.intent = link.hold = link.decision = None
    link.unsettled = link.parked = False
    link.pushed_at = timezone.now()
    if decision.action is Action.REMOVE_REMOTE:
        base = link.base if is_removed_there(decision) else None
        _taken_away(link)
        link.base = base  # an edit in FieldCamp makes it again
        return
    assert record is not None
    kind = KINDS[link.kind]
    fields, own = kind.pick(record.fields), {**(decision.pair.local.fields or {}), **decision.pull}
    # What is the other side's alone was not written: where the answer says something else, it is still to be pulled.
    link.unsettled = any(fields[name] != own.get(name) for name in kind.pulled if name in fields)
    spelled = spellings(kind, own, fields)
    asked = {*decision.push, *(link.spelled or {})}
    link.spelled = {name: spelling for name, spelling in spelled.items() if name in asked} or None
    link.seen, link.base = (
        fields,
        {**agreed(decision.pair, fields, pull=decision.pull), **{name: own[name] for name in link.spelled or ()}},
    )
    link.seen_tag, link.seen_gone, link.cut_at, link.seen_at = record.tag, False, None, timezone.now()
    link.remote_id = record.id  # some providers choose it themselves, and tell it with the answer to a create


def is_removed_there(decision: Decision) -> bool:
    """Returns whether what is taken away is left over of what somebody has removed there, and FieldCamp still shows."""
    return decision.action is Action.REMOVE_REMOTE and decision.pair.local.fields is not None


def cut(link: Link, now: dt.datetime) -> None:
    """Makes the link history."""
    link.cut_at, link.hold = now, None


def _taken_away(link: Link) -> None:
    link.cut_at, link.base, link.seen_gone = timezone.now(), None, True


CLOCKS_APART = dt.timedelta(minutes=5)  # how far the provider's clock may be from ours


def _is_what_was_made(link: Link, record: RemoteRecord, intent: Mapping[str, Any]) -> bool:
    """Returns whether this is what our create has made. What is known by its contents alone is ours only if it was made
    since the create was sent: what stood there before is somebody else's, however alike."""
    if record.made_at and (at := intent.get("at")) and parse_instant(record.made_at) < parse_instant(at) - CLOCKS_APART:
        return False
    return record.ours or record.made_with == link.remote_id


def resolved(link: Link, record: RemoteRecord) -> str:
    """Takes what is there now for an intent whose answer was lost; the action that turned out to be done, if any."""
    intent, link.intent = link.intent or {}, None
    kind, verb = KINDS[link.kind], intent["verb"]
    if verb == Verb.DELETE:
        if record.gone:
            link.hold = link.decision = None
            link.unsettled = link.parked = False
            _taken_away(link)
            return Action.REMOVE_REMOTE
        link.seen, link.seen_tag, link.unsettled = kind.pick(record.fields), record.tag, True
        return ""
    if verb == Verb.CREATE and (record.gone or not _is_what_was_made(link, record, intent)):
        # Never made: the same id is free. A tombstone or somebody else's record: it is taken for good.
        link.generation += 1 if record.tag else 0
        return ""
    link.remote_id, fields = record.id, kind.pick(record.fields)
    if record.gone:
        link.seen_gone, link.seen_tag, link.unsettled = True, record.tag, True
        return ""
    sent = intent.get("fields") or {}
    if all(fields[name] == sent.get(name) for name in kind.fields if name in fields and name not in kind.loose):
        unsaid = {name: sent[name] for name in kind.fields if name in sent and name not in fields}
        link.seen, link.base = fields, {**unsaid, **fields, **{name: sent.get(name) for name in kind.loose}}
        link.seen_tag, link.unsettled = record.tag, False
        return Action.CREATE_REMOTE if verb == Verb.CREATE else Action.UPDATE_REMOTE
    if record.tag != link.seen_tag:
        if verb == Verb.CREATE:
            link.base = intent.get("fields")
        link.seen, link.seen_tag, link.unsettled = fields, record.tag, True
    return ""
