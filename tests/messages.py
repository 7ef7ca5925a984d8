"""What the program can print, read from its source; "..." stands for what varies."""

import ast
import re
from collections import defaultdict
from itertools import product
from pathlib import Path
from typing import Any

# What raises or prints its last argument, besides the kinds of UserError.
_CALLS = r"ValueError|ArgumentTypeError|__init__|parser.error|_fail|_say|\b_?warn|UserError"
_SCOPES = ast.FunctionDef | ast.AsyncFunctionDef | ast.Try


def read_messages(package: Path) -> tuple[set[str], set[str]]:
    """Return the errors and warnings of two words or more, and all texts.

    An error is given to one of the calls, or comes from a function with `explain` in its name.
    """
    sources = [path.read_text(encoding="utf-8") for path in package.rglob("*.py")]
    kinds = re.findall(r"class (\w+)\(UserError\)", "".join(sources))
    calls = f"({'|'.join([_CALLS, *kinds])})$"
    messages: set[str] = set()
    texts: set[str] = set()
    for tree in map(ast.parse, sources):
        for scope in (node for node in ast.walk(tree) if isinstance(node, _SCOPES)):
            values = _find_values([*tree.body, *ast.walk(scope)])
            explains = "explain" in getattr(scope, "name", "")
            for node in ast.walk(scope):
                texts |= _spell(node, values)
                if explains and isinstance(node, ast.Return | ast.Yield):
                    messages |= _spell(node.value, values)
                if isinstance(node, ast.Call) and re.search(calls, ast.unparse(node.func)):
                    messages = messages.union(*(_spell(last, values) for last in node.args[-1:]))
    return {text for text in messages if len(re.findall(r"[^\W\d]{2,}", text)) > 1}, texts


def _find_values(nodes: list[ast.AST]) -> dict[str, list[Any]]:
    """Return what each name may stand for: what is assigned to it, or looped over."""
    values = defaultdict(list)
    for node in nodes:
        value = getattr(node, "iter", getattr(node, "value", None))
        for target in getattr(node, "targets", [getattr(node, "target", None)]):
            for name in ast.walk(target) if target and value else ():
                values[getattr(name, "id", "")].append(value)
    return values


def _spell(node: ast.AST | None, values: dict[str, list[Any]]) -> set[str]:
    """Return the texts that an expression may stand for."""
    several: list[ast.expr] = []
    match node:
        case ast.Constant(value=str(text)):
            return {re.sub(r"\{\w*\}", "...", text)}
        case ast.JoinedStr(values=parts):
            spelled = ("".join(p) for p in product(*(_spell(part, values) for part in parts)))
            # Without the path and the colon before a message.
            return {re.sub(r"^(\.\.\.,? ?)+: ", "", text) for text in spelled}
        case ast.BinOp(op=ast.Add(), left=left, right=right):
            return _spell(ast.JoinedStr([left, right]), values)
        case ast.IfExp(body=left, orelse=right):
            several = [left, right]
        case ast.Dict(values=several) | ast.BoolOp(values=several):
            pass
        case ast.FormattedValue(value=inner) | ast.Call(func=ast.Attribute(inner, attr="items")):
            several = [inner]
        case ast.Attribute(attr="kind") | ast.Call(func=ast.Name("name_file")):
            return {"map", "box file"}
        case ast.Name(id=name):
            several, values = values.get(name, []), {**values, name: []}
    return set().union(*(_spell(part, values) for part in several)) or {"..."}
