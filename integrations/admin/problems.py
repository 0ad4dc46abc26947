"""All problems, also those that are solved or ignored: what was ignored can be brought back here."""

from typing import Any

from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from fieldcamp.desk.admins import ScopedAdmin
from fieldcamp.desk.templatetags.desk import when
from fieldcamp.desk.users import desk_user_of
from integrations.admin.jobs import IntegrationFilter
from integrations.admin.problem_cards import problem_cards
from integrations.models import Problem
from integrations.services.problems.fixes import TITLES


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


class CodeFilter(admin.SimpleListFilter):
    title = _("problem")
    parameter_name = "code"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return list(TITLES.items())

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        return queryset.filter(code=self.value()) if self.value() else queryset


@admin.register(Problem)
class ProblemAdmin(ScopedAdmin):
    list_display = ("message", "problem", "account", "seen", "state")
    list_filter = (OpenFilter, CodeFilter, IntegrationFilter)
    list_select_related = ("connection",)
    search_fields = ("message", "=record_id")
    ordering = ("-occurred_at", "-id")

    @display(description=_("Problem"))
    def problem(self, problem: Problem) -> str:
        return TITLES.get(problem.code, problem.code)

    @display(description=_("Account"))
    def account(self, problem: Problem) -> str:
        return problem.connection.account_name if problem.connection else "–"

    @display(description=_("Seen"), ordering="occurred_at")
    def seen(self, problem: Problem) -> str:
        return when(problem.occurred_at)

    @display(
        description=_("State"), label={"open": "danger", "solved": "success", "notice": "info", "ignored": "muted"}
    )
    def state(self, problem: Problem) -> tuple[str, Any]:
        if problem.resolved_at:
            return "solved", _("Solved")
        if problem.ignored_at:
            return "ignored", _("Ignored")
        return ("notice", _("For information")) if problem.notice else ("open", _("Open"))

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Shows the problem's card on a page of its own."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        problem = self.get_object(request, unquote(object_id))
        if problem is None:
            raise Http404
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "original": problem,
            "title": TITLES.get(problem.code, problem.code),
            "card": problem_cards([problem], desk_user_of(request))[0],
        }
        return TemplateResponse(request, "integrations/problem.html", context)
