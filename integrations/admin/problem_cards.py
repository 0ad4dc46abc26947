"""Open problems with the buttons that fix them. What is said about each is in `fixes`."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from django.db.models import Count
from django.urls import reverse
from django.utils.translation import gettext as _

from fieldcamp import formats
from fieldcamp.desk.users import DeskUser
from fieldcamp.workspace.models import Invoice
from fieldcamp.workspace.tracking import TrackedModel
from integrations.accounts.rights import Rights
from integrations.admin.answer_buttons import answer_buttons, verb_button
from integrations.admin.books_problem_cards import BooksCard, books_cards
from integrations.admin.buttons import Button, reconnect_button, rights_at
from integrations.admin.conflicts import LastChange, Unit, kept_words, last_changes, names_in, units_of
from integrations.admin.held import Removals, removals_of
from integrations.admin.inactive import Inactive, inactive_of
from integrations.admin.match_cards import name_there
from integrations.admin.record_pages import page_of
from integrations.admin.values import shown
from integrations.errors import ProblemCode, ProblemReason
from integrations.kinds import CUSTOMER, ITEM
from integrations.models import Hold, Problem
from integrations.providers import PROVIDERS
from integrations.selectors.subjects import subjects
from integrations.services.problems.causes import reason_of
from integrations.services.problems.choice import Choice
from integrations.services.problems.choices import choices_with, may_retry, open_holds
from integrations.services.problems.fix_reasons import TWO_CUSTOMERS, Fix, FixTarget
from integrations.services.problems.fixes import fix_of
from integrations.services.problems.matches import match_questions, subject_of
from integrations.services.problems.sides import side_of

RECONNECT = (ProblemCode.NEEDS_RECONNECT, ProblemCode.NEEDS_PERMISSION)
TOGETHER = (CUSTOMER.name, ITEM.name)
_BROKEN = (*RECONNECT, ProblemCode.MISCONFIGURED, ProblemCode.INTERNAL_ERROR)


@dataclass(frozen=True)
class ProblemCard:
    """An open problem as its card shows it."""

    problem: Problem
    fix: Fix
    record: TrackedModel | None = None
    record_url: str = ""
    hold: Hold | None = None
    buttons: list[Button] = field(default_factory=list)
    units: list[Unit] = field(default_factory=list)
    books: BooksCard | None = None
    changes: tuple[LastChange, LastChange] = (LastChange(), LastChange())
    choices: Sequence[Choice] = ()
    removals: Removals | None = None
    missing: Sequence[Inactive] = ()

    @property
    def title(self) -> str:
        return self.removals.title if self.removals else str(self.fix.title)

    @property
    def before(self) -> bool:
        """Returns whether it is known how the sides were when they agreed last."""
        return bool(side_of(self.problem, "base"))

    @property
    def effects(self) -> Sequence[Choice]:
        """Returns the answers that are told one by one what they do; else the fix's sentence says it."""
        return self.choices if self.removals else ()

    @property
    def tone(self) -> str:
        if self.problem.notice:
            return "info"
        return "danger" if self.problem.code in _BROKEN else "warning"

    @property
    def place(self) -> str:
        provider = PROVIDERS.get(self.problem.integration)
        return provider.label if provider else self.problem.integration

    @property
    def record_kind(self) -> str:
        return str(type(self.record)._meta.verbose_name).capitalize() if self.record else ""

    @property
    def client(self) -> str:
        """Returns whose record it is, where it is not the client's own."""
        return str(getattr(self.record, "client", "") or "")

    @property
    def facts(self) -> str:
        """Returns whose record it is, of when, and over how much."""
        record, said = self.record, [self.client]
        if isinstance(record, Invoice):
            said += [str(shown("date", record.date.isoformat())), formats.money(record.total)]
        return " · ".join(part for part in said if part)

    @property
    def templates(self) -> list[str]:
        own = ["integrations/fix/match.html"] if self.books and self.books.candidates else []
        return [*own, f"integrations/fix/{self.problem.code.lower()}.html", "integrations/fix/default.html"]

    @property
    def moved_far(self) -> bool:
        """Returns whether it asks about a move, rather than which of two changes is right."""
        return bool(self.problem.data.get("reason") == ProblemReason.MOVED_FAR)

    @property
    def open(self) -> bool:
        return self.problem.resolved_at is None and self.problem.ignored_at is None


def problem_cards(problems: Sequence[Problem], desk_user: DeskUser) -> list[ProblemCard]:
    """Returns the problems in their order; one query for the held removals and one for each kind of record."""
    about = subjects((problem.workspace_id, problem.record_kind, subject_of(problem)) for problem in problems)
    holds, questions = open_holds(problems), match_questions(problems, about)
    offered = choices_with(problems, questions, holds, name_there)
    cards = books_cards(problems, questions)
    rights = rights_at(desk_user)
    alike = _alike(problems)
    conflicts = [problem for problem in problems if problem.code == ProblemCode.CONFLICT]
    names, changes = names_in(conflicts), last_changes(conflicts)
    removals, missing = removals_of([*holds.values()], desk_user), inactive_of(problems, about)
    found = []
    for problem in problems:
        record = about.get((problem.record_kind, subject_of(problem)))
        url = page_of(record, desk_user) if record else ""
        hold = holds.get(problem.record_id)
        units = units_of(problem, names, record) if problem.code == ProblemCode.CONFLICT else []
        found.append(
            ProblemCard(
                problem=problem,
                fix=fix_of(problem),
                record=record,
                record_url=url,
                hold=hold,
                buttons=_buttons(
                    problem,
                    answer_buttons(problem, hold, offered[problem.pk], desk_user, _kept(problem, units)),
                    url,
                    desk_user,
                    rights,
                    alike[_cause(problem)],
                ),
                units=units,
                choices=[choice for choice in offered[problem.pk] if desk_user.may(choice.right)],
                removals=removals.get(problem.record_id),
                missing=missing.get(problem.pk, ()),
                changes=changes.get(problem.pk, (LastChange(), LastChange())),
                books=cards.get(problem.pk),
            )
        )
    return found


