"""The forms of the workspace's records. Each is saved by its service, whose refusals become the form's errors."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from fieldcamp.desk.admins import ServiceForm
from fieldcamp.desk.users import desk_user_of
from fieldcamp.formats import CURRENCIES
from fieldcamp.workspace import services, team
from fieldcamp.workspace.busy import BusyTime, mark_of, overlaps_of
from fieldcamp.workspace.errors import InvalidTransition
from fieldcamp.workspace.models import Client, Member, Visit, Workspace
from fieldcamp.workspace.tracking import TrackedModel

_ADDRESS = {
    "street": _("Street"),
    "city": _("City"),
    "state": _("State"),
    "postalCode": _("Postal code"),
    "country": _("Country"),
}
# The JSON fields of a client, as one text field for each of their parts.
PARTS: dict[str, dict[str, Any]] = {
    "phone_number": {"countryCode": _("Country code"), "number": _("Phone number")},
    "property_address": _ADDRESS,
    "billing_address": _ADDRESS,
}


_NAMES = ("first_name", "last_name", "company_name", "display_name", "email", "stage")


class RecordForm(ServiceForm):
    """Saves nothing over a change (a sync's, say) that was made after the page was opened."""

    seen_version = forms.IntegerField(label="", widget=forms.HiddenInput, required=False)

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.fields["seen_version"].initial = self.instance.version

    def check_version(self, record: TrackedModel) -> None:
        if self.cleaned_data["seen_version"] not in (None, record.version):
            raise InvalidTransition(
                gettext(
                    "This record was changed while you had it open; see its history below. Open the page again to see "
                    "the record as it is now."
                )
            )


class VisitForm(RecordForm):
    """Asks before it gives a technician a time at which they are busy; that may be saved all the same.

    `asks` is then what the page sends back as `overlaps_seen` once the person has seen these very overlaps.
    """

    asks = ""

    class Meta:
        model = Visit
        fields = (
            "client", "technician", "title", "scheduled_start", "scheduled_end", "timezone", "visit_status", "address",
            "notes",
        )  # fmt: skip

    def clean_timezone(self) -> str:
        return self.cleaned_data["timezone"] or ""

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.overlaps = [] if self.is_bound else overlaps_of(self.instance)

    def run(self) -> Visit:
        with transaction.atomic():
            visit = self._save()
            if self.instance._state.adding or {"technician", "scheduled_start", "scheduled_end"} & {*self.changed_data}:
                self._ask(overlaps_of(visit))
        return visit

    def _ask(self, overlaps: list[BusyTime]) -> None:
        """Refuses what was just saved while the person has not seen what it overlaps."""
        mark = mark_of(overlaps)
        if overlaps and self.data.get("overlaps_seen") != mark:
            self.overlaps, self.asks = overlaps, mark
            raise ValidationError(gettext("The technician is not free at this time. Nothing has been saved yet."))

    def _save(self) -> Visit:
        values = {f"{name}_id" if name in ("client", "technician") else name: v for name, v in self.changes().items()}
        values.pop("seen_version", None)
        for name in ("client_id", "technician_id"):
            if values.get(name) is not None:
                values[name] = values[name].pk
        if self.instance._state.adding:
            if "visit_status" not in self.changed_data:
                values.pop("visit_status", None)  # a time makes it scheduled
            workspace = self.cleaned_data["client"].workspace
            return services.create_visit(workspace=workspace, **values)
        if {"scheduled_start", "scheduled_end"} & {*values}:
            values.setdefault("visit_status", None)  # follows the time
        return services.update_visit(
            workspace=self.instance.workspace, visit_id=self.instance.pk, changes=values, check=self.check_version
        )


class _LinesField(forms.CharField):
    """Text of several lines, which browsers end in a way of their own: that alone is no edit."""

    def to_python(self, value: Any) -> str:
        return str(super().to_python(value)).replace("\r\n", "\n")


class _ClientParts(forms.models.ModelFormMetaclass):
    """Adds the text fields of `PARTS`."""

    def __new__(mcs, name: str, bases: tuple, attrs: dict[str, Any]) -> type:
        for field, parts in PARTS.items():
            for part, label in parts.items():
                attrs.setdefault(f"{field}__{part}", _part(part, label))
        return super().__new__(mcs, name, bases, attrs)


def _part(part: str, label: Any) -> forms.CharField:
    """Returns the field of a part. What the books have may be longer than what people write."""
    if part == "street":
        rows = UnfoldAdminTextareaWidget(attrs={"rows": 2})
        return _LinesField(label=label, required=False, max_length=2500, widget=rows)
    return forms.CharField(label=label, required=False, max_length=255, widget=UnfoldAdminTextInputWidget())


class ClientForm(RecordForm, metaclass=_ClientParts):
    class Meta:
        model = Client
        fields = _NAMES

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        for field, parts in PARTS.items():
            for part in parts:
                self.fields[f"{field}__{part}"].initial = (getattr(self.instance, field) or {}).get(part, "")

    def run(self) -> Client:
        values = {name: value for name, value in self.changes().items() if name in _NAMES}
        for field, parts in PARTS.items():
            if any(f"{field}__{part}" in self.changed_data for part in parts):
                # What the form does not show of it stays.
                whole = {**(getattr(self.instance, field) or {})}
                whole |= {part: self.cleaned_data[f"{field}__{part}"] for part in parts}
                values[field] = {part: text for part, text in whole.items() if text}
        if self.instance._state.adding:
            return services.create_client(workspace=self.workspace, **values)
        return services.update_client(
            workspace=self.instance.workspace, client_id=self.instance.pk, changes=values, check=self.check_version
        )


MEMBER_FORM = ("first_name", "last_name", "email", "role", "is_technician", "is_active", "weekly_summary")


class MemberForm(ServiceForm):
    class Meta:
        model = Member
        fields = MEMBER_FORM

    def clean_email(self) -> str:
        """Takes no address with a quoted name: it may hold blanks and links, and mails name it."""
        email = str(self.cleaned_data["email"])
        if '"' in email:
            raise ValidationError(gettext("Enter an e-mail address without quotation marks."))
        return email

    def run(self) -> Member:
        desk_user = desk_user_of(self.request)
        by = None if desk_user.is_superuser else desk_user.member
        if self.instance._state.adding:
            fields = {name: self.cleaned_data[name] for name in MEMBER_FORM}
            return team.create_member(workspace=self.workspace, by=by, fields=fields)
        return team.update_member(
            workspace=self.instance.workspace, member_id=self.instance.pk, by=by, changes=self.changes()
        )


class SettingsForm(ServiceForm):
    currency = forms.ChoiceField(label=_("Currency"), required=False, widget=UnfoldAdminSelectWidget)

    class Meta:
        model = Workspace
        fields = ("name", "timezone", "currency", "second_factor")

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.fields["second_factor"].required = False
        kept = self.instance.currency  # which the connected books may have brought along
        field: Any = self.fields["currency"]
        field.choices = [*({kept: kept} | CURRENCIES).items()]

    def clean_currency(self) -> str:
        """Keeps what was chosen where nothing was sent."""
        return self.cleaned_data["currency"] or self.instance.currency

    def clean_second_factor(self) -> str:
        """Keeps what was chosen where nothing was sent."""
        return self.cleaned_data["second_factor"] or self.instance.second_factor

    def run(self) -> Workspace:
        return team.update_settings(workspace=self.instance, changes=self.changes())
