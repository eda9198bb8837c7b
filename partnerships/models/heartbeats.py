"""The heartbeats of the parts of the running system."""

from django.db import models


class ComponentHeartbeat(models.Model):
    """The last sign of life of a part of the system, such as ``reminders`` at each tick."""

    name = models.CharField(max_length=50, primary_key=True)
    at = models.DateTimeField()
    note = models.CharField(max_length=300, blank=True)

    def __str__(self) -> str:
        return f"{self.name} {self.at:%Y-%m-%d %H:%M:%S}"
