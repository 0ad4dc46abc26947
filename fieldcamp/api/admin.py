"""API keys: made, rotated and revoked by owners. A secret is on the page that answers the making, and nowhere else."""

import datetime as dt
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from fieldcamp import formats
from fieldcamp.api import family
from fieldcamp.api.expiry import KeyState, expiring, state_of
from fieldcamp.api.models import ApiKey
from fieldcamp.api.outliving import made_with
from fieldcamp.api.scope_table import ScopeTable, scope_table
from fieldcamp.api.scopes import SCOPES
from fieldcamp.api.services import create_key, revoke_key, rotate_key, update_key
from fieldcamp.desk.admins import ServiceAdmin, ServiceForm
from fieldcamp.desk.forms import DeskForm
from fieldcamp.desk.guards import confirmed
from fieldcamp.desk.lists.exporting import field, worked_out
from fieldcamp.desk.lists.words import EmptyList
from fieldcamp.desk.notices import key_made, key_rotated
from fieldcamp.desk.once import done_once, once
from fieldcamp.desk.templatetags.desk import at, when
from fieldcamp.desk.users import desk_user_of
from fieldcamp.workspace.tracking import attributed

USUAL_LIFE = dt.timedelta(days=90)
OVERLAPS = {0: _("at once"), 1: _("after 1 hour"), 24: _("after 1 day"), 168: _("after 7 days")}  # hours
KEY_FORM = ("name", "scopes", "expires_at", "rate_limit_override")
ONE_SAVE = {"show_save_and_add_another": False, "show_save_and_continue": False}


_TONES = {
    KeyState.ACTIVE: "success",
    KeyState.EXPIRES_SOON: "warning",
    KeyState.ROTATING: "warning",
    KeyState.EXPIRED: "danger",
    KeyState.REVOKED: "danger",
}


class RotationForm(DeskForm):
    """How long the secret before the rotation stays good."""

    overlap = forms.TypedChoiceField(
        label=_("The old secret ends"),
        choices=OVERLAPS.items(),
        initial=24,
        coerce=int,
        error_messages=dict.fromkeys(("required", "invalid_choice"), _("Choose when the old secret ends.")),
    )


class KeyForm(ServiceForm):
    scopes = forms.MultipleChoiceField(
        choices=[(scope, scope) for scope in SCOPES],
        initial=list(SCOPES),
        widget=ScopeTable,
        help_text=_("What calls with this key may do. Triggering a sync needs Integrations: write."),
        label=_("Scopes"),
    )
    secret = ""
    parted_from: ApiKey | None = None  # the key that made it, before the edit

    class Meta:
        model = ApiKey
        fields = KEY_FORM

    def clean_expires_at(self) -> dt.datetime | None:
        end = self.cleaned_data["expires_at"]
        if end and end <= timezone.now() and end != self.instance.expires_at:
            raise forms.ValidationError(gettext("This time has passed."))
        return end

    def run(self) -> ApiKey:
        if not self.instance._state.adding:
            self.parted_from = self.instance.made_by
            return update_key(self.instance, changes=self.changes())
        desk_user = desk_user_of(self.request)
        key, self.secret = create_key(
            workspace=self.workspace,
            created_by=desk_user.name,
            member=desk_user.member,
            **{name: self.cleaned_data[name] for name in KEY_FORM},
        )
        return key


def _link(key: ApiKey) -> Any:
    return format_html('<a href="{}">{}</a>', reverse("admin:api_apikey_change", args=[key.pk]), key.name)


