"""Connect links: made and revoked, mailed, followed to a vendor's consent; the addresses that they may lead back to."""
