"""The calendar: its page, the panel of a visit, moving visits and taking the last move back."""

import datetime as dt
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.models import CHANGE, LogEntry
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext

from fieldcamp.desk.site import desk_view
from fieldcamp.desk.users import desk_user_of
from fieldcamp.workspace.errors import InvalidFields, InvalidTransition
from fieldcamp.workspace.models import Member, Visit
from fieldcamp.workspace.moving import Move, Overlapping, Placement, VisitChanged, move_visit
from integrations.admin.agenda_context import agenda_context, place_of, said_of, visit_context
from integrations.admin.agenda_page import said_busy
from integrations.views.common import back, back_to, one
from integrations.views.forms.agenda import MoveForm

# In the session: the last move, which can be taken back for a while.
LAST_MOVE = "agenda_move"
UNDO_FOR = dt.timedelta(minutes=10)


@desk_view("GET")
def page(request: HttpRequest) -> HttpResponse:
    desk_user = desk_user_of(request)
    if desk_user.workspace is None:
        raise Http404
    context = agenda_context(desk_user, request.GET.dict())
    undo = _last_move(request)
    context |= {**admin.site.each_context(request), "title": gettext("Calendar"), "last_move": undo}
    return render(request, "integrations/agenda.html", context)


def _visit(request: HttpRequest, visit_id: str) -> Visit:
    rows = Visit.objects.alive().select_related("client__parent", "technician", "workspace")
    visit: Visit = one(request, rows, visit_id)
    return visit


def _form(visit: Visit, data: QueryDict | None = None) -> MoveForm:
    """Returns the form as it was sent; without data, as the visit stands."""
    people = Member.objects.filter(workspace=visit.workspace_id, is_technician=True, is_active=True)
    return MoveForm(data, visit=visit, technicians=list(people))


@desk_view("GET")
def visit_panel(request: HttpRequest, visit_id: str) -> HttpResponse:
    """Shows one visit, as a page or (to the calendar's script) as the inside of its dialog."""
    return _panel(request, _visit(request, visit_id), None)


def _panel(
    request: HttpRequest,
    visit: Visit,
    form: MoveForm | None,
    refused: InvalidTransition | None = None,
    status: int = 200,
) -> HttpResponse:
    desk_user = desk_user_of(request)
    context = visit_context(visit, desk_user)
    if desk_user.may("settings") and not visit.is_over:
        context |= {"form": form or _form(visit), "refused": refused}
    if isinstance(refused, Overlapping):
        context |= {"overlaps_then": [place_of(busy) for busy in refused.overlaps], "mark": refused.mark}
    context["next"] = back_to(request, request.POST.get("next") or request.GET.get("next", ""), "integrations:agenda")
    if "HX-Request" in request.headers:
        return render(request, "integrations/agenda_visit_panel.html", context, status=status)
    context |= {**admin.site.each_context(request), "title": visit.title}
    return render(request, "integrations/agenda_visit.html", context, status=status)


@desk_view("POST", may="settings")
def move(request: HttpRequest, visit_id: str) -> HttpResponse:
    """Moves a visit. To a script it says what became of it as JSON; a form is shown anew, or its page again."""
    visit = _visit(request, visit_id)
    form = _form(visit, request.POST)
    refused: InvalidTransition | None = None
    status = 400
    if form.is_valid():
        try:
            made = move_visit(
                workspace=visit.workspace,
                visit_id=visit.pk,
                version=form.cleaned_data["version"],
                changes=form.changes(),
                seen=form.cleaned_data["seen"],
            )
        except InvalidFields as error:
            for name, sentences in error.details.items():
                form.add_error({"technician_id": "technician", "scheduled_end": "minutes"}.get(name), sentences)
        except InvalidTransition as error:
            refused, status = error, 412 if isinstance(error, VisitChanged) else 409
        except Visit.DoesNotExist:
            raise Http404 from None
        else:
            return _moved(request, made)
    if _is_script(request):
        return JsonResponse(_told(form, refused), status=status)
    if isinstance(refused, VisitChanged):  # with the visit as it is now, which is to be moved anew
        return _panel(request, _visit(request, visit_id), None, refused, status)
    return _panel(request, visit, form, refused, status)


