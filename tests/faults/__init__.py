"""What must not break the promise: each fault made for real, then every mail the server took compared with what was due.

The short form is part of the suite. `make chaos` is the same with CHAOS_KILLS in the hundreds, and Postfix as the relay.
"""
