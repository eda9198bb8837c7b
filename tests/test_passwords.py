"""A password does not contain the name of its owner."""

import pytest
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError

from partnerships.models import User

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
