"""What a person decides on a problem's card and in the conflict inbox."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from fieldcamp.desk.forms import DeskForm
from integrations.admin.conflicts import units_of
from integrations.models import Hold, Problem
from integrations.records import one_line
from integrations.services.decisions import SIDES

_SIDES = [(side, side) for side in SIDES]
CHOOSE_SIDES = _("Choose a side for each field.")


class ConflictForm(DeskForm):
    """Which side is right: as a whole (`choice`), or for each field that is asked about (`pick-<field>`). `remember`
    is the side that wins from now on without being asked."""

    choice = forms.ChoiceField(choices=_SIDES, required=False)
    remember = forms.ChoiceField(choices=_SIDES, required=False)

    def __init__(self, *args: Any, problem: Problem, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.units = {f"pick-{unit.key}": unit for unit in units_of(problem) if unit.asked}
        for name in self.units:
            self.fields[name] = forms.ChoiceField(
                choices=_SIDES, required=False, error_messages={"invalid_choice": CHOOSE_SIDES}
            )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if self.errors or cleaned["choice"]:
            return cleaned
        if not self.units or not all(cleaned[name] for name in self.units):
            self.add_error(None, CHOOSE_SIDES)
        return cleaned

    @property
    def decision(self) -> str | dict[str, str]:
        """Returns the choice: one side, or a side for each field; those that make sense only together have the same."""
        if self.cleaned_data["choice"]:
            return self.cleaned_data["choice"]
        return {name: self.cleaned_data[pick] for pick, unit in self.units.items() for name in unit.names}


class RemovalForm(DeskForm):
    """What becomes of removals that a sync has held back."""

    decision = forms.ChoiceField(choices=Hold.Decision.choices)


class MatchForm(DeskForm):
    """Which record of the books it is, by its id there, or "new", perhaps under another name."""

    choice = forms.CharField(max_length=1024)
    name = forms.CharField(
        label=_("Name"),
        max_length=100,
        required=False,
        error_messages={"max_length": _("A name has 100 characters at most.")},
    )

    def clean_name(self) -> str:
        return one_line(self.cleaned_data["name"])
