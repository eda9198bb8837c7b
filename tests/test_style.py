"""Names and docstrings follow the rules that a machine can check; see CONTRIBUTING.md."""

import ast
import re
from collections import Counter
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent.parent / "partnerships"
# Each command is a class of this name: Django finds it by its module.
NAMED_BY_DJANGO = {"Command"}
# A docstring says what the thing is or does, so its first line begins with none of these words.
RIDDLE = re.compile(r"(Who|Whoever|What|Of|That|Likewise|Beside)\b")
MODULES = sorted(path for path in PACKAGE.rglob("*.py") if "migrations" not in path.parts)
TREES = {path.relative_to(PACKAGE): ast.parse(path.read_text()) for path in MODULES}


def test_no_two_classes_have_the_same_name() -> None:
    classes = Counter(node.name for tree in TREES.values() for node in tree.body if isinstance(node, ast.ClassDef))
    twice = {name for name, count in classes.items() if count > 1} - NAMED_BY_DJANGO
    assert twice == set()


def test_docstrings_say_what_the_thing_is_or_does() -> None:
    found = [
        f"{path}: {docstring.splitlines()[0]}"
        for path, tree in TREES.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
        and (docstring := ast.get_docstring(node)) is not None
        and RIDDLE.match(docstring)
    ]
    assert found == []
