"""What must not stand in a log."""

import logging
import re

# The addresses of a calendar feed and of a new password open something by themselves.
SECRETS = re.compile(r"(/feeds/|/password/reset/)[^\s?\"']+")


class WithoutSecrets(logging.Filter):
    """Takes secrets out of addresses, whoever logs them: the framework names the address of each 404."""

    def filter(self, record: logging.LogRecord) -> bool:
        message = record.getMessage()
        masked = SECRETS.sub(r"\1…", message)
        if masked != message:
            record.msg, record.args = masked, ()
        return True
