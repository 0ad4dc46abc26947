"""What is chosen for a company's books: on their set-up page, and in part on the mapping page."""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from fieldcamp import formats
from integrations.models import ConflictPolicy, Direction
from integrations.providers.base import Provider
from integrations.records import Reference
from integrations.services.books import mapping as books_mapping
from integrations.services.books.setup import Choices
from integrations.services.books.suggest import Suggestions
from integrations.services.setup import CHOOSE_DIRECTION, CHOOSE_WINNER
from integrations.views.forms.base import ChoicesForm, refusing, tick

DIRECTIONS = [
    (Direction.TWO_WAY.value, _("Both ways")),
    (Direction.PUSH.value, _("FieldCamp to the books only")),
    (Direction.PULL.value, _("The books to FieldCamp only")),
]


_CATEGORIES = {
    "class": _("Class of new invoices"),
    "location": _("Location of new invoices"),
    "terms": _("Terms of new invoices"),
}
_NO_CATEGORY = {"class": _("None"), "location": _("None"), "terms": _("The customer's own")}


class DefaultsForm(ChoicesForm):
    """The account that new items sell to, the item that stands for lines without one, and what new invoices get."""

    income_account = forms.ChoiceField(
        label=_("Income account for new items"),
        required=False,
        error_messages=refusing(books_mapping.CHOOSE_ACCOUNT),
    )
    default_item = forms.ChoiceField(
        label=_("Item for invoice lines without one"),
        required=False,
        error_messages=refusing(books_mapping.CHOOSE_ITEM),
    )
    no_account: Any = _("None")

    def __init__(
        self,
        *args: Any,
        accounts: Sequence[Reference],
        items: Sequence[Reference],
        categories: Mapping[str, Sequence[Reference]] | None = None,
        **kwargs: Any,
    ):
        """`categories` are what there is to choose from of what this company has (`books_mapping.CATEGORIES`)."""
        super().__init__(*args, **kwargs)
        for name, found in (categories or {}).items():
            self.fields[name] = forms.ChoiceField(
                label=_CATEGORIES[name], required=False, error_messages=refusing(books_mapping.CHOOSE_ACTIVE)
            )
            self.offer(name, [(one.id, one.name) for one in found], blank=_NO_CATEGORY[name])
        self.offer("income_account", [(one.id, one.name) for one in accounts], blank=self.no_account)
        self.offer("default_item", [(one.id, one.name) for one in items], blank=_("None: such invoices wait"))

    def choices(self) -> dict[str, Any]:
        """Returns the choices as the services take them."""
        values = dict(self.cleaned_data)
        if categories := {name: values.pop(name) for name in books_mapping.CATEGORIES if name in values}:
            values["categories"] = categories
        ids = {f"{name}_id": values.pop(name) for name in ("income_account", "default_item")}
        return {**ids, **values}


class BooksForm(DefaultsForm):
    """All that is chosen before a company's first sync, and may be chosen anew."""

    import_customers = tick(_("Customers, as clients"))
    import_items = tick(_("Products and services, as items"))
    invoices_from = forms.DateField(
        label=_("Post invoices dated from"),
        required=False,
        input_formats=["%Y-%m-%d"],
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
        error_messages=refusing(_("Give a day like 2026-01-31, or leave it empty.")),
    )
    direction = forms.ChoiceField(label=_("Direction"), error_messages=refusing(CHOOSE_DIRECTION))
    policy_lists = forms.ChoiceField(
        label=_("When both sides changed the same client or item"), error_messages=refusing(CHOOSE_WINNER)
    )
    policy_documents = forms.ChoiceField(
        label=_("When both sides changed the same invoice or payment"), error_messages=refusing(CHOOSE_WINNER)
    )
    shared = tick(_("Both may write into these books: I know that each takes in what the other makes"))
    no_account = _("Choose")

    def __init__(
        self, *args: Any, choices: Choices, provider: Provider, suggested: Suggestions, chosen: dict[str, Any],
        shared: bool = False, **kwargs: Any,
    ):  # fmt: skip
        """`shared`: another workspace has this company connected, too."""
        ticked = {name: "1" if chosen[name] else "" for name in ("import_customers", "import_items")}
        super().__init__(
            *args, initial={**chosen, **ticked}, accounts=choices.income_accounts, items=choices.items, **kwargs
        )
        if not shared:
            del self.fields["shared"]
        self.offer("direction", DIRECTIONS)
        for name in ("policy_lists", "policy_documents"):
            self.offer(name, ConflictPolicy.choices)
        there = provider.label
        self.fields["income_account"].help_text = gettext(
            "Items that FieldCamp makes in {provider} sell to this account. Items that are there keep theirs."
        ).format(provider=there)
        self.fields["default_item"].help_text = gettext(
            "{provider} wants an item on every line. The line keeps its own description and price."
        ).format(provider=there)
        self.fields["invoices_from"].help_text = " ".join(_about_invoices(suggested, there))


def usual(suggested: Suggestions) -> dict[str, Any]:
    """Returns the choices that most would make."""
    return {
        "income_account": suggested.income_account,
        "default_item": suggested.default_item,
        "import_customers": True,
        "import_items": True,
        "invoices_from": suggested.invoices_from,
        "direction": Direction.TWO_WAY.value,
        "policy_lists": ConflictPolicy.LOCAL.value,
        "policy_documents": ConflictPolicy.ASK.value,
    }


def _about_invoices(suggested: Suggestions, there: str) -> list[str]:
    """Returns what an empty day means, and what a later one would spare."""
    said = [gettext("Empty: every invoice. FieldCamp has sent none yet.")]
    if suggested.oldest is not None:
        said = [
            ngettext(
                "Empty: the {number} invoice that FieldCamp has sent, of {oldest}.",
                "Empty: all {number} invoices that FieldCamp has sent, the oldest of {oldest}.",
                suggested.invoices,
            ).format(number=suggested.invoices, oldest=_day(suggested.oldest))
        ]
    recognized = gettext(
        "Invoices that {provider} has already are recognized by number, client and total, and not posted twice."
    )
    said.append(recognized.format(provider=there))
    if suggested.closed and suggested.after_closing is not None:
        said.append(
            ngettext(
                "{number} of them is dated in closed books, which {provider} would refuse: choose {day} to leave them "
                "out.",
                "{number} of them are dated in closed books, which {provider} would refuse: choose {day} to leave them "
                "out.",
                suggested.closed,
            ).format(number=suggested.closed, provider=there, day=_day(suggested.after_closing))
        )
    return said


def _day(day: dt.date) -> str:
    return formats.day(day)
