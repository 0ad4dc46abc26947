"""Answers that are about several records, or that cannot be taken back: each names its records first, the dangerous
ones ask once more on a page of their own, and what can be taken back is, for a while."""

from collections.abc import Sequence
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from fieldcamp.desk.lists.bulk import tell
from fieldcamp.desk.lists.words import grouped
from fieldcamp.desk.site import desk_view
from fieldcamp.desk.users import DeskUser, desk_user_of
from integrations.admin.answer_buttons import posting_button
from integrations.admin.held import removals_of, removed_words
from integrations.admin.problem_cards import problem_cards
from integrations.admin.problem_groups import IGNORE, RETRY, ProblemGroup, group_of
from integrations.admin.record_lines import SHOWN, line_of
from integrations.models import Hold, Problem
from integrations.providers import PROVIDERS
from integrations.services import decisions
from integrations.services.problems.answering import AllAnswered, CountChanged, NoSuchChoice, answer_all, retry_all
from integrations.services.problems.causes import of_cause
from integrations.services.problems.undoing import IGNORED, RIGHTS, undo
from integrations.views.common import REFUSALS, attempt, back, back_to, one
from integrations.views.forms.answers import HeldForm, ManyForm, UndoForm

MOST = 500  # problems that are answered together
MOST_HELD = 900  # records of one hold on its page: a form has at most 1,000 fields
_LATER = gettext_lazy("The sync that is running now, or the next one, carries it out.")


def _page(request: HttpRequest, template: str, title: str, context: dict[str, Any]) -> HttpResponse:
    return render(request, template, {**admin.site.each_context(request), "title": title, **context})


# --- one problem ----------------------------------------------------------------------------------------------------


@desk_view("GET")
def sure(request: HttpRequest, problem_id: str) -> HttpResponse:
    """Asks once more before an answer that cannot be taken back, with the records that it is about."""
    rows = Problem.objects.select_related("workspace", "connection__workspace", "link__stream__connection__workspace")
    problem, desk_user = one(request, rows, problem_id), desk_user_of(request)
    card = problem_cards([problem], desk_user)[0]
    choice = next((each for each in card.choices if each.id == request.GET.get("choice", "")), None)
    if choice is None:
        messages.warning(request, _("This has been decided already, or is not asked any more."))
        return redirect("admin:integrations_problem_change", problem.pk)
    lines = card.removals.lines if card.removals else [line_of(card.record, desk_user, card.place, value=problem.pk)]
    context = {
        "card": card,
        "choice": choice,
        "first": lines[:SHOWN],
        "rest": lines[SHOWN:],
        "more": card.removals.more if card.removals else 0,
        "button": posting_button(problem, card.hold, choice),
        "back": back_to(request, request.GET.get("next", ""), "admin:index"),
    }
    return _page(request, "integrations/sure.html", _("{answer}?").format(answer=choice.label), context)


@desk_view("GET", "POST", may="settings")
def held(request: HttpRequest, hold_id: str) -> HttpResponse:
    """Lists held removals, of which those that are ticked are put back and the others left removed."""
    rows = Hold.objects.select_related("stream__connection__workspace", "stream__connection__member")
    hold, desk_user = one(request, rows, hold_id, "stream__connection__workspace"), desk_user_of(request)
    if hold.decision:
        messages.info(request, _("This has been decided already. Reload the page to see how."))
        return redirect("admin:index")
    if request.method == "POST":
        form = HeldForm(request.POST)
        if not form.is_valid():
            raise Http404
        return _decided(request, hold, form, desk_user)
    removals = removals_of([hold], desk_user, MOST_HELD)[hold.pk]
    context = {"hold": hold, "removals": removals, "place": PROVIDERS[hold.stream.connection.integration].label}
    return _page(request, "integrations/held.html", removals.title, context)


def _decided(request: HttpRequest, hold: Hold, form: HeldForm, desk_user: DeskUser) -> HttpResponse:
    held_links, seen = list(hold.links.order_by("pk").values_list("pk", flat=True)), form.cleaned_data["seen"]
    # What the page did not list is put back: nothing is left removed that nobody has seen.
    put_back = {*form.cleaned_data["link"], *held_links[MOST_HELD:]} & {*held_links}
    mine = len(put_back)
    decision = Hold.Decision.REJECT if mine >= seen else Hold.Decision.CONFIRM
    try:
        job = decisions.decide_hold(hold=hold, decision=decision, user=desk_user.user, expected=seen, put_back=put_back)
    except (decisions.HeldMeanwhile, *REFUSALS) as error:
        messages.warning(request, str(error))
        return redirect("integrations:held", hold.pk)
    parts = [removed_words(mine, put_back=True)] if mine else []
    parts += [removed_words(seen - mine, put_back=False)] if seen > mine else []
    messages.success(request, " ".join([*parts, _("Sync started.") if job else str(_LATER)]))
    return redirect("admin:index")


