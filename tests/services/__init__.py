"""Real servers for the tests: each is a process of its own on loopback or a private socket."""
