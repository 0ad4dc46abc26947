"""What becomes of an account's events, of its busy times, and of its person's visits."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from fieldcamp.workspace.models import Member
from integrations.services.leaving import LeaveChoices, Left
from integrations.views.forms.base import ChoicesForm, refusing

STAY, REMOVE = "stay", "remove"
CHOICES = ((STAY, STAY), (REMOVE, REMOVE))


class LeavingForm(ChoicesForm):
    """Only what there is is asked about, and only who may decide about visits is asked about those. What is not chosen
    stays as it is."""

    events = forms.ChoiceField(required=False, choices=CHOICES, error_messages=refusing(_("Choose one of the two.")))
    busy = forms.ChoiceField(required=False, choices=CHOICES, error_messages=refusing(_("Choose one of the two.")))
    visits_to = forms.ChoiceField(required=False, error_messages=refusing(_("Choose an active technician.")))

    def __init__(self, *args: Any, left: Left, removable: bool, people: Sequence[Member], person: str, **kwargs: Any):
        super().__init__(*args, initial={"events": STAY, "busy": STAY}, **kwargs)
        self.people = {member.pk: member for member in people}
        self._name("events", left.events, _events(left.events))
        self._name("busy", left.busy, _busy(left.busy))
        visits = ngettext("The coming visit of {person}", "The {number} coming visits of {person}", left.visits)
        self._name("visits_to", left.visits if people else 0, visits.format(number=left.visits, person=person))
        if not removable:
            self.fields.pop("events", None)
        if "visits_to" in self.fields:
            stay = gettext("Leave them with {person}").format(person=person)
            self.offer("visits_to", [(pk, str(member)) for pk, member in self.people.items()], blank=stay)

    def _name(self, field: str, number: int, label: str) -> None:
        if number:
            self.fields[field].label = label
        else:
            del self.fields[field]

    @property
    def event_choices(self) -> list[tuple[str, str, str]]:
        """Returns what can be done with the events: value, label and what it means."""
        return [
            (STAY, gettext("Leave them there"), gettext("They stay in the calendar as they are.")),
            (REMOVE, gettext("Remove them"), gettext("A sync takes them out of the calendar now. You can watch it.")),
        ]

    @property
    def busy_choices(self) -> list[tuple[str, str, str]]:
        """Returns the same for the busy times."""
        return [
            (STAY, gettext("Keep them"), gettext("They go on blocking the schedule, and grow old.")),
            (REMOVE, gettext("Remove them"), gettext("The schedule is free again at these times.")),
        ]

    def choices(self) -> LeaveChoices:
        """Returns the choices as `services.leaving.leave` takes them."""
        values = self.cleaned_data
        return LeaveChoices(
            remove_events=values.get("events") == REMOVE,
            remove_busy=values.get("busy") == REMOVE,
            visits_to=self.people.get(values.get("visits_to") or ""),
        )


def _events(number: int) -> str:
    said = ngettext("The event that FieldCamp made", "The {number} events that FieldCamp made", number)
    return said.format(number=number)


def _busy(number: int) -> str:
    return ngettext("The busy time that is to come", "The {number} busy times that are to come", number).format(
        number=number
    )
