"""Outgoing webhooks: what happens in FieldCamp, written down as events and sent to the addresses of API clients."""
