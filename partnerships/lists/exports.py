"""Export a list to a file: the rows its user may see at that time, with all columns as data.

The state of an export is its row in the database. A short export is written during the request, a long one by the worker
or, when its call is lost, by the next tick. The writer holds a lease, so that no export is written twice at a time.
"""

import codecs
import csv
import datetime as dt
import logging
import re
import secrets
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import count, islice
from typing import IO, Any

from django.core.files import File
from django.db import transaction
from django.db.models import Model
from django.http import QueryDict
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from partnerships.exceptions import NotAllowed
from partnerships.lists import LISTS
from partnerships.lists.base import WIDTHS, Column, RecordList
from partnerships.models import ColumnSet, Export, Report, Role, SecurityEvent, Unit, UnitMembership, User
from partnerships.models.lists import FIXED_TEXT, RUNNING_NUMBER, DayForm
from partnerships.partial_dates import PartialDate
from partnerships.permissions import may, require
from partnerships.reports.report_files import file_of
from partnerships.reports.reprint import figures_shown
from partnerships.statuses import ExportStatus

logger = logging.getLogger(__name__)

BATCH = 500
AT_ONCE = 2000  # rows that are written during the request
LEASE = dt.timedelta(minutes=5)
REPORT_STEPS = 3  # figures, document, file
ATTEMPTS_AT_MOST = 3
KEPT_FOR = dt.timedelta(days=1)
LONGEST_CELL = 32_767  # of a spreadsheet
PIXELS_OF_A_SIGN = 6
TITLE_SIGNS, NUMBER_SIGNS, TEXT_SIGNS = 60, 8, 24
MOST_FIXED = 3  # columns that stay in sight in a file of a column set
# Days in a text file, and the format of a cell that holds a day.
DAYS_AS_TEXT = {DayForm.CHINESE: "{0.year}年{0.month}月{0.day}日", DayForm.DOTS: "{0:%Y.%m.%d}"}
DAY_FORMATS = {DayForm.CHINESE: 'yyyy"年"m"月"d"日"', DayForm.DOTS: "yyyy.mm.dd"}
USUAL_DAY_FORMAT = "yyyy-mm-dd"
CONTROL_CHARACTERS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")  # a spreadsheet cannot hold them
# Spreadsheets treat text that begins with one of these as a formula.
FORMULA_STARTS = ("=", "+", "-", "@", "＝", "＋", "－", "＠", "\t", "\r", "\n")


def request_export(
    *, actor: User, key: str, query: str, file_format: str, now: dt.datetime, column_set: ColumnSet | None = None
) -> Export:
    """Record an export to write; ``query`` is the query string of the list's address. Raises ``NotAllowed``."""
    require(actor, "export")
    with transaction.atomic():  # an export without its line in the security log would be made all the same
        export = Export.objects.create(
            user=actor,
            list=key,
            query=query,
            layout=column_set.layout if column_set else None,
            format=file_format,
            language=(column_set.language if column_set else "") or actor.language,
            asked_at=now,
            rows_total=_list_of(actor, key, query, now).filterset.qs.count(),
        )
        SecurityEvent.objects.record(SecurityEvent.Kind.EXPORT_MADE, actor, **facts_of(export))
    return export


def request_report_file(report: Report, *, actor: User, file_format: str, now: dt.datetime) -> Export:
    """Record a file of a report to write. Raises ``NotAllowed``."""
    require(actor, "export")
    require(actor, "report.view", report)
    with transaction.atomic():
        export = Export.objects.create(
            user=actor,
            list="report_list",
            report=report,
            format=file_format,
            language=report.language,
            asked_at=now,
            rows_total=REPORT_STEPS,
        )
        SecurityEvent.objects.record(SecurityEvent.Kind.EXPORT_MADE, actor, **facts_of(export))
    return export


def facts_of(export: Export) -> dict[str, str]:
    """Return what the security log says about an export: which list, with which filters, in which format."""
    if export.report is not None:
        return {
            "about": str(export.report),
            "link": export.report.get_absolute_url(),
            "detail": f"{export.format} · {export.report.number}",
        }
    address = f"{reverse(export.list)}?{export.query}" if export.query else reverse(export.list)
    return {
        "about": str(LISTS[export.list].title),
        "link": reverse(export.list),
        "detail": " · ".join(filter(None, (export.format, (export.layout or {}).get("name", ""), address))),
    }


def may_download(export: Export, user: User) -> bool:
    """Return whether the user may still read the file they made: they have lost no right since they requested it."""
    if not may(user, "export"):
        return False
    if export.report is not None and not may(user, "report.view", export.report):
        return False
    lost = UnitMembership.history.filter(user=user, history_date__gte=export.asked_at).exclude(history_type="+")
    if lost.exists() or (not user.sees_all_units and _has_unit_moved(export.asked_at)):
        return False
    # The account as it was when the export was requested. Of several changes at that very moment the first one counts:
    # the others may have come after the request.
    history = User.history.filter(id=user.pk, history_date__lte=export.asked_at)
    before = history.order_by("-history_date", "history_id").first()
    names = ("is_staff", "is_superuser")
    return before is None or not any(getattr(before, name) and not getattr(user, name) for name in names)


