"""What a browser would send back from a form of ours."""

from typing import Any

from django.forms import BaseForm
from django.test import Client

from tests.services.drawing import undrawn


def filled(response: Any, /, **changes: Any) -> dict[str, Any]:
    """Every field of the page's form and its lines as they stand, with ``changes``."""
    form = response.context["form"]
    data = _values(form)
    for lines in getattr(form, "formsets", ()):
        data |= _values(lines.management_form)
        for line in lines.forms:
            data |= _values(line)
    return data | {name.replace("__", "-"): value for name, value in changes.items()}


def box(response: Any) -> str:
    """What the browser sends when “it is another one” is ticked on this page."""
    return str(response.context["form"].fields["is_another"].widget.names)


def send(client: Client, address: str, /, **changes: Any) -> Any:
    """Opens the page, changes fields and sends the form. ``parties__0__role`` is the field ``parties-0-role``."""
    return client.post(address, filled(undrawn(client, address), **changes))


def errors(response: Any) -> dict[str, list[str]]:
    """Messages by the name of their field, those of the lines too; ``__all__`` for those of a form as a whole."""
    form = response.context["form"]
    found = {name: list(messages) for name, messages in form.errors.items()}
    for lines in getattr(form, "formsets", ()):
        found |= {lines.prefix: list(lines.non_form_errors())} if lines.non_form_errors() else {}
        for line in lines.forms:
            found |= {line.add_prefix(name): list(messages) for name, messages in line.errors.items()}
    return found


def _values(form: BaseForm) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for bound in form:
        value = bound.value()
        if value is not None and value is not False:
            values[bound.html_name] = "on" if value is True else str(getattr(value, "pk", value))
    return values
