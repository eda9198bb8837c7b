"""The product's settings with a tick every second, logged, and a broker that gives up on a worker after two seconds."""

from config.settings import *  # noqa: F403 - the settings of the product, all but two
from config.settings import CELERY_BEAT_SCHEDULE, CELERY_BROKER_TRANSPORT_OPTIONS, LOGGING

CELERY_BEAT_SCHEDULE["reminders"] |= {"schedule": 1.0}
CELERY_BROKER_TRANSPORT_OPTIONS["visibility_timeout"] = 2
LOGGING["loggers"]["celery.app.trace"]["level"] = "INFO"  # type: ignore[index]
