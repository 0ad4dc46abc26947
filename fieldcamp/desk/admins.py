"""The base of every admin class: rows of the own workspace only, permissions from the member's role."""

from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

from django import forms
from django.contrib.admin import ShowFacets
from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponseBase
from django.urls import path
from django.utils import timezone
from django.utils.text import slugify
from django.utils.translation import gettext
from unfold.admin import ModelAdmin

from fieldcamp.desk.forms import PlainTexts
from fieldcamp.desk.lists.changelist import DeskChangeList
from fieldcamp.desk.lists.exporting import Cell, CsvReader, csv_response, lines
from fieldcamp.desk.lists.paging import CappedPaginator
from fieldcamp.desk.lists.words import NOTHING, EmptyList, counted_as
from fieldcamp.desk.users import desk_user_of
from fieldcamp.formats import EMPTY
from fieldcamp.workspace.audit import audit_export
from fieldcamp.workspace.clashes import as_refusal
from fieldcamp.workspace.errors import InvalidFields, InvalidTransition
from fieldcamp.workspace.models import Workspace
from fieldcamp.workspace.searching import words
from fieldcamp.workspace.tracking import attributed


class BoundedList(ModelAdmin):
    """A list that is searched for ten words at a time, and filtered by what its filters offer and nothing else: whoever
    may filter by a column reads it, shown or not.

    `empty` says a list without rows says, `cells` the columns of its
    CSV (none: it has no CSV)."""

    change_list_template: Any = "desk/list/page.html"
    paginator: Any = CappedPaginator
    show_full_result_count = False
    list_max_show_all = 0
    empty: ClassVar[EmptyList] = NOTHING
    cells: ClassVar[Sequence[Cell]] = ()

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[DeskChangeList]:
        return DeskChangeList

    def counted(self, number: int) -> str:
        """Returns a number of rows as it is said: "409 visits"."""
        return counted_as(number, self.opts.verbose_name, self.opts.verbose_name_plural)

    def prepare_rows(self, request: HttpRequest, rows: list[Any]) -> None:
        """Adds to the rows of a page what its columns show of other tables, by a constant number of queries."""

    def summary_of(self, request: HttpRequest, changes: DeskChangeList) -> Iterable[tuple[str, str]]:
        """Returns what is said of all the rows that are found."""
        return ()

    # --- its CSV ---------------------------------------------------------------------------------------------------

    def export_cells(self, request: HttpRequest) -> Sequence[Cell]:
        return self.cells

    def for_export(self, rows: QuerySet) -> QuerySet:
        """Returns the rows with what the columns of the CSV read of other tables."""
        return rows

    def can_export(self, request: HttpRequest) -> bool:
        return bool(self.cells) and self.has_view_permission(request)

    def export_view(self, request: HttpRequest) -> HttpResponseBase:
        """Sends what is filtered as a table for spreadsheets. Who has taken it along is written down."""
        if not self.can_export(request):
            raise PermissionDenied
        try:
            rows = self.for_export(self.get_changelist_instance(request).queryset)
        except IncorrectLookupParameters:
            raise Http404 from None
        desk_user = desk_user_of(request)
        cells = [*self.export_cells(request), Cell("id", lambda row, zone: row.pk)]
        name = f"{slugify(self.opts.verbose_name_plural)}-{timezone.localdate():%Y-%m-%d}.csv"
        self.write_down(request, name)
        # The zone and the currency of now: the table is sent while nothing of the request is in force any more.
        reader = CsvReader(desk_user.timezone, desk_user.currency)
        return csv_response(name, lines(rows, cells, reader, lambda some: self.prepare_rows(request, some)))

    def write_down(self, request: HttpRequest, name: str) -> None:
        """Keeps on record who has a table, and of which company; of no one's where it is of all."""
        desk_user = desk_user_of(request)
        company = None if desk_user.sees_all else desk_user.workspace
        audit_export(name, workspace_id=company.pk if company else None, actor=desk_user.name)

    def get_urls(self) -> list[Any]:
        name = f"{self.opts.app_label}_{self.opts.model_name}_csv"
        return [path("csv/", self.admin_site.admin_view(self.export_view), name=name), *super().get_urls()]

    # --- what may be asked -----------------------------------------------------------------------------------------

    def get_search_results(self, request: HttpRequest, queryset: QuerySet, search_term: str) -> tuple[QuerySet, bool]:
        return super().get_search_results(request, queryset, " ".join(words(search_term)))

    def lookup_allowed(self, lookup: str, value: Any, request: Any = None) -> bool:
        if lookup.partition("__")[0] not in self._columns() | {*self.get_queryset(request).query.annotations}:
            return True  # nothing that rows could be found by
        offered = set()
        for each in self.get_list_filter(request):
            if name := getattr(each, "parameter_name", ""):
                offered.add(name)  # a filter of our own, which takes its value itself
            else:
                name = each[0] if isinstance(each, tuple) else each
                offered |= {name, f"{name}__exact", f"{name}__isnull"}
        return lookup in offered

    def _columns(self) -> set[str]:
        fields = self.model._meta.get_fields()
        names = {name for field in fields for name in (field.name, getattr(field, "attname", field.name))}
        return {"pk", *names, *(related.name for related in self.model._meta.related_objects)}


