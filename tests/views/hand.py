"""A hand that counts what it does on a page: taps or clicks, and texts typed."""

from dataclasses import dataclass

from playwright.sync_api import Locator


@dataclass
class Hand:
    taps: int = 0
    texts: int = 0

    def tap(self, target: Locator) -> None:
        self.taps += 1
        target.click()

    def type(self, target: Locator, text: str) -> None:
        """Tap into a field and type."""
        self.tap(target)
        self.texts += 1
        target.fill(text)
