"""Agreements registered and edited on the pages of coordinators."""

from collections.abc import Callable
from typing import Any

from django.test import Client
from django.urls import reverse

from partnerships.models import Agreement
from tests.views.world import World

ADD = reverse("agreement_add") if False else "/agreements/add/"


def filled(page: Any, **typed: Any) -> dict[str, Any]:
    """What a browser would send of the form on ``page``, with ``typed`` in place of what stood there."""
    from bs4 import BeautifulSoup

    form = BeautifulSoup(page.text, "html.parser").select_one("main form.stack")
    sent: dict[str, Any] = {}
    for field in form.select("input, select, textarea"):
        name, kind = field.get("name"), field.get("type")
        if not name or (kind in {"radio", "checkbox"} and not field.has_attr("checked")):
            continue
        if field.name == "select":
            chosen = field.select_one("option[selected]") or field.select_one("option")
            sent[name] = chosen.get("value", "") if chosen else ""
        elif field.name == "textarea":
            sent[name] = field.text.strip()
        else:
            sent[name] = field.get("value", "on" if kind == "checkbox" else "")
    return {**sent, **typed}


def test_a_draft(world: World, client_of: Callable[[Any], Client]) -> None:
    client = client_of(world.coordinator)
    page = client.get(ADD)
    assert page.status_code == 200
    sent = filled(
        page, title="New one", type=world.agreement.type_id, **{"parties-0-organization": world.enterprise.pk}
    )
    print(sent)
    answer = client.post(ADD, sent)
    if answer.status_code == 200:
        form = answer.context["form"]
        print(form.errors, [f.errors for f in form.formsets], [f.non_form_errors() for f in form.formsets])
    made = Agreement.objects.get(title="New one")
    assert answer.url == made.get_absolute_url()
    assert made.parties.count() == 1
    edit = client.get(reverse("agreement_edit", args=[made.pk]))
    sent = filled(edit, title="Other", **{"parties-0-role": "witness"})
    answer = client.post(reverse("agreement_edit", args=[made.pk]), sent)
    if answer.status_code == 200:
        form = answer.context["form"]
        print(form.errors, [f.errors for f in form.formsets], [f.non_form_errors() for f in form.formsets])
    made.refresh_from_db()
    assert (made.title, made.version, made.parties.get().role) == ("Other", 2, "witness")
    page = client.get("/organizations/add/?name=Acme")
    assert page.status_code == 200
    answer = client.post("/organizations/add/", filled(page))
    assert answer.status_code == 302
    assert client.get(answer.url).status_code == 200
    assert client.get(answer.url + "edit/").status_code == 200
    assert client.get(answer.url + "people/add/").status_code == 200
    assert client.get("/picks/organization/?field=a&a-words=north").status_code == 200
