"""The workspace's records, people and settings in the admin. Django's admin finds the classes by this import."""

from fieldcamp.workspace.admin import audit, logins, money, people, records

__all__ = ["audit", "logins", "money", "people", "records"]
