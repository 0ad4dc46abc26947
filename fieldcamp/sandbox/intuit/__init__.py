"""QuickBooks Online and the Intuit identity platform, simulated."""
