"""Run the reminders, show that they run, audit them and report their state. ``run.run_once`` is the entry point."""
