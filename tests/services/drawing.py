"""How pages are drawn in tests: their contexts are kept, and a page whose form alone is read is not drawn at all."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from django.template import Context, Template
from django.test import Client
from django.test.signals import template_rendered

_IS_DRAWN = ContextVar("is_drawn", default=True)


def keep_contexts_of_pages() -> None:
    """Keep a copy of the context for each page, as Django's tests do, but not for the parts that a page includes.

    A form of the admin includes thousands, and copying their contexts took a tenth of the time.
    """

    def render(template: Template, context: Context) -> str:
        if context.template is template:
            template_rendered.send(sender=template, template=template, context=context)
        return template.nodelist.render(context) if _IS_DRAWN.get() else ""

    template_class: Any = Template
    template_class._render = render


def undrawn(client: Client, address: str, query: dict[str, Any] | None = None) -> Any:
    """Open a page for its context alone: drawing a form takes longer than reading and sending it."""
    with nothing_drawn():
        return client.get(address, query)


@contextmanager
def nothing_drawn() -> Iterator[None]:
    """Answer requests as always, but leave out the text of pages."""
    token = _IS_DRAWN.set(False)
    try:
        yield
    finally:
        _IS_DRAWN.reset(token)
