"""Faults that must not break the promise, made for real; then all mails at the server are compared with the due reminders.

The short form is part of the suite. `make chaos` is the same with CHAOS_KILLS in the hundreds, and Postfix as the relay.
"""
