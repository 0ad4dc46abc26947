"""Forms whose choices are taken by a service."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from fieldcamp.desk.forms import DeskForm
from fieldcamp.workspace.errors import InvalidFields
from integrations.services.setup import SetupError


def refusing(sentence: Any) -> dict[str, Any]:
    """Returns the same sentence for what is missing and for what is not offered."""
    return dict.fromkeys(("required", "invalid_choice", "invalid"), sentence)


def tick(label: Any = None) -> forms.TypedChoiceField:
    """Returns a check box, which sends "1" or nothing. (Django's Boolean field would take any word for a yes, "0"
    too.)"""
    return forms.TypedChoiceField(
        label=label,
        required=False,
        choices=[("1", label)],
        coerce=bool,
        empty_value=False,  # type: ignore[arg-type]  # Django takes anything
        error_messages=refusing(_("Tick this, or leave it.")),
    )


class ChoicesForm(DeskForm):
    """What the service refuses stands at the field that it names, or else above the form."""

    result: Any = None  # what the service has answered
    in_conflict = False  # no choice of these could be taken, as things are by now

    @property
    def status(self) -> int:
        """Returns the status under which the form is shown."""
        return 409 if self.in_conflict else 400 if self.errors else 200

    def attempt(self, service: Callable[[], Any]) -> bool:
        """Calls the service, if all is right that can be told without it; whether it has taken the choices."""
        if not self.is_valid():
            return False
        try:
            self.result = service()
        except SetupError as error:
            self.in_conflict = not error.field
            self._refuse({error.field: [str(error)]})
        except InvalidFields as error:
            self._refuse(error.details)
        return self.is_valid()

    def name_of(self, field: str) -> str:
        """Returns the form's field for one that the service names."""
        return field

    def _refuse(self, details: Mapping[str, Sequence[str]]) -> None:
        for field, sentences in details.items():
            name = self.name_of(field)
            self.add_error(name if name in self.fields else None, list(sentences))
