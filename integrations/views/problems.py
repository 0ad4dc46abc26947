"""The buttons of problems: try again, settle, ignore, decide. Each parses, calls one service and goes back."""

from django.http import Http404, HttpRequest, HttpResponse

from fieldcamp.desk.seat import seat_of
from fieldcamp.desk.site import desk_view
from integrations.models import Hold, Issue, SyncJob
from integrations.providers import PROVIDERS
from integrations.services import decisions
from integrations.views.common import attempt, back, done, one


def started(job: SyncJob | None) -> str:
    return "Sync started." if job else "Saved. The sync that is running now, or the next one, carries it out."


def _issue(request: HttpRequest, issue_id: str) -> Issue:
    rows = Issue.objects.select_related("workspace", "connection__workspace", "link__stream__connection__workspace")
    return one(request, rows, issue_id)


@desk_view("POST", may="retry")
def retry(request: HttpRequest, issue_id: str) -> HttpResponse:
    issue = _issue(request, issue_id)
    if issue.connection is None:
        raise Http404
    ok, job = attempt(request, lambda: decisions.retry(issue=issue, user=seat_of(request).user))
    return done(request, issue, f"Tried again. {started(job)}") if ok else back(request)


@desk_view("POST", may="retry")
def resolve(request: HttpRequest, issue_id: str) -> HttpResponse:
    """A conflict: which side is right."""
    issue = _issue(request, issue_id)
    choice = request.POST.get("choice", "")
    link = issue.link
    if link is None or choice not in decisions.SIDES:
        raise Http404
    ok, job = attempt(request, lambda: decisions.resolve_conflict(link=link, choice=choice, user=seat_of(request).user))
    side = "FieldCamp" if choice == "local" else PROVIDERS[issue.integration].label
    return done(request, issue, f"{side}'s side is kept. {started(job)}") if ok else back(request)


@desk_view("POST", may="ignore")
def ignore(request: HttpRequest, issue_id: str) -> HttpResponse:
    issue = _issue(request, issue_id)
    decisions.ignore(issue=issue, user=seat_of(request).user)
    return done(request, issue, "Ignored until it happens again. It stays under Problems, where it can be undone.")


@desk_view("POST", may="ignore")
def unignore(request: HttpRequest, issue_id: str) -> HttpResponse:
    issue = _issue(request, issue_id)
    decisions.unignore(issue=issue, user=seat_of(request).user)
    return done(request, issue, "Back on the list.")


@desk_view("POST", may="settings")
def decide(request: HttpRequest, hold_id: str) -> HttpResponse:
    """Removals that a sync has held back: put the events back, or cut them loose."""
    rows = Hold.objects.select_related("stream__connection__workspace")
    hold = one(request, rows, hold_id, "stream__connection__workspace")
    decision = request.POST.get("decision", "")
    if decision not in Hold.Decision.values:
        raise Http404
    ok, job = attempt(request, lambda: decisions.decide_hold(hold=hold, decision=decision, user=seat_of(request).user))
    words = str(Hold.Decision(decision).label)
    return done(request, hold.stream.connection, f"{words}. {started(job)}") if ok else back(request)
