"""drf-spectacular's settings. Imported by settings.py, so it imports nothing of ours."""

from typing import Any

_DESCRIPTION = """
Everything is JSON in UTF-8. The sync API (`/integrations`) answers bare objects in snake_case; every other resource
answers `{"success", "data", "meta"}` with data in camelCase. Every error, of every address, is
`{"success": false, "error": {"code", "message", "details"}, "meta": {"request_id"}}`: see [errors](/api/docs/errors).
An unknown method of a known address is 405 `METHOD_NOT_ALLOWED`, an unknown address 404 `NOT_FOUND`.

Start with the [quickstart](/api/docs/quickstart); how FieldCamp tells your server what happens is told in
[webhooks](/api/docs/webhooks), what is synced with the company's books in [QuickBooks](/api/docs/quickbooks), what has
changed in the [changelog](/api/docs/changelog).

**Limits.** Each key has 100 calls a clock minute unless it was given another number, each workspace 10,000 a UTC day.
**Retries.** Send an `Idempotency-Key` with each POST: for 24 hours the same request with the same key is answered with
the first answer again and does nothing. The order of names in a body does not matter, the spelling of a number does:
after `1`, `1.0` is another request (422). So send again the bytes that you have sent.
""".strip()

SPECTACULAR_SETTINGS: dict[str, Any] = {
    "TITLE": "FieldCamp API",
    "DESCRIPTION": _DESCRIPTION,
    "VERSION": "1.0.0",
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SCHEMA_PATH_PREFIX": r"/api/v1",
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "POSTPROCESSING_HOOKS": [
        "fieldcamp.webhooks.schemas.add_components",
        "drf_spectacular.hooks.postprocess_schema_enums",
        "fieldcamp.api.components.append",
        "fieldcamp.webhooks.schemas.append",
    ],
    "ENUM_NAME_OVERRIDES": {
        "JobStatusEnum": "integrations.models.jobs.JobStatus",
        "VisitStatusEnum": "fieldcamp.workspace.models.VisitStatus",
        "RoleEnum": "fieldcamp.workspace.models.Role",
        "ModeEnum": "integrations.models.SyncJob.Mode",
        "ConnectionStateEnum": "integrations.models.ConnectionState",
        "ConflictPolicyEnum": "integrations.selectors.connection_settings.POLICY_NAMES",
        "ApiKeyScopeEnum": "fieldcamp.api.scopes.CHOICES",
        "ConnectLinkStateEnum": "integrations.models.ConnectLinkState",
        "WebhookStatusEnum": "fieldcamp.webhooks.models.WebhookEndpoint.Status",
        "WebhookDeliveryStatusEnum": "fieldcamp.webhooks.models.WebhookDelivery.State",
        "WebhookEventSourceEnum": "fieldcamp.webhooks.models.WebhookEvent.Source",
        "WebhookEventTypeEnum": "fieldcamp.webhooks.rest.serializers.TYPES",
        "WebhookSubscriptionEnum": "fieldcamp.webhooks.rest.serializers.SUBSCRIPTIONS",
    },
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "SWAGGER_UI_SETTINGS": {"deepLinking": True, "persistAuthorization": False, "defaultModelsExpandDepth": 0},
}
