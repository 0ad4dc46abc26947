"""The desk's fragments and buttons. Each parses, calls one service and renders or goes back to where it came from."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.text import slugify
from django.utils.translation import gettext

from fieldcamp.desk.site import desk_view
from fieldcamp.desk.users import CHOSEN, desk_user_of
from fieldcamp.workspace.audit import audit
from integrations.admin.buttons import rights_at
from integrations.admin.dashboard import needs_context
from integrations.admin.first_page import first_page
from integrations.admin.jobcalls import calls_csv, support_of
from integrations.admin.jobpage import RowsAsked, csv_lines, live_context
from integrations.admin.today import today_context
from integrations.models import Connection, Plan, SyncJob
from integrations.providers import BY_SLUG
from integrations.providers.base import Provider
from integrations.services import connections, jobs, plans
from integrations.views.common import attempt, back, csv_response, done, one
from integrations.views.forms.buttons import CompanyForm, SyncForm


def _provider(slug: str) -> Provider:
    if slug not in BY_SLUG:
        raise Http404
    return BY_SLUG[slug]


# --- fragments ------------------------------------------------------------------------------------------------------


@desk_view("GET")
def state(request: HttpRequest) -> HttpResponse:
    """Sends what has changed of the open first page, all of it read at once. `said`, `needs` and `runs` are digests of
    what it shows; `busy`: somebody has a menu of the table open, which is left as it is."""
    seen = {name: request.GET.get(name, "") for name in ("said", "needs", "runs")}
    context = first_page(request, seen)
    if context["state"] is None:
        raise Http404
    response = render(request, "integrations/state_fragment.html", {**context, "busy": request.GET.get("busy") == "1"})
    if context["changed"]["needs"] or context["changed"]["runs"]:
        response["HX-Trigger"] = "desk-changed"  # the list of problems is fetched anew
    return response


@desk_view("GET")
def needs(request: HttpRequest) -> HttpResponse:
    return render(request, "integrations/needs.html", needs_context(desk_user_of(request)))


@desk_view("GET")
def today(request: HttpRequest) -> HttpResponse:
    return render(request, "integrations/today.html", today_context(desk_user_of(request)))


def _job(request: HttpRequest, job_id: str) -> SyncJob:
    return one(request, SyncJob.objects.select_related("workspace", "connection"), job_id)


@desk_view("GET")
def job_live(request: HttpRequest, job_id: str) -> HttpResponse:
    """Shows the moving part of the job's page; when the job is over, the whole page is loaded once more."""
    job = _job(request, job_id)
    if not job.in_flight:
        return HttpResponse(status=204, headers={"HX-Refresh": "true"})
    context = live_context(job, desk_user_of(request))
    said = context["progress"].said
    context["announce"] = said != request.GET.get("said", said)
    return render(request, "integrations/job_live.html", context)


@desk_view("GET")
def job_items(request: HttpRequest, job_id: str) -> StreamingHttpResponse:
    """Sends the results of a job as CSV: those that its page shows, of all pages."""
    job, asked = _job(request, job_id), RowsAsked.of(request.GET)
    about = slugify("-".join(filter(None, (asked.outcome, asked.kind, asked.action))))
    name = f"{_file_name(job)}{'-' + about if about else ''}.csv"
    return csv_response(request, job.workspace_id, csv_lines(job, asked), name)


def _file_name(job: SyncJob) -> str:
    """Returns `google-calendar-2026-11-27-210014`."""
    return slugify(f"{job.label} {timezone.localtime(job.created_at):%Y-%m-%d %H%M%S}")


@desk_view("GET")
def job_calls(request: HttpRequest, job_id: str) -> StreamingHttpResponse:
    """Sends a job's calls to its provider as CSV, for that provider's support."""
    job = _job(request, job_id)
    if not support_of(job):
        raise Http404
    return csv_response(request, job.workspace_id, calls_csv(job), f"{_file_name(job)}-calls.csv")


# --- jobs -----------------------------------------------------------------------------------------------------------


