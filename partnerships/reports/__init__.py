"""Figures and timelines computed from the records. Reports only read."""
