"""Lists of the desk: how many there are, what is shown, by which filters, what an empty one says, and their CSV."""
