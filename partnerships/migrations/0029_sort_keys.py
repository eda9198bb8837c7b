"""Add the columns by which rows are sorted by name, and sort by them; the next migration fills them."""

from functools import partial

from django.db import migrations
from django.db.migrations.operations.base import Operation

from partnerships.models.sort_keys import ByName, SortKeyField

KEY = partial(SortKeyField, max_length=400, blank=True, default="", db_default="", editable=False)

IN_TWO_LANGUAGES = (
    "achievement",
    "agreementtype",
    "approvalstep",
    "cooperationarea",
    "event",
    "facility",
    "honourscheme",
    "organization",
    "programme",
    "region",
    "reportedfigure",
    "unit",
    "workcalendar",
)
BY_NAME = ("organizationname", "savedview")
BY_TITLE = ("activity", "agreement", "demand", "document", "source")


COLUMNS = [
    *((model, "sort_key", KEY("name")) for model in (*IN_TWO_LANGUAGES, *BY_NAME)),
    *((model, "sort_key", KEY("title")) for model in (*BY_TITLE, "milestone")),
    ("user", "sort_key", KEY("name", "username", is_person=True)),
    ("contact", "sort_key", KEY("name", is_person=True)),
    *((model, "sort_key_zh", KEY("name_zh", "name")) for model in IN_TWO_LANGUAGES),
    ("milestone", "sort_key_zh", KEY("title_zh", "title")),
]
SORTED_BY_NAME = (
    "achievement",
    "agreementtype",
    "contact",
    "cooperationarea",
    "facility",
    "honourscheme",
    "organization",
    "organizationname",
    "programme",
    "region",
    "savedview",
    "source",
    "unit",
    "user",
    "workcalendar",
)
SORTED_BY_ANOTHER_NAME = {
    "agreementunit": [ByName("unit"), "pk"],
    "associationmembership": ["association", ByName("member"), "pk"],
    "organizationunit": [ByName("unit"), "pk"],
}


class AddSortKeys(Operation):
    """Add the columns to all tables in one step: Django would compute the state of all models again after each.

    SQLite adds such a column in place, too, where Django would copy the table.
    """

    reversible = True

    def state_forwards(self, app_label, state):
        state.__dict__.pop("apps", None)  # computed again when it is needed
        for model, name, field in COLUMNS:
            state.add_field(app_label, model, name, field, preserve_default=True)
        for model in SORTED_BY_NAME:
            state.alter_model_options(app_label, model, {"ordering": [ByName(), "pk"]})
        for model, ordering in SORTED_BY_ANOTHER_NAME.items():
            state.alter_model_options(app_label, model, {"ordering": ordering})

    def database_forwards(self, app_label, schema_editor, from_state, to_state):
        collation = 'COLLATE "C"' if schema_editor.connection.vendor == "postgresql" else ""
        for model, name, _field in COLUMNS:
            schema_editor.execute(
                f"ALTER TABLE {app_label}_{model} ADD COLUMN {name} varchar(400) {collation} DEFAULT '' NOT NULL"
            )

    def database_backwards(self, app_label, schema_editor, from_state, to_state):
        for model, name, _field in COLUMNS:
            schema_editor.execute(f"ALTER TABLE {app_label}_{model} DROP COLUMN {name}")

    def describe(self):
        return "Add the sort keys of names"


class Migration(migrations.Migration):
    dependencies = [("partnerships", "0028_new_holders")]

    operations = [AddSortKeys()]
