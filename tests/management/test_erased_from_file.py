"""An erased person is not in the database file of an embedded site either."""

from collections.abc import Callable

from tests.services.stack import Stack

WORDS = ("Wang Xiaoming", "xm@partner.example", "139-0575-0001", "wxid_wang")
ERASE = """
from pathlib import Path
from django.utils import timezone
from partnerships.factories import *
from partnerships.workflows.personal_data import clear_mails, erase_person, texts_naming
contact = ContactFactory(name="Wang Xiaoming", email="xm@partner.example", phone="139-0575-0001", wechat="wxid_wang")
MilestoneFactory(description="Ask Wang Xiaoming")
for number in range(50):
    contact.note = f"Wang Xiaoming said {number} " * number
    contact.save()
texts = [one.key for one in texts_naming(contact)]
erase_person(contact, actor=None, today=timezone.localdate(), reason="Asked for it", texts=texts)
clear_mails(now=timezone.now())
"""


def test_the_file_of_an_embedded_site_does_not_hold_an_erased_person(live_stack: Callable[..., Stack]) -> None:
    stack = live_stack(embedded=True)

    stack.manage("shell", "--no-imports", "-c", ERASE)

    files = [path.read_bytes() for path in stack.data_dir.glob("db.sqlite3*")]
    assert files
    assert not any(word.encode() in content for word in WORDS for content in files)
