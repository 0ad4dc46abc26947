"""The queue, to look at: how it stands, and django-q2's own tables. What a worker has to do stands in the jobs."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django_q.models import Failure, OrmQ, Schedule, Success, Task

from fieldcamp.desk.admins import SuperuserAdmin
from fieldcamp.desk.columns import moment
from fieldcamp.desk.lists.exporting import field
from fieldcamp.desk.lists.words import EmptyList
from integrations.selectors.queue import queue_state

for _model in (Failure, OrmQ, Schedule, Success, Task):
    if admin.site.is_registered(_model):
        admin.site.unregister(_model)

_RAN = (moment("started", _("Started")), moment("stopped", _("Ended")))


@admin.register(Schedule)
class ScheduleAdmin(SuperuserAdmin):
    search_fields = ("name", "func")
    list_display = ("name", "func", "schedule_type", moment("next_run", _("Next run")), "repeats")
    fields = list_display
    readonly_fields = list_display


@admin.register(OrmQ)
class QueuedAdmin(SuperuserAdmin):
    """The payload is signed and pickled: it is not opened here."""

    fields = ("key", moment("lock", _("Taken until")))
    readonly_fields = fields

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """Returns how the queue stands, in the place of a list of payloads; the same with every kind of queue."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": _("Queue"),
            "state": queue_state(timezone.now()),
        }
        return TemplateResponse(request, "integrations/queue.html", context)


@admin.register(Failure)
class FailureAdmin(SuperuserAdmin):
    list_display = ("id", "name", "func", *_RAN, "attempt_count")
    fields = list_display
    readonly_fields = list_display
    search_fields = ("=id", "name", "func")
    empty = EmptyList(_("No task has failed."))
    cells = (field("name", _("Name")), field("func", _("Function")), field("started", _("Started")),
             field("stopped", _("Ended")), field("attempt_count", _("Tries")))  # fmt: skip
