"""The articles' facts on an empty database, as every test of the seeding starts from them."""

import datetime as dt

import pytest

from partnerships.management.seeding.articles import seed_articles
from partnerships.management.seeding.rows import Outcome

TODAY = dt.date(2026, 3, 2)


@pytest.fixture
def articles(db: None) -> Outcome:
    return seed_articles(today=TODAY)
