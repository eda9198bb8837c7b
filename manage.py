#!/usr/bin/env python
"""Django's command-line utility for the partnership tracker."""

import os
import sys


def main() -> None:
    if sys.argv[1:] in (["version"], ["--version"]):
        # Django answers these itself, with its own version, before it looks for a command of ours.
        from partnerships import __version__

        print(__version__)  # noqa: T201 - the answer of the command
        return
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    from django.core.management import execute_from_command_line

    from partnerships.acts import recorded_as

    # The history names the command, without its arguments, which may be a name or a password.
    with recorded_as(f"manage.py {sys.argv[1]}" if len(sys.argv) > 1 else ""):
        execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
