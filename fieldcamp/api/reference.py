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
Every answer to a known key says what is left: `RateLimit` and `RateLimit-Policy` of all windows, `X-RateLimit-Limit`,
`X-RateLimit-Remaining` and `X-RateLimit-Reset` of the one with fewer calls left. Every answer has an `X-Request-Id`.

**Retries.** Send an `Idempotency-Key` with each POST: for 24 hours the same request with the same key is answered with
the first answer again and does nothing. The order of names in a body does not matter, the spelling of a number does:
after `1`, `1.0` is another request (422). So send again the bytes that you have sent.
""".strip()

# In the order in which people need them; keys are made once, and more often at the desk.
TAGS = [
    {"name": "Sync", "description": "Start a sync, read what has changed at the provider, see how it stands."},
    {"name": "Jobs", "description": "What a started sync is followed with."},
    {"name": "Plans", "description": "What a sync would do, and doing exactly that."},
    {"name": "Holds", "description": "Unusually many removals or creations at once, which wait for a word."},
    {"name": "Problems", "description": "What needs a person: with its cause, its choices, and their answers."},
    {"name": "Record sync", "description": "Why a record is synced, or is not."},
    {"name": "Connections", "description": "The accounts that are synced: how they stand, pausing, ending."},
    {"name": "Connect links", "description": "Links by which somebody without a login connects an account."},
    {"name": "Visits", "description": "Work for a client at a time, and when technicians are busy."},
    {"name": "Clients", "description": "Whom the company works for."},
    {"name": "Team", "description": "The company's people."},
    {"name": "Items", "description": "What is sold."},
    {"name": "Taxes", "description": "Tax rates."},
    {"name": "Invoices", "description": "What clients owe."},
    {"name": "Payments", "description": "What clients have paid."},
    {"name": "Webhooks", "description": "Addresses that FieldCamp tells what happens."},
    {"name": "Events", "description": "What has happened, as webhooks tell it."},
    {"name": "API keys", "description": "Who may call, and what they may do."},
]

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
        "fieldcamp.api.arranging.arrange",
    ],
    "TAGS": TAGS,
    "ENUM_NAME_OVERRIDES": {
        "JobStatusEnum": "integrations.models.jobs.JobStatus",
        "VisitStatusEnum": "fieldcamp.workspace.models.VisitStatus",
        "RoleEnum": "fieldcamp.workspace.models.Role",
        "ModeEnum": "integrations.models.SyncJob.Mode",
        "ConnectionStateEnum": "integrations.models.ConnectionState",
        "ConflictPolicyEnum": "integrations.selectors.connection_settings.POLICY_NAMES",
        "ApiKeyScopeEnum": "fieldcamp.api.scopes.CHOICES",
        "ConnectLinkStateEnum": "integrations.models.ConnectLinkState.values",
        "ChangeActionEnum": "integrations.models.ChangeAction.values",
        "PlanStateEnum": "integrations.selectors.plans.STATES",
        "WebhookStatusEnum": "fieldcamp.webhooks.models.WebhookEndpoint.Status",
        "WebhookDeliveryStatusEnum": "fieldcamp.webhooks.models.WebhookDelivery.State",
        "WebhookEventSourceEnum": "fieldcamp.webhooks.models.WebhookEvent.Source",
        "WebhookEventTypeEnum": "fieldcamp.webhooks.rest.serializers.TYPES",
        "WebhookSubscriptionEnum": "fieldcamp.webhooks.rest.serializers.SUBSCRIPTIONS",
        "ProblemCodeEnum": "integrations.errors.ProblemCode",
        "ProblemCauseEnum": "integrations.services.problems.causes.CAUSES",
        "ProblemStateEnum": "integrations.services.problems.causes.STATES",
    },
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "SWAGGER_UI_SETTINGS": {"deepLinking": True, "persistAuthorization": False, "defaultModelsExpandDepth": 0},
}
