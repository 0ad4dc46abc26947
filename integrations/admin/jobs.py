"""Jobs: the list, and one job's page. Rows are history: nobody adds, changes or deletes them here."""

from typing import Any

from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.decorators import display

from fieldcamp.desk.admins import ScopedAdmin
from fieldcamp.desk.lists.exporting import chosen, field, worked_out
from fieldcamp.desk.lists.filters import between_days
from fieldcamp.desk.lists.words import EmptyList, grouped
from fieldcamp.desk.templatetags.desk import when
from fieldcamp.desk.users import desk_user_of
from fieldcamp.workspace.admin.audit_words import names_of
from integrations.admin.cards import JOB_TONES
from integrations.admin.finding import find_jobs
from integrations.admin.jobpage import job_context
from integrations.models import SyncJob
from integrations.providers import PROVIDERS


class IntegrationFilter(admin.SimpleListFilter):
    title = _("integration")
    parameter_name = "integration"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(provider.name, provider.label) for provider in PROVIDERS.values()]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        return queryset.filter(integration=self.value()) if self.value() else queryset


def provider_label(name: str) -> str:
    return PROVIDERS[name].label if name in PROVIDERS else name


@admin.register(SyncJob)
class SyncJobAdmin(ScopedAdmin):
    list_display = ("started", "integration_label", "mode", "shown_status", "counts", "trigger", "took")
    list_filter = ("status", IntegrationFilter, "triggered_by", ("created_at", between_days(_("Asked for"))))
    search_fields = ("id",)  # what is found is `find_jobs`
    search_help_text = _("Integration, account or who asked for it")
    ordering = ("-created_at", "-id")
    empty = EmptyList(
        _("No syncs yet. The first one runs once an account is connected and set up."),
        _("Connect an account"),
        "admin:index",
        "connect",
    )
    cells = (
        field("created_at", _("Asked for")), worked_out(lambda job: provider_label(job.integration), _("Integration")),
        chosen("mode", _("Mode")), chosen("status", _("Status")), field("pulled", _("Taken in")),
        field("pushed", _("Sent")), field("skipped", _("Skipped")), field("failed", _("Failed")),
        chosen("triggered_by", _("By")),
        worked_out(lambda job: job.names.get(job.actor) or job.actor, _("Who")),
        field("started_at", _("Started")),
        field("finished_at", _("Ended")),
    )  # fmt: skip

    def counted(self, number: int) -> str:
        return ngettext("{number} job", "{number} jobs", number).format(number=grouped(number))

    def prepare_rows(self, request: HttpRequest, rows: list[Any]) -> None:
        names = names_of(desk_user_of(request), (row.actor for row in rows))
        for row in rows:
            row.names = names

    def get_search_results(self, request: HttpRequest, queryset: QuerySet, search_term: str) -> tuple[QuerySet, bool]:
        return find_jobs(queryset, search_term), False

    @display(description=_("Asked for"), ordering="created_at")
    def started(self, job: SyncJob) -> str:
        return when(job.created_at)

    @display(description=_("Integration"))
    def integration_label(self, job: SyncJob) -> str:
        return provider_label(job.integration)

    @display(description=_("Status"), label={status.value: tone for status, tone in JOB_TONES.items()})
    def shown_status(self, job: SyncJob) -> tuple[str, str]:
        return job.status, job.get_status_display()

    @display(description=_("Taken in · sent · skipped · failed"))
    def counts(self, job: SyncJob) -> str:
        return f"{job.pulled} · {job.pushed} · {job.skipped} · {job.failed}"

    @display(description=_("By"), ordering="triggered_by")
    def trigger(self, job: SyncJob) -> str:
        return job.get_triggered_by_display()

    @display(description=_("Took"))
    def took(self, job: SyncJob) -> str:
        if not job.started_at or not job.finished_at:
            return "–"
        return f"{(job.finished_at - job.started_at).total_seconds():.1f} s"

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Returns the job's page."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        job = self.get_object(request, unquote(object_id))
        if job is None:
            raise Http404
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "original": job,
            "title": str(job),
            "support_reference": job.pk,
            **job_context(job, desk_user_of(request), request.GET),
        }
        return TemplateResponse(request, "integrations/job.html", context)
