"""The data exit: everything a site holds, in an open format with a description, and its way into an empty site."""
