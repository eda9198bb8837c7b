"""The articles' facts and reference data, brought in from ``fixtures/``."""
