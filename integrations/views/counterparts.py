"""What can be done with a record's counterparts: sync it alone, link it with another one, unlink it."""

from typing import Any

from django.contrib import admin
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext

from fieldcamp.desk.site import desk_view
from fieldcamp.desk.users import desk_user_of
from integrations.admin.counterparts import others_context, unlink_context
from integrations.admin.record_pages import page_of
from integrations.models import Connection, Link
from integrations.selectors.subjects import models, subjects
from integrations.services.books.links import can_part
from integrations.services.books.links import part as part_link
from integrations.services.books.relinking import relink
from integrations.services.sync_records import sync_record
from integrations.views.common import attempt, back, done, one
from integrations.views.forms.counterparts import AccountForm, AnotherForm


@desk_view("POST", may="sync")
def sync_one(request: HttpRequest, kind: str, pk: str) -> HttpResponse:
    """Syncs just this record with one account."""
    model, form = models().get(kind), AccountForm(request.POST)
    if model is None or not form.is_valid():
        raise Http404
    record = one(request, model.objects.filter(deleted_at=None), pk)
    accounts = Connection.objects.select_related("workspace", "member").filter(workspace=record.workspace_id)
    connection = one(request, accounts, form.cleaned_data["connection"])
    worked, job = attempt(
        request, lambda: sync_record(record=record, connection=connection, user=desk_user_of(request).user)
    )
    if not worked:
        return back(request)
    started = gettext("The sync of {record} has started.").format(record=record)
    later = gettext("The sync that is running now, or the next one, looks at {record}.").format(record=record)
    return done(request, record, started if job else later)


def _linked(request: HttpRequest, link_id: int) -> tuple[Link, Any]:
    """Returns the link and its record, where the two can be parted."""
    rows = Link.objects.select_related("stream__connection__workspace")
    link: Link = one(request, rows, str(link_id), "stream__connection__workspace")
    return link, _record_of(link, link.record_id)


def _record_of(link: Link, record_id: str) -> Any:
    found = subjects([(link.stream.connection.workspace_id, link.kind, record_id)])
    return found.get((link.kind, record_id))


def _to_record(request: HttpRequest, link: Link, record: Any, other: int = 0) -> HttpResponseRedirect:
    """Leads back to the record; where the link has none any more, to that of the `other`."""
    if record is None and other:
        chosen = Link.objects.filter(pk=other, stream=link.stream_id).first()
        record = _record_of(link, chosen.record_id) if chosen is not None else None
    place = page_of(record, desk_user_of(request)) if record is not None else ""
    return HttpResponseRedirect(place or reverse("admin:index"))


@desk_view("GET", "POST", may="settings")
def part(request: HttpRequest, link_id: int) -> HttpResponse:
    """Says what unlinking does, and does it on POST: a second one changes nothing."""
    link, record = _linked(request, link_id)
    if request.method == "GET":
        if record is None or not can_part(link):
            raise Http404
        context = {**admin.site.each_context(request), **unlink_context(link, record, desk_user_of(request))}
        return render(request, "integrations/unlink.html", context)
    worked, _job = attempt(request, lambda: part_link(link=link, user=desk_user_of(request).user))
    if not worked:
        return _to_record(request, link, record)
    said = gettext("Unlinked. Say below what it is: the same after all, or another one that is made there.")
    done(request, link, said)
    return _to_record(request, link, record)


@desk_view("GET", "POST", may="settings")
def link_to_another(request: HttpRequest, link_id: int) -> HttpResponse:
    """Lists what a record of the books may be linked with instead, and links it on POST: a second one changes
    nothing."""
    link, record = _linked(request, link_id)
    posted = request.method == "POST"
    form = AnotherForm(request.POST if posted else None)
    if posted and form.is_valid():
        chosen = form.cleaned_data["other"]
        worked, _job = attempt(request, lambda: relink(link=link, other=chosen, user=desk_user_of(request).user))
        if worked:
            done(request, link, gettext("It is linked with the other one now. What differs is being compared."))
        return _to_record(request, link, record, chosen)
    if record is None or not can_part(link):
        raise Http404
    context = {
        **admin.site.each_context(request),
        **others_context(link, record, desk_user_of(request), request.GET.get("q", "")),
        "form": form,
    }
    return render(request, "integrations/relink.html", context, status=400 if form.errors else 200)
