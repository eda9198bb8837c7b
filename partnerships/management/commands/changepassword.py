"""`manage.py changepassword NAME` in place of Django's, with the effects that a change on the pages has."""

import getpass
from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser

from partnerships.models import User
from partnerships.workflows.users import change_password


class Command(BaseCommand):
    help = "Ask for a new password of an account. The change is written into the security log and mailed to the person."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username", help="the user name of the account")

    def handle(self, *args: Any, username: str, **options: Any) -> str:
        user = User.objects.filter(username=username).first()
        if user is None:
            raise CommandError(f"There is no account “{username}”.")
        password = getpass.getpass("New password: ")
        if password != getpass.getpass("New password, again: "):
            raise CommandError("The two passwords differ. Nothing was changed.")
        try:
            validate_password(password, user)
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error
        change_password(user, actor=None, password=password)
        return f"The password of {username} was changed; {user.email or 'nobody'} is notified."
