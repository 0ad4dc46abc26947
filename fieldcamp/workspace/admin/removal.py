"""Deleting a record at the desk: a page that says what will happen, and the record's service that does it."""

from typing import Any

from django.contrib import messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext
from unfold.admin import ModelAdmin

from fieldcamp.desk.users import desk_user_of
from fieldcamp.workspace.tracking import attributed


class RemovalMixin(ModelAdmin):
    """`remove` hides the record by its service; `consequences` is what the person reads before."""

    def remove(self, record: Any) -> None:
        raise NotImplementedError

    def consequences(self, record: Any) -> list[str]:
        return [gettext("It disappears from the lists and from the API. Its history stays on record.")]

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        """Shows on GET what will happen, and does it on POST."""
        record = self.get_object(request, unquote(object_id))
        if not self.has_delete_permission(request, record):
            raise PermissionDenied
        if record is None:
            raise Http404
        names = f"{self.opts.app_label}_{self.opts.model_name}"
        if request.method != "POST":
            context = {
                **self.admin_site.each_context(request),
                "opts": self.opts,
                "record": record,
                "title": gettext("Delete {record}?").format(record=record),
                "consequences": self.consequences(record),
                "back": reverse(f"admin:{names}_change", args=[record.pk]),
            }
            return TemplateResponse(request, "admin/workspace/delete.html", context)
        self.log_deletions(request, self.model._default_manager.filter(pk=record.pk))
        with attributed(actor=desk_user_of(request).name):
            self.remove(record)
        self.message_user(request, gettext("{record} is deleted.").format(record=record), messages.SUCCESS)
        return HttpResponseRedirect(reverse(f"admin:{names}_changelist"))
