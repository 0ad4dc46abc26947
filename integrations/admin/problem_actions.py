"""What is done about many problems of the list at once: tried again, ignored, answered alike."""

from collections import Counter, defaultdict
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from fieldcamp.desk.lists.bulk import BulkMixin, tell
from fieldcamp.desk.lists.words import grouped
from fieldcamp.desk.users import DeskUser, desk_user_of
from integrations.models import Problem
from integrations.providers import PROVIDERS
from integrations.selectors.subjects import subjects
from integrations.services import decisions
from integrations.services.jobs import NotConnected
from integrations.services.problems.answering import (
    MOST_AT_ONCE,
    REFUSALS,
    CountChanged,
    NoSuchChoice,
    answer_all,
    retry_all,
)
from integrations.services.problems.causes import cause_of, of_cause, state_of
from integrations.services.problems.choices import choices_of
from integrations.services.problems.fixes import fix_of
from integrations.services.problems.matches import subject_of

MOST_TRIED, MOST_IGNORED, FIRST_SHOWN = 5_000, 500, 5


class ProblemActions(BulkMixin):
    """The list's actions. Each may be posted twice: what is done already is left out, and said."""

    actions: Any = ("try_again", "ignore_them", "same_answer")

    @admin.action(description=_("Try again"), permissions=["retry"])
    def try_again(self, request: HttpRequest, queryset: QuerySet[Problem]) -> None:
        groups: dict[tuple[str, str], list[str]] = defaultdict(list)
        rows = queryset.order_by().values_list("workspace_id", "integration", "pk")
        found_rows = list(rows[: MOST_TRIED + 1])
        for workspace_id, integration, pk in found_rows[:MOST_TRIED]:
            groups[workspace_id, integration].append(pk)
        done, waits, left = 0, False, []
        if len(found_rows) > MOST_TRIED:
            left.append(gettext("So many are tried at once. Try the others again."))
        for ids in groups.values():
            some = Problem.objects.filter(pk__in=ids)
            try:
                found = retry_all(problems=some, expected=len(ids), user=desk_user_of(request).user)
            except (NotConnected, CountChanged, *REFUSALS) as error:
                left += [str(error)] * len(ids)
                continue
            done, left = done + found.done, left + list(found.left.values())
            waits = waits or bool(found.done and found.job is None)
        later = gettext("The sync that is running now, or the next one, tries them.") if waits else ""
        tell(request, lambda n: ngettext("{number} tried again", "{number} tried again", n).format(number=grouped(n)),
             done, left, later)  # fmt: skip

    @admin.action(description=_("Ignore"), permissions=["ignore"])
    def ignore_them(self, request: HttpRequest, queryset: QuerySet[Problem]) -> None:
        done, left = 0, []
        for problem in queryset.order_by("pk")[: MOST_IGNORED + 1]:
            state = state_of(problem)
            if done >= MOST_IGNORED:
                left.append(gettext("So many are ignored at once. Ignore the others again."))
            elif state in ("open", "notice"):
                decisions.ignore(problem=problem, user=desk_user_of(request).user)
                done += 1
            else:
                left.append(gettext("It is solved.") if state == "resolved" else gettext("It is ignored already."))
        said = gettext("The filter “Ignored” brings them back.") if done else ""
        tell(request, lambda n: ngettext("{number} ignored", "{number} ignored", n).format(number=grouped(n)),
             done, left, said)  # fmt: skip

    @admin.action(description=_("Same answer for all of this cause"), permissions=["retry"])
    def same_answer(self, request: HttpRequest, queryset: QuerySet[Problem]) -> HttpResponse | None:
        """Asks which answer, with the records that it is about; posted again with one it gives it."""
        picked = queryset.order_by("pk").values_list("pk", flat=True)[:MOST_TRIED]
        rows = Problem.objects.listed().filter(pk__in=list(picked))
        chosen = list(rows.order_by("pk")[: MOST_AT_ONCE + 1])
        causes = {(problem.workspace_id, problem.integration, cause_of(problem)) for problem in chosen}
        if len(causes) != 1:
            said = gettext("Choose open problems that have one cause: the filter “Cause” finds them.")
            messages.warning(request, said if chosen else gettext("Nothing of what was chosen is open any more."))
            return None
        [(workspace_id, integration, cause)] = causes
        listed = Problem.objects.listed().filter(workspace=workspace_id, integration=integration)
        alike = of_cause(listed, cause)
        scope = alike if request.POST.get("scope") == "cause" else rows
        if answer := request.POST.get("answer", ""):
            _answer(request, scope, answer)
            return None
        return self._ask(request, chosen, alike, rows, integration)

    def _ask(
        self, request: HttpRequest, chosen: list[Problem], alike: QuerySet[Problem], rows: QuerySet[Problem],
        integration: str,
    ) -> HttpResponse | None:  # fmt: skip
        found = list(alike.select_related("link", "connection").order_by("link", "pk")[: MOST_AT_ONCE + 1])
        offered = _offered(found, desk_user_of(request))
        if not offered:
            messages.warning(request, gettext("These have no answer that fits all of them. Open each one."))
            return None
        about = subjects((row.workspace_id, row.record_kind, subject_of(row)) for row in found)
        named = [(row, about.get((row.record_kind, subject_of(row)))) for row in found]
        mine = {problem.pk for problem in chosen}
        context = {
            **admin.site.each_context(request),
            "title": fix_of(found[0]).title,
            "opts": Problem._meta,
            "label": PROVIDERS[integration].label if integration in PROVIDERS else integration,
            "choices": offered,
            "chosen": [each for each in named if each[0].pk in mine][:FIRST_SHOWN],
            "chosen_more": [each for each in named if each[0].pk in mine][FIRST_SHOWN:],
            "others": [each for each in named if each[0].pk not in mine],
            "chosen_number": rows.count(),
            "number": alike.count(),
            "ids": sorted(mine)[:100],
            "across": request.POST.get("select_across", "0"),
            "checkbox": ACTION_CHECKBOX_NAME,
        }
        return TemplateResponse(request, "integrations/same_answer.html", context)


