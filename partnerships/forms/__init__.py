"""Forms that admin and pages share."""
