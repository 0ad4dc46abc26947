"""The buttons that answer a problem: those of its choices that the person may take."""

from collections.abc import Mapping, Sequence

from django.urls import reverse
from django.utils.http import urlencode

from fieldcamp.desk.users import DeskUser
from integrations.admin.buttons import Button
from integrations.models import Hold, Problem
from integrations.services.books.decisions import NEW
from integrations.services.problems import choice as choices
from integrations.services.problems.choice import Choice

# The address of each, and what it is sent; the others name a record there (`match`).
_SENT: dict[str, tuple[str, dict[str, str]]] = {
    choices.KEEP_FIELDCAMP: ("resolve", {"choice": "local"}),
    choices.KEEP_PROVIDER: ("resolve", {"choice": "remote"}),
    choices.PUT_BACK: ("put_back", {}),
    choices.LEAVE_REMOVED: ("leave_removed", {}),
    choices.CANCEL_VISIT: ("cancel_visit", {}),
    choices.MAKE_AGAIN: ("post_again", {}),
    choices.VOID_HERE: ("void_here", {}),
    choices.LEAVE_APART: ("ignore", {}),
}
_DECISIONS = {choices.PUT_BACK: Hold.Decision.REJECT.value, choices.CUT_LOOSE: Hold.Decision.CONFIRM.value}


def answer_buttons(
    problem: Problem,
    hold: Hold | None,
    offered: Sequence[Choice],
    desk_user: DeskUser,
    kept: Mapping[str, str] | None = None,
) -> list[Button]:
    """Returns a button for each choice that has one: what is chosen field by field is a form of its own. One that
    cannot be taken back leads to a page that asks once more. `kept` says in few words what is kept with a choice."""
    mine = [choice for choice in offered if choice.id != choices.BY_FIELD and desk_user.may(choice.right)]
    found = []
    for choice in mine:
        button = posting_button(problem, hold, choice)
        if choice.dangerous:
            page = f"{reverse('integrations:sure', args=[problem.pk])}?{urlencode({'choice': choice.id})}"
            button = Button(button.key, button.label, page, post=False, tone=button.tone)
        words = (kept or {}).get(choice.id, "")
        found.append(button.renamed(f"{button.label} ({words})") if words else button)
    return found


def posting_button(problem: Problem, hold: Hold | None, choice: Choice) -> Button:
    """Returns the button that gives this answer at once."""
    return _of_hold(hold, choice) if hold else _of(problem, choice)


def verb_button(problem: Problem, verb: str, label: str, tone: str = "", **fields: str) -> Button:
    key = "-".join([verb, *fields.values(), problem.pk])
    url = reverse(f"integrations:{verb}", args=[problem.pk])
    return Button(key, label, url, tone=tone, fields=fields, swaps=True)


def _of(problem: Problem, choice: Choice) -> Button:
    if choice.id in _SENT:
        verb, fields = _SENT[choice.id]
        return verb_button(problem, verb, choice.label, _tone(choice), **fields)
    chosen = choice.remote_id or NEW
    fields = {"choice": chosen, "name": choice.name} if choice.name else {"choice": chosen}
    url = reverse("integrations:match", args=[problem.pk])
    return Button(f"match-{chosen}-{problem.pk}", choice.label, url, tone=_tone(choice), fields=fields, swaps=True)


def _of_hold(hold: Hold, choice: Choice) -> Button:
    decision = _DECISIONS[choice.id]
    url = reverse("integrations:decide", args=[hold.pk])
    fields = {"decision": decision}
    return Button(f"{decision}-{hold.pk}", choice.label, url, tone=_tone(choice), fields=fields, swaps=True)


def _tone(choice: Choice) -> str:
    return "primary" if choice.default else "danger" if choice.dangerous else ""
