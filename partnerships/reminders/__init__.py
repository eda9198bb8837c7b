"""Rules -> plans -> items and deliveries -> SMTP; docs/reliability.md tells how and why.

``run.run_once`` is the one entry: the tick, the loop of ``manage.py reminders run`` and an operator all call it.
"""
