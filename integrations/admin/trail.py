"""What the page of a record shows of its sync and its past: how it stands where and why, who set each field, and the
calls to providers behind it."""

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from fieldcamp.desk.users import DeskUser
from fieldcamp.workspace.history import label_of as name_of_field
from fieldcamp.workspace.models import Change
from fieldcamp.workspace.tracking import TrackedModel
from integrations.admin.jobs import provider_label
from integrations.admin.values import label_of, shown
from integrations.models import CallPurpose, RecordCall, SyncJob
from integrations.selectors.calls import calls_of
from integrations.selectors.provenance import FieldSource, sources_of

CALLS_SHOWN = 20
_BY = {
    Change.Source.DESK: _("at the desk"),
    Change.Source.API: _("through the API"),
    Change.Source.SYNC: _("with a sync"),
    Change.Source.SYSTEM: _("FieldCamp itself"),
}


def trail_of(record: TrackedModel, desk_user: DeskUser) -> dict[str, Any]:
    """Returns what the panels of the record's page show: `sources`, `calls`, whether there are `more_calls`, and for
    how many days they are kept (`call_days`)."""
    sources, calls = sources_of(record), calls_of(record, CALLS_SHOWN + 1)
    jobs = _job_pages({each.job_id for each in sources} | {each.job for each in calls}, record, desk_user)
    return {
        "sources": [_source(record, each, jobs) for each in sources],
        "calls": [_call(each, jobs) for each in calls[:CALLS_SHOWN]],
        "more_calls": len(calls) > CALLS_SHOWN,
        "call_days": settings.RECORD_CALL_RETENTION_DAYS,
    }


def _job_pages(ids: set[str], record: Any, desk_user: DeskUser) -> dict[str, str]:
    """Returns the pages of those of the jobs that are kept still."""
    if not desk_user.may("view"):
        return {}
    jobs = SyncJob.objects.filter(pk__in=ids - {""}, workspace=record.workspace_id)
    return {pk: reverse("admin:integrations_syncjob_change", args=[pk]) for pk in jobs.values_list("pk", flat=True)}


def _source(record: TrackedModel, source: FieldSource, jobs: Mapping[str, str]) -> dict[str, Any]:
    label = name_of_field(record, source.column)
    by = str(_BY.get(Change.Source(source.kind), "")) if source.kind else ""
    if source.kind == Change.Source.SYNC and source.integration:
        by = gettext("with a sync, from {provider}").format(provider=provider_label(source.integration))
    return {
        "label": f"{label[:1].upper()}{label[1:]}",
        "who": source.name,
        "by": by,
        "at": source.at,
        "job": jobs.get(source.job_id, ""),
    }


def _call(call: RecordCall, jobs: Mapping[str, str]) -> dict[str, Any]:
    part = call.part or {}
    return {
        "call": call,
        "what": CallPurpose(call.purpose).label,
        "provider": provider_label(call.stream.connection.integration),
        "account": call.stream.connection.account_name,
        "method": part.get("method") or call.method,
        "path": part.get("path") or call.path,
        "status": part.get("status") or call.status,
        "tone": _tone(call),
        "inside": f"{call.method} {call.path}, {call.status}" if part else "",
        "job": jobs.get(call.job, ""),
        "sides": [
            (title, [(label_of(call.kind, name), shown(name, value)) for name, value in fields.items()])
            for title, fields in ((gettext("Sent"), call.request), (gettext("Came back"), call.response))
            if fields
        ],
        "error": call.error,
    }


def _tone(call: RecordCall) -> str:
    said = str((call.part or {}).get("status") or call.status)
    return "success" if said.isdigit() and int(said) < 300 and not call.error else "danger"
