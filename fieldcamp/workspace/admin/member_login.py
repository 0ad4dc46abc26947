"""What a person's page says of their login, and its buttons: invite, revoke, the change of address, the keys left."""

from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from fieldcamp.api.services import keys_made_by, revoke_keys_of
from fieldcamp.desk.admins import ServiceAdmin
from fieldcamp.desk.forms import DeskForm
from fieldcamp.desk.guards import confirmed
from fieldcamp.desk.users import desk_user_of
from fieldcamp.signin.resetting import may_reset
from fieldcamp.workspace import addresses, logins
from fieldcamp.workspace.errors import InvalidFields, InvalidTransition
from fieldcamp.workspace.logins import LoginState, login_state
from fieldcamp.workspace.models import Member
from fieldcamp.workspace.tracking import attributed

LOGIN_TONES = {
    LoginState.ACTIVE: "success",
    LoginState.INVITED: "info",
    LoginState.REVOKED: "danger",
    LoginState.NONE: "muted",
}


class RevokeForm(DeskForm):
    """What ends together with the login."""

    keys = forms.TypedChoiceField(
        label=_("End these, too"),
        required=False,
        choices=[("1", "1")],
        coerce=bool,
        empty_value=False,  # type: ignore[arg-type]  # Django takes anything
    )


def by_of(request: HttpRequest) -> Member | None:
    """Returns who acts, None for an operator."""
    desk_user = desk_user_of(request)
    return None if desk_user.is_superuser else desk_user.member


