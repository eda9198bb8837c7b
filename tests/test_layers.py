"""Who may import whom: docs/architecture.md says why, this reads every import and holds it."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent
PACKAGE = "partnerships"
LEAVES = {
    "__version__",
    "statuses",
    "exceptions",
    "dates",
    "partial_dates",
    "durations",
    "inputs",
    "names",
    "countries",
    "texts",
    "wake_up",
    "acts",
    "late_inserts",
    "storage",
    "fonts",
}
STATE = LEAVES | {"models"}
RULES = STATE | {"permissions"}
VERBS = RULES | {"workflows", "reminders", "mailing", "operations", "reports"}

# Layer -> what it may import of ours beside itself.
ALLOWED: dict[str, set[str]] = {
    "statuses": {"texts"},
    "exceptions": {"texts"},
    "dates": set(),
    "partial_dates": {"dates"},
    "durations": {"dates", "partial_dates", "inputs"},
    "inputs": {"dates", "partial_dates"},
    "names": set(),
    "countries": {"names", "texts"},
    "texts": set(),
    "glossary": {"texts"},
    "wake_up": set(),
    "acts": set(),
    "late_inserts": set(),
    "client_address": set(),
    "storage": set(),
    "fonts": set(),
    "typed_fields": set(),
    "login_limits": {"client_address"},
    "checks": {"fonts"},
    "passwords": {"names"},
    "models": LEAVES,
    "permissions": STATE,
    "requests": STATE,
    "sessions": STATE,
    "workflows": RULES,
    "reminders": RULES,
    "mailing": RULES | {"reminders", "reports"},
    "operations": RULES | {"reminders", "mailing"},
    "reports": RULES,
    "lists": VERBS,
    "imports": VERBS,
    "tick": VERBS | {"lists", "imports"},
    "tasks": VERBS | {"lists", "imports", "tick"},
    "factories": VERBS,
    "seeding": VERBS,
    "demo": VERBS | {"factories", "seeding"},
    "management": VERBS | {"factories", "lists", "imports", "seeding", "demo", "tick"},
    "forms": VERBS | {"imports"},
    "templatetags": VERBS | {"lists", "glossary"},
    "middleware": VERBS | {"client_address", "sessions", "typed_fields"},
    "views": VERBS
    | {"requests", "sessions", "client_address", "tasks", "forms", "lists", "imports", "templatetags", "glossary"},
    "admin": VERBS | {"requests", "tasks", "forms", "lists", "imports", "templatetags"},
    "urls": {"views"},
    "apps": set(),
    "migrations": STATE,
}
# Within workflows: the later may call the earlier, never back.
WORKFLOWS = [
    "transitions",
    "edits",
    "records",
    "figures",
    "programmes",
    "reports",
    "documents",
    "milestones",
    "derivation",
    "organizations",
    "terms",
    "facilities",
    "honours",
    "events",
    "activities",
    "agreements",
    "departures",
    "payments",
    "demands",
    "deletions",
    "merges",
    "ceremonies",
    "undo",
    "handover",
    "bulk",
    "feeds",
    "column_sets",
    "users",
    "personal_data",
    "derived_sweep",
]


@dataclass(frozen=True)
class Import:
    """One import of ours: where it stands, and the dotted path below the package that it names."""

    path: Path
    line: int
    source: str
    target: str
    is_inside: bool

    def __str__(self) -> str:
        return f"{self.path.relative_to(REPOSITORY)}:{self.line}: {self.source} imports {self.target}"


def modules() -> list[Path]:
    return sorted(path for path in (REPOSITORY / PACKAGE).rglob("*.py"))


def dotted(path: Path) -> str:
    parts = path.relative_to(REPOSITORY / PACKAGE).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__")


def imports_of(path: Path) -> Iterator[Import]:
    tree = ast.parse(path.read_text())
    inside = {id(node) for scope in ast.walk(tree) if isinstance(scope, ast.FunctionDef) for node in ast.walk(scope)}
    for node in ast.walk(tree):
        for target in _targets(node):
            yield Import(path, node.lineno, dotted(path), target, id(node) in inside)


def _targets(node: ast.AST) -> list[str]:
    """What a statement names below our package; ``from partnerships import x`` names x."""
    if isinstance(node, ast.Import):
        named = [alias.name for alias in node.names]
    elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module == PACKAGE:
        named = [f"{PACKAGE}.{alias.name}" for alias in node.names]
    elif isinstance(node, ast.ImportFrom) and node.level == 0:
        named = [f"{node.module}.{alias.name}" for alias in node.names]
    else:
        named = []
    return [name.removeprefix(f"{PACKAGE}.") for name in named if name.startswith(f"{PACKAGE}.")]


def layer(name: str) -> str:
    return name.partition(".")[0]


IMPORTS = [found for path in modules() for found in imports_of(path)]


def test_there_are_imports_to_judge() -> None:
    assert {layer(found.target) for found in IMPORTS} >= {"models", "permissions", "workflows", "statuses"}


def test_every_module_has_a_layer() -> None:
    assert {layer(dotted(path)) for path in modules()} - {""} <= set(ALLOWED)


def test_no_layer_imports_what_stands_above_it() -> None:
    wrong = [
        str(found)
        for found in IMPORTS
        if layer(found.target) not in {layer(found.source), *ALLOWED.get(layer(found.source), set())}
    ]
    assert wrong == []


def test_workflows_never_call_back() -> None:
    order = {name: place for place, name in enumerate(WORKFLOWS)}
    found = [found for found in IMPORTS if layer(found.source) == layer(found.target) == "workflows"]
    wrong = [
        str(one)
        for one in found
        if order[one.target.split(".")[1]] >= order[one.source.partition(".")[2] or "agreements"]
    ]
    assert (len(found) > 0, wrong) == (True, [])


def test_models_import_each_other_in_one_order() -> None:
    """Without a circle, and at the head of the module: a model that others point to names them by a string."""
    models = [found for found in IMPORTS if found.source.startswith("models.") and layer(found.target) == "models"]
    graph: dict[str, set[str]] = {}
    for found in models:
        graph.setdefault(found.source, set()).add(".".join(found.target.split(".")[:2]))
    assert [str(found) for found in models if found.is_inside] == []
    assert len(list(TopologicalSorter(graph).static_order())) > 20  # raises CycleError where there is a circle


def test_every_workflow_has_its_place() -> None:
    names = {dotted(path).partition(".")[2] for path in modules() if layer(dotted(path)) == "workflows"} - {""}
    assert sorted(WORKFLOWS) == sorted(names)


def test_an_import_inside_a_function_says_why() -> None:
    silent = [
        str(found)
        for found in IMPORTS
        if found.is_inside and "#" not in found.path.read_text().splitlines()[found.line - 1]
    ]
    assert silent == []


def test_nothing_is_imported_by_a_relative_or_a_wildcard_import() -> None:
    wrong = [
        f"{path.relative_to(REPOSITORY)}:{node.lineno}"
        for path in modules()
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ImportFrom) and (node.level > 0 or any(alias.name == "*" for alias in node.names))
    ]
    assert wrong == []


def test_the_project_package_names_ours_by_string() -> None:
    named = [
        str(path.relative_to(REPOSITORY))
        for path in (REPOSITORY / "config").glob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if _targets(node)
    ]
    assert named == []


def test_models_call_no_verb_and_listen_to_no_signal() -> None:
    """Effects of the business are in the verbs; what listens to signals there is the history alone."""
    listeners = [
        str(path.relative_to(REPOSITORY))
        for path in modules()
        for line in path.read_text().splitlines()
        if "@receiver" in line or ("signals." in line and ".connect(" in line)
    ]
    assert sorted(set(listeners)) == ["partnerships/models/base.py"]


@pytest.mark.parametrize(
    "forbidden", ["date.today(", "datetime.now(", "datetime.utcnow(", "localdate()", "timezone.now()", "time.time("]
)
def test_the_clock_is_a_parameter_below_the_edges(forbidden: str) -> None:
    found = {path for path in modules() if layer(dotted(path)) in VERBS and forbidden in path.read_text()}
    assert found == set()
