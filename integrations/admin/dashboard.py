"""The first page: how the company stands, what needs a person, the accounts, the last days."""

from dataclasses import replace
from typing import Any

from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext

from fieldcamp.desk.users import DeskUser, desk_user_of
from fieldcamp.webhooks.admin.banners import banners
from fieldcamp.workspace.admin.audit_words import names_of
from fieldcamp.workspace.models import Workspace
from integrations.admin.first_page import first_page
from integrations.admin.problem_cards import problem_cards
from integrations.admin.problem_groups import grouped_cards
from integrations.admin.since import since_context
from integrations.admin.today import today_context
from integrations.selectors.dashboard import good_to_know, last_settled, needs_you, open_questions
from integrations.services.problems.undoing import RIGHTS, Undoable, undoable

MOST = 50  # cards; one may be about many records
MOST_LISTED = 500  # problems
MOST_COMPANIES = 500


def dashboard(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Unfold's hook: the context of the admin's index."""
    desk_user = desk_user_of(request)
    return {
        **context,
        "title": gettext("Dashboard"),
        "company": desk_user.workspace,
        "companies": _companies(desk_user),
        "chosen_company": _chosen_company(desk_user),
        "is_operator": desk_user.is_operator,
        **first_page(request),
        "webhooks_in_trouble": banners(desk_user),
        **needs_context(desk_user),
        **today_context(desk_user),
        **since_context(desk_user),
    }


def _companies(desk_user: DeskUser) -> list[Workspace]:
    """Returns what may be chosen among: everything for a superuser without a member, else the login's own companies."""
    if desk_user.is_operator:
        return list(Workspace.objects.order_by("name", "pk")[:MOST_COMPANIES])
    return [member.workspace for member in desk_user.members]


def _chosen_company(desk_user: DeskUser) -> str:
    if desk_user.member:
        return desk_user.member.workspace_id
    return desk_user.chosen.pk if desk_user.chosen else ""


def needs_context(desk_user: DeskUser) -> dict[str, Any]:
    """Returns the list of open problems, worst first, and what is merely good to know."""
    if desk_user.workspace is None:
        return {"needs": [], "notices": [], "undoable": []}
    problems = needs_you(desk_user.workspace, limit=MOST_LISTED)
    known = len(problems)
    both = problem_cards([*problems, *good_to_know(desk_user.workspace)], desk_user)
    found = grouped_cards(both[:known], desk_user)
    return {
        "needs": found[:MOST],
        "notices": both[known:],
        "needs_more": known == MOST_LISTED or len(found) > MOST,
        "undoable": _undo_lines(desk_user, desk_user.workspace),
        "needs_number": open_questions(desk_user.workspace),
        "last_question": None if problems else last_settled(desk_user.workspace),
        "may_dismiss": desk_user.may("ignore"),
    }


def _undo_lines(desk_user: DeskUser, workspace: Workspace) -> list[Undoable]:
    """Returns what this person may take back, with who answered by the name that they have at the company."""
    lines = [one for one in undoable(workspace, timezone.now()) if desk_user.may(RIGHTS[one.kind])]
    names = names_of(desk_user, (one.who for one in lines))
    return [replace(one, who=names.get(one.who, one.who)) for one in lines]
