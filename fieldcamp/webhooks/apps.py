from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class WebhooksConfig(AppConfig):
    name = "fieldcamp.webhooks"
    label = "webhooks"
    verbose_name = _("Webhooks")

    def ready(self) -> None:
        from fieldcamp.webhooks.records import tell_of_member, tell_of_records
        from fieldcamp.workspace.telling import register_person_teller, register_teller

        register_teller(tell_of_records)
        register_person_teller(tell_of_member)
