"""A sample office at work around today, marked as sample and removable by one command."""
