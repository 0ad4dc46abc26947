"""Django REST framework's settings. Imported by settings.py, so it imports nothing of ours."""

from typing import Any

REST_FRAMEWORK: dict[str, Any] = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["fieldcamp.api.authentication.ApiKeyAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["fieldcamp.api.permissions.HasScope"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["fieldcamp.api.parsers.StrictJSONParser"],
    "EXCEPTION_HANDLER": "fieldcamp.api.errors.exception_handler",
    "DEFAULT_SCHEMA_CLASS": "fieldcamp.api.openapi.AutoSchema",
    "DATETIME_FORMAT": "iso-8601",
    "UNAUTHENTICATED_USER": None,
}