def _has_unit_moved(since: dt.datetime) -> bool:
    """Return whether a unit has another place in the tree than at that time: roles reach the units below."""
    edited = Unit.history.filter(history_date__gte=since, history_type="~").order_by().values("id")
    before = Unit.history.filter(id__in=edited, history_date__lt=since).order_by("history_date", "history_id")
    parents = dict(before.values_list("id", "parent"))  # of several states of one unit, the last counts
    now = dict(Unit.objects.filter(pk__in=parents).values_list("pk", "parent"))
    return any(parents[pk] != parent for pk, parent in now.items())


def make_waiting(*, clock: Callable[[], dt.datetime], is_stopping: Callable[[], bool]) -> int:
    """Write the waiting exports one after the other, remove old files, and return how many were written."""
    made = 0
    for export in Export.objects.to_make(clock()):
        if is_stopping():
            break
        made += make(export, clock=clock)
    remove_old(now=clock())
    return made


def make(export: Export, *, clock: Callable[[], dt.datetime]) -> bool:
    """Write the file; return False when another process has it. An error is logged and the export marked as failed."""
    if not _claim(export, clock()):
        return False
    try:
        with tempfile.TemporaryFile() as scratch, translation.override(export.language):
            write = _write if export.report is None else _write_report
            for written in write(export, scratch, clock()):
                if not _advance(export, rows_done=written, lease_until=clock() + LEASE):
                    return False
            scratch.seek(0)
            # The name cannot be guessed: pages ask for the export, never for the file.
            export.file.save(f"{export.pk}-{secrets.token_hex(16)}.{export.format}", File(scratch), save=False)
        name = export.file.name
        if _advance(export, status=ExportStatus.DONE, file=name, finished_at=clock()):
            return True
        export.file.storage.delete(str(name))  # withdrawn meanwhile
        return False
    except Exception:
        logger.exception("Export %s failed", export.pk)
        _advance(export, status=ExportStatus.FAILED, finished_at=clock())
        return False


def remove_old(*, now: dt.datetime) -> None:
    for export in Export.objects.filter(status=ExportStatus.DONE, finished_at__lt=now - KEPT_FOR)[:100]:
        export.file.delete(save=False)
        Export.objects.filter(pk=export.pk).update(status=ExportStatus.REMOVED, file="")


def _claim(export: Export, now: dt.datetime) -> bool:
    # ``attempts`` as it was read: of two processes at once, only one finds the row and updates it.
    taken = Export.objects.to_make(now).filter(pk=export.pk, attempts=export.attempts)
    if export.attempts >= ATTEMPTS_AT_MOST:
        taken.order_by().update(status=ExportStatus.FAILED, finished_at=now)
        return False
    changes = {"status": ExportStatus.RUNNING, "attempts": export.attempts + 1, "lease_until": now + LEASE}
    if not taken.order_by().update(**changes, rows_done=0):
        return False
    export.attempts, export.status = export.attempts + 1, ExportStatus.RUNNING
    return True


def _advance(export: Export, **changes: object) -> bool:
    ours = Export.objects.filter(pk=export.pk, status=ExportStatus.RUNNING, attempts=export.attempts)
    for name, value in changes.items():
        setattr(export, name, value)
    return bool(ours.update(**changes))


def _list_of(user: User, key: str, query: str, now: dt.datetime) -> RecordList:
    return LISTS[key](QueryDict(query), user=user, today=timezone.localdate(now))


def _write_report(export: Export, out: IO[bytes], now: dt.datetime) -> Iterator[int]:
    """Write the file of a report, and yield after each step how many are done."""
    user, report = User.objects.get(pk=export.user_id), export.report
    if report is None or not may(user, "export") or not may(user, "report.view", report):
        raise NotAllowed(_("You can no longer export this report."))
    figures, changes = figures_shown(report, user, today=timezone.localdate(now))
    yield 1
    content = file_of(report, figures, changes, export.format)
    yield 2
    out.write(content)
    yield REPORT_STEPS


