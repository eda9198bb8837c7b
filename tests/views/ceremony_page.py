"""The ceremony form as a person without scripts uses it: what stands on the page, changed, and sent by a button."""

from typing import Any

import html5lib
from django.test import Client
from django.urls import reverse


class CeremonyPage:
    """``fields`` is what a browser would send of the page as it stands."""

    def __init__(self, client: Client, address: str = "") -> None:
        self.client = client
        self.show(client.get(address or reverse("event_ceremony")))

    def show(self, answer: Any) -> Any:
        self.answer = answer
        if answer.status_code != 302:
            self.fields = controls(answer.text)
        return answer

    def press(self, action: str, **more: Any) -> Any:
        return self.show(self.client.post(reverse("event_ceremony"), {**self.fields, "action": action, **more}))

    def fill(self, line: str = "", **values: Any) -> None:
        """``fill("agreements-0", title="...")``; without a line the event itself. Only what is on the page is filled."""
        for name, value in values.items():
            key = f"{line}-{name}" if line else name
            assert f'name="{key}"' in self.answer.text, key
            self.fields[key] = value if isinstance(value, list) else [value]

    def add(self, section: str, count: int, kind: Any = "") -> list[str]:
        """Further lines by the section's button; their keys."""
        known = self.lines(section)
        self.fields[f"add-{section}-count"] = [str(count)]
        self.fields[f"add-{section}-kind"] = [str(getattr(kind, "pk", kind))]
        self.press(f"add-{section}")
        return [line for line in self.lines(section) if line not in known]

    def lines(self, section: str) -> list[str]:
        return [f"{section}-{number}" for number in self.fields.get(section, [])]

    def name_present(self, *names: str, **common: Any) -> list[str]:
        """Names organizations in further lines, and saves the draft so that the parts below know them."""
        lines = self.add("present", len(names))
        for line, name in zip(lines, names, strict=True):
            self.fill(line, name=name)
        self.press("draft")
        for line in lines:
            self.fill(line, **common)
        return lines


def controls(page: str) -> dict[str, list[str]]:
    tree = html5lib.parse(page, namespaceHTMLElements=False)
    form = next(form for form in tree.iter("form") if form.get("id") == "ceremony")
    sent: dict[str, list[str]] = {}
    for element in form.iter():
        name = element.get("name")
        if name and element.tag in {"input", "select", "textarea"}:
            sent.setdefault(name, []).extend(_values(element))
    sent.pop("csrfmiddlewaretoken", None)
    return {name: values for name, values in sent.items() if values}


def _values(element: Any) -> list[str]:
    if element.tag == "textarea":
        return ["".join(element.itertext()).removeprefix("\n")]
    if element.tag == "select":
        options = list(element.iter("option"))
        chosen = [option for option in options if option.get("selected") is not None] or options[:1]
        return [option.get("value", "") for option in chosen]
    if element.get("type") in {"checkbox", "radio"}:
        return [element.get("value", "on")] if element.get("checked") is not None else []
    return [element.get("value", "")]
