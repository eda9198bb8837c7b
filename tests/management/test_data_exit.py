"""The data exit: a site with a row of everything comes back the same on the other database; what was tampered with does not."""

import csv
import hashlib
import io
import json
import os
import shutil
import stat
import zipfile
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from partnerships.factories import AgreementFactory, DocumentVersionFactory, UserFactory
from partnerships.management.data_exit.archive import opened_archive
from partnerships.management.data_exit.tables import LEFT_OUT, exit_models
from partnerships.models import Agreement, DocumentVersion, SecurityEvent, Unit, User
from tests.management.test_backup import new_site, run_python
from tests.services.emptying import empty_tables
from tests.services.migrated import sqlite_template
from tests.services.smtp_sink import SmtpSink

# One of each, with its history; a deleted row, whose id must not be given again; a file; a mail with bytes.
WORLD = """
import contextlib
from django.contrib.auth.models import Group, Permission
from django.db import IntegrityError, transaction
import partnerships.factories as factories
from partnerships.factories import *
from partnerships.models import Delivery, SecurityEvent, User
for name in factories.__all__:
    if name.endswith("Factory"):
        with contextlib.suppress(IntegrityError), transaction.atomic():  # a name of which there is one already
            getattr(factories, name)()
DocumentVersionFactory(content=b"signed and sealed")
DeliveryFactory(sent=True, message=b"\\x00\\xff bytes")
User.objects.update(password="hash of a password")
Delivery.objects.exclude(status="sent").update(status="cancelled")
SecurityEvent.objects.record("logged_in", User.objects.first())
group = Group.objects.create(name="Readers")
group.permissions.set(Permission.objects.filter(codename="view_organization"))
User.objects.first().groups.add(group)
User.objects.first().user_permissions.set(group.permissions.all())
UnitFactory(name="Gone, 二").delete()
"""
# Independent of the code under test: all rows as Django's own serializer writes them.
STATE = """
import hashlib, json, pathlib
from django.apps import apps
from django.core import serializers
from django.core.files.storage import default_storage
from partnerships.models import DocumentVersion
state = {}
for model in apps.get_models(include_auto_created=True):
    if model._meta.managed and not model._meta.proxy:
        rows = serializers.serialize("python", model._base_manager.order_by("pk"), use_natural_foreign_keys=True)
        state[model._meta.db_table] = json.loads(json.dumps(rows, sort_keys=True, default=str))
for row in state["partnerships_user"]:
    row["fields"].pop("password")
state["files"] = {name: hashlib.sha256(default_storage.open(name).read()).hexdigest()
                  for name in DocumentVersion.objects.values_list("file", flat=True)}
pathlib.Path(PATH).write_text(json.dumps(state))
"""
NEXT_ID = "from partnerships.factories import UnitFactory; print('NEXT', UnitFactory(name='Next').pk)\n"


def export(path: Path) -> str:
    return f"from django.core.management import call_command; call_command('export_all', {str(path)!r})\n"


def bring(path: Path) -> str:
    return f"from django.core.management import call_command; call_command('import_all', {str(path)!r})\n"


def state(path: Path) -> str:
    return f"PATH = {str(path)!r}\n{STATE}"


def test_a_site_comes_back_the_same_on_the_other_database_and_back(tmp_path: Path, smtp_sink: SmtpSink) -> None:
    first, second = tmp_path / "exit.zip", tmp_path / "second.zip"
    sites = [("sqlite", "old"), ("postgresql", "new"), ("sqlite", "back")]
    with ExitStack() as stack:
        old, new, back = (stack.enter_context(new_site(kind, tmp_path / name, smtp_sink)) for kind, name in sites)
        for site in (old, back):
            shutil.copy(sqlite_template(tmp_path, dict(os.environ)), site.data_dir / "db.sqlite3")
        states = [tmp_path / f"{name}.json" for _kind, name in sites]
        run_python(old, WORLD + state(states[0]) + export(first))
        said = run_python(new, bring(first) + state(states[1]) + export(second) + NEXT_ID)
        said_back = run_python(back, bring(second) + state(states[2]) + NEXT_ID)

    before, *others = (json.loads(path.read_text()) for path in states)
    compared = before.keys() - LEFT_OUT.keys()
    for after in others:
        # The pause of all mail is new; of what is there nothing waited to be sent. The second export is in the log.
        active = [row["fields"]["cause"] for row in after["partnerships_mailhold"] if row["fields"]["is_active"]]
        assert active == ["restore"]
        same = compared - {"partnerships_mailhold", "partnerships_historypermit"}
        same -= {"partnerships_securityevent"} if after is others[-1] else set()
        assert [name for name in sorted(same) if before[name] != after[name]] == []
    last = max(row["fields"]["id"] for row in before["partnerships_historicalunit"])
    assert last > max(row["pk"] for row in before["partnerships_unit"])
    assert [f"NEXT {last + 1}" in text for text in (said, said_back)] == [True, True]
    assert {name for name in compared if not before[name]} == EMPTY
    assert hashlib.sha256(b"signed and sealed").hexdigest() in before["files"].values()
    assert stat.S_IMODE(first.stat().st_mode) == 0o600


