from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class IntegrationsConfig(AppConfig):
    name = "integrations"
    verbose_name = _("Integrations")

    def ready(self) -> None:
        from fieldcamp.workspace.team import register_member_consumer
        from fieldcamp.workspace.tracking import register_consumer
        from integrations import checks  # noqa: F401  (registers the system checks)
        from integrations.accounts.people import follow_members
        from integrations.api.sync_states import include_states
        from integrations.api.webhook_events import describe_events
        from integrations.books.merged_clients import follow_merged_clients
        from integrations.ledger.dirty import mark_dirty

        register_consumer(mark_dirty)
        register_consumer(follow_merged_clients)
        register_member_consumer(follow_members)
        describe_events()
        include_states()
