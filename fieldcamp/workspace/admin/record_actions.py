"""Buttons of a record's page that do one thing through a service: some ask first, each is posted."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

from django import forms
from django.contrib import messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.translation import gettext_lazy as _

from fieldcamp.desk.forms import DeskForm
from fieldcamp.desk.users import desk_user_of
from fieldcamp.workspace.admin.records import RecordAdmin
from fieldcamp.workspace.errors import InvalidFields, InvalidTransition
from fieldcamp.workspace.tracking import attributed


@dataclass(frozen=True)
class RecordAction:
    """`asks`: what is said before it is done (nothing: it is done at once). `leaves`: the record is gone then."""

    label: Any  # texts that are translated when they are shown
    run: Callable[[Any, str], Any]  # record, reason
    when: Callable[[Any], bool]
    done: Any
    asks: tuple[Any, ...] = ()
    takes_reason: bool = False
    leaves: bool = False
    tone: str = ""


class ReasonForm(DeskForm):
    """Why, for the actions that take a reason."""

    reason = forms.CharField(
        label=_("Reason (optional)"),
        required=False,
        max_length=200,
        error_messages={"max_length": _("A reason has 200 characters at most.")},
    )


class RecordActionAdmin(RecordAdmin):
    record_actions: ClassVar[dict[str, RecordAction]]
    change_form_outer_after_template = "admin/workspace/record_actions.html"

    def _name(self, what: str) -> str:
        return f"{self.opts.app_label}_{self.opts.model_name}_{what}"

    def get_urls(self) -> list[Any]:
        return [
            *(
                path(
                    f"<path:object_id>/{key}/",
                    self.admin_site.admin_view(self.action_view),
                    {"key": key},
                    self._name(key),
                )
                for key in self.record_actions
            ),
            *super().get_urls(),
        ]

    def change_view(self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None) -> Any:
        record = self.get_object(request, unquote(object_id))
        buttons = []
        if record and self.has_change_permission(request):
            for key, action in self.record_actions.items():
                if action.when(record):
                    buttons.append({"action": action, "url": reverse(f"admin:{self._name(key)}", args=[record.pk])})
        return super().change_view(request, object_id, form_url, {"record_actions": buttons, **(extra_context or {})})

    def action_view(self, request: HttpRequest, object_id: str, key: str) -> HttpResponse:
        """Shows on GET what will happen where there is something to say, and does it on POST."""
        if not self.has_change_permission(request):
            raise PermissionDenied
        record, action = self.get_object(request, unquote(object_id)), self.record_actions[key]
        if record is None:
            raise Http404
        if request.method != "POST" and not action.asks:
            return HttpResponseNotAllowed(["POST"])
        form = ReasonForm(request.POST if request.method == "POST" else None)
        if not form.is_valid():
            context = {
                "record": record,
                "action": action,
                "form": form,
                "opts": self.opts,
                "title": f"{action.label}?",
                "back": self._page_of(record),
            }
            context |= self.admin_site.each_context(request)
            status = 400 if form.is_bound else 200
            return TemplateResponse(request, "admin/workspace/record_action.html", context, status=status)
        try:
            with attributed(actor=desk_user_of(request).name):
                action.run(record, form.cleaned_data["reason"] if action.takes_reason else "")
        except InvalidTransition as error:
            self.message_user(request, str(error), messages.WARNING)
        except InvalidFields as error:
            self.message_user(request, " ".join(sum(error.details.values(), [])), messages.WARNING)
        else:
            self.message_user(request, str(action.done).format(record), messages.SUCCESS)
            if action.leaves:
                return HttpResponseRedirect(reverse(f"admin:{self._name('changelist')}"))
        return HttpResponseRedirect(self._page_of(record))

    def _page_of(self, record: Any) -> str:
        return reverse(f"admin:{self._name('change')}", args=[record.pk])
