"""The buttons of problems: try again, settle, ignore, decide. Each parses, calls one service, and shows what came of it
in the place of the problem's card, or (without scripts) goes back to the page."""

from collections.abc import Callable

from django.contrib import admin, messages
from django.contrib.admin.models import CHANGE, LogEntry
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from fieldcamp.desk.site import desk_view
from fieldcamp.desk.users import desk_user_of
from integrations.admin.held import removed_words
from integrations.admin.inbox import inbox_context
from integrations.admin.outcomes import FixOutcome, outcome_of
from integrations.errors import ProblemCode
from integrations.models import Hold, Problem, SyncJob
from integrations.providers import PROVIDERS
from integrations.queue.enqueue import active_job
from integrations.services import decisions, removed_events
from integrations.services.books import decisions as books_decisions
from integrations.views.common import REFUSALS, back, done, one
from integrations.views.forms.problems import ConflictForm, MatchForm, RemovalForm


def _problem(request: HttpRequest, problem_id: str) -> Problem:
    rows = Problem.objects.select_related(
        "workspace", "connection__workspace", "link__stream__connection__workspace", "ignored_by"
    )
    return one(request, rows, problem_id)


def _started(job: SyncJob | None) -> str:
    return _("Sync started.") if job else _("Saved. The sync that is running now, or the next one, carries it out.")


def _show(request: HttpRequest, outcome: FixOutcome) -> HttpResponse:
    context = {"outcome": outcome, "card": outcome.card, "next": request.POST.get("next", "")}
    return render(request, "integrations/outcome.html", context)


def _act(
    request: HttpRequest, problem: Problem, action: str, call: Callable[[], SyncJob | None], *, tried: bool = True
) -> HttpResponse:
    """Does it, keeps on record who did, and shows what comes of it. What the service refuses is told. `tried`: a sync
    carries it out."""
    here = "HX-Request" in request.headers
    desk_user = desk_user_of(request)
    try:
        job = call()
    except REFUSALS as error:
        return _refused(request, problem, str(error))
    sentence = f"{action} {_started(job)}" if tried else action
    if not here:
        return done(request, problem, sentence)
    LogEntry.objects.log_actions(desk_user.user.pk, [problem], CHANGE, sentence, single_object=True)
    job = job or (active_job(problem.workspace, problem.integration) if tried else None)
    return _show(request, outcome_of(_problem(request, problem.pk), job, desk_user, sentence))


def _refused(request: HttpRequest, problem: Problem, sentence: str) -> HttpResponse:
    if "HX-Request" in request.headers:
        return _show(request, outcome_of(_problem(request, problem.pk), None, desk_user_of(request), sentence))
    messages.warning(request, sentence)
    return back(request)


@desk_view("GET")
def outcome(request: HttpRequest, problem_id: str) -> HttpResponse:
    """Returns the card again, while `job` tries it and when it has; `said` is the sentence that stands there."""
    problem = _problem(request, problem_id)
    jobs = SyncJob.objects.filter(workspace=problem.workspace, integration=problem.integration)
    job = jobs.filter(pk=request.GET.get("job", "")).first() if "\x00" not in request.GET.get("job", "") else None
    said = request.GET.get("said", "")[:300]
    return _show(request, outcome_of(problem, job, desk_user_of(request), said, fresh=False))


@desk_view("POST", may="retry")
def retry(request: HttpRequest, problem_id: str) -> HttpResponse:
    problem = _problem(request, problem_id)
    if problem.connection is None:
        raise Http404
    return _act(
        request, problem, _("Tried again."), lambda: decisions.retry(problem=problem, user=desk_user_of(request).user)
    )


@desk_view("POST", may="retry")
def retry_cause(request: HttpRequest, problem_id: str) -> HttpResponse:
    """Tries again all that was refused for the same reason."""
    problem, user = _problem(request, problem_id), desk_user_of(request).user
    if problem.connection is None:
        raise Http404
    said = _("All that wait for the same reason are tried again.")
    return _act(request, problem, said, lambda: decisions.retry_cause(problem=problem, user=user))


@desk_view("POST", may="retry")
def resolve(request: HttpRequest, problem_id: str) -> HttpResponse:
    """Settles a conflict: which side is right, as a whole (`choice`) or for each field (`pick-<field>`). `remember`
    says who wins from now on without being asked."""
    problem = _problem(request, problem_id)
    link, desk_user = problem.link, desk_user_of(request)
    if link is None:
        raise Http404
    form = ConflictForm(request.POST, problem=problem)
    if not form.is_valid():
        if form.has_error("choice") or form.has_error("remember"):
            raise Http404  # no button and no option sends that
        return _refused(request, problem, form.summary[0].sentence)
    choice, remember = form.decision, form.cleaned_data["remember"]
    if remember and not desk_user.may("settings"):
        raise PermissionDenied
    names = {"local": "FieldCamp", "remote": PROVIDERS[problem.integration].label}
    action = (
        _("{place}'s side is kept.").format(place=names[choice])
        if isinstance(choice, str)
        else _("Each field as chosen.")
    )
    if remember:
        action += " " + _("From now on {place} wins without asking.").format(place=names[remember])

    def settle() -> SyncJob | None:
        return decisions.resolve_conflict(link=link, choice=choice, user=desk_user.user, remember=remember)

    return _act(request, problem, action, settle)


@desk_view("GET")
def conflicts(request: HttpRequest) -> HttpResponse:
    """Shows the inbox: every open conflict, both sides beside each other."""
    context = {**admin.site.each_context(request), "title": _("Conflicts"), **inbox_context(desk_user_of(request))}
    return render(request, "integrations/conflicts.html", context)