def _kept(problem: Problem, units: list[Unit]) -> dict[str, str]:
    if not units or problem.data.get("reason") == ProblemReason.MOVED_FAR:
        return {}
    return kept_words(problem, units)


def _cause(problem: Problem) -> tuple[str | None, str, str]:
    reason = problem.data.get("reason") if isinstance(problem.data, dict) else ""
    return problem.connection_id, problem.code, str(reason or "")


def _alike(problems: Sequence[Problem]) -> Counter[tuple[str | None, str, str]]:
    """Returns how many listed problems there are of each cause of these, by connection, code and reason."""
    known = {cause for problem in problems if (cause := _cause(problem))[2]}
    if not known:
        return Counter()
    listed = Problem.objects.listed().filter(
        connection__in={connection for connection, _code, _reason in known},
        code__in={code for _connection, code, _reason in known},
    )
    rows = listed.exclude(record_id="").values_list("connection", "code", "data__reason").annotate(Count("pk"))
    return Counter(
        {(connection, code, str(reason or "")): count for connection, code, reason, count in rows.order_by()}
    )


def _buttons(
    problem: Problem, answers: list[Button], url: str, desk_user: DeskUser, rights: Rights, alike: int
) -> list[Button]:
    """`answers` are those of its choices, `alike` is how many records wait for the same reason, this one included."""
    if problem.resolved_at:
        return []
    if problem.ignored_at:
        return [verb_button(problem, "unignore", _("Bring it back"))] if desk_user.may("ignore") else []
    if problem.code in RECONNECT and problem.connection:
        allowed = rights.may_change(problem.connection)
        return [reconnect_button(problem.connection, key="fix-")] if allowed else []
    fix = fix_of(problem)
    if problem.code == ProblemCode.CONFIRMATION_NEEDED:
        return [*answers, *_one_by_one(problem)] if answers else []
    if fix is TWO_CUSTOMERS:
        return answers
    if problem.code == ProblemCode.EVENT_REMOVED and not problem.notice:
        return [*answers, Button(f"fix-{problem.pk}", fix.link, url, post=False)] if url else answers
    if fix.leads is FixTarget.LEAVING:
        put_away = [verb_button(problem, "ignore", fix.dismiss)] if desk_user.may("ignore") else []
        return [*_leads(problem, fix, url, desk_user, rights), *put_away]
    found = answers
    if alike > 1 and found and desk_user.may("retry"):
        found = [*found, *_together(problem)]
    if problem.notice or not (fix.button or found):
        return [*found, verb_button(problem, "ignore", fix.dismiss)] if desk_user.may("ignore") else []
    if not (problem.code == ProblemCode.CONFLICT and problem.link_id):
        found = [*found, *_leads(problem, fix, url, desk_user, rights)]
    if desk_user.may("retry") and may_retry(problem):
        found = [*found, verb_button(problem, "retry", str(fix.button), tone="" if found else "primary")]
        if alike > 1:
            found.append(verb_button(problem, "retry_cause", _("Try all {number} again").format(number=alike)))
    if desk_user.may("ignore"):
        found = [*found, verb_button(problem, "ignore", _("Ignore until it changes"))]
    return found


def _together(problem: Problem) -> list[Button]:
    """Returns the button to the page that answers many such questions at once."""
    if reason_of(problem) != ProblemReason.MATCH or problem.record_kind not in TOGETHER or not problem.connection_id:
        return []
    page = reverse("integrations:same", args=[problem.connection_id])
    url = f"{page}?kind={problem.record_kind}"
    return [Button(f"same-{problem.pk}", _("Answer many such questions together"), url, post=False)]


def _one_by_one(problem: Problem) -> list[Button]:
    page = reverse("integrations:held", args=[problem.record_id])
    return [Button(f"held-{problem.pk}", _("Choose one by one"), page, post=False)]


def _leads(problem: Problem, fix: Fix, url: str, desk_user: DeskUser, rights: Rights) -> list[Button]:
    """Returns the button to the place where the cause is corrected, for who may correct it."""
    key = f"fix-{problem.pk}"
    if fix.leads is FixTarget.RECORD and url and desk_user.may("settings"):
        return [Button(key, fix.link, url, post=False, tone="primary")]
    if problem.connection is None or not rights.may_change(problem.connection):
        return []
    if fix.leads is FixTarget.MAPPING:
        place = reverse("integrations:mapping", args=[problem.connection.pk])
        return [Button(key, fix.link, place, post=False, tone="primary")]
    if fix.leads is FixTarget.LEAVING:
        place = reverse("integrations:leaving", args=[problem.connection.pk])
        return [Button(key, fix.link, place, post=False, tone="primary")]
    if fix.leads is FixTarget.CONNECTION:
        place = reverse("admin:integrations_connection_change", args=[problem.connection.pk])
        return [Button(key, fix.link, place, post=False, tone="primary")]
    return []