# --- several --------------------------------------------------------------------------------------------------------


@desk_view("POST")
def answer_many(request: HttpRequest) -> HttpResponse:
    """Gives one answer to the problems that are ticked, all of one cause. One that cannot be taken back is given only
    after a page that names them again."""
    form, desk_user = ManyForm(request.POST), desk_user_of(request)
    if desk_user.workspace is None:
        raise Http404
    if not form.is_valid():
        if form.has_error("problem") and len(form.errors) == 1:
            messages.warning(request, _("Nothing was ticked, so nothing was done."))
            return back(request)
        raise Http404
    asked = form.cleaned_data
    if not desk_user.may(IGNORE if asked["answer"] == IGNORE else RETRY):
        raise PermissionDenied
    listed = Problem.objects.listed().filter(workspace=desk_user.workspace, integration=asked["integration"])
    rows = of_cause(listed, asked["cause"]).filter(record_kind=asked["kind"], pk__in=asked["problem"][:MOST])
    problems = list(rows.select_related("workspace", "connection__workspace", "link").order_by("pk"))
    if not problems:
        messages.info(request, _("These have been answered already. Nothing was done again."))
        return back(request)
    if asked["answer"] not in (IGNORE, RETRY):
        group = group_of(problem_cards(problems, desk_user), desk_user)
        answer = next((each for each in group.answers if each.name == asked["answer"]), None)
        if answer is None:
            messages.warning(request, _("There is no such answer any more. Look again."))
            return back(request)
        if answer.tone == "danger" and not asked["sure"]:
            return _ask_again(request, group, answer)
    _give(request, rows, problems, asked["answer"], len(asked["problem"]), desk_user)
    return back(request)


def _ask_again(request: HttpRequest, group: ProblemGroup, answer: Any) -> HttpResponse:
    """Shows the page that names what is about to be answered. Nothing is changed by it, however often it is loaded."""
    title = _("{answer}?").format(answer=answer.label)
    context = {"card": group, "answer": answer, "back": back_to(request, request.POST.get("next", ""), "admin:index")}
    return _page(request, "integrations/sure_many.html", title, context)


def _give(
    request: HttpRequest, rows: QuerySet[Problem], problems: Sequence[Problem], answer: str, ticked: int,
    desk_user: DeskUser,
) -> None:  # fmt: skip
    left = [_("It has been answered meanwhile.")] * (ticked - len(problems))
    if answer == IGNORE:
        done = AllAnswered(decisions.ignore_many(problems=problems, user=desk_user.user))
    else:
        try:
            # With what it was that was ticked: one that has gone since is left.
            if answer == RETRY:
                done = retry_all(problems=rows, expected=len(problems), user=desk_user.user)
            else:
                done = answer_all(problems=rows, choice=answer, expected=len(problems), user=desk_user.user)
        except (CountChanged, NoSuchChoice, *REFUSALS) as error:
            messages.warning(request, str(error))
            return
    later = str(_LATER) if done.done and done.job is None and answer != IGNORE else ""
    tell(request, _WORDS.get(answer, _answered), done.done, [*left, *done.left.values()], later)


def _answered(number: int) -> str:
    return ngettext("{number} answered", "{number} answered", number).format(number=grouped(number))


def _ignored(number: int) -> str:
    return ngettext("{number} ignored", "{number} ignored", number).format(number=grouped(number))


def _tried(number: int) -> str:
    return ngettext("{number} tried again", "{number} tried again", number).format(number=grouped(number))


_WORDS = {IGNORE: _ignored, RETRY: _tried}


# --- taking back ----------------------------------------------------------------------------------------------------


@desk_view("POST")
def undo_answer(request: HttpRequest) -> HttpResponse:
    """Takes back what was answered a moment ago."""
    form, desk_user = UndoForm(request.POST), desk_user_of(request)
    if not form.is_valid() or desk_user.workspace is None:
        raise Http404
    kind, key = form.cleaned_data["kind"], form.cleaned_data["key"]
    if not desk_user.may(RIGHTS[kind]):
        raise PermissionDenied
    workspace, user = desk_user.workspace, desk_user.user
    worked, undone = attempt(request, lambda: undo(workspace=workspace, kind=kind, key=key, user=user))
    if worked and kind == IGNORED:
        said = ngettext("{number} is back on the list.", "{number} are back on the list.", undone.done)
        messages.success(request, said.format(number=grouped(undone.done)))
    elif worked:
        started = _("Sync started.") if undone.job else str(_LATER)
        messages.success(request, f"{removed_words(undone.done, put_back=True)} {started}")
    return back(request)
