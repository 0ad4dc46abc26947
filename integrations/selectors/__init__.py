"""Reads for the API and the admin pages: a constant number of queries each, whatever the number of rows."""
