"""Webhooks, their deliveries and the events at the desk. Django's admin finds the classes by this import."""

from fieldcamp.webhooks.admin import deliveries, endpoints, events

__all__ = ["deliveries", "endpoints", "events"]
