"""Each fragment stands alone in a container; see app/views/live.py for what happens otherwise."""

import ast
from collections.abc import Iterator

from tests.helpers.trashnet import ROOT


def fragments(tree: ast.AST) -> set[str]:
    """The names of the functions that Streamlit runs again by themselves."""
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    return {f.name for f in functions if any("st.fragment" in ast.unparse(each) for each in f.decorator_list)}


def calls(tree: ast.AST, names: set[str]) -> Iterator[tuple[str, bool]]:
    """Each call of one of these functions, and whether it is all that is in a container."""
    withs = [node for node in ast.walk(tree) if isinstance(node, ast.With)]
    containers = [node for node in withs if ast.unparse(node.items[0].context_expr).startswith("st.container(")]
    only = [node.body[0] for node in containers if len(node.body) == 1]
    alone = {node.value for node in only if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func) in names:
            yield ast.unparse(node), node in alone


def test_each_fragment_stands_alone_in_a_container():
    found = []
    for path in (ROOT / "app" / "views").glob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        found += [(path.name, *call) for call in calls(tree, fragments(tree))]
    assert len(found) >= 5
    assert [call for call in found if not call[2]] == []
