"""Addresses of webhooks and events, below `/api/v1/`."""

from django.urls import path

from fieldcamp.webhooks.rest import action_views, delivery_views, event_views, views

_ONE = "webhooks/<str:webhook_id>"
_DELIVERY = f"{_ONE}/deliveries/<str:delivery_id>"
urlpatterns = [
    path("webhooks", views.WebhookListView.as_view(), name="webhooks"),
    path(_ONE, views.WebhookView.as_view(), name="webhook"),
    path(f"{_ONE}/rotate-secret", action_views.WebhookRotateView.as_view(), name="webhook-rotate"),
    path(f"{_ONE}/test", action_views.WebhookTestView.as_view(), name="webhook-test"),
    path(f"{_ONE}/enable", action_views.WebhookEnableView.as_view(), name="webhook-enable"),
    path(f"{_ONE}/pause", action_views.WebhookPauseView.as_view(), name="webhook-pause"),
    path(f"{_ONE}/resume", action_views.WebhookResumeView.as_view(), name="webhook-resume"),
    path(f"{_ONE}/replay", action_views.WebhookReplayView.as_view(), name="webhook-replay"),
    path(f"{_ONE}/deliveries", delivery_views.DeliveryListView.as_view(), name="webhook-deliveries"),
    path(_DELIVERY, delivery_views.DeliveryView.as_view(), name="webhook-delivery"),
    path(f"{_DELIVERY}/replay", delivery_views.DeliveryReplayView.as_view(), name="webhook-delivery-replay"),
    path("events", event_views.EventListView.as_view(), name="events"),
    path("events/<str:event_id>", event_views.EventView.as_view(), name="event"),
    path("webhook-events", event_views.CatalogueView.as_view(), name="webhook-events"),
]