@admin.register(ApiKey)
class ApiKeyAdmin(ServiceAdmin):
    form = KeyForm
    needs = {"view": "keys", "add": "keys", "change": "keys"}
    list_display = ("name", "prefix", "badge", "last_used", "expires", "created_by", "created")
    search_fields = ("name", "prefix", "created_by")
    search_help_text = _("Name, beginning of the key, or who made it")
    empty = EmptyList(
        _("No API keys yet. A program that reads or changes this company’s records needs one."),
        _("Make an API key"),
        "admin:api_apikey_add",
        "keys",
    )
    cells = (
        field("name", _("Name")), field("prefix", _("Begins with")),
        worked_out(lambda key: state_of(key, timezone.now()).label, _("State")), field("last_used_at", _("Last used")),
        field("expires_at", _("Expires")), field("created_by", _("Created by")), field("created_at", _("Created")),
    )  # fmt: skip
    readonly_fields = (
        "prefix", "state", "granted", "old_secret", "last_used", "expires", "created_by", "created", "revoked", "maker",
        "makes",
    )  # fmt: skip
    change_form_outer_before_template = "admin/api/key_buttons.html"

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Returns whether the key may be changed: a revoked one stays as it was."""
        return super().has_change_permission(request, obj) and not (obj and obj.revoked_at)

    def get_fields(self, request: HttpRequest, obj: ApiKey | None = None) -> Any:
        if obj is None:
            return KEY_FORM
        facts = ("prefix", "state", "last_used", "created_by", "created", "maker", "makes")
        if obj.revoked_at:
            return ("name", "granted", "expires", *facts, "revoked")
        return (*KEY_FORM, *facts, "old_secret")

    @display(description=_("Scopes"))
    def granted(self, key: ApiKey) -> str:
        return scope_table(key.scopes, fixed=True)

    @display(description=_("Last used"), ordering="last_used_at")
    def last_used(self, key: ApiKey) -> str:
        return when(key.last_used_at)

    @display(description=_("Expires"), ordering="expires_at")
    def expires(self, key: ApiKey) -> str:
        return at(key.expires_at, gettext("never"))

    @display(description=_("Created"), ordering="created_at")
    def created(self, key: ApiKey) -> str:
        return at(key.created_at)

    @display(description=_("Revoked"))
    def revoked(self, key: ApiKey) -> str:
        return at(key.revoked_at)

    @display(description=_("Made with the key"))
    def maker(self, key: ApiKey) -> Any:
        return _link(key.made_by) if key.made_by else gettext("none: a person has made it")

    @display(description=_("Keys made with it"))
    def makes(self, key: ApiKey) -> Any:
        return format_html_join(", ", "{}", [[_link(each)] for each in family.made(key)]) or gettext("none")

    @display(description=_("Old secret"))
    def old_secret(self, key: ApiKey) -> Any:
        if key.previous_until and key.previous_until > timezone.now():
            return format_html(gettext("good until {}"), at(key.previous_until))
        return gettext("not good any more") if key.previous_digest else gettext("none")

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        return {"expires_at": (timezone.now() + USUAL_LIFE).replace(second=0, microsecond=0)}

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """Says which keys end soon."""
        for key in desk_user_of(request).scope(expiring(timezone.now()))[:5]:
            said = gettext("{key} expires on {day}: make a new key in time.")
            day = formats.day(key.expires_at)
            self.message_user(request, said.format(key=key.name, day=day), messages.WARNING)
        return super().changelist_view(request, extra_context)

    @confirmed
    @once
    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        """Answers a saved key with the page that shows the secret: there is one way to save."""
        return super().add_view(request, form_url, {**ONE_SAVE, **(extra_context or {})})

    @confirmed
    def change_view(self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None) -> Any:
        return super().change_view(request, object_id, form_url, {**ONE_SAVE, **(extra_context or {})})

    @display(description=_("State"), label={state.value: tone for state, tone in _TONES.items()})
    def badge(self, key: ApiKey) -> tuple[str, Any]:
        """Returns the state as the list shows it, in colour."""
        state = state_of(key, timezone.now())
        return state.value, state.label

    @display(description=_("State"))
    def state(self, key: ApiKey) -> str:
        return str(state_of(key, timezone.now()).label)

    def response_add(self, request: HttpRequest, obj: ApiKey, post_url_continue: Any = None) -> HttpResponse:
        key_made(request.user, obj.name)
        # Rendered here, not after a redirect: the secret would have to be kept somewhere in between.
        done_once(request, reverse("admin:api_apikey_change", args=[obj.pk]))
        return self._show(request, obj, self._secret_of(request))

    def save_form(self, request: HttpRequest, form: Any, change: bool) -> ApiKey:
        request._fresh_secret = form.secret  # type: ignore[attr-defined]
        if change and form.parted_from and not form.saved.made_by:
            said = gettext(
                "{key} may do more now than {maker}, which made it. It stands for itself and does not end with it."
            )
            self.message_user(request, said.format(key=form.saved.name, maker=form.parted_from.name), messages.WARNING)
        return form.saved

    def _secret_of(self, request: HttpRequest) -> str:
        return request._fresh_secret  # type: ignore[attr-defined]

    def _page(
        self, request: HttpRequest, template: str, key: ApiKey, status: int = 200, **context: Any
    ) -> HttpResponse:
        context |= {**self.admin_site.each_context(request), "key": key, "opts": self.opts, "original": key}
        return TemplateResponse(request, template, context, status=status)

    def _show(self, request: HttpRequest, key: ApiKey, secret: str, rotated: bool = False) -> HttpResponse:
        words: dict[str, Any] = {"title": gettext("Copy the secret now"), "rotated": rotated, "now": timezone.now()}
        return self._page(request, "admin/api/secret.html", key, secret=secret, **words)

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view
        return [
            path("<path:object_id>/revoke/", view(self.revoke_view), name="api_apikey_revoke"),
            path("<path:object_id>/rotate/", view(self.rotate_view), name="api_apikey_rotate"),
            *super().get_urls(),
        ]

    def _key(self, request: HttpRequest, object_id: str) -> ApiKey:
        if not self.has_add_permission(request):
            raise PermissionDenied
        key = self.get_object(request, unquote(object_id))
        if key is None or key.revoked_at:
            raise Http404
        return key

    def revoke_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Revokes the key: GET says what will happen, POST does it."""
        key = self._key(request, object_id)
        if request.method != "POST":
            made = family.made(key)
            words: dict[str, Any] = {"title": gettext("Revoke this key?"), "made": made}
            return self._page(request, "admin/api/revoke.html", key, webhooks=made_with([key, *made]).values(), **words)
        with attributed(actor=desk_user_of(request).name):
            also = revoke_key(key, keep_made="keep" in request.POST, stop_outliving="stop" in request.POST)
        self.log_change(request, key, gettext("Revoked."))
        said = gettext("{key} is revoked. Calls with it are refused from now on.")
        if also:
            said = gettext(
                "{key} is revoked, and so is what was made with it: {made}. Calls with them are refused now."
            )
        self.message_user(request, said.format(key=key.name, made=", ".join(each.name for each in also)))
        return HttpResponseRedirect(reverse("admin:api_apikey_changelist"))

    @confirmed
    @once
    def rotate_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Rotates the secret: GET asks how long the old one stays good, POST shows the new one."""
        key = self._key(request, object_id)
        form = RotationForm(request.POST if "overlap" in request.POST else None)
        if not form.is_valid():
            status = 400 if form.is_bound else 200
            return self._page(request, "admin/api/rotate.html", key, status, title=gettext("New secret"), form=form)
        with attributed(actor=desk_user_of(request).name):
            secret = rotate_key(key, overlap=dt.timedelta(hours=form.cleaned_data["overlap"]))
        self.log_change(request, key, gettext("Rotated."))
        key_rotated(request.user, key.name)
        done_once(request, reverse("admin:api_apikey_change", args=[key.pk]))
        return self._show(request, key, secret, rotated=True)
