from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class WebhooksConfig(AppConfig):
    name = "fieldcamp.webhooks"
    label = "webhooks"
    verbose_name = _("Webhooks")

    def ready(self) -> None:
        from fieldcamp.api.outliving import Outliving, register_outliving
        from fieldcamp.webhooks.records import tell_of_member, tell_of_records
        from fieldcamp.webhooks.services import stop_webhooks_of, webhooks_of
        from fieldcamp.workspace.telling import register_person_teller, register_teller

        register_outliving(Outliving(webhooks_of, stop_webhooks_of))
        register_teller(tell_of_records)
        register_person_teller(tell_of_member)
