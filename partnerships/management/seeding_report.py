"""The report of the commands that seed rows."""

from collections.abc import Iterator

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from partnerships.seeding.rows import SeedingReport


def report_lines(seeded: SeedingReport, *, title: str) -> Iterator[str]:
    """Return the rows created by kind, their number after ``title``, and what differs from the fixtures."""
    for kind, count in (+seeded.created).items():
        yield f"  {count:4} {kind}"
    changes = ngettext("%(count)s change", "%(count)s changes", seeded.changes) % {"count": seeded.changes}
    yield f"{title}: {changes}."
    if seeded.differences:
        yield _("Different from the fixtures, and left as it is:")
    for difference in seeded.differences:
        yield f"  {difference}"
