"""What is sent by cards of several records, and by what is taken back."""

from django import forms
from django.utils.translation import gettext_lazy as _

from fieldcamp.desk.forms import DeskForm
from integrations.services.problems.undoing import RIGHTS


class IdsField(forms.MultipleChoiceField):
    """Boxes whose values are looked up by whoever uses them: what is none any more is left out there."""

    def valid_value(self, value: str) -> bool:
        return 0 < len(value) <= 32 and "\x00" not in value


class ManyForm(DeskForm):
    """One answer for the problems that are ticked. `sure`: it was asked once more."""

    integration = forms.CharField(max_length=32)
    cause = forms.CharField(max_length=40)
    kind = forms.CharField(max_length=20)
    answer = forms.CharField(max_length=80)
    problem = IdsField(error_messages={"required": _("Tick at least one.")})
    sure = forms.BooleanField(required=False)


class HeldForm(DeskForm):
    """Which of the held removals are put back; the others are left removed. `seen` is how many there were."""

    link = IdsField(required=False)
    seen = forms.IntegerField(min_value=0)

    def clean_link(self) -> list[int]:
        return [int(value) for value in self.cleaned_data["link"] if value.isascii() and value.isdecimal()]


class UndoForm(DeskForm):
    """Which answer is taken back."""

    kind = forms.ChoiceField(choices=[(kind, kind) for kind in RIGHTS])
    key = forms.CharField(max_length=64)