@desk_view("POST", may="ignore")
def ignore(request: HttpRequest, problem_id: str) -> HttpResponse:
    problem = _problem(request, problem_id)
    decisions.ignore(problem=problem, user=desk_user_of(request).user)
    return _said(request, problem, _("Ignored until it changes. It stays under Problems, where it can be undone."))


@desk_view("POST", may="ignore")
def unignore(request: HttpRequest, problem_id: str) -> HttpResponse:
    problem = _problem(request, problem_id)
    decisions.unignore(problem=problem, user=desk_user_of(request).user)
    return _said(request, problem, _("Back on the list."))


def _said(request: HttpRequest, problem: Problem, sentence: str) -> HttpResponse:
    """Shows what has been done already, without a sync."""
    if "HX-Request" not in request.headers:
        return done(request, problem, sentence)
    LogEntry.objects.log_actions(desk_user_of(request).user.pk, [problem], CHANGE, sentence, single_object=True)
    return _show(request, outcome_of(_problem(request, problem.pk), None, desk_user_of(request), sentence))


@desk_view("POST", may="ignore")
def dismiss(request: HttpRequest) -> HttpResponse:
    """Puts away all that is merely good to know, at once."""
    desk_user = desk_user_of(request)
    if desk_user.workspace is None:
        raise Http404
    count = decisions.dismiss_notices(workspace=desk_user.workspace, user=desk_user.user)
    messages.success(
        request,
        ngettext(
            "{number} notice put away. It stays under Problems.",
            "{number} notices put away. They stay under Problems.",
            count,
        ).format(number=count),
    )
    return back(request)


@desk_view("POST", may="settings")
def decide(request: HttpRequest, hold_id: str) -> HttpResponse:
    """Removals that a sync has held back: they are put back, or left removed."""
    rows = Hold.objects.select_related("stream__connection__workspace")
    hold = one(request, rows, hold_id, "stream__connection__workspace")
    form = RemovalForm(request.POST)
    if not form.is_valid():
        raise Http404
    decision = form.cleaned_data["decision"]
    words = removed_words(hold.removals, put_back=decision == Hold.Decision.REJECT)
    about = Problem.objects.filter(
        connection=hold.stream.connection, code=ProblemCode.CONFIRMATION_NEEDED, record_id=hold.pk
    )
    problem = about.order_by("-occurred_at").first()
    if problem is None:  # the account has gone meanwhile
        messages.warning(request, str(decisions.AlreadyDecided()))
        return back(request)
    user = desk_user_of(request).user
    return _act(request, problem, words, lambda: decisions.decide_hold(hold=hold, decision=decision, user=user))


@desk_view("POST", may="retry")
def match(request: HttpRequest, problem_id: str) -> HttpResponse:
    """Decides whether a record is one that the books have: `choice` is that one's id, or "new", perhaps under another
    name."""
    problem, desk_user = _problem(request, problem_id), desk_user_of(request)
    form = MatchForm(request.POST)
    if not form.is_valid():
        if form.has_error("choice"):
            raise Http404
        return _refused(request, problem, form.summary[0].sentence)
    choice, name = form.cleaned_data["choice"], form.cleaned_data["name"]
    if books_decisions.voids(problem, choice) and not desk_user.may("settings"):
        raise PermissionDenied
    action = _("It is made as a new one.") if choice == books_decisions.NEW else _("It is the same.")
    return _act(
        request,
        problem,
        action,
        lambda: books_decisions.decide_match(problem=problem, choice=choice, name=name, user=desk_user.user),
    )


@desk_view("POST", may="retry")
def post_again(request: HttpRequest, problem_id: str) -> HttpResponse:
    """Makes again what was removed there."""
    problem, user = _problem(request, problem_id), desk_user_of(request).user
    return _act(
        request, problem, _("It is made again."), lambda: books_decisions.post_again(problem=problem, user=user)
    )


@desk_view("POST", may="settings")
def void_here(request: HttpRequest, problem_id: str) -> HttpResponse:
    """Voids here what was deleted there."""
    problem, user = _problem(request, problem_id), desk_user_of(request).user
    return _act(
        request,
        problem,
        _("It is void in FieldCamp as well."),
        lambda: books_decisions.void_here(problem=problem, user=user),
        tried=False,
    )


@desk_view("POST", may="retry")
def put_back(request: HttpRequest, problem_id: str) -> HttpResponse:
    """Makes a visit's event again that was removed from its calendar."""
    problem, user = _problem(request, problem_id), desk_user_of(request).user
    return _act(
        request, problem, _("The event is put back."), lambda: removed_events.put_back(problem=problem, user=user)
    )


@desk_view("POST", may="retry")
def leave_removed(request: HttpRequest, problem_id: str) -> HttpResponse:
    """Leaves the visit without an event, until it is edited."""
    problem, user = _problem(request, problem_id), desk_user_of(request).user
    said = _("It stays without an event until the visit is edited.")
    return _act(request, problem, said, lambda: removed_events.leave_removed(problem=problem, user=user), tried=False)


@desk_view("POST", may="settings")
def cancel_visit(request: HttpRequest, problem_id: str) -> HttpResponse:
    """Cancels the visit whose event was removed."""
    problem, user = _problem(request, problem_id), desk_user_of(request).user
    return _act(
        request,
        problem,
        _("The visit is cancelled."),
        lambda: removed_events.cancel_visit(problem=problem, user=user),
        tried=False,
    )