def _offered(problems: list[Problem], desk_user: DeskUser) -> list[dict[str, Any]]:
    """Returns the answers that can be given to many, with how many of these offer each."""
    numbers: Counter[str] = Counter()
    first: dict[str, Any] = {}
    for choices in choices_of(problems).values():
        for choice in choices:
            if choice.for_all and desk_user.may(choice.right):
                numbers[choice.for_all] += 1
                first.setdefault(choice.for_all, choice)
    return [{"name": name, "choice": choice, "number": numbers[name]} for name, choice in first.items()]


def _answer(request: HttpRequest, scope: QuerySet[Problem], answer: str) -> None:
    desk_user = desk_user_of(request)
    found = list(scope.select_related("link", "connection").order_by("pk")[: MOST_AT_ONCE + 1])
    if found and answer not in {each["name"] for each in _offered(found, desk_user)}:
        messages.warning(request, gettext("There is no such answer any more. Look again."))
        return
    expected = request.POST.get("expected_all" if request.POST.get("scope") == "cause" else "expected", "")
    try:
        done = answer_all(problems=scope, choice=answer, expected=_number(expected), user=desk_user.user)
    except (CountChanged, NoSuchChoice, NotConnected, *REFUSALS) as error:
        messages.warning(request, str(error))
        return
    later = gettext("The sync that is running now, or the next one, carries it out.")
    tell(request, lambda n: ngettext("{number} answered", "{number} answered", n).format(number=grouped(n)),
         done.done, done.left.values(), later if done.done and done.job is None else "")  # fmt: skip


def _number(text: str) -> int:
    """Returns the number that was sent along; -1, which no count is, for anything else."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 9 else -1
