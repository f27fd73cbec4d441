"""
Small faults that could be made in a file of Python, one for each of its statements.

A fault is a piece of text put in another's place, so that the file's lines stay where they are.
There are none where no test could or should tell the difference: documentation, types, `assert`,
`__repr__`, logging, help texts, names of threads, and how long to wait.
"""

import ast
import hashlib
import itertools
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final


@dataclass(frozen=True, slots=True)
class Mutant:
    """
    One fault.

    Attributes:
        path: The file, from the root of the checkout.
        statement: First line of the statement that it is in, starting at 1.
        line: Where the fault is.
        scope: Names of the classes and functions round it, outermost first.
        in_function: It is run when a function is called, and not when the module is imported.
        names: What a statement of a module or class sets, by which others read it.
        what: The two texts, for people.
        start: Where the text stands that is replaced, in bytes from the beginning of the file.
        end: The first byte after it.
        text: What is put there.
    """

    path: str
    statement: int
    line: int
    scope: tuple[str, ...]
    in_function: bool
    names: frozenset[str]
    what: str
    start: int
    end: int
    text: str

    def applied(self, source: bytes) -> bytes:
        """The file with the fault in it."""
        return source[: self.start] + self.text.encode() + source[self.end :]


@dataclass(frozen=True, slots=True)
class _Change:
    node: ast.expr | ast.stmt
    new: str


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement, the names of what is round it, and whether a function is."""

    node: ast.stmt
    scope: tuple[str, ...]
    in_function: bool


_COMPARISONS: Final[dict[type[ast.cmpop], type[ast.cmpop]]] = {
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
_ARITHMETIC: Final[dict[type[ast.operator], type[ast.operator]]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.FloorDiv,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult,
}
_NO_MATTER: Final = re.compile(
    r"encoding|errors|help|epilog|description|title|daemon|thread_name_prefix|strict|exist_ok"
    r"|missing_ok|parents|stacklevel|maxsize|frozen|slots|kw_only|repr|name|check|metavar|backlog"
    r"|show_default|ensure_ascii|default_flow_style|.*(seconds|timeout|interval|_wait|grace).*",
    re.IGNORECASE,
)
"""Arguments and constants for people, for the machine, and for how long to wait."""

_ONLY_WAITS: Final = re.compile(r"[\w.]+\.wait(_\w+)?")
"""Calls that, where nobody looks at what they return, let time pass: without one, whoever looks
again finds the same, having looked more often."""

_NO_CALLS: Final = re.compile(
    r"_?log(ger)?\.\w+|(structlog\.|logging\.)?get_?logger|(typing\.)?(TypeVar|NewType|cast|overload)"
    r"|typer\.\w+|Field|ContextVar|super|(time\.)?sleep|field|dataclass|warnings\.\w+"
    r"|\w*(thread|stack|stop\w*|done|event)\.(join|wait)|\w+\.__init__",
    re.IGNORECASE,
)
"""Calls that nothing in them is changed of, and that are not left out."""


def statements(tree: ast.Module) -> Iterator[Statement]:
    """Every statement that could hold a fault; a compound one stands for its own first line."""
    yield from _statements(tree.body, (), in_function=False)


def _statements(
    body: list[ast.stmt], scope: tuple[str, ...], *, in_function: bool
) -> Iterator[Statement]:
    for node in body:
        if _exempt(node):
            continue
        yield Statement(node, scope, in_function)
        inside, within = scope, in_function
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            inside = (*scope, node.name)
            within = in_function or not isinstance(node, ast.ClassDef)
        for block in blocks(node):
            yield from _statements(block, inside, in_function=within)


def blocks(node: ast.stmt | ast.Module) -> Iterator[list[ast.stmt]]:
    """The lists of statements in one, as of `if` and `else`."""
    for name in ("body", "orelse", "finalbody"):
        if block := getattr(node, name, None):
            yield block
    for handler in [*getattr(node, "handlers", ()), *getattr(node, "cases", ())]:
        yield handler.body


def _exempt(node: ast.stmt) -> bool:
    """Neither it nor what is in it is changed."""
    match node:
        case ast.Import() | ast.ImportFrom() | ast.Assert() | ast.Pass() | ast.Global():
            return True
        case ast.Expr(value=ast.Constant()) | ast.AnnAssign(value=None):
            return True
        case ast.If(test=ast.Name(id="TYPE_CHECKING")):
            return True
        case ast.If(test=ast.Compare(left=ast.Name(id="__name__"))):
            return True
        case ast.FunctionDef(name="__repr__"):
            return True
        case ast.FunctionDef(decorator_list=decorators):
            return any(
                ast.unparse(each).endswith(("overload", "abstractmethod")) for each in decorators
            )
        case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
            return name in ("__all__", "__slots__", "__tracebackhide__") or bool(
                _NO_MATTER.fullmatch(name)
            )
        case ast.Expr(value=ast.Call(func=func)):
            name = ast.unparse(func)
            return bool(_NO_CALLS.fullmatch(name) or _ONLY_WAITS.fullmatch(name))
    return False


def mutants(source: bytes, path: str) -> Iterator[list[Mutant]]:
    """For each statement of a file that can hold faults, all that it can hold."""
    for statement in statements(ast.parse(source)):
        if found := _faults(source, path, statement):
            yield found


def _faults(source: bytes, path: str, statement: Statement) -> list[Mutant]:
    starts = _line_starts(source)
    return [_mutant(source, starts, path, statement, change) for change in _changes(statement.node)]


def _line_starts(source: bytes) -> list[int]:
    starts = [0]
    for line in source.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    return starts


def _mutant(
    source: bytes, starts: list[int], path: str, statement: Statement, change: _Change
) -> Mutant:
    node = change.node
    start = starts[node.lineno - 1] + node.col_offset
    end = starts[(node.end_lineno or node.lineno) - 1] + (node.end_col_offset or 0)
    old = source[start:end].decode()
    lines = "\n" * (old.count("\n") - change.new.count("\n"))
    text = change.new + lines if isinstance(node, ast.stmt) else f"({change.new}{lines})"
    first, scope = statement.node, statement.scope
    if isinstance(first, ast.FunctionDef | ast.ClassDef):  # a default: who calls it, meets it
        scope = (*scope, first.name)
    names = frozenset(set_by(first)) | set(scope[:1])
    shown = f"{_short(old)}  →  {_short(change.new)}"
    return Mutant(
        path,
        first.lineno,
        node.lineno,
        scope,
        statement.in_function,
        names,
        shown,
        start,
        end,
        text,
    )


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= 70 else f"{text[:45]} … {text[-20:]}"


def set_by(node: ast.stmt) -> Iterator[str]:
    """The names that a statement gives a value."""
    for target in getattr(node, "targets", [getattr(node, "target", None)]):
        if isinstance(target, ast.Name):
            yield target.id


def _changes(node: ast.stmt) -> Iterator[_Change]:
    if _can_be_left_out(node):
        yield _Change(node, "pass")
    if isinstance(node, ast.Return) and not _is_none_or_false(node.value):
        yield _Change(node, "return None")
    yield from _conditions(node)
    for expression in _own_expressions(node):
        yield from _inside(expression)


def _is_none_or_false(node: ast.expr | None) -> bool:
    """Who asks for truth takes None for False; that it becomes True is a fault of its own."""
    return node is None or (isinstance(node, ast.Constant) and node.value in (None, False))


def _can_be_left_out(node: ast.stmt) -> bool:
    match node:
        case ast.Expr(value=ast.Call()) | ast.Raise() | ast.AugAssign() | ast.Delete():
            return True
        case ast.Continue() | ast.Break() | ast.Return(value=None):
            return True
        case ast.Assign(targets=[ast.Attribute() | ast.Subscript()]):
            return True
    return False


def _own_expressions(node: ast.stmt) -> Iterator[ast.expr]:
    """The expressions of a statement itself, not of statements in it, nor types."""
    match node:
        case ast.FunctionDef() | ast.AsyncFunctionDef():
            yield from node.args.defaults
            yield from (each for each in node.args.kw_defaults if each is not None)
        case ast.ClassDef():
            return
        case ast.If(test=test) | ast.While(test=test):
            yield test
        case ast.For():
            yield node.iter
        case ast.With():
            yield from (item.context_expr for item in node.items)
        case ast.Try() | ast.Match():
            return
        case ast.Raise(exc=error):
            yield from [error] if error else []
        case ast.Assign() | ast.AnnAssign() | ast.AugAssign() | ast.Return() | ast.Expr():
            yield from [node.value] if node.value else []


def _inside(node: ast.expr) -> Iterator[_Change]:
    """The changes of an expression and of what is in it."""
    yield from _changes_of(node)
    for child in _children(node):
        yield from _inside(child)


def _children(node: ast.AST) -> Iterator[ast.expr]:
    match node:
        case ast.JoinedStr():  # Python 3.11 does not know where its parts stand
            return
        case ast.Call(func=func) if _NO_CALLS.fullmatch(ast.unparse(func)):
            return
        case ast.keyword(arg=str(name)) if _NO_MATTER.fullmatch(name):
            return
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.expr):
            yield child
        elif isinstance(child, ast.keyword | ast.comprehension | ast.Slice | ast.arguments):
            yield from _children(child)


def _changes_of(node: ast.expr) -> Iterator[_Change]:
    match node:
        case ast.Compare(ops=[op]):
            swapped = _COMPARISONS[type(op)]()
            yield _Change(node, ast.unparse(ast.Compare(node.left, [swapped], node.comparators)))
        case ast.BoolOp(op=op, values=values):
            other = ast.And() if isinstance(op, ast.Or) else ast.Or()
            yield _Change(node, ast.unparse(ast.BoolOp(other, values)))
            yield from (_Change(node, ast.unparse(one)) for one in (values[0], values[-1]))
        case ast.UnaryOp(op=ast.Not()):
            yield _Change(node, ast.unparse(node.operand))
        case ast.IfExp():
            yield from (_Change(node, ast.unparse(one)) for one in (node.body, node.orelse))
        case ast.Constant():
            yield from (_Change(node, repr(value)) for value in _other_values(node.value))
        case ast.BinOp():
            yield from _other_arithmetic(node)
        case ast.Call(func=func) if not _NO_CALLS.fullmatch(ast.unparse(func)):
            yield from _fewer_arguments(node)
        case ast.ListComp() | ast.SetComp() | ast.GeneratorExp() | ast.DictComp():
            for test in node.generators[0].ifs:
                yield from (_Change(test, word) for word in ("True", "False"))


def _conditions(node: ast.stmt) -> Iterator[_Change]:
    """A condition that always holds, and one that never does."""
    if isinstance(node, ast.If):
        yield from (_Change(node.test, word) for word in ("True", "False"))
    elif isinstance(node, ast.While) and not isinstance(node.test, ast.Constant):
        yield _Change(node.test, "False")


def _other_values(value: object) -> list[object]:
    match value:
        case bool():
            return [not value]
        case int() | float():
            return [value + 1, value - 1] if abs(value) <= 20 else [value * 2, value // 2]
        case str():
            return [""] if value else ["x"]
        case bytes():
            return [b""] if value else [b"x"]
    return []


def _other_arithmetic(node: ast.BinOp) -> Iterator[_Change]:
    if any(_is_text(side) for side in (node.left, node.right)):
        if isinstance(node.op, ast.Add):
            yield from (_Change(node, ast.unparse(one)) for one in (node.left, node.right))
    elif other := _ARITHMETIC.get(type(node.op)):
        yield _Change(node, ast.unparse(ast.BinOp(node.left, other(), node.right)))


def _is_text(node: ast.expr) -> bool:
    """`-` in place of `+` would be an error at once, and say nothing about the tests."""
    if isinstance(node, ast.Constant):
        return isinstance(node.value, str | bytes)
    return isinstance(node, ast.JoinedStr | ast.List | ast.Tuple | ast.ListComp)


def _fewer_arguments(node: ast.Call) -> Iterator[_Change]:
    for keyword in node.keywords:
        if keyword.arg and not _NO_MATTER.fullmatch(keyword.arg):
            rest = [each for each in node.keywords if each is not keyword]
            yield _Change(node, ast.unparse(ast.Call(node.func, node.args, rest)))


def pick(root: Path, tree: str, *, seed: int, count: int) -> list[Mutant]:
    """
    So many faults of one tree, not two in one statement.

    Which ones depends on the seed and on each statement's own text, so that they stay the same
    while other parts of the tree change.

    Args:
        root: The checkout.
        tree: A folder in it, `schemas`.
        seed: Another seed, other faults.
        count: How many, at most.
    """
    candidates: list[tuple[str, bytes, str, Statement]] = []
    for file in sorted((root / tree).rglob("*.py")):
        source, path = file.read_bytes(), file.relative_to(root).as_posix()
        lines = source.decode().splitlines()
        seen: Counter[str] = Counter()
        for each in statements(ast.parse(source)):
            text = f"{path} {each.scope} {lines[each.node.lineno - 1].strip()}"
            seen[text] += 1
            candidates.append((_hash(f"{seed} {text} {seen[text]}"), source, path, each))
    chosen = (_one_of(*each) for each in sorted(candidates, key=lambda each: each[0]))
    return list(itertools.islice((each for each in chosen if each), count))


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _one_of(key: str, source: bytes, path: str, statement: Statement) -> Mutant | None:
    """An emptied text is only taken when there is nothing else, or one time in four."""
    ordered = sorted(_faults(source, path, statement), key=lambda each: _hash(f"{key} {each.what}"))
    if key[-1] > "3":
        ordered.sort(key=lambda each: each.text in ("('')", "(b'')"))
    return next((each for each in ordered if _differs(source, each)), None)


def _differs(source: bytes, mutant: Mutant) -> bool:
    """It can be read, and is not the same program."""
    try:
        changed = ast.parse(mutant.applied(source))
    except SyntaxError:
        return False
    return ast.dump(changed) != ast.dump(ast.parse(source))
