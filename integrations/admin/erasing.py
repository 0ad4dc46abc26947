"""The way to erasing, at the foot of the pages of clients and people: for owners."""

from typing import Any

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest
from django.urls import reverse
from unfold.admin import ModelAdmin

from fieldcamp.desk.users import desk_user_of
from fieldcamp.workspace.models import Client, Member
from integrations.admin import records  # noqa: F401  (whose pages these are)


class ErasableMixin(ModelAdmin):
    """Adds the panel "Erase" below everything else that the page has."""

    what: str
    above: str  # the template that stood there before

    change_form_outer_after_template = "integrations/erase_panel.html"

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        context["above_erasing"] = self.above
        desk_user, row = desk_user_of(request), kwargs.get("obj")
        myself = desk_user.member is not None and row is not None and row.pk == desk_user.member.pk
        if row is not None and not row.erased_at and not myself and desk_user.may("erase"):
            context["erase_url"] = reverse("integrations:erase", args=[self.what, row.pk])
        return super().render_change_form(request, context, *args, **kwargs)


def _erasable(model: type[Model], what: str) -> None:
    """Puts a page with the panel in the place of the one that is there."""
    own = type(admin.site.get_model_admin(model))
    admin.site.unregister(model)
    above = getattr(own, "change_form_outer_after_template", None) or ""
    admin.site.register(model, type(f"Erasable{own.__name__}", (ErasableMixin, own), {"what": what, "above": above}))


for _model, _what in ((Client, "client"), (Member, "member")):
    if admin.site.is_registered(_model):
        _erasable(_model, _what)
