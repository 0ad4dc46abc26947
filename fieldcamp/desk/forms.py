"""What the forms on the desk's own pages have in common. Those of the admin's records are `desk.admins.ServiceForm`."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.utils.datastructures import MultiValueDict
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from fieldcamp.texts import CONTROL, INVISIBLE, TURNING, flaw_of

FLAWS = {
    CONTROL: _("This contains characters that cannot be seen, or a line break. Type it anew."),
    TURNING: _("This contains characters that turn the reading direction. Type it anew."),
    INVISIBLE: _("Nothing of this can be seen. Type something that can be read."),
}

Choice = tuple[Any, Any]  # value and label, or a group's label and its choices


@dataclass(frozen=True)
class FormError:
    """One line of a form's summary. `element` is the id of what is to be corrected; "": it is about the whole form."""

    element: str
    label: str
    sentence: str


class PlainTexts(forms.BaseForm):
    """Refuses, in every text that was edited, what controls instead of being read. An area of text may have lines.

    What stands there already (from the books, say) is no reason to refuse another field's edit.
    """

    def _clean_fields(self) -> None:
        super()._clean_fields()  # type: ignore[misc]
        for name, field in self.fields.items():
            text = self.cleaned_data.get(name)
            if isinstance(field, forms.CharField) and isinstance(text, str) and name in self.changed_data:
                flaw = flaw_of(text, lines=isinstance(field.widget, forms.Textarea))
                if flaw:
                    self.add_error(name, str(FLAWS[flaw]))


class DeskForm(PlainTexts, forms.Form):
    """A form whose elements have its fields' names as ids. What is wrong stands at the field, as Django renders it,
    and in a summary above the form (templates/desk/form_errors.html)."""

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **{"auto_id": "%s", "label_suffix": "", **kwargs})
        for field in self.fields.values():
            field.widget.attrs.setdefault("class", "fc-input")

    def offer(self, name: str, choices: Sequence[Choice], blank: Any = None) -> None:
        """Sets what can be chosen; `blank` is the label of choosing nothing.

        Without it there is such a choice only while what stands in the field is none of the others: a browser would
        show the first of them in its place, and send that.
        """
        field: Any = self.fields[name]
        if blank is None and str(self[name].value()) not in _values(choices):
            blank = _("Choose")
        offered = [*([] if blank is None else [("", blank)]), *choices]
        field.widget.choices = offered
        if isinstance(field, forms.ChoiceField):
            field.choices = offered

    def clean(self) -> dict[str, Any]:
        """Takes no field with two values: which one was meant?"""
        cleaned = super().clean() or self.cleaned_data
        if isinstance(self.data, MultiValueDict):
            for name, field in self.fields.items():
                if not isinstance(field, forms.MultipleChoiceField) and len(self.data.getlist(name)) > 1:
                    self.add_error(name, gettext("This was sent more than once. Choose one."))
        return cleaned

    @property
    def summary(self) -> list[FormError]:
        """Returns everything that is wrong, in the order of the fields."""
        found = [FormError("", "", str(sentence)) for sentence in self.non_field_errors()]
        for bound in self:
            found += [FormError(bound.auto_id, str(bound.label), str(sentence)) for sentence in bound.errors]
        return found


def _values(choices: Iterable[Choice]) -> set[str]:
    values = set()
    for value, label in choices:
        values |= _values(label) if isinstance(label, (list, tuple)) else {str(value)}
    return values
