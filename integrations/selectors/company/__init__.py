"""How a company stands: one list of findings, of which the first page, menu, mails and the API say their part."""
