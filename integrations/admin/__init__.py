"""The desk's pages about integrations. Django's admin finds the classes by this import."""

from integrations.admin import connect_links, connections, erasing, jobs, problems, queue, records, standings

__all__ = ["connect_links", "connections", "erasing", "problems", "jobs", "queue", "records", "standings"]
