"""The security log, and the flag of those who read it."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('partnerships', '0014_contacts_stop_mail'),
    ]

    operations = [
        migrations.AddField(
            model_name='historicaluser',
            name='is_auditor',
            field=models.BooleanField(db_default=False, default=False, help_text='Reads the security log and the history of all records, and changes nothing.', verbose_name='auditor'),
        ),
        migrations.AddField(
            model_name='user',
            name='is_auditor',
            field=models.BooleanField(db_default=False, default=False, help_text='Reads the security log and the history of all records, and changes nothing.', verbose_name='auditor'),
        ),
        migrations.CreateModel(
            name='SecurityEvent',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('at', models.DateTimeField(auto_now_add=True, db_index=True, verbose_name='time')),
                ('kind', models.CharField(choices=[('logged_in', 'Logged in'), ('login_failed', 'Log-in failed'), ('login_paused', 'Log-in paused'), ('logged_out', 'Logged out'), ('session_ended', 'Session ended'), ('refused', 'Refused'), ('document_downloaded', 'Document downloaded'), ('contacts_viewed', 'Contact details viewed'), ('export_made', 'List exported'), ('export_fetched', 'Export downloaded'), ('reset_requested', 'Password reset requested'), ('link_sent', 'Link to set a password sent'), ('password_reset', 'Password set by a link'), ('password_changed', 'Password changed'), ('account_added', 'Account added'), ('login_changed', 'Login name or e-mail address changed'), ('roles_changed', 'Roles changed'), ('rights_changed', 'Administration rights changed'), ('deactivated', 'Account deactivated'), ('activated', 'Account activated')], max_length=30, verbose_name='event')),
                ('name', models.CharField(blank=True, max_length=150, verbose_name='name')),
                ('address', models.CharField(blank=True, max_length=45, verbose_name='address')),
                ('about', models.CharField(blank=True, max_length=300, verbose_name='about')),
                ('link', models.CharField(blank=True, max_length=300)),
                ('detail', models.CharField(blank=True, max_length=1000, verbose_name='detail')),
                ('user', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='security_events', to=settings.AUTH_USER_MODEL, verbose_name='person')),
            ],
            options={
                'verbose_name': 'security event',
                'verbose_name_plural': 'security events',
                'ordering': ['-pk'],
                'indexes': [models.Index(fields=['user', 'at'], name='security_event_by_user')],
            },
        ),
    ]