class LoginPages(ServiceAdmin):
    """The part of the admin of members that is about logins."""

    def change_view(self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None) -> Any:
        member = self.get_object(request, unquote(object_id))
        extra = {"login": self._login(request, member)} if member else {}
        return super().change_view(request, object_id, form_url, {**extra, **(extra_context or {})})

    def _login(self, request: HttpRequest, member: Member) -> dict[str, Any]:
        """Returns what the login's panel shows: the state, and the buttons that this person may press."""
        state = login_state(member)
        by = by_of(request)
        handles = self.has_change_permission(request) and logins.may_invite(member, by)
        myself = by is not None and by.pk == member.pk
        free = member.user is None
        return {
            "member": member,
            "state": state,
            "tone": LOGIN_TONES[state],
            "invitation": logins.invitation_of(member),
            "pending": addresses.pending_of(member),
            "handles": handles,
            "may_invite": handles and member.is_active and bool(member.email) and free,
            "may_reset": not free and may_reset(desk_user_of(request), member),
            "may_connect": member.is_active and desk_user_of(request).may("connect"),
            "may_revoke": handles and (not free or state == LoginState.INVITED) and not myself,
            "lacks_email": handles and not member.email,
            "verb": gettext("Send the invitation again") if state == LoginState.INVITED else gettext("Invite"),
            "keys": self._keys(request, member) if state != LoginState.ACTIVE or not member.is_active else [],
        }

    def _keys(self, request: HttpRequest, member: Member) -> list[Any]:
        """Returns the keys that outlive the person, for who may change people."""
        return list(keys_made_by(member)) if self.has_change_permission(request) else []

    def to_person(self, member: Member) -> HttpResponseRedirect:
        return HttpResponseRedirect(reverse("admin:workspace_member_change", args=[member.pk]))

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view
        pages = {
            "invite": self.invite_view,
            "revoke": self.revoke_view,
            "address": self.address_view,
            "keys": self.keys_view,
        }
        own = [
            path(f"<path:object_id>/{name}/", view(page), name=f"workspace_member_{name}")
            for name, page in pages.items()
        ]
        return [*own, *super().get_urls()]

    def _member(self, request: HttpRequest, object_id: str) -> Member:
        if not self.has_change_permission(request):
            raise PermissionDenied
        member = self.get_object(request, unquote(object_id))
        if member is None:
            raise Http404
        if not logins.may_invite(member, by_of(request)):
            raise PermissionDenied
        return member

    def _page(self, request: HttpRequest, template: str, member: Member, title: str, **context: Any) -> HttpResponse:
        """Renders a page that asks before something is done."""
        known = {
            **self.admin_site.each_context(request),
            "member": member,
            "opts": self.opts,
            "title": title.format(member=member),
            "keys": self._keys(request, member),
            "may_end_keys": desk_user_of(request).may("keys"),
        }
        return TemplateResponse(request, template, {**known, **context})

    @confirmed
    def invite_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Invites to a login, or sends the invitation again."""
        member = self._member(request, object_id)
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        try:
            with attributed(actor=desk_user_of(request).name):
                sent = logins.invite(member=member, by=by_of(request))
        except InvalidTransition as error:
            self.message_user(request, str(error), messages.WARNING)
        else:
            self.log_change(request, member, gettext("Invited."))
            if sent:
                said, level = gettext("The invitation is on its way to {address}."), messages.SUCCESS
            else:
                said = gettext("The mail to {address} could not be sent. Try again in a few minutes.")
                level = messages.ERROR
            self.message_user(request, said.format(address=member.email), level)
        return self.to_person(member)

    @confirmed
    def revoke_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Shows on GET what will happen, and does it on POST."""
        member = self._member(request, object_id)
        form = RevokeForm(request.POST if request.method == "POST" else None)
        if not form.is_valid():
            title = gettext("Revoke the login of {member}?")
            return self._page(request, "admin/workspace/revoke_login.html", member, title, form=form)
        try:
            with attributed(actor=desk_user_of(request).name):
                logins.revoke(member=member, by=by_of(request))
        except InvalidTransition as error:
            self.message_user(request, str(error), messages.WARNING)
        else:
            self.log_change(request, member, gettext("Login revoked."))
            said = gettext("{member} can no longer sign in.").format(member=member)
            self.message_user(request, said, messages.SUCCESS)
            if form.cleaned_data["keys"]:
                self._end_keys(request, member)
        return self.to_person(member)

    @confirmed
    def address_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Sends the link to the new address again, or withdraws it."""
        member = self._member(request, object_id)
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        pending = addresses.pending_of(member)
        if pending is None:
            self.message_user(request, gettext("There is no new address to be confirmed."), messages.WARNING)
        elif "withdraw" in request.POST:
            with attributed(actor=desk_user_of(request).name):
                addresses.withdraw(member=member)
            said = gettext("The new address is dropped. {address} stays.").format(address=member.email)
            self.message_user(request, said, messages.SUCCESS)
        else:
            self._ask_again(request, member, pending.address)
        return self.to_person(member)

    def _ask_again(self, request: HttpRequest, member: Member, address: str) -> None:
        try:
            with attributed(actor=desk_user_of(request).name):
                addresses.ask(member=member, address=address)
        except InvalidFields as error:
            self.message_user(request, str(error), messages.WARNING)
        else:
            said = gettext("A new link goes to {address}. The one before is not good any more.")
            self.message_user(request, said.format(address=address), messages.SUCCESS)

    @confirmed
    def keys_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Lists the API keys of who has left, and ends them on POST."""
        member = self._member(request, object_id)
        if request.method != "POST":
            title = gettext("API keys that {member} made")
            return self._page(request, "admin/workspace/member_keys.html", member, title)
        if not desk_user_of(request).may("keys"):
            raise PermissionDenied
        self._end_keys(request, member)
        return self.to_person(member)

    def _end_keys(self, request: HttpRequest, member: Member) -> None:
        """Ends the keys that the person made, for who may end keys at all."""
        if not desk_user_of(request).may("keys"):
            said = gettext("Only an owner ends API keys. Those of {member} still work.")
            self.message_user(request, said.format(member=member), messages.WARNING)
            return
        with attributed(actor=desk_user_of(request).name):
            count = revoke_keys_of(member)
        said = gettext("API keys that were ended: {count}.")
        self.message_user(request, said.format(count=count), messages.SUCCESS)
