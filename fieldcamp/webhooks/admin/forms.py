"""The forms of the webhooks' pages: what is asked for and in what shape. What may be is the services' to say."""

from collections.abc import Callable, Iterable
from typing import Any

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from fieldcamp.desk.forms import DeskForm
from fieldcamp.webhooks.admin import presets, words
from fieldcamp.webhooks.models import WebhookEndpoint, WebhookEvent
from fieldcamp.workspace.errors import InvalidFields, InvalidTransition

PEOPLE, ALL, KEPT = "people", "all", "kept"
# What a person does arrives by the desk or by a program that works for them.
OF_PEOPLE = [WebhookEvent.Source.API.value, WebhookEvent.Source.DESK.value]
OVERLAPS = {0: _("at once"), 1: _("after 1 hour"), 24: _("after 1 day"), 168: _("after 7 days")}  # hours


class EndpointForm(DeskForm):
    """A webhook's address, what it is sent, and how."""

    url = forms.CharField(
        label=_("Address"),
        max_length=2048,
        widget=forms.URLInput(
            attrs={
                "placeholder": _("https://example.com/hooks/fieldcamp"),
                "autocomplete": "off",
                "spellcheck": "false",
                "aria-describedby": "url-checked",
            }
        ),
        error_messages={
            "required": _("Enter the address that events are sent to."),
            "max_length": _("The address is too long: 2,048 characters at most."),
        },
    )
    description = forms.CharField(label=_("What it is for (optional)"), required=False, max_length=200)
    preset = forms.ChoiceField(
        label=_("Events"), widget=forms.RadioSelect, error_messages={"required": _("Choose what is sent.")}
    )
    events = forms.MultipleChoiceField(
        label=_("Chosen events"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        error_messages={"invalid_choice": _("%(value)s is no event that you can choose.")},
    )
    sources = forms.ChoiceField(
        label=_("Whose doing"),
        choices=[
            (ALL, _("Everybody's: people, programs and syncs")),
            (PEOPLE, _("Only what people and their programs do, not what a sync brings in")),
        ],
        initial=ALL,
        widget=forms.RadioSelect,
    )
    only_changed = forms.BooleanField(label=_("Leave out syncs that changed nothing"), required=False, initial=True)
    payload = forms.ChoiceField(
        label=_("What is in it"),
        choices=[
            (WebhookEndpoint.Payload.FULL.value, _("The whole record, as the API shows it")),
            (WebhookEndpoint.Payload.THIN.value, _("Its id and the names of what changed: nothing of people")),
        ],
        initial=WebhookEndpoint.Payload.FULL,
        widget=forms.RadioSelect,
    )
    max_per_second = forms.IntegerField(label=_("Deliveries a second, at most"), min_value=1, max_value=100, initial=20)

    def __init__(self, *args: Any, scopes: Iterable[str], endpoint: WebhookEndpoint | None = None, **kwargs: Any):
        if endpoint is not None:
            kwargs["initial"] = initial_of(endpoint)
        super().__init__(*args, **kwargs)
        scopes = list(scopes)
        self.kept = list(endpoint.sources) if endpoint is not None else []
        if self.initial.get("sources") == KEPT:
            # What a program has chosen, and the two choices here do not say.
            sources: Any = self.fields["sources"]
            sources.choices = [*sources.choices, (KEPT, _kept_label(self.kept))]
        self.presets = presets.presets_within(scopes)
        self.groups = presets.choices_within(scopes)
        preset: Any = self.fields["preset"]
        events: Any = self.fields["events"]
        preset.choices = [*((each.key, each.label) for each in self.presets), (presets.CUSTOM, _("Custom"))]
        events.choices = self.groups
        for name in ("preset", "events", "sources", "payload", "only_changed"):
            self.fields[name].widget.attrs.pop("class", None)

    def about(self) -> list[tuple[str, Any, Any]]:
        """Returns the presets with a line on each; the template shows them."""
        custom = (presets.CUSTOM, _("Custom"), _("Chosen one by one."))
        return [*((each.key, each.label, each.about) for each in self.presets), custom]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        chosen = presets.events_of(cleaned.get("preset", ""), cleaned.get("events") or [])
        if "preset" in cleaned and "events" in cleaned and not chosen:
            self.add_error("events", str(_("Choose at least one event.")))
        return cleaned

    def values(self) -> dict[str, Any]:
        """Returns what the services take."""
        cleaned = self.cleaned_data
        return {
            "url": cleaned["url"].strip(),
            "description": cleaned["description"],
            "events": presets.events_of(cleaned["preset"], cleaned["events"]),
            "sources": self.chosen_sources(),
            "only_changed": cleaned["only_changed"],
            "payload": cleaned["payload"],
            "max_per_second": cleaned["max_per_second"],
        }

    def chosen_sources(self) -> list[str]:
        """Returns whose doing is sent: as it is, unless another choice was made than the one that was shown."""
        if self.kept and "sources" not in self.changed_data:
            return self.kept
        return OF_PEOPLE if self.cleaned_data["sources"] == PEOPLE else []

    def attempt(self, call: Callable[[dict[str, Any]], Any], refusals: tuple[type[Exception], ...]) -> Any:
        """Calls the service with what was entered, once that is right; returns what it gives, None if it refuses."""
        if not self.is_valid():
            return None
        states: tuple[type[Exception], ...] = (InvalidTransition, *refusals)
        try:
            return call(self.values())
        except InvalidFields as error:
            for name, sentences in error.details.items():
                if name == "events" and self.cleaned_data["preset"] != presets.CUSTOM:
                    name = "preset"
                self.add_error(name if name in self.fields else None, sentences)
        except states as error:
            self.add_error(None, str(error))
        return None


def initial_of(endpoint: WebhookEndpoint) -> dict[str, Any]:
    """Returns what stands in the form of an endpoint."""
    sources = KEPT if endpoint.sources else ALL
    if set(endpoint.sources) == set(OF_PEOPLE):
        sources = PEOPLE
    return {
        "url": endpoint.url,
        "description": endpoint.description,
        "preset": presets.preset_of(endpoint.events),
        "events": endpoint.events,
        "sources": sources,
        "only_changed": endpoint.only_changed,
        "payload": endpoint.payload,
        "max_per_second": endpoint.max_per_second,
    }


def _kept_label(sources: Iterable[str]) -> str:
    return gettext("As it is: {sources}").format(sources=words.sources_of(sources))


class SecretRotationForm(DeskForm):
    """How long deliveries are signed with the old secret as well."""

    overlap = forms.TypedChoiceField(
        label=_("The old secret ends"),
        choices=OVERLAPS.items(),
        initial=24,
        coerce=int,
        error_messages=dict.fromkeys(("required", "invalid_choice"), _("Choose when the old secret ends.")),
    )


class EnableForm(DeskForm):
    """Whether what was missed is sent."""

    replay_missed = forms.BooleanField(
        label=_("Send what was missed: up to 10,000 events, the oldest first"), required=False, initial=True
    )

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.fields["replay_missed"].widget.attrs.pop("class", None)


class TestForm(DeskForm):
    """Which type of event the test looks like."""

    type = forms.ChoiceField(label=_("Type of the test"), required=False)

    def __init__(self, *args: Any, types: Iterable[str], **kwargs: Any):
        super().__init__(*args, **kwargs)
        field: Any = self.fields["type"]
        field.choices = [(each, each) for each in types]