def _write(export: Export, out: IO[bytes], now: dt.datetime) -> Iterator[int]:
    """Write the rows in batches and yield how many are written; the file is complete at the end."""
    # Read anew: since the export was requested, the person may have lost rights.
    user = User.objects.get(pk=export.user_id)
    if not may(user, "export"):
        raise NotAllowed(_("You can no longer export lists."))
    listed = _list_of(user, export.list, export.query, now)
    columns = _columns_of(listed, export.layout, with_personal_data=_reads_personal_data(user))
    read = list({one.column.name: one.column for one in columns if one.column}.values())
    day_form = (export.layout or {}).get("day_form", DayForm.ISO)
    if export.format == Export.Format.XLSX:
        from partnerships.lists.spreadsheets import Xlsx  # openpyxl costs every process's start a third of a second

        fixed = next((number for number, one in enumerate(columns, 1) if one.column and one.column.is_row_title), 1)
        sheet: Xlsx | _Csv = Xlsx(
            out,
            title=str((export.layout or {}).get("name") or listed.title),
            widths=[one.signs for one in columns],
            # Of a ledger the title may be the last column; the window would have no room for what scrolls.
            fixed=fixed if export.layout is None or fixed <= MOST_FIXED else 1,
            day_format=DAY_FORMATS.get(day_form, USUAL_DAY_FORMAT),
        )
    else:
        sheet = _Csv(out, DAYS_AS_TEXT.get(day_form, ""))
    sheet.add([one.heading for one in columns])
    # All ids at once: rows that are added or moved meanwhile cannot shift the batches.
    ids = iter(list(listed.ids()))
    written, numbers = 0, count(1)
    while batch := list(islice(ids, BATCH)):
        for row in listed.rows(batch, read):
            number = next(numbers)
            sheet.add([_datum(one.value(row, number)) for one in columns])
        written += len(batch)
        yield written
    sheet.close()


@dataclass(frozen=True)
class FileColumn:
    """One column of a file: its heading, its width in signs, and the column of the list, if it is one.

    Another column has the running number of the row, or the same ``text`` in each row.
    """

    heading: str
    signs: int
    column: Column | None = None
    text: str = ""
    is_number: bool = False

    def value(self, row: Model, number: int) -> object:
        if self.column is not None:
            return self.column.value(row)
        return number if self.is_number else self.text


def _columns_of(listed: RecordList, layout: Mapping[str, Any] | None, *, with_personal_data: bool) -> list[FileColumn]:
    """Return the columns of the file: those of the column set, those that the address names, or else all."""
    if layout is None:
        asked = listed.shown_columns if listed.chosen_columns else listed.columns
        return [_file_column(one) for one in asked if with_personal_data or not one.is_personal]
    known = {one.name: one for one in listed.columns}
    return [_laid_out(one, known.get(one["column"]), with_personal_data) for one in layout["columns"]]


def _laid_out(asked: Mapping[str, str], column: Column | None, with_personal_data: bool) -> FileColumn:
    """Return a column of a set. What the user may not take out, or the list no longer has, stays empty in its place."""
    if asked["column"] == RUNNING_NUMBER:
        return FileColumn(asked["heading"] or pgettext("heading", "No."), NUMBER_SIGNS, is_number=True)
    if asked["column"] == FIXED_TEXT:
        return FileColumn(asked["heading"], TEXT_SIGNS, text=asked["text"])
    if column is None:
        return FileColumn(asked["heading"] or asked["column"], TEXT_SIGNS)
    if column.is_personal and not with_personal_data:
        return FileColumn(asked["heading"] or str(column.heading), TEXT_SIGNS)
    return _file_column(column, asked["heading"])


def _file_column(column: Column, heading: str = "") -> FileColumn:
    signs = TITLE_SIGNS if column.width == "title" else WIDTHS[column.width] // PIXELS_OF_A_SIGN
    return FileColumn(heading or str(column.heading), signs, column)


def _reads_personal_data(user: User) -> bool:
    return user.sees_all_units or user.scope.has(Role.COORDINATOR)


def _datum(value: Any) -> object:
    """Return days, numbers and booleans as they are, all else as text without characters that spreadsheets refuse."""
    if isinstance(value, PartialDate) and value.is_complete:
        return value.day
    if value is None or isinstance(value, (bool, int, float, dt.date)):
        return value
    if hasattr(value, "as_tuple"):
        return int(value) if value == value.to_integral_value() else float(value)
    return CONTROL_CHARACTERS.sub(" ", str(value))[:LONGEST_CELL]


class _Csv:
    def __init__(self, out: IO[bytes], day_as_text: str = "") -> None:
        """``day_as_text`` is the format of days; as in ISO 8601 without one."""
        self._day_as_text = day_as_text
        out.write(codecs.BOM_UTF8)  # without it spreadsheets guess another encoding
        self._text = codecs.getwriter("utf-8")(out)
        self._writer = csv.writer(self._text)

    def add(self, cells: list[object]) -> None:
        self._writer.writerow([_harmless(self._written(cell)) for cell in cells])

    def _written(self, cell: object) -> object:
        # type(): a datetime is an instance of date as well.
        return self._day_as_text.format(cell) if self._day_as_text and type(cell) is dt.date else cell

    def close(self) -> None:
        self._text.flush()


def _harmless(cell: object) -> object:
    """Return text that a spreadsheet would run as a formula behind an apostrophe, as spreadsheets do themselves."""
    if isinstance(cell, bool):
        return _("yes") if cell else _("no")
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(FORMULA_STARTS) else cell
