"""The desk's pages about integrations. Django's admin finds the classes by this import."""

from integrations.admin import connections, issues, jobs, queue, records

__all__ = ["connections", "issues", "jobs", "queue", "records"]
