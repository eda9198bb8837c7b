"""Forms of the import: the file and what it is, and what was chosen for its columns, values and rows."""

import json
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import QueryDict
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from partnerships.exceptions import InvalidInput
from partnerships.forms.choices import choosable, offer_rows
from partnerships.forms.domain import DomainFormMixin
from partnerships.imports.acts import ask_for_check, upload_import
from partnerships.imports.recipes import Recipe, read_recipe
from partnerships.imports.sheets import NO_HEADER
from partnerships.models import Import, ImportKind, ImportRecipe, Unit, User

LARGEST_RECIPE = 2**20
NO_RECIPE = _("This file is no recipe. Choose one that “Download the recipe” of an import has saved.")
FILE_TYPES = ".xlsx,.xls,.ods,.csv,.tsv,.txt"


class ImportForm(DomainFormMixin, forms.Form):
    """The file, the kind of its rows, and the unit they are for."""

    kind = forms.ChoiceField(
        label=_("What does a row describe?"),
        choices=[(ImportKind.REGISTER.value, _("Register: agreement, partners, contact"))]
        + [(kind.value, kind.label) for kind in ImportKind if kind != ImportKind.REGISTER],
        widget=forms.RadioSelect,
        initial=ImportKind.REGISTER,
    )
    file = forms.FileField(
        label=_("Spreadsheet"),
        help_text=_("Excel, OpenDocument or text (CSV). Nothing is saved before you have seen what would be imported."),
        widget=forms.ClearableFileInput(attrs={"accept": FILE_TYPES}),
    )
    unit = forms.ModelChoiceField(
        label=_("For the unit"),
        queryset=Unit.objects.none(),
        help_text=_("Rows that name a unit of their own go there."),
    )
    recipe = forms.ModelChoiceField(
        label=_("Recipe"),
        queryset=ImportRecipe.objects.none(),
        required=False,
        help_text=_("Columns and values as chosen for an earlier file."),
    )
    recipe_file = forms.FileField(
        label=_("Recipe from a file"),
        required=False,
        help_text=_("A recipe that was downloaded from another import, here or on another site."),
        widget=forms.ClearableFileInput(attrs={"accept": ".json,application/json"}),
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        units = choosable(Unit, user)
        field = offer_rows(self, "unit", units)
        only = list(units[:2])
        if len(only) == 1:
            field.initial = only[0].pk
        field.required = not user.sees_all_units
        recipes = ImportRecipe.objects.visible_to(user)
        offer_rows(self, "recipe", recipes)
        if not recipes.exists():
            del self.fields["recipe"]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        recipe = data.get("recipe")
        if recipe and data.get("kind") and recipe.kind != data["kind"]:
            self.add_error("recipe", _("This recipe is for rows of another kind."))
        if recipe and data.get("recipe_file"):
            self.add_error("recipe_file", _("Choose one recipe: a saved one, or one from a file."))
        return data

    def clean_recipe_file(self) -> Recipe | None:
        file = self.cleaned_data["recipe_file"]
        if not file:
            return None
        if file.size > LARGEST_RECIPE:
            raise ValidationError(NO_RECIPE)
        try:
            content = json.loads(file.read())
            json.dumps(content, ensure_ascii=False).encode()  # half of a character, which the database does not take
            return read_recipe(content)
        except (ValueError, RecursionError) as error:  # no JSON, or no text
            raise ValidationError(NO_RECIPE) from error
        except InvalidInput as error:
            raise ValidationError(str(error)) from error

    def keep(self, actor: User, **about: Any) -> Import:
        data, now = self.cleaned_data, timezone.now()
        kept = data.get("recipe")
        imported = upload_import(
            data["kind"],
            data["file"],
            name=data["file"].name,
            actor=actor,
            unit=data["unit"],
            now=now,
            recipe=read_recipe(kept.content) if kept else data["recipe_file"] or Recipe(),
        )
        return ask_for_check(imported, actor=actor, now=now)


def columns_from(data: QueryDict, imported: Import) -> dict[str, Any]:
    """Return the recipe with the columns that were chosen; ``column-N`` is the field of column N."""
    headings = imported.layout.get("headings", [])
    columns = {heading: data.get(f"column-{number}", "") for number, heading in enumerate(headings)}
    return {**imported.recipe, "columns": columns}


def sheet_from(data: QueryDict, imported: Import) -> dict[str, Any]:
    """Return the recipe with another sheet of the file or another row of headings, whose columns are to be guessed."""
    sheet, header = data.get("sheet", ""), data.get("header", "")
    is_same = sheet in {"", imported.layout.get("sheet")}
    chosen = int(header) if is_same and header.removeprefix("-").isdecimal() else 0
    known = imported.recipe.get("sheet", "") if is_same else sheet
    return {**imported.recipe, "sheet": known, "title": "", "columns": {}, "header": max(chosen, NO_HEADER)}


def values_from(data: QueryDict, imported: Import) -> dict[str, Any]:
    """Return the recipe with the values that were chosen: pairs of ``text-FIELD`` and ``value-FIELD``; "-" leaves one open."""
    values = {name: dict(known) for name, known in imported.recipe.get("values", {}).items()}
    for name in {key.removeprefix("text-") for key in data if key.startswith("text-")}:
        for text, value in zip(data.getlist(f"text-{name}"), data.getlist(f"value-{name}"), strict=False):
            if value == "-":
                values.setdefault(name, {}).pop(text, None)
            else:
                values.setdefault(name, {})[text] = value
    return {**imported.recipe, "values": values}


def rules_from(data: QueryDict, imported: Import) -> dict[str, Any]:
    """Return the recipe with the rules for all rows that were chosen; ``default-FIELD`` is the value of a field without a column."""
    rules = {name: data[name] for name in ("existing", "look_alikes", "missing", "dates") if name in data}
    defaults = {
        key.removeprefix("default-"): value for key, value in data.items() if key.startswith("default-") and value
    }
    return {**imported.recipe, **rules, "defaults": defaults, "are_codes_right": "are_codes_right" in data}


CHOSEN = {"sheet": sheet_from, "columns": columns_from, "values": values_from, "rules": rules_from}
