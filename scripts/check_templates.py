"""Check the templates named on the command line: short lines, and no logic that belongs in a view."""

import re
import sys
from pathlib import Path

WIDTH = 160
MIXED = re.compile(r"{% (?:el)?if (?=[^%]*\band\b)(?=[^%]*\bor\b)")


def problems(path: Path) -> list[str]:
    found = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if len(line) > WIDTH:
            found.append(f"{path}:{number}: {len(line)} characters, at most {WIDTH}")
        if MIXED.search(line):
            found.append(f"{path}:{number}: “and” with “or” in one condition belongs in the view")
    return found


if __name__ == "__main__":
    all_found = [line for name in sys.argv[1:] for line in problems(Path(name))]
    print("\n".join(all_found))
    sys.exit(bool(all_found))
