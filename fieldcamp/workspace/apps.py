from django.apps import AppConfig


class WorkspaceConfig(AppConfig):
    name = "fieldcamp.workspace"
    verbose_name = "Workspace"
