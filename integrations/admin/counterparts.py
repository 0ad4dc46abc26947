"""What a record's page shows of its counterparts: how it stands with each account and why, both sides beside each
other, the way to the vendor's page, and what can be done."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db.models import QuerySet
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from fieldcamp import formats
from fieldcamp.desk.users import DeskUser
from fieldcamp.workspace.tracking import TrackedModel
from integrations.admin.buttons import Button
from integrations.admin.conflicts import Line
from integrations.admin.jobs import provider_label
from integrations.admin.record_pages import page_of
from integrations.admin.values import PLURALS, label_of, shown
from integrations.kinds import CUSTOMER, ITEM, KINDS
from integrations.models import Connection, Link
from integrations.selectors.links import remote_url
from integrations.selectors.remote_names import RemoteNames
from integrations.selectors.subjects import kinds_of
from integrations.services.books.links import can_part
from integrations.services.books.relinking import last_relinking, others_for
from integrations.services.record_sides import FieldOnBothSides, both_sides
from integrations.services.sync_state.reasons import RecordState
from integrations.services.sync_state.states import SyncStateRow, sync_state

_STATES: Mapping[RecordState, tuple[Any, str]] = {
    RecordState.SYNCED: (_("In step"), "success"),
    RecordState.PENDING: (_("To be synced"), "info"),
    RecordState.HELD: (_("Waits for a confirmation"), "warning"),
    RecordState.PROBLEM: (_("Needs somebody"), "danger"),
    RecordState.EXCLUDED: (_("Left out"), "muted"),
    RecordState.NOT_CONNECTED: (_("Not connected"), "muted"),
}
_MOST = 20
_COMPARED = 5  # counterparts of one record whose fields are shown
_BY = {
    "customer": ("display_name", "company", "email"), "item": ("name", "sku", "price"),
    "invoice": ("number", "date", "total"), "payment": ("date", "amount", "reference"),
}  # fmt: skip


def links_of(record: Any) -> QuerySet[Link]:
    """Returns what the record is or was linked with, the former last."""
    rows = Link.objects.filter(
        kind__in=kinds_of(record), record_id=record.pk, stream__connection__workspace=record.workspace_id
    )
    return rows.select_related("stream__connection").order_by("-cut_at", "pk")


def places_of_record(record: TrackedModel, links: Sequence[Link], desk_user: DeskUser) -> list[dict[str, Any]]:
    """Returns how the record stands with each account that may have it, as the API says it, with what is there."""
    of_kind = {KINDS[kind].plural: PLURALS[kind] for kind in kinds_of(record)}  # the books' places
    live = [link for link in links if link.cut_at is None]
    by_counterpart = {(link.stream.connection_id, link.remote_id): link for link in live}
    sides = both_sides(live[:_COMPARED])
    names = _names(live, sides)
    rows = sync_state(record)
    accounts = Connection.objects.in_bulk({row.connection_id for row in rows if row.connection_id})
    found = []
    for row in rows:
        link = by_counterpart.get((row.connection_id or "", row.remote_id or ""))
        account = accounts.get(row.connection_id or "")
        found.append(_place(record, row, of_kind, link, account, sides, names, desk_user))
    return found


def _names(links: Sequence[Link], sides: Mapping[int, Sequence[FieldOnBothSides]]) -> RemoteNames:
    told = [link for link in links if link.pk in sides]
    return RemoteNames(
        (link.stream.connection_id, fields)
        for link in told
        for fields in (
            {one.name: one.local for one in sides[link.pk]},
            {one.name: one.remote for one in sides[link.pk]},
        )
    )


def _place(
    record: TrackedModel,
    row: SyncStateRow,
    of_kind: Mapping[str, Any],
    link: Link | None,
    account: Connection | None,
    sides: Mapping[int, Sequence[FieldOnBothSides]],
    names: RemoteNames,
    desk_user: DeskUser,
) -> dict[str, Any]:
    state, tone = _STATES[row.explanation.state]
    label = provider_label(row.integration)
    name = account.account_name if account else ""
    return {
        "state": state,
        "tone": tone,
        "label": label,
        "where": ", ".join(part for part in (label, str(of_kind.get(row.place, row.place))) if part and part != name),
        "account": name,
        "account_url": _account_page(account, desk_user),
        "why": row.explanation.sentence,
        "next_step": row.explanation.next_step,
        "pushed_at": row.last_pushed_at,
        "pulled_at": row.last_pulled_at,
        "seen_at": link.seen_at if link else None,
        "page": row.remote_url or "",
        "lines": _lines(link, sides, names, differ=row.explanation.state is not RecordState.SYNCED),
        "buttons": _buttons(record, account, link, desk_user),
        "link": link,
    }


def _account_page(account: Connection | None, desk_user: DeskUser) -> str:
    if account is None or not desk_user.may("view"):
        return ""
    return reverse("admin:integrations_connection_change", args=[account.pk])


def _lines(
    link: Link | None, sides: Mapping[int, Sequence[FieldOnBothSides]], names: RemoteNames, differ: bool
) -> list[tuple[Line, bool]]:
    """Returns the fields of both sides, and whether each of them differs."""
    if link is None or link.pk not in sides:
        return []
    fields, account = sides[link.pk], link.stream.connection_id
    here = names.named(account, {one.name: one.local for one in fields})
    there = names.named(account, {one.name: one.remote for one in fields})
    return [
        (
            Line(label_of(link.kind, one.name), shown(one.name, here[one.name]), shown(one.name, there[one.name])),
            differ and one.differs and not one.owned,
        )
        for one in fields
    ]


def _buttons(record: TrackedModel, account: Connection | None, link: Link | None, desk_user: DeskUser) -> list[Button]:
    found: list[Button] = []
    [kind] = kinds_of(record)
    if account is not None and account.usable and desk_user.may("sync") and not record.deleted_at:
        url = reverse("integrations:sync_record", args=[kind, record.pk])
        fields, about = {"connection": account.pk}, account.account_name
        found.append(Button(f"sync-{account.pk}", gettext("Sync this one"), url, fields=fields, about=about))
    if link is not None and can_part(link) and desk_user.may("settings"):
        another = reverse("integrations:relink", args=[link.pk])
        found.append(Button(f"relink-{link.pk}", gettext("Link to another…"), another, post=False))
        found.append(
            Button(f"part-{link.pk}", gettext("Unlink…"), reverse("integrations:part", args=[link.pk]), post=False)
        )
    return found


def taking_back(links: Sequence[Link], desk_user: DeskUser) -> dict[str, Any] | None:
    """Returns what is said of the last time that the record was linked with another one, with the button that takes it
    back."""
    last = last_relinking(links) if desk_user.may("settings") else None
    if last is None:
        return None
    url = reverse("integrations:relink", args=[last.link.pk])
    button = Button(f"undo-{last.link.pk}", gettext("Undo"), url, fields={"other": str(last.former.pk)})
    said = gettext("It was linked with “{new}” instead of “{old}”.")
    return {"said": said.format(new=name_there(last.link), old=name_there(last.former)), "at": last.at, "undo": button}


def name_there(link: Link) -> str:
    """Returns how people call the counterpart."""
    seen = link.seen or {}
    names = [str(shown(name, seen[name])) for name in _BY.get(link.kind, ()) if seen.get(name)]
    return names[0] if link.kind in (CUSTOMER.name, ITEM.name) and names else " · ".join(names) or formats.EMPTY


def unlink_context(link: Link, record: Any, desk_user: DeskUser) -> dict[str, Any]:
    """Returns what the page says before a record is unlinked."""
    label = provider_label(link.stream.connection.integration)
    said = [
        gettext("Neither of the two is changed or removed."),
        gettext(
            "“{record}” is not synced until you say what it is: the same after all, or another one, which is made in "
            "{place}."
        ),
        _what_becomes(link),
        gettext("To undo it, answer the question that then stands on the record's page with “the same”."),
    ]
    told = [one.format(record=record, place=label, there=name_there(link)) for one in said]
    return _context(link, record, desk_user, gettext("Unlink {record}?").format(record=record), told)


def others_context(link: Link, record: Any, desk_user: DeskUser, search: str) -> dict[str, Any]:
    """Returns those that the record may be linked with instead, and what is said before that is done."""
    search = search.strip()[:100].replace("\x00", "")
    label = provider_label(link.stream.connection.integration)
    said = [
        gettext(
            "Neither of the two is changed or removed by that; what differs is then settled by the rule that the "
            "account has for changes on both sides."
        ),
        _what_becomes(link),
        gettext(
            "It can be undone on the record's page for seven days, as long as no other record has been linked with "
            "“{there}”."
        ),
    ]
    title = gettext("Link {record} to another…").format(record=record)
    names = _BY.get(link.kind, ())
    told = [one.format(record=record, place=label, there=name_there(link)) for one in said]
    return {
        **_context(link, record, desk_user, title, told),
        "search": search,
        "heads": [label_of(link.kind, name) for name in names],
        "others": [
            {
                "link": other,
                "name": name_there(other),
                "cells": [shown(name, (other.seen or {}).get(name)) for name in names],
                "page": remote_url(other),
            }
            for other in _with_account(link, others_for(link, search))
        ],
    }


def _with_account(link: Link, others: Sequence[Link]) -> Sequence[Link]:
    for other in others:
        other.stream = link.stream
    return others


def _what_becomes(link: Link) -> str:
    if link.kind in (CUSTOMER.name, ITEM.name):
        return gettext(
            "“{there}” in {place} then belongs to no record of FieldCamp: a later sync may take it in as one of its "
            "own."
        )
    return gettext("“{there}” in {place} then belongs to no record of FieldCamp, and stays there as it is.")


def _context(link: Link, record: Any, desk_user: DeskUser, title: str, said: Sequence[str]) -> dict[str, Any]:
    return {
        "title": title,
        "record": record,
        "back": page_of(record, desk_user) or reverse("admin:index"),
        "link": link,
        "label": provider_label(link.stream.connection.integration),
        "there": name_there(link),
        "page": remote_url(link),
        "sentences": said,
    }
