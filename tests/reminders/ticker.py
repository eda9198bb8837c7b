"""Ticks in a process of its own: `python -m tests.reminders.ticker`.

Ten times expands in small steps and sends what is due at eleven in Shanghai on 5 March 2026.
"""

import datetime as dt
import os

import django


def main() -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
    django.setup()
    from partnerships.mailing.deliver import deliver_due  # needs the models, so Django first
    from partnerships.mailing.expand import expand_due  # as above
    from partnerships.reminders.clock import Clock  # as above

    now = dt.datetime(2026, 3, 5, 3, 0, tzinfo=dt.UTC)
    for _turn in range(10):
        expand_due(Clock(now), batch=7)
        deliver_due(Clock(now), limit=1000, is_stopping=lambda: False)


if __name__ == "__main__":
    main()
