"""The Chinese catalogs are complete, current and compiled; `make messages` brings them there."""

import gettext
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings
from django.test import Client
from django.utils import translation

from partnerships.factories import UserFactory
from partnerships.models import Activity, Agreement, Demand, Milestone, TypeMilestone
from partnerships.models.base import TitledModel
from tests.test_layers import REPOSITORY

CATALOGS = [Path(path) / "zh_Hans" / "LC_MESSAGES" / "django.po" for path in settings.LOCALE_PATHS]
OURS = CATALOGS[0]
OF_LIBRARIES = "libraries"
# What gettext writes between a context and its message.
CONTEXT = "\x04"
Catalog = dict[Any, str]


def read(compiled: Path) -> Catalog:
    """Keys are messages, "context EOT message", or (message, plural index); the header is left out."""
    with compiled.open("rb") as file:
        entries: Catalog = gettext.GNUTranslations(file)._catalog  # type: ignore[attr-defined]
    return {key: text for key, text in entries.items() if key}


def compiled(catalog: Path, into: Path) -> Catalog:
    """What the catalog says; empty and fuzzy entries say nothing."""
    target = into / "compiled.mo"
    subprocess.run(["msgfmt", "--output-file", target, catalog], check=True)
    return read(target)


def messages_of(catalog: Catalog) -> set[str]:
    return {key[0] if isinstance(key, tuple) else key for key in catalog}


def messages_in(folder: Path) -> set[str]:
    """All that is marked for translation in a folder's modules and templates."""
    (folder / "locale").mkdir()
    environment = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
    command = [sys.executable, "-m", "django", "makemessages", "--locale=zh_Hans", "--verbosity=0"]
    subprocess.run(command, cwd=folder, env=environment, check=True)
    collected = folder / "locale/zh_Hans/LC_MESSAGES/django.po"
    english = folder / "english.po"
    subprocess.run(["msgen", "--output-file", english, collected], check=True)
    return messages_of(compiled(english, folder))


@pytest.mark.parametrize("catalog", CATALOGS, ids=["ours", OF_LIBRARIES])
def test_placeholders_and_plurals_are_those_of_the_original(catalog: Path, tmp_path: Path) -> None:
    command = ["msgfmt", "--check", "--output-file", tmp_path / "checked.mo", catalog]

    check = subprocess.run(command, check=False, capture_output=True, text=True)

    assert (check.returncode, check.stderr) == (0, "")


@pytest.mark.parametrize("catalog", CATALOGS, ids=["ours", OF_LIBRARIES])
def test_what_is_compiled_is_what_the_catalog_says(catalog: Path, tmp_path: Path) -> None:
    assert read(catalog.with_suffix(".mo")) == compiled(catalog, tmp_path)


def test_every_string_of_the_code_has_its_chinese_and_no_other_is_left(tmp_path: Path) -> None:
    translated = messages_of(compiled(OURS, tmp_path))
    for name in ("config", "partnerships", "templates"):
        shutil.copytree(REPOSITORY / name, tmp_path / name, ignore=shutil.ignore_patterns("locale", "__pycache__"))

    used = messages_in(tmp_path)

    assert (used - translated, translated - used) == (set(), set())


def test_what_the_libraries_show_has_its_chinese(tmp_path: Path) -> None:
    for app in apps.get_app_configs():
        if not app.name.startswith(("django.", "partnerships")):
            # The theme's optional parts are apps of their own; those we install come by their own turn.
            shutil.copytree(app.path, tmp_path / app.label, ignore=shutil.ignore_patterns("locale", "contrib"))

    shown = messages_in(tmp_path)

    assert "Choose file to upload" in shown
    assert {key for key in shown if not has_chinese(key)} == set()


def has_chinese(key: str) -> bool:
    context, _, message = key.rpartition(CONTEXT)
    with translation.override("zh-hans"):
        text = translation.pgettext(context, message) if context else translation.gettext(message)
    return text != message


@pytest.mark.parametrize(
    ("language", "title", "expected"),
    [("zh-hans", "联系合作方", "联系合作方"), ("zh-hans", "", "Call them"), ("en", "联系合作方", "Call them")],
)
@pytest.mark.parametrize("model", [Agreement, Activity, Demand, Milestone, TypeMilestone])
def test_a_row_is_called_as_its_reader_would(
    model: type[TitledModel], language: str, title: str, expected: str
) -> None:
    with translation.override(language):
        assert str(model(title="Call them", title_zh=title)) == expected


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("language", "heading"), [("zh-hans", "<h1>我的工作</h1>"), ("en", "<h1>My work</h1>")], ids=["Chinese", "English"]
)
def test_pages_and_administration_speak_the_persons_language(client: Client, language: str, heading: str) -> None:
    client.force_login(UserFactory(language=language, is_superuser=True, is_staff=True))

    page, administration = client.get("/").text, client.get("/admin/").text

    assert heading in page
    assert ("待关注" in administration, "Needs attention" in administration) == (
        language == "zh-hans",
        language == "en",
    )
