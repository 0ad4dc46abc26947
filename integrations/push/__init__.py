"""Push: a vendor says that something has changed, and the streams concerned are synced within seconds.

A push is a hint and never a source: it makes a stream due, and what has changed is read from the vendor as always.
"""
