"""`manage.py catch_mail`: a local mail server that keeps what it is given, and the page to read it."""

import asyncio
import logging
import signal
import threading
from argparse import ArgumentParser

from aiosmtpd.smtp import SMTP
from django.conf import settings
from django.core.management.base import BaseCommand
from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler
from django.core.wsgi import get_wsgi_application
from django.utils.translation import gettext as _

from partnerships.management.mail_catcher import MailCatcher
from partnerships.management.mail_page import mail_directory

LOOPBACK = "127.0.0.1"


class Command(BaseCommand):
    help = _("Keep outgoing mail on this machine and show it on a page.")
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--smtp-port", type=int, default=1025)
        parser.add_argument("--page-port", type=int, default=8025)

    def handle(self, *args: object, smtp_port: int, page_port: int, **options: object) -> None:
        server = _page_server(page_port)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        asyncio.run(_serve_smtp(smtp_port))
        server.shutdown()


def _page_server(port: int) -> ThreadedWSGIServer:
    """Return the server of the page, a small site of its own."""
    # This process serves nothing else, so its settings can be changed.
    settings.ROOT_URLCONF = "partnerships.management.mail_page"
    settings.MIDDLEWARE = [
        "django.middleware.locale.LocaleMiddleware",
        "django.middleware.common.CommonMiddleware",
        "django.middleware.clickjacking.XFrameOptionsMiddleware",
    ]
    settings.ALLOWED_HOSTS = [LOOPBACK, "localhost"]
    server = ThreadedWSGIServer((LOOPBACK, port), WSGIRequestHandler)
    server.set_app(get_wsgi_application())
    logging.getLogger("django.server").setLevel(logging.WARNING)
    return server


async def _serve_smtp(port: int) -> None:
    """Serve until SIGTERM or SIGINT."""
    loop = asyncio.get_running_loop()
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    catcher = MailCatcher(mail_directory())
    server = await loop.create_server(lambda: SMTP(catcher, enable_SMTPUTF8=True, hostname="localhost"), LOOPBACK, port)
    async with server:
        await stopped.wait()
