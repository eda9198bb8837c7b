"""The description inside an archive: a README, and a table of all columns with type, unit, meaning and reference."""

import csv
import io
import re
from collections.abc import Mapping

from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.utils.translation import override

from partnerships.management.data_exit.tables import LEFT_OUT, ON_REQUEST, column_name, exit_columns, exit_models

HEADINGS = ("table", "column", "type", "may be empty", "unit", "refers to", "meaning", "meaning in Chinese", "values")
# The first that fits the class of a column.
TYPES: tuple[tuple[type[models.Field], str], ...] = (
    (models.BooleanField, "true or false"),
    (models.DateTimeField, "moment, ISO 8601 in UTC"),
    (models.DateField, "day, YYYY-MM-DD"),
    (models.TimeField, "time of day, HH:MM:SS"),
    (models.DecimalField, "decimal number, written as text"),
    (models.BinaryField, "bytes, written in Base64"),
    (models.JSONField, "JSON"),
    (models.FileField, "name of a file below files/; empty without one"),
    (models.UUIDField, "UUID, written as text"),
    (models.IntegerField, "whole number"),
    (models.TextField, "text"),
    (models.CharField, "text"),
)
# The unit of a number, by the end of the column's name.
UNITS: tuple[tuple[str, str], ...] = (
    (r"months?$", "months"),
    (r"days?$", "days"),
    (r"hours?$", "hours"),
    (r"minutes?$", "minutes"),
    (r"(amount|budget|value_in_kind)$", "the currency in the column currency"),
    (r"^size$", "bytes"),
    (r"quantity$", "pieces of what the row is about"),
)
README = """# Data exit

Everything a site of the partnership office held on {count} tables: records, their history, people, mails, settings and uploaded files.
中文说明：本压缩包为合作管理系统的全部数据（含历史记录和上传文件）。tables/ 下每个文件为一张表，每行一条 JSON 记录；dictionary.csv 说明各列的含义；
files/ 为上传文件；manifest.json 为行数与校验值。

- `tables/NAME.jsonl`: one table, UTF-8, one row a line, each a JSON object from column to value. `null` is a value that is not known or not given.
- `dictionary.csv`: each column of each table with its type, unit, what it refers to, its meaning in English and Chinese, and, where there are only some,
  its possible values.
- `files/`: uploaded files under the names that the tables give; the name that people see is in the row.
- `manifest.json`: version and time, rows of each table, size and SHA-256 of each file, and the last id of each table.

A reference such as `unit_id` holds the `id` of the row it refers to. Where a row can be about records of several kinds, `content_type_id` holds the
kind, as in `partnerships.agreement`, and `object_id` its id. A table `partnerships_historicalX` holds each earlier state of the rows of
`partnerships_x`: `id` is that of the row, `history_type` is `+` (entered), `~` (changed) or `-` (deleted), `history_date` when, `history_user_id` who.

`manage.py import_all` of the same version brings all of it into an empty site, on SQLite or PostgreSQL.

## Left out

{left_out}

## Tables

| file | rows | what a row is |
|---|---|---|
{tables}
"""


def readme(rows: Mapping[str, int], *, with_passwords: bool) -> str:
    """Return the README of an archive with these numbers of rows."""
    left_out = [f"- `{table}`: {why}" for table, why in LEFT_OUT.items()]
    if not with_passwords:
        left_out += [f"- `{table}.{column}`: everybody sets a new password." for table, column in ON_REQUEST]
    with override("en"):
        tables = [
            f"| `tables/{model._meta.db_table}.jsonl` | {rows[model._meta.db_table]} | {_meaning_of(model)} |"
            for model in exit_models()
        ]
    return README.format(count=len(tables), left_out="\n".join(left_out), tables="\n".join(tables))


def _meaning_of(model: type[models.Model]) -> str:
    """Return what a row is: the first line of the model's documentation, or else its name."""
    first = (model.__doc__ or "").strip().partition("\n")[0]
    is_written = first and not first.startswith(f"{model.__name__}(")  # else it was made up by Django
    return (first if is_written else str(model._meta.verbose_name)).replace("|", "/")


def columns_as_csv(*, with_passwords: bool) -> str:
    """Return the table of all columns, for people and for spreadsheets."""
    out = io.StringIO()
    out.write("\ufeff")
    table = csv.writer(out)
    table.writerow(HEADINGS)
    for model in exit_models():
        for field in exit_columns(model, with_passwords=with_passwords):
            table.writerow(_row_of(model, field))
    return out.getvalue()


def _row_of(model: type[models.Model], field: models.Field) -> list[str]:
    meanings = []
    for language in ("en", "zh-hans"):
        with override(language):
            meanings.append(" ".join(filter(None, (str(field.verbose_name), str(field.help_text)))))
    with override("en"):
        values = "; ".join(f"{value} = {label}" for value, label in field.flatchoices)
    return [
        model._meta.db_table,
        column_name(field),
        _type_of(field),
        "yes" if field.null or (field.empty_strings_allowed and field.blank) else "no",
        _unit_of(field),
        _reference_of(field),
        *meanings,
        values,
    ]


def _type_of(field: models.Field) -> str:
    if field.related_model in (ContentType, Permission):
        return "name, as in partnerships.agreement"
    if isinstance(field, models.ForeignKey):
        return _type_of(field.target_field)
    words = next(words for kind, words in TYPES if isinstance(field, kind))
    longest = f", at most {field.max_length} characters" if words == "text" and field.max_length else ""
    return words + longest


def _unit_of(field: models.Field) -> str:
    is_number = isinstance(field, models.IntegerField | models.DecimalField)
    return next((unit for end, unit in UNITS if re.search(end, column_name(field))), "") if is_number else ""


def _reference_of(field: models.Field) -> str:
    if not isinstance(field, models.ForeignKey) or field.related_model in (ContentType, Permission):
        return ""
    return f"{field.target_field.model._meta.db_table}.{column_name(field.target_field)}"