def _sync(request: HttpRequest, workspace: Any, integration: str, connection: Connection | None) -> HttpResponse:
    form = SyncForm(request.POST)
    if not form.is_valid():
        messages.warning(request, form.summary[0].sentence)
        return back(request)
    mode = form.cleaned_data["mode"]
    ok, _ = attempt(
        request,
        lambda: jobs.trigger_sync(
            workspace=workspace,
            integration=integration,
            mode=mode,
            connection=connection,
            triggered_by=SyncJob.Trigger.ADMIN,
            actor=desk_user_of(request).name,
            request_id=getattr(request, "request_id", ""),
        ),
    )
    if ok:
        full = mode == SyncJob.Mode.FULL
        messages.success(request, gettext("Everything is checked again.") if full else gettext("Sync started."))
    return back(request)


@desk_view("POST", may="sync")
def trigger(request: HttpRequest, slug: str) -> HttpResponse:
    """Syncs every usable account of the integration now."""
    workspace = desk_user_of(request).workspace
    if workspace is None:
        raise Http404
    return _sync(request, workspace, _provider(slug).name, None)


@desk_view("POST")
def sync(request: HttpRequest, connection_id: str) -> HttpResponse:
    """Syncs this account now. Also for the technician who has just connected it."""
    connection = _connection(request, connection_id)
    if not (desk_user_of(request).may("sync") or rights_at(desk_user_of(request)).may_change(connection)):
        raise PermissionDenied
    return _sync(request, connection.workspace, connection.integration, connection)


@desk_view("POST", may="sync")
def cancel(request: HttpRequest, job_id: str) -> HttpResponse:
    job = _job(request, job_id)
    ok, _ = attempt(request, lambda: jobs.cancel_job(job=job, actor=desk_user_of(request).name))
    return done(request, job, gettext("The sync stops after the call that it is in.")) if ok else back(request)


@desk_view("POST", may="settings")
def approve_plan(request: HttpRequest, plan_id: str) -> HttpResponse:
    plan = one(request, Plan.objects.select_related("job"), plan_id)
    ok, _ = attempt(request, lambda: plans.approve_plan(plan=plan, actor=desk_user_of(request).user))
    return done(request, plan.job, gettext("The plan is approved.")) if ok else back(request)


# --- connections ----------------------------------------------------------------------------------------------------


def _connection(request: HttpRequest, connection_id: str) -> Connection:
    return one(request, Connection.objects.select_related("workspace", "member"), connection_id)


def _my_connection(request: HttpRequest, connection_id: str) -> Connection:
    connection = _connection(request, connection_id)
    if not rights_at(desk_user_of(request)).may_change(connection):
        raise PermissionDenied
    return connection


@desk_view("POST")
def pause(request: HttpRequest, connection_id: str) -> HttpResponse:
    connection, user = _my_connection(request, connection_id), desk_user_of(request).user
    ok, _ = attempt(request, lambda: connections.pause(connection=connection, user=user))
    said = gettext("{account} is paused until somebody resumes it.").format(account=connection.account_name)
    return done(request, connection, said) if ok else back(request)


@desk_view("POST")
def resume(request: HttpRequest, connection_id: str) -> HttpResponse:
    connection, user = _my_connection(request, connection_id), desk_user_of(request).user
    ok, _ = attempt(request, lambda: connections.resume(connection=connection, user=user))
    said = gettext("{account} is synced by schedule again.").format(account=connection.account_name)
    return done(request, connection, said) if ok else back(request)


# --- the company ----------------------------------------------------------------------------------------------------


@desk_view("POST")
def choose_company(request: HttpRequest) -> HttpResponse:
    """Chooses which company is looked at from now on, of all by a superuser without a member (an empty choice is all of
    them), of their own by anybody else."""
    desk_user = desk_user_of(request)
    form = CompanyForm(request.POST)
    own = {member.workspace_id for member in desk_user.members}
    if not desk_user.is_operator and form.data.get("company") not in own:
        raise PermissionDenied
    if not form.is_valid():
        raise Http404
    left, chosen = desk_user_of(request).chosen, form.cleaned_data["company"]
    if chosen:
        request.session[CHOSEN] = chosen.pk
        audit("operator.company_chosen", workspace_id=chosen.pk, actor=desk_user_of(request).name)
    else:
        request.session.pop(CHOSEN, None)
        if left:
            audit("operator.company_left", workspace_id=left.pk, actor=desk_user_of(request).name)
    return back(request)
