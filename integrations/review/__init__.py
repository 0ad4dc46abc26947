"""The vendors' own reviews, asked of the running product: a table of requirements for each vendor, and the evidence.

A row asks by HTTP, by a command, or by what the product leaves behind (database, log, mails), and says what it saw.
What was not asked is not met. docs/reviews.md says how an operator uses it.
"""
