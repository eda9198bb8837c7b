"""Backups: one file with the database, the uploads, and a manifest that lists what has to be in them."""
