"""One file with everything a site is: its database, its uploads, and a manifest that says what has to be in them."""
