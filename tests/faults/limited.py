"""The product's settings with a limit that a slow mail server reaches in a test."""

from config.settings import *  # noqa: F403 - the settings of the product, all but one

CELERY_TASK_TIME_LIMIT = 15
