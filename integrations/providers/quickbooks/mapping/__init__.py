"""QuickBooks' bodies and our records, to and fro. Pure functions, one module for each kind."""
