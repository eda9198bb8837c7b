"""Write the code of the currency where somebody typed its name."""

from django.db import migrations

WORDS = {"CNY": ("RMB", "rmb", "人民币", "元", "￥", "¥", "cny"), "USD": ("US$", "$", "美元", "usd"), "EUR": ("€", "欧元", "eur")}
MODELS = ("Agreement", "HistoricalAgreement", "ResearchProject", "HistoricalResearchProject")


def write_codes(apps, schema_editor):
    for model in MODELS:
        rows = apps.get_model("partnerships", model)._base_manager
        for code, words in WORDS.items():
            rows.filter(currency__in=words).update(currency=code)


class Migration(migrations.Migration):
    dependencies = [("partnerships", "0008_password_requests")]

    operations = [migrations.RunPython(write_codes, migrations.RunPython.noop)]
