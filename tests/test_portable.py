"""The sources use nothing that only some systems have, and leave no text's encoding to them."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[1]
SOURCES = [
    path
    for folder in ("vit_core", "explainer", "benchmarks")
    for path in PROJECT.glob(f"{folder}/**/*.py")
]
SHIPPED = [path for path in SOURCES if path.relative_to(PROJECT).parts[0] != "benchmarks"]
# what Windows lacks, and macOS or a browser's Python in part
MODULES = {"fcntl", "resource", "pwd", "grp", "termios", "tty", "pty", "syslog", "posix"}
NAMES = re.compile(
    r"os\.(nice|fork|forkpty|kill|killpg|getuid|geteuid|getgid|getpgid|setsid|getpriority|statvfs"
    r"|sysconf|uname|mkfifo|chown|WIF\w+|sched_\w+)"
    r"|signal\.(alarm|setitimer|pause|sigwait|pthread_\w+|SIG(?!INT\b|TERM\b|_DFL\b|_IGN\b)\w+)"
)
TEXT_MODE = re.compile(r"[rwaxt+]+")


def encodingless(tree: ast.AST) -> Iterator[int]:
    """Return the lines that open text in the system's encoding, which on Windows is another."""
    for call in ast.walk(tree):
        if not isinstance(call, ast.Call):
            continue
        named = {keyword.arg: keyword.value for keyword in call.keywords}
        if "encoding" in named:
            continue
        match call.func:
            case ast.Name("open"):
                mode = named.get("mode", call.args[1] if len(call.args) > 1 else ast.Constant("r"))
                is_text = not isinstance(mode, ast.Constant) or "b" not in mode.value
            case ast.Attribute(attr="read_text"):
                is_text = not call.args
            case ast.Attribute(attr="write_text"):
                is_text = len(call.args) < 2
            case ast.Attribute(attr="open" | "fdopen" | "NamedTemporaryFile"):
                modes = [one.value for one in call.args if isinstance(one, ast.Constant)]
                is_text = any(isinstance(mode, str) and TEXT_MODE.fullmatch(mode) for mode in modes)
            case _:
                is_text = (
                    isinstance(named.get("text"), ast.Constant) and named["text"].value is True
                )
        if is_text:
            yield call.lineno


def unportable(tree: ast.AST) -> Iterator[str]:
    """Return what only some systems have, but for imports that a ``try`` goes on without."""
    tried = {
        id(inner)
        for outer in ast.walk(tree)
        if isinstance(outer, ast.Try)
        and any("ImportError" in ast.unparse(one.type or ast.Constant(0)) for one in outer.handlers)
        for statement in outer.body
        for inner in ast.walk(statement)
    }
    for node in ast.walk(tree):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module or ""]
        if id(node) not in tried:
            yield from MODULES.intersection(names)
        if isinstance(node, ast.Attribute) and NAMES.fullmatch(ast.unparse(node)):
            yield ast.unparse(node)


def test_the_sources_are_found() -> None:
    assert len(SHIPPED) > 150 and len(SOURCES) > len(SHIPPED)


def test_no_text_is_opened_in_the_encoding_of_the_system() -> None:
    assert not [
        f"{path.relative_to(PROJECT)}:{line}"
        for path in SOURCES
        for line in encodingless(ast.parse(path.read_bytes()))
    ]


def test_nothing_is_used_that_only_some_systems_have() -> None:
    assert not [
        f"{path.relative_to(PROJECT)}: {name}"
        for path in SHIPPED
        for name in unportable(ast.parse(path.read_bytes()))
    ]


@pytest.mark.parametrize(
    "code",
    [
        "open(path)",
        "open(path, 'w')",
        "path.open('a')",
        "path.read_text()",
        "path.write_text(text)",
        "os.fdopen(handle, 'w')",
        "subprocess.run(command, text=True)",
    ],
)
def test_what_leaves_the_encoding_to_the_system_is_found(code: str) -> None:
    assert list(encodingless(ast.parse(code))) == [1]


@pytest.mark.parametrize(
    "code",
    [
        "open(path, 'rb')",
        "path.open('wb')",
        "Image.open(path)",
        "path.read_text('utf-8')",
        "path.write_text(text, encoding='utf-8')",
        "subprocess.run(command, encoding='utf-8')",
        "path.read_bytes()",
    ],
)
def test_what_does_not_is_let_be(code: str) -> None:
    assert not list(encodingless(ast.parse(code)))


@pytest.mark.parametrize(
    "code",
    ["import fcntl", "from pwd import getpwuid", "os.kill(pid, 9)", "signal.SIGUSR1", "os.nice(1)"],
)
def test_what_only_some_systems_have_is_found(code: str) -> None:
    assert list(unportable(ast.parse(code)))


def test_what_a_system_may_lack_is_let_be() -> None:
    code = "try:\n    import resource\nexcept ImportError:\n    resource = None\nsignal.SIGINT"
    assert not list(unportable(ast.parse(code)))
