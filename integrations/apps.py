from django.apps import AppConfig


class IntegrationsConfig(AppConfig):
    name = "integrations"
    verbose_name = "Integrations"

    def ready(self) -> None:
        from fieldcamp.workspace.tracking import register_consumer
        from integrations import checks  # noqa: F401  (registers the system checks)
        from integrations.ledger.dirty import mark_dirty

        register_consumer(mark_dirty)
