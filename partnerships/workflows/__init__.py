"""The verbs. Each is a function with keyword arguments, the actor among them (None: the system itself).

A verb checks the permission, locks what it changes, asks the transition table, writes status, date, history and the
status change in one transaction and returns the row as it is now. It raises a ``DomainError`` and changes nothing when
a rule refuses. Agreements may call activities and milestones, activities may call milestones, never back.
"""
