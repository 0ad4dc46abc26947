"""What vendors send by themselves when something changes: messages in queues, on the sandbox's clock.

A vendor's part (`Sender`) says who is told what and how it is worded; what all of them share stands here: queues,
attempts, trouble on demand, the wire.
"""
