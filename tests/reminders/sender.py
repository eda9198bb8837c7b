"""A sender in a process of its own, for the tests that kill it: `python -m tests.reminders.sender`.

Sends what is due on 5 March 2026 on the database and to the mail server that the environment names.
"""

import datetime as dt
import os

import django
from django.utils import timezone


def main() -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
    django.setup()
    from partnerships.reminders.deliver import deliver_due  # needs the models, so Django first

    now = dt.datetime(2026, 3, 5, tzinfo=dt.UTC)
    deliver_due(now=now, clock=timezone.now, limit=1000, is_stopping=lambda: False)


if __name__ == "__main__":
    main()
