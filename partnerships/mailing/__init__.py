"""Compose mails, claim them, hand them over to the mail server and record the outcome; see docs/reliability.md."""
