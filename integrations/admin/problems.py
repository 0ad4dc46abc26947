"""All problems, also those that are solved or ignored: what was ignored can be brought back here."""

from typing import Any

from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from fieldcamp.desk.admins import ScopedAdmin
from fieldcamp.desk.lists.exporting import field, worked_out
from fieldcamp.desk.lists.filters import between_days
from fieldcamp.desk.lists.words import EmptyList, grouped
from fieldcamp.desk.templatetags.desk import when
from fieldcamp.desk.users import desk_user_of
from integrations.admin.finding import find_problems
from integrations.admin.jobs import IntegrationFilter
from integrations.admin.problem_actions import ProblemActions
from integrations.admin.problem_cards import problem_cards
from integrations.admin.record_pages import page_of
from integrations.models import Problem
from integrations.providers import PROVIDERS
from integrations.selectors.jobs import runs_of
from integrations.selectors.subjects import subjects
from integrations.services.problems.causes import of_cause, state_of
from integrations.services.problems.fix_reasons import REASONS
from integrations.services.problems.fixes import TITLES, fix_of
from integrations.services.problems.matches import subject_of


def linked(url: str, name: str) -> str:
    return format_html('<a href="{}">{}</a>', url, name)


class OpenFilter(admin.SimpleListFilter):
    title = _("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("open", _("Open")), ("ignored", _("Ignored")), ("solved", _("Solved"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        if self.value() == "open":
            return queryset.filter(resolved_at=None, ignored_at=None)
        if self.value() == "ignored":
            return queryset.filter(resolved_at=None, ignored_at__isnull=False)
        return queryset.filter(resolved_at__isnull=False) if self.value() == "solved" else queryset


class CauseFilter(admin.SimpleListFilter):
    """What exactly is wrong: those with one cause can be answered together."""

    title = _("cause")
    parameter_name = "cause"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [(str(reason), fix.title) for reason, fix in REASONS.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        return of_cause(queryset, str(self.value())) if self.value() else queryset


class CodeFilter(admin.SimpleListFilter):
    title = _("problem")
    parameter_name = "code"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return list(TITLES.items())

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        return queryset.filter(code=self.value()) if self.value() else queryset


STATES = {"open": _("Open"), "notice": _("For information"), "ignored": _("Ignored"), "solved": _("Solved")}


def state_word(problem: Problem) -> str:
    word = state_of(problem)
    return "solved" if word == "resolved" else word


@admin.register(Problem)
class ProblemAdmin(ProblemActions, ScopedAdmin):
    list_display = ("message", "record", "problem", "account", "seen", "state")
    list_filter = (OpenFilter, CauseFilter, CodeFilter, IntegrationFilter, ("occurred_at", between_days(_("Seen"))))
    list_select_related = ("connection",)
    search_fields = ("message",)  # what is found is `find_problems`
    search_help_text = _("Client, record, number, account or sentence")
    empty = EmptyList(_("Nothing needs you. What a sync cannot settle by itself is asked here."))
    cells = (
        field("occurred_at", _("Seen")), worked_out(lambda row: fix_of(row).title, _("Problem")),
        field("message", _("What was said")), field("about", _("Record")),
        worked_out(lambda row: PROVIDERS[row.integration].label if row.integration in PROVIDERS else "",
                   _("Integration")),
        field("connection.account_name", _("Account")), worked_out(lambda row: STATES[state_word(row)], _("State")),
    )  # fmt: skip

    def counted(self, number: int) -> str:
        return ngettext("{number} problem", "{number} problems", number).format(number=grouped(number))

    def get_search_results(self, request: HttpRequest, queryset: QuerySet, search_term: str) -> tuple[QuerySet, bool]:
        return find_problems(queryset, search_term), False

    def prepare_rows(self, request: HttpRequest, rows: list[Any]) -> None:
        """Adds the records that the problems are about, a query for each kind, and the runs that they are of, two."""
        found, runs = subjects((row.workspace_id, row.record_kind, subject_of(row)) for row in rows), runs_of(rows)
        desk_user = desk_user_of(request)
        for row in rows:
            row.about = found.get((row.record_kind, subject_of(row)), "")
            row.about_url = page_of(row.about, desk_user) if row.about else ""
            row.run = runs.get(row.pk)

    ordering = ("-occurred_at", "-id")

    @display(description=_("Record"))
    def record(self, problem: Any) -> str:
        about, url = getattr(problem, "about", ""), getattr(problem, "about_url", "")
        return linked(url, str(about)) if url else str(about or "–")

    @display(description=_("Problem"))
    def problem(self, problem: Problem) -> str:
        return str(fix_of(problem).title)

    @display(description=_("Account"))
    def account(self, problem: Problem) -> str:
        connection = problem.connection
        if connection is None:
            return "–"
        return linked(reverse("admin:integrations_connection_change", args=[connection.pk]), connection.account_name)

    @display(description=_("Seen"), ordering="occurred_at")
    def seen(self, problem: Any) -> str:
        run = getattr(problem, "run", None)
        if run is None:
            return when(problem.occurred_at)
        job = linked(reverse("admin:integrations_syncjob_change", args=[run.pk]), gettext("in this sync"))
        return format_html('{} <span class="fc-line">{}</span>', when(problem.occurred_at), job)

    @display(
        description=_("State"), label={"open": "danger", "solved": "success", "notice": "info", "ignored": "muted"}
    )
    def state(self, problem: Problem) -> tuple[str, Any]:
        word = state_word(problem)
        return word, STATES[word]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Shows the problem's card on a page of its own."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        problem = self.get_object(request, unquote(object_id))
        if problem is None:
            raise Http404
        card = problem_cards([problem], desk_user_of(request))[0]
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "original": problem,
            "title": card.title,
            "card": card,
        }
        return TemplateResponse(request, "integrations/problem.html", context)
