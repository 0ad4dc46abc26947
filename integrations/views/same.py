"""The page that answers many questions who is who at once, and takes such an answer back."""

from django.contrib import admin, messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext, ngettext

from fieldcamp.desk.site import desk_view
from fieldcamp.desk.users import desk_user_of
from integrations.admin.same import ANSWERED_TOGETHER, same_context
from integrations.kinds import CUSTOMER, Kind
from integrations.models import Connection
from integrations.providers import PROVIDERS
from integrations.services.books.bulk import BulkAnswer, same_for_all, take_back
from integrations.services.setup import keeps_books
from integrations.views.common import attempt, one
from integrations.views.forms.same import PairsForm, TakeBackForm


def _company(request: HttpRequest, connection_id: str) -> Connection:
    found: Connection = one(request, Connection.objects.select_related("workspace", "member"), connection_id)
    if not (keeps_books(found) and found.usable):
        raise Http404
    return found


def _kind(name: str) -> Kind:
    kinds = {kind.name.value: kind for kind in ANSWERED_TOGETHER}
    if name not in kinds:
        raise Http404
    return kinds[name]


@desk_view("GET", "POST", may="retry")
def page(request: HttpRequest, connection_id: str) -> HttpResponse:
    """Lists the pairs that are most likely the same; on POST those that are ticked are."""
    connection, desk_user = _company(request, connection_id), desk_user_of(request)
    posted = request.method == "POST"
    kind = _kind((request.POST if posted else request.GET).get("kind", CUSTOMER.name))
    form = PairsForm(request.POST if posted else None)
    if posted and form.is_valid():
        worked, answer = attempt(
            request,
            lambda: same_for_all(connection=connection, kind=kind, chosen=form.chosen, user=desk_user.user),
        )
        if worked:
            said = ngettext("{number} is the same now.", "{number} are the same now.", answer.done)
            _tell(request, said, answer)
        return redirect(f"{reverse('integrations:same', args=[connection.pk])}?kind={kind.name}")
    context = {
        **admin.site.each_context(request),
        **same_context(connection, kind, request.GET.get("tick", ""), desk_user, [] if posted else None),
        "title": gettext("Are these the same? {account}").format(account=connection.account_name),
        "label": PROVIDERS[connection.integration].label,
        "form": form,
    }
    return render(request, "integrations/same.html", context, status=400 if form.errors else 200)


@desk_view("POST", may="settings")
def undo(request: HttpRequest, connection_id: str) -> HttpResponse:
    """Takes an answer for many back: each is asked about again."""
    connection, form = _company(request, connection_id), TakeBackForm(request.POST)
    if not form.is_valid():
        raise Http404
    worked, answer = attempt(
        request,
        lambda: take_back(connection=connection, entry_id=form.cleaned_data["entry"], user=desk_user_of(request).user),
    )
    if worked:
        said = ngettext("{number} is a question again.", "{number} are questions again.", answer.done)
        _tell(request, said, answer)
    return redirect("integrations:same", connection.pk)


def _tell(request: HttpRequest, said: str, answer: BulkAnswer) -> None:
    """Says what came of it."""
    sentences = [said.format(number=answer.done)]
    if answer.left:
        left = ngettext(
            "{number} was left as it is: it has been decided or changed meanwhile.",
            "{number} were left as they are: they have been decided or changed meanwhile.",
            answer.left,
        )
        sentences.append(left.format(number=answer.left))
    if answer.done:
        started = gettext("Sync started.")
        later = gettext("The sync that is running now, or the next one, carries it out.")
        sentences.append(started if answer.job else later)
    level = messages.SUCCESS if answer.done else messages.WARNING
    messages.add_message(request, level, " ".join(sentences))
