"""`make bench`: what planning, sending and imports cost, as ratios measured side by side in one run. Not part of the tests."""
