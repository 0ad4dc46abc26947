"""The workspace's records, people and settings in the admin. Django's admin finds the classes by this import."""

from fieldcamp.workspace.admin import logins, people, records

__all__ = ["logins", "people", "records"]
