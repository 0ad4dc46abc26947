from django.apps import AppConfig


class ApiConfig(AppConfig):
    name = "fieldcamp.api"
    label = "api"
    verbose_name = "API"
