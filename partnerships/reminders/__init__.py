"""Decide which reminders there are, when they are due and who gets them; see docs/reminders.md."""
