"""`/webhooks`, `/events` and `/webhook-events`: parse, call one service, render."""