class ScopedAdmin(BoundedList):
    """`workspace_path` leads from a row to its workspace. `needs` names the action (`workspace.roles`) that each of
    add, change, delete and view needs; one that is not named is for nobody."""

    workspace_path: ClassVar[str] = "workspace"
    needs: ClassVar[dict[str, str]] = {"view": "view"}
    show_facets = ShowFacets.NEVER
    empty_value_display = EMPTY
    list_per_page = 50
    actions: Any = None
    compressed_fields = True
    change_form_show_cancel_button = True

    def _allowed(self, request: HttpRequest, what: str) -> bool:
        return what in self.needs and desk_user_of(request).may(self.needs[what])

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return self._allowed(request, "view")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self._allowed(request, "add")

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return self._allowed(request, "change")

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return self._allowed(request, "delete")

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self._allowed(request, "view")

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return desk_user_of(request).scope(super().get_queryset(request), self.workspace_path)

    def _get_obj_does_not_exist_redirect(self, request: HttpRequest, opts: Any, object_id: str) -> Any:
        """Finds a row of the person's workspace: another's is as unknown as one that does not exist."""
        raise Http404

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Choices of the own workspace only."""
        if any(field.name == "workspace" for field in db_field.related_model._meta.fields):
            kwargs.setdefault("queryset", desk_user_of(request).scope(db_field.related_model._default_manager.all()))
        return super().formfield_for_foreignkey(db_field, request, **kwargs)


class SuperuserAdmin(BoundedList):
    """What concerns the whole site, such as logins and the queue: for superusers alone."""

    may_write: ClassVar[bool] = False
    show_facets = ShowFacets.NEVER
    empty_value_display = EMPTY

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return desk_user_of(request).is_superuser

    has_module_permission = has_view_permission

    def _writes(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return self.may_write and desk_user_of(request).is_superuser

    has_add_permission = has_change_permission = has_delete_permission = _writes


class ServiceForm(PlainTexts, forms.ModelForm):
    """A form that is saved by a service: what the service refuses becomes the form's errors.

    `run` calls the service and returns the saved row. The admin binds the form only for who may save it.
    """

    request: HttpRequest
    saved: Model

    def run(self) -> Model:
        raise NotImplementedError

    def full_clean(self) -> None:
        super().full_clean()
        if not self.is_bound or self.errors:
            return
        try:
            with attributed(actor=desk_user_of(self.request).name):
                self.saved = self.run()
        except InvalidFields as error:
            for name, sentences in error.details.items():
                self._refuse(name.removesuffix("_id"), sentences)
        except InvalidTransition as error:
            self._refuse(None, [str(error)])
        except IntegrityError as error:
            refusal = as_refusal(error)
            if refusal is None:
                raise
            for name, sentences in getattr(refusal, "details", {None: [str(refusal)]}).items():
                self._refuse((name or "").removesuffix("_id") or None, sentences)
        except ValidationError as error:
            for name, sentences in getattr(error, "message_dict", {None: error.messages}).items():
                self._refuse(name, sentences)

    @property
    def workspace(self) -> Workspace:
        """Returns the company that a new row belongs to."""
        workspace = desk_user_of(self.request).workspace
        if workspace is None:
            raise ValidationError(gettext("There is no company yet."))
        return workspace

    def _refuse(self, name: str | None, sentences: list[str]) -> None:
        self.add_error(name if name in self.fields else None, sentences)

    def changes(self) -> dict[str, Any]:
        """Returns the fields that were edited, by model field name."""
        return {name: self.cleaned_data[name] for name in self.changed_data if name in self.cleaned_data}


class ServiceAdmin(ScopedAdmin):
    """An admin whose form is a `ServiceForm`."""

    form = ServiceForm

    def get_form(self, request: HttpRequest, obj: Model | None = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change=change, **kwargs)
        return type(form.__name__, (form,), {"request": request})

    def save_form(self, request: HttpRequest, form: Any, change: bool) -> Model:
        return form.saved

    def save_model(self, request: HttpRequest, obj: Model, form: Any, change: bool) -> None:
        """Does nothing: the form's service has saved it."""

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Does nothing, as above."""
