"""The rows of invoices and payments, which are saved with their record."""

from typing import Any

from django import forms
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.admin import TabularInline

from fieldcamp.desk.users import desk_user_of
from fieldcamp.workspace.admin.money_forms import AllocationForm, LineForm
from fieldcamp.workspace.admin.record_actions import RecordActionAdmin
from fieldcamp.workspace.models import InvoiceLine, PaymentAllocation


class Rows(TabularInline):
    """Rows that the record's form saves. Who may edit them sees them as new ones, as they are replaced as a whole."""

    formset = forms.BaseInlineFormSet
    can_delete = True

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Choices of the own workspace only. What is deleted is offered nowhere, and stays where it is; the service
        refuses it elsewhere."""
        kwargs.setdefault("queryset", desk_user_of(request).scope(db_field.related_model._default_manager.all()))
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def _may(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return self.admin_site.get_model_admin(self.parent_model).has_change_permission(request)

    has_add_permission = has_change_permission = has_delete_permission = _may

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return True  # of who may see the record

    def get_extra(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> int:
        return (self.rows_of(obj).count() if obj else 0) + 1

    def rows_of(self, obj: Any) -> QuerySet:
        return self.model._default_manager.filter(**{self.fk: obj})

    fk: str


class LineRows(Rows):
    model = InvoiceLine
    form = LineForm
    fk = "invoice"
    autocomplete_fields = ("item",)
    verbose_name, verbose_name_plural = _("line"), _("Lines: what is left empty comes from the item")


class AllocationRows(Rows):
    model = PaymentAllocation
    form = AllocationForm
    fk = "payment"
    autocomplete_fields = ("invoice",)
    verbose_name, verbose_name_plural = _("invoice"), _("Invoices that it pays")


class RowsAdmin(RecordActionAdmin):
    """A record whose rows are saved with it, by its form's service."""

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change=change, **kwargs)
        if self.has_change_permission(request):
            (inline,) = self.get_inline_instances(request, obj)
            form.formset_class = inline.get_formset(request, obj)
        return form

    def get_formset_kwargs(self, request: HttpRequest, obj: Any, inline: Any, prefix: str) -> dict[str, Any]:
        kwargs = super().get_formset_kwargs(request, obj, inline, prefix)
        if self.has_change_permission(request):
            kwargs["queryset"] = inline.model._default_manager.none()
            if request.method == "GET" and obj.pk and not obj._state.adding:
                rows = inline.rows_of(obj)
                kwargs["initial"] = [forms.model_to_dict(row, inline.form._meta.fields) for row in rows]
        return kwargs

    def construct_change_message(self, request: HttpRequest, form: Any, formsets: Any, add: bool = False) -> Any:
        return super().construct_change_message(request, form, [], add)