def _is_script(request: HttpRequest) -> bool:
    return request.META.get("HTTP_ACCEPT") == "application/json"


def _told(form: MoveForm, refused: InvalidTransition | None) -> dict[str, Any]:
    if isinstance(refused, Overlapping):
        return {
            "sentence": str(refused),
            "overlaps": [f"{busy.title or gettext('Busy')}: {said_busy(busy)}" for busy in refused.overlaps],
            "seen": refused.mark,
        }
    return {"sentence": str(refused) if refused else " ".join(error.sentence for error in form.summary)}


def _moved(request: HttpRequest, made: Move) -> HttpResponse:
    sentence = said_of(made.visit) if made.moved else gettext("Nothing was changed: it stands there already.")
    if made.moved:
        user = desk_user_of(request).user
        LogEntry.objects.log_actions(user.pk, [made.visit], CHANGE, sentence, single_object=True)
        before = made.before
        request.session[LAST_MOVE] = {
            "visit": made.visit.pk,
            "workspace": made.visit.workspace_id,
            "version": made.visit.version,
            "start": before.start.isoformat() if before.start else None,
            "end": before.end.isoformat() if before.end else None,
            "technician": before.technician_id,
            "sentence": sentence,
            "at": timezone.now().timestamp(),
        }
    if _is_script(request):
        return JsonResponse({"sentence": sentence})
    if not made.moved:
        messages.info(request, sentence)
    return back(request) if request.POST.get("next") else redirect("integrations:agenda")


def _last_move(request: HttpRequest) -> dict[str, Any] | None:
    last: dict[str, Any] | None = request.session.get(LAST_MOVE)
    workspace = desk_user_of(request).workspace
    if not last or not desk_user_of(request).may("settings") or last["workspace"] != (workspace and workspace.pk):
        return None
    return last if timezone.now().timestamp() - last["at"] < UNDO_FOR.total_seconds() else None


def _moved_visit(last: dict[str, Any]) -> Visit | None:
    rows = Visit.objects.alive().select_related("workspace")
    return rows.filter(pk=last["visit"], workspace=last["workspace"]).first()


@desk_view("POST", may="settings")
def undo(request: HttpRequest) -> HttpResponse:
    """Puts the visit that was moved last back to where it stood, unless it was changed since."""
    last = _last_move(request)
    request.session.pop(LAST_MOVE, None)
    sentence, status = gettext("There is no move to take back any more."), 409
    visit = _moved_visit(last) if last else None
    if last and visit is None:
        sentence = gettext("Not taken back: the visit is deleted.")
    elif last and visit is not None:
        start, end = (dt.datetime.fromisoformat(last[name]) if last[name] else None for name in ("start", "end"))
        before = Placement(start, end, last["technician"])
        try:
            made = move_visit(
                workspace=visit.workspace, visit_id=visit.pk, version=last["version"], changes=before.fields, ask=False
            )
        except VisitChanged:
            sentence, status = gettext("Not taken back: the visit was changed since it was moved."), 412
        except (InvalidTransition, InvalidFields) as error:
            sentence = gettext("Not taken back: {reason}").format(reason=error)
        except Visit.DoesNotExist:  # just now
            sentence = gettext("Not taken back: the visit is deleted.")
        else:
            sentence, status = said_of(made.visit), 200
            user = desk_user_of(request).user
            LogEntry.objects.log_actions(user.pk, [made.visit], CHANGE, sentence, single_object=True)
    if _is_script(request):
        return JsonResponse({"sentence": sentence}, status=status)
    (messages.success if status == 200 else messages.warning)(request, sentence)
    return back(request) if request.POST.get("next") else redirect("integrations:agenda")
