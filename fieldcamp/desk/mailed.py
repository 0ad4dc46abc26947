"""Where the links of invitations and of changes of address lead.

Following one changes nothing: mail programs do that by themselves. The token goes from the address into the session, so
that it stands in no Referer header and in no history, as Django has it for links of forgotten passwords.
"""

from typing import Any
from urllib.parse import urlencode

from django.contrib.auth.forms import SetPasswordForm
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters

from fieldcamp.desk.users import CHOSEN
from fieldcamp.workspace import addresses, logins, mailed
from fieldcamp.workspace.errors import InvalidTransition
from fieldcamp.workspace.logins import Step
from fieldcamp.workspace.models import AddressChange, Invitation

OPEN = "open"  # in the place of the token, once that is in the session


@method_decorator([never_cache, sensitive_post_parameters()], name="dispatch")
class MailedLinkView(View):
    """Shows on GET what the link is for, and does it on POST."""

    kind: type[Invitation] | type[AddressChange]
    template = ""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        self.kept = f"mailed_{mailed.PAGES[self.kind]}"
        if kwargs["token"] != OPEN:
            request.session[self.kept] = kwargs["token"]
            return redirect(mailed.PAGES[self.kind], token=OPEN)
        self.token = str(request.session.get(self.kept, ""))
        return super().dispatch(request, *args, **kwargs)

    def forget(self) -> None:
        self.request.session.pop(self.kept, None)

    def page(self, status: int = 200, **context: Any) -> HttpResponse:
        return render(self.request, self.template, context, status=status)

    def sign_in(self) -> str:
        """Returns where the person signs in and comes back from."""
        return f"{reverse('admin:login')}?{urlencode({'next': self.request.path})}"


class InvitationView(MailedLinkView):
    """Has the person accept: with a new password, or with the login that they have."""

    kind, template = Invitation, "desk/invitation.html"

    def _show(self, *, form: SetPasswordForm | None = None, refused: str = "") -> HttpResponse:
        invitation = mailed.find(Invitation, self.token)
        if invitation is None or not logins.is_good(invitation):
            return self.page(validlink=False)
        step = logins.step_of(invitation, self.request.user)
        return self.page(
            status=409 if refused else 200,
            invitation=invitation,
            step=step.value,
            validlink=True,
            form=form or _password_form(invitation),
            refused=refused,
            sign_in=self.sign_in(),
        )

    def get(self, request: HttpRequest, token: str) -> HttpResponse:
        return self._show()

    def post(self, request: HttpRequest, token: str) -> HttpResponse:
        invitation = mailed.find(Invitation, self.token)
        if invitation is None or not logins.is_good(invitation):
            return self._show()
        try:
            if logins.step_of(invitation, request.user) == Step.PASSWORD:
                form = _password_form(invitation, request.POST)
                if not form.is_valid():
                    return self._show(form=form)
                logins.accept_with_password(token=self.token, password=form.cleaned_data["new_password1"])
                self.forget()
                return redirect("password_reset_complete")
            member = logins.accept_signed_in(token=self.token, user=request.user)  # type: ignore[arg-type]
        except InvalidTransition as error:
            return self._show(refused=str(error))
        self.forget()
        return _dashboard_of(request, member.workspace_id)


def _password_form(invitation: Invitation, data: Any = None) -> SetPasswordForm:
    """Returns Django's form for a login that is not made yet; its rules compare the password with these facts."""
    member = invitation.member
    facts = {"username": invitation.address.lower(), "email": invitation.address}
    return SetPasswordForm(User(**facts, first_name=member.first_name, last_name=member.last_name), data)


def _dashboard_of(request: HttpRequest, workspace_id: str) -> HttpResponseRedirect:
    request.session[CHOSEN] = workspace_id
    return HttpResponseRedirect(reverse("admin:index"))


class AddressChangeView(MailedLinkView):
    """Has the person confirm the new address."""

    kind, template = AddressChange, "desk/address.html"

    def get(self, request: HttpRequest, token: str, refused: str = "") -> HttpResponse:
        change = mailed.find(AddressChange, self.token)
        if change is None or not addresses.is_good(change):
            return self.page()
        sign_in = self.sign_in() if addresses.needs_sign_in(change, request.user) else ""
        return self.page(status=409 if refused else 200, change=change, refused=refused, sign_in=sign_in)

    def post(self, request: HttpRequest, token: str) -> HttpResponse:
        key = request.session.session_key or ""
        try:
            member = addresses.confirm(token=self.token, user=request.user, session_key=key)
        except InvalidTransition as error:
            return self.get(request, token, refused=str(error))
        self.forget()
        return self.page(done=member)
