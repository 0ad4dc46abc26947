"""Whether a company's books agree with FieldCamp: both sides' invoices and payments, laid beside each other.

`reading` asks the books, `pairs` lays both sides' documents beside each other, `compare` (pure) finds what differs and
adds up, `causes` names why, `report` puts it together, `verdict` keeps the short form. Nothing here writes a document
on either side.
"""
