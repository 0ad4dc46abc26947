"""Connect links at the desk: made for a person and mailed, listed, revoked. A link's address is on the page that
answers its making, and nowhere else. Beside them the addresses of the company's own application that links may lead
back to."""

import datetime as dt
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.options import csrf_protect_m
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from fieldcamp.desk.admins import ScopedAdmin, ServiceAdmin, ServiceForm
from fieldcamp.desk.columns import moment
from fieldcamp.desk.forms import DeskForm
from fieldcamp.desk.guards import confirmed
from fieldcamp.desk.lists.exporting import field, worked_out
from fieldcamp.desk.lists.words import EmptyList
from fieldcamp.desk.once import done_once, once
from fieldcamp.desk.users import DeskUser, desk_user_of
from fieldcamp.workspace.errors import InvalidFields, InvalidTransition
from fieldcamp.workspace.models import Member, Workspace
from integrations.admin.jobs import IntegrationFilter, provider_label
from integrations.models import ConnectLink, ConnectLinkState, ReturnAddress
from integrations.providers import BY_SLUG, PROVIDERS
from integrations.selectors.connect_links import connect_link_url
from integrations.services.connect_links.addresses import register_address, remove_address
from integrations.services.connect_links.mailing import mail_link
from integrations.services.connect_links.making import LinkMaker, create_link, revoke_link

_TONES = {
    ConnectLinkState.OPEN: "info",
    ConnectLinkState.USED: "success",
    ConnectLinkState.EXPIRED: "muted",
    ConnectLinkState.REVOKED: "danger",
}
_LIVES = {1: _("1 hour"), 24: _("1 day"), 72: _("3 days"), 168: _("7 days")}  # hours


