"""The admin. Its pages are registered by ``registry``, which the app loads once the site stands.

Not from here: Django imports this package to make the site, and pages registered meanwhile would be on another one.
"""
