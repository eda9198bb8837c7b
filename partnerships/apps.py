from importlib import import_module

from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig
from django.db.models.signals import post_migrate, pre_migrate
from django.utils.translation import gettext_lazy as _


class PartnershipsConfig(AppConfig):
    name = "partnerships"
    verbose_name = _("Partnerships")

    def ready(self) -> None:
        checks = import_module("partnerships.checks")
        import_module("partnerships.middleware")  # a login begins the session, also where no request came before
        triggers = import_module("partnerships.models.history_triggers")
        pre_migrate.connect(checks.refuse_earlier_database, sender=self)
        pre_migrate.connect(triggers.drop_triggers, sender=self)
        post_migrate.connect(triggers.set_triggers, sender=self)


class PartnershipsAdminConfig(AdminConfig):
    default_site = "partnerships.admin.site.PartnershipsAdminSite"

    def ready(self) -> None:
        super().ready()
        import_module("partnerships.admin.registry")
