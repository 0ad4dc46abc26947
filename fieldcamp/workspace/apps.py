from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class WorkspaceConfig(AppConfig):
    name = "fieldcamp.workspace"
    verbose_name = _("Company")

    def ready(self) -> None:
        from fieldcamp.workspace.sign_ins import follow_sign_ins

        follow_sign_ins()