# Tables of which no factory makes a row.
UNMADE = ("bulkact", "erasure", "historypermit", "passwordrequest", "sweep")
EMPTY = {"django_admin_log", *(f"partnerships_{name}" for name in UNMADE)}


def rewritten(path: Path, change: Callable[[str, bytes], bytes | None], **extra: bytes) -> Path:
    """A copy of the archive with other content of its files, and the manifest as it was unless that is changed, too."""
    target = path.with_name("changed.zip")
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as copy:
        for name in source.namelist():
            data = change(name, source.read(name))
            if data is not None:
                copy.writestr(name, data)
        for name, data in extra.items():
            copy.writestr(name, data)
    return target


def signed_again(path: Path, table: str, data: bytes) -> Path:
    """A copy with other rows of a table and a manifest that fits them."""

    def change(name: str, old: bytes) -> bytes:
        if name == f"tables/{table}.jsonl":
            return data
        if name != "manifest.json":
            return old
        manifest = json.loads(old)
        entry = {"sha256": hashlib.sha256(data).hexdigest(), "size": len(data)}
        manifest["entries"][f"tables/{table}.jsonl"] = entry
        manifest["rows"][table] = data.count(b"\n")
        return json.dumps(manifest).encode()

    return rewritten(path, change)


@pytest.fixture
def archive(tmp_path: Path, transactional_db: None) -> Path:
    """An archive of a small site, which is empty again."""
    AgreementFactory(signed=True)
    DocumentVersionFactory(content=b"paper")
    path = tmp_path / "exit.zip"
    call_command("export_all", path, stdout=io.StringIO())
    with pytest.raises(CommandError, match="There are records here already"):
        call_command("import_all", path)
    for version in DocumentVersion.objects.all():
        version.file.delete(save=False)
    empty_tables()
    return path


def stored() -> list[Path]:
    return [path for path in (Path(settings.MEDIA_ROOT) / "documents").rglob("*") if path.is_file()]


def nothing_is_left() -> bool:
    return not (Unit.objects.exists() or Agreement.history.exists() or stored())


def refusal(path: Path) -> str:
    with pytest.raises(CommandError) as error:
        call_command("import_all", path, stdout=io.StringIO())
    assert nothing_is_left()
    return str(error.value)