class ConnectLinkForm(DeskForm):
    """For whom a link is, and where it is mailed to."""

    integration = forms.ChoiceField(label=_("What is connected"))
    member = forms.ModelChoiceField(
        Member.objects.none(),
        required=False,
        empty_label=_("Nobody's: books"),
        label=_("Whose calendar"),
        help_text=_("Only an account of this person can be connected with the link."),
    )
    hours = forms.TypedChoiceField(label=_("Good for"), choices=list(_LIVES.items()), initial=72, coerce=int)
    mail = forms.TypedChoiceField(
        label=_("Mail the link"),
        required=False,
        choices=[("1", "1")],
        initial="1",
        coerce=bool,
        empty_value=False,  # type: ignore[arg-type]  # Django takes anything
    )
    to = forms.EmailField(
        required=False,
        label=_("Mail it to this address"),
        help_text=_("Empty: to the person's own, and of books to nobody."),
    )

    def __init__(self, *args: Any, workspace: Workspace, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.offer("integration", [(provider.name, provider.label) for provider in PROVIDERS.values()])
        member: Any = self.fields["member"]
        member.queryset = Member.objects.filter(workspace=workspace, is_active=True)

    def clean(self) -> dict[str, Any]:
        """Finds where the mail goes: `address`, "" for nowhere."""
        cleaned = super().clean()
        member, address = cleaned.get("member"), cleaned.get("to") or ""
        if not self.errors and cleaned["mail"] and not address and member is not None:
            address = member.email
            if not address:
                said = gettext("{member} has no e-mail address. Enter one, or do not mail the link.")
                self.add_error("to", said.format(member=member))
        cleaned["address"] = address if cleaned.get("mail") else ""
        return cleaned


def _maker(desk_user: DeskUser) -> LinkMaker:
    return LinkMaker(desk_user.name, user=desk_user.user)


@admin.register(ConnectLink)
class ConnectLinkAdmin(ScopedAdmin):
    needs = {"view": "connect", "add": "connect"}
    list_display = (
        "whose",
        "integration_label",
        "badge",
        "shown_created_at",
        "created_by",
        "shown_expires_at",
        "account",
    )
    list_filter = (IntegrationFilter,)
    search_fields = (
        "=id", "member__first_name", "member__last_name", "connection__account_name", "created_by",
    )  # fmt: skip
    search_help_text = _("Person, account or who made it")
    ordering = ("-id",)
    empty = EmptyList(
        _("No connect links yet. With one a technician connects their own calendar without a login here."),
        _("Make a connect link"),
        "admin:integrations_connectlink_add",
        "connect",
    )
    cells = (
        worked_out(lambda link: link.member or gettext("the company's books"), _("For")),
        worked_out(lambda link: provider_label(link.integration), _("Integration")),
        worked_out(lambda link: ConnectLinkState(link.state).label, _("State")), field("created_at", _("Created")),
        field("created_by", _("By")), field("expires_at", _("Good until")), field("connection", _("Connected")),
    )  # fmt: skip

    def get_queryset(self, request: HttpRequest) -> QuerySet[ConnectLink]:
        rows: Any = super().get_queryset(request)
        found: QuerySet[ConnectLink] = rows.with_state(timezone.now())
        return found.select_related("member", "connection", "workspace")

    @display(description=_("For"))
    def whose(self, link: ConnectLink) -> str:
        return str(link.member) if link.member else gettext("the company's books")

    @display(description=_("Integration"), ordering="integration")
    def integration_label(self, link: ConnectLink) -> str:
        return provider_label(link.integration)

    @display(description=_("State"), label={state.value: tone for state, tone in _TONES.items()})
    def badge(self, link: ConnectLink) -> tuple[str, Any]:
        return link.state, ConnectLinkState(link.state).label

    shown_created_at = staticmethod(moment("created_at", _("Created"), relative=True))
    shown_expires_at = staticmethod(moment("expires_at", _("Good until")))

    @display(description=_("Connected"))
    def account(self, link: ConnectLink) -> str:
        return str(link.connection) if link.connection else "–"

    def get_urls(self) -> list[Any]:
        revoke = self.admin_site.admin_view(self.revoke_view)
        return [
            path("<path:object_id>/revoke/", revoke, name="integrations_connectlink_revoke"),
            *super().get_urls(),
        ]

    def _page(self, request: HttpRequest, template: str, status: int = 200, **context: Any) -> HttpResponse:
        known = {**self.admin_site.each_context(request), "opts": self.opts, **context}
        return TemplateResponse(request, f"admin/connect_links/{template}.html", known, status=status)

    @confirmed
    @csrf_protect_m
    @once
    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        """Asks for whom the link is, and answers with the page that shows its address. The page is ours and not the
        admin's, which would hold a transaction open while the mail is sent."""
        desk_user = desk_user_of(request)
        if not self.has_add_permission(request) or desk_user.workspace is None:
            raise PermissionDenied
        asked = BY_SLUG.get(request.GET.get("integration", ""))
        form = ConnectLinkForm(
            request.POST if request.method == "POST" else None,
            workspace=desk_user.workspace,
            initial={"integration": asked.name if asked else "", "member": request.GET.get("member", "")},
        )
        title = gettext("New connect link")
        if not form.is_valid():
            return self._page(request, "form", 400 if form.is_bound else 200, title=title, form=form)
        member, address = form.cleaned_data["member"], form.cleaned_data["address"]
        try:
            link, token = create_link(
                workspace=desk_user.workspace,
                integration=form.cleaned_data["integration"],
                member_id=member.pk if member else None,
                lifetime=dt.timedelta(hours=form.cleaned_data["hours"]),
                maker=_maker(desk_user),
            )
        except InvalidFields as error:
            form.add_error("member", list(error.details.values())[0])
            return self._page(request, "form", 400, title=title, form=form)
        self.log_addition(request, link, gettext("Added."))
        sent = bool(address) and mail_link(link=link, token=token, to=address, maker=_maker(desk_user))
        # Rendered here, not after a redirect: the address would have to be kept somewhere in between.
        done_once(request, reverse("admin:integrations_connectlink_change", args=[link.pk]))
        shown = {"link": link, "url": connect_link_url(token), "to": address, "sent": sent}
        return self._page(request, "made", title=gettext("The link is made"), whose=self.whose(link), **shown)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Returns the link's page: for whom it is, what became of it, what was consented to."""
        link = self._link(request, object_id)
        needed = PROVIDERS[link.integration].permissions
        return self._page(
            request,
            "link",
            title=self.whose(link),
            link=link,
            original=link,
            label=provider_label(link.integration),
            state=ConnectLinkState(link.state).label,
            tone=_TONES[ConnectLinkState(link.state)],
            granted=[words for scope, words in needed.items() if scope in link.granted],
        )

    def _link(self, request: HttpRequest, object_id: str) -> ConnectLink:
        if not self.has_view_permission(request):
            raise PermissionDenied
        link = self.get_object(request, unquote(object_id))
        if link is None:
            raise Http404
        return link

    def revoke_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ends the link."""
        link = self._link(request, object_id)
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        try:
            revoke_link(link=link, maker=_maker(desk_user_of(request)))
        except InvalidTransition as error:
            self.message_user(request, str(error), messages.WARNING)
        else:
            self.log_change(request, link, gettext("Revoked."))
            self.message_user(request, gettext("The link is revoked. Nobody can connect anything with it."))
        return HttpResponseRedirect(reverse("admin:integrations_connectlink_change", args=[link.pk]))


class ReturnAddressForm(ServiceForm):
    class Meta:
        model = ReturnAddress
        fields = ("url",)

    def run(self) -> ReturnAddress:
        actor = desk_user_of(self.request).name
        return register_address(workspace=self.workspace, url=self.cleaned_data["url"], actor=actor)


@admin.register(ReturnAddress)
class ReturnAddressAdmin(ServiceAdmin):
    form = ReturnAddressForm
    needs = {"view": "connect", "add": "settings", "delete": "settings"}
    list_display = ("url", "created_by", "shown_created_at")
    search_fields = ("url", "created_by")
    empty = EmptyList(
        _("No return addresses yet. People come back to one of them after they have connected by a link."),
        _("Add a return address"),
        "admin:integrations_returnaddress_add",
        "settings",
    )
    cells = (field("url", _("Address")), field("created_by", _("By")), field("created_at", _("Created")))
    fields = ("url",)

    shown_created_at = staticmethod(moment("created_at", _("Created"), relative=True))
    add_view = confirmed(ServiceAdmin.add_view)

    def delete_model(self, request: HttpRequest, obj: ReturnAddress) -> None:
        remove_address(address=obj, actor=desk_user_of(request).name)
