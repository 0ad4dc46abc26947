"""What is chosen for one account's calendars: on its set-up page, together with whose they are, and in its settings."""

from collections.abc import Collection, Iterator, Sequence
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from fieldcamp.workspace.models import Member
from integrations.models import ConflictPolicy, Direction, Stream
from integrations.records import Container, Lack
from integrations.services import setup
from integrations.views.forms.base import ChoicesForm, refusing, tick

CHOOSE_MEMBER = _("Choose whose calendar it is.")


def chosen_in(streams: Sequence[Stream]) -> dict[str, Any]:
    """Returns the choices that these active streams stand for."""
    target = next((stream for stream in streams if stream.is_target), None)
    return {
        "target": target.container_id if target else "",
        "busy": [stream.container_id for stream in streams if stream.reads_busy],
        "direction": target.direction if target else Direction.TWO_WAY.value,
        "policy": target.policy if target else ConflictPolicy.LOCAL.value,
    }


class CalendarForm(ChoicesForm):
    """Where visits go, what is read for busy times, in which direction, and who wins."""

    target = forms.ChoiceField(label=_("Visits go to"), error_messages=refusing(setup.CHOOSE_TARGET))
    busy = forms.MultipleChoiceField(
        label=_("Busy times are read from"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        error_messages=refusing(_("Choose among the calendars of this account.")),
    )
    keep_busy = tick(_("Keep the busy times of a calendar that is read no more"))
    direction = forms.ChoiceField(label=_("Direction"), error_messages=refusing(setup.CHOOSE_DIRECTION))
    policy = forms.ChoiceField(
        label=_("When both sides moved the same visit"), error_messages=refusing(setup.CHOOSE_WINNER)
    )

    def __init__(self, *args: Any, calendars: Sequence[Container], **kwargs: Any):
        super().__init__(*args, **kwargs)
        for name, choices in (("direction", Direction.choices), ("policy", ConflictPolicy.choices)):
            self.offer(name, choices)
        chosen, nothing_is_written = self.initial.get("target"), self["direction"].value() == Direction.PULL
        targets = [each for each in calendars if each.writable or nothing_is_written or each.id == chosen]
        read = [each for each in calendars if each.readable or each.id in self.initial.get("busy", ())]
        # Before anybody asks the form for its field, which takes the words along then.
        self.fields["target"].help_text = " ".join(
            _hints(calendars, [each for each in calendars if each not in targets])
        )
        self._show("target", calendars, targets)
        self._show("busy", calendars, read)

    def _show(self, name: str, calendars: Sequence[Container], offered: Sequence[Container]) -> None:
        """Offers some of the account's calendars. Of the others the service says why not, should one be sent."""
        field: Any = self.fields[name]
        if name == "target":
            self.offer(name, [(each.id, _named(each, tell_if_read_only=True)) for each in offered])
            shown = field.widget.choices
        else:
            shown = [(each.id, _named(each)) for each in offered]
        field.choices = [(each.id, each.name) for each in calendars]
        field.widget.choices = shown

    def choices(self) -> dict[str, Any]:
        """Returns the choices as `services.setup.set_up` takes them."""
        values = dict(self.cleaned_data)
        return {"target_container_id": values.pop("target"), "busy_container_ids": values.pop("busy"), **values}


# Of calendars that visits cannot go to, by what the account may not do with them.
NOT_OFFERED = {
    Lack.CHANGE: _("Not offered, as this account may only read them: {calendars}."),
    Lack.READ: _("Not offered, as this account may not see their events: {calendars}."),
}


def _hints(calendars: Sequence[Container], not_offered: Sequence[Container]) -> Iterator[str]:
    """Yields what is said where visits go to."""
    if any(each.owner and each.writable for each in calendars):
        yield gettext("A calendar of somebody else may end with their account. Its visits need another calendar then.")
    for lack, sentence in NOT_OFFERED.items():
        if names := [_named(each) for each in not_offered if each.lacks is lack]:
            yield str(sentence).format(calendars=", ".join(names))


def _named(calendar: Container, tell_if_read_only: bool = False) -> str:
    name = gettext("Main calendar") if calendar.primary else calendar.name
    if calendar.owner and calendar.owner != name:
        name = gettext("{calendar} (of {owner})").format(calendar=name, owner=calendar.owner)
    if calendar.writable or not tell_if_read_only:
        return name
    return gettext("{calendar} (read only)").format(calendar=name)


class CalendarSetupForm(CalendarForm):
    """The same and whose calendar it is."""

    member = forms.ChoiceField(label=_("Whose calendar is it?"), error_messages=refusing(CHOOSE_MEMBER))
    field_order = ("member", "target", "busy", "direction", "policy")

    def __init__(
        self,
        data: QueryDict | None,
        *,
        initial: dict[str, Any],
        members: Sequence[Member],
        taken: Collection[str] = (),
        **kwargs: Any,
    ):
        if data is not None:
            # Most need not think about these two: what was not sent stays as it is, or is as it is usual.
            data = data.copy()
            for name in ("direction", "policy"):
                data.setdefault(name, initial[name])
        super().__init__(data, initial=initial, **kwargs)
        self.members = {member.pk: member for member in members}
        free = {pk: str(member) for pk, member in self.members.items() if pk not in taken}
        if len(free) < len(self.members):
            names = ", ".join(str(member) for pk, member in self.members.items() if pk in taken)
            self.fields["member"].help_text = gettext(
                "Not offered, as they have another account connected: {names}."
            ).format(names=names)
        self.offer("member", list(free.items()), blank=_("Choose"))
        # Of the others the service says why not, should one be sent.
        field: Any = self.fields["member"]
        offered = field.widget.choices
        field.choices = [(pk, str(member)) for pk, member in self.members.items()]
        field.widget.choices = offered

    def clean_member(self) -> Member:
        return self.members[self.cleaned_data["member"]]
