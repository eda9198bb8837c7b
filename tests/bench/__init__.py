"""`make bench`: what planning and sending cost, as ratios measured side by side in one run. Not part of the tests."""
