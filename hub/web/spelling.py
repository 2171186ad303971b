"""Templates in one language: words that are known when a template is compiled are part of its text.

A page says some two hundred of them. To look each up, escape it and hand it on by itself took half of the time that
the list's page took to be made.
"""

from typing import Any

from jinja2 import nodes
from jinja2.compiler import CodeGenerator
from jinja2.visitor import NodeTransformer

from hub.web.words import Words


def spelling(words: Words) -> type[CodeGenerator]:
    """What an environment whose ``t`` is always ``words`` makes its templates with."""
    spelled = _Spelled(words)

    class Spelling(CodeGenerator):
        def visit_Template(self, node: nodes.Template, frame: Any = None) -> None:  # noqa: N802  named by Jinja
            super().visit_Template(spelled.visit(node), frame)

    return Spelling


class _Spelled(NodeTransformer):
    """``t`` of a key that stands there becomes what it says; what is said of values stays a call."""

    def __init__(self, words: Words) -> None:
        self._words = words

    def visit_Call(self, node: nodes.Call) -> nodes.Node:  # noqa: N802  named by Jinja
        self.generic_visit(node)
        key = _only_key(node)
        if isinstance(key, nodes.Const):
            return self._said(key)
        if (
            isinstance(key, nodes.CondExpr)
            and isinstance(key.expr1, nodes.Const)
            and isinstance(key.expr2, nodes.Const)
        ):
            return nodes.CondExpr(key.test, self._said(key.expr1), self._said(key.expr2), lineno=node.lineno)
        return node

    def _said(self, key: nodes.Const) -> nodes.Const:
        return nodes.Const(self._words(key.value), lineno=key.lineno)


def _only_key(node: nodes.Call) -> nodes.Node | None:
    """What ``t`` is called with, where nothing fills its gaps."""
    is_words = isinstance(node.node, nodes.Name) and node.node.name == "t"
    is_alone = len(node.args) == 1 and not (node.kwargs or node.dyn_args or node.dyn_kwargs)
    return node.args[0] if is_words and is_alone else None
