"""A password does not contain the name of its owner, and a command that sets one leaves the traces that the pages leave."""

from contextlib import nullcontext
from io import StringIO

import pytest
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command

from partnerships.factories import UserFactory
from partnerships.models import SecurityEvent, User

CHINESE = User(username="wxm2024", name="王小明", email="xiaoming.wang@example.edu.cn")
LATIN = User(username="lin", name="Lin Wéi-Chen", email="l.chen77@example.org")
RARE = User(username="z", name="欧阳锋", email="")
SURNAME = User(username="q", name="单 雄信", email="")


@pytest.mark.parametrize(
    ("person", "password"),
    [
        *((CHINESE, word) for word in ("我是王小明2026春天", "小明-harbor-2026", "WXM2024!harbor", "quay-Wang-2026x")),
        *((CHINESE, word) for word in ("xXiaoMing-harbor1", "wang xiao ming 77", "ＷａｎｇＸｉａｏｍｉｎｇ1!", "ming1xiao2quay!")),
        *((LATIN, word) for word in ("lin-harbor-2026", "Lin2026harbor!", "harbor-weichen-9", "Harbor.Chen.77!", "quay-wei-harbor")),
        *((RARE, word) for word in ("ouyangfeng2026", "harbor-Feng-77x", "fengouyang-quay")),
        *((SURNAME, word) for word in ("shanxiongxin77", "harbor-shan-2026", "danxiongxin-99")),
    ],
)  # fmt: skip
def test_with_a_part_of_the_name_it_is_refused(person: User, password: str) -> None:
    with pytest.raises(ValidationError) as refused:
        validate_password(password, person)

    assert "password_contains_name" in [error.code for error in refused.value.error_list]


@pytest.mark.parametrize(
    ("person", "password"),
    [
        (CHINESE, "harbor-quay-2026"),
        (CHINESE, "小心火烛2026春天好"),
        (LATIN, "blinding-harbor-lights"),
        (RARE, "harbor-quay-77x"),
        (None, "wang-xiao-ming"),
    ],
)
def test_without_it_is_taken(person: User | None, password: str) -> None:
    validate_password(password, person)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("typed", "answer"),
    [
        (["a long passphrase", "a long passphrase"], None),
        (["a long passphrase", "another passphrase"], "differ"),
        (["short", "short"], "too short"),
    ],
)
def test_the_command_changes_a_password_as_the_pages_do(
    typed, answer, monkeypatch, mailoutbox, django_capture_on_commit_callbacks
):
    person, answers = UserFactory(username="lin"), iter(typed)
    monkeypatch.setattr("getpass.getpass", lambda prompt: next(answers))

    with (
        django_capture_on_commit_callbacks(execute=True),
        nullcontext() if answer is None else pytest.raises(CommandError, match=answer),
    ):
        call_command("changepassword", "lin", stdout=StringIO())

    person.refresh_from_db()
    is_changed = answer is None
    assert person.check_password(typed[0]) == is_changed
    assert SecurityEvent.objects.filter(kind="password_changed", about=str(person)).exists() == is_changed
    assert [mail.to for mail in mailoutbox] == [[person.email]] * is_changed