def test_what_was_changed_lacks_or_does_not_fit_is_refused_and_leaves_nothing(archive: Path) -> None:
    units = zipfile.ZipFile(archive).read("tables/partnerships_unit.jsonl")
    unit = json.loads(units.splitlines()[0])
    other_rows = {
        "cannot be read": json.dumps({**unit, "secret": 1}).encode() + b"\n",
        "cannot be read: ": units.replace(b'"id": ', b'"id": "x', 1),
        "does not take the rows": json.dumps({**unit, "name": None}).encode() + b"\n",
        "does not take the rows: ": b"",  # the rows that belong to the unit have none
    }
    said = {words: refusal(signed_again(archive, "partnerships_unit", data)) for words, data in other_rows.items()}
    assert {words for words, text in said.items() if words.strip(": ") not in text} == set()

    upload = next(name for name in zipfile.ZipFile(archive).namelist() if name.startswith("files/"))
    flipped = rewritten(archive, lambda name, data: b"pap3r" if name == upload else data)
    assert "its checksum differs" in refusal(flipped)
    lengthened = rewritten(archive, lambda name, data: data + b"\n" if name.endswith("_unit.jsonl") else data)
    assert "other files than its manifest" in refusal(lengthened)
    lacking = rewritten(archive, lambda name, data: None if name.endswith("_unit.jsonl") else data)
    assert "lacks tables/partnerships_unit.jsonl" in refusal(lacking)
    for name in ("../outside", "files/../../outside", "/outside", "tables/auth_permission.jsonl"):
        assert "does not belong there" in refusal(rewritten(archive, lambda _name, data: data, **{name: b"x"}))
    bomb = rewritten(archive, lambda _name, data: data, **{"files/zeros": b"\0" * 30_000_000})
    assert "unpacks to far more" in refusal(bomb)
    later = rewritten(archive, lambda name, data: data.replace(b"partnerships.0070", b"partnerships.9970", 1))
    assert "by another version" in refusal(later)
    half = archive.with_name("half.zip")
    half.write_bytes(archive.read_bytes()[:-2000])
    assert "no archive" in refusal(half)
    for info in zipfile.ZipFile(archive).infolist():
        if info.filename in {"README.md", "dictionary.csv", "manifest.json", "tables/partnerships_unit.jsonl", upload}:
            content = bytearray(archive.read_bytes())
            # Behind the header: 30 bytes, the name, and the sizes of a large file.
            content[info.header_offset + 30 + len(info.filename) + 20 + 5] ^= 1
            half.write_bytes(content)
            refusal(half)

    call_command("import_all", archive, stdout=io.StringIO())
    assert (Agreement.objects.exists(), [path.read_bytes() for path in stored()]) == (True, [b"paper"])


def test_a_file_that_is_here_already_is_neither_replaced_nor_removed(archive: Path) -> None:
    with zipfile.ZipFile(archive) as file:
        name = next(one for one in file.namelist() if one.startswith("files/")).removeprefix("files/")
    there = Path(settings.MEDIA_ROOT) / name
    there.parent.mkdir(parents=True, exist_ok=True)
    there.write_bytes(b"another paper")
    with pytest.raises(CommandError, match="There is a file here already"):
        call_command("import_all", archive, stdout=io.StringIO())
    assert there.read_bytes() == b"another paper"
    assert not Unit.objects.exists()


def test_the_archive_describes_each_column(archive: Path) -> None:
    with zipfile.ZipFile(archive) as file, opened_archive(archive) as opened:
        rows = list(csv.DictReader(io.StringIO(file.read("dictionary.csv").decode("utf-8-sig"))))
        readme = file.read("README.md").decode()
        line = json.loads(next(opened.lines("partnerships_agreement")))

    tables = {model._meta.db_table for model in exit_models()}
    assert {row["table"] for row in rows} == tables
    assert {row["column"] for row in rows if row["table"] == "partnerships_agreement"} == line.keys()
    by_name = {(row["table"], row["column"]): row for row in rows}
    amount, unit = by_name["partnerships_agreement", "amount"], by_name["partnerships_agreement", "unit_id"]
    assert (amount["type"], amount["unit"], amount["meaning in Chinese"]) == (
        "decimal number, written as text",
        "the currency in the column currency",
        "金额",
    )
    assert (unit["type"], unit["refers to"]) == ("whole number", "partnerships_unit.id")
    assert ("partnerships_user", "password") not in by_name
    assert all(f"tables/{table}.jsonl" in readme for table in tables)
    assert "everybody sets a new password" in readme


@pytest.mark.django_db(transaction=True)
def test_passwords_come_along_only_if_asked_for(tmp_path: Path) -> None:
    person = UserFactory()
    for options in ([], ["--with-passwords"]):
        path = tmp_path / f"exit{len(options)}.zip"
        call_command("export_all", path, *options, stdout=io.StringIO())
    with pytest.raises(CommandError, match="exists already"):
        call_command("export_all", path)

    users = [zipfile.ZipFile(one).read("tables/partnerships_user.jsonl") for one in sorted(tmp_path.glob("*.zip"))]
    assert [person.password.encode() in text for text in users] == [False, True]
    assert SecurityEvent.objects.filter(kind="export_made", about="manage.py export_all").count() == 2


@pytest.mark.django_db(transaction=True)
def test_accounts_without_a_password_in_the_archive_get_one_that_opens_nothing(archive: Path) -> None:
    call_command("import_all", archive, stdout=io.StringIO())

    assert {user.has_usable_password() for user in User.objects.all()} == {False}
