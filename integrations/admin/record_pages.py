"""The pages of FieldCamp's records at the desk."""

from django.contrib import admin
from django.urls import reverse

from fieldcamp.desk.users import DeskUser
from fieldcamp.workspace.tracking import TrackedModel


def page_of(record: TrackedModel, desk_user: DeskUser) -> str:
    """Returns the record's page at the desk; "" where it has none."""
    model = type(record)
    if record.deleted_at or not admin.site.is_registered(model) or not desk_user.may("view"):
        return ""
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_change", args=[record.pk])
