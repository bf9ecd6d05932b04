"""Backups of the database: made while the service runs, sealed as they are written, and restored without harm."""
