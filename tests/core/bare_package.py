"""Lets a process import one module of the package without PyTorch, which takes seconds."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).parents[2]
# the package as a folder of modules, without its own first lines, which import the model
BARE = f"""
import sys, types
package = types.ModuleType("vit_core")
package.__path__ = [{str(PROJECT / "vit_core")!r}]
sys.modules["vit_core"] = package
"""


def start_bare(
    code: str, *arguments: str, env: dict[str, str] | None = None, **options: Any
) -> subprocess.Popen:
    """Start a process that runs ``code``.

    Args:
        arguments: its ``sys.argv`` from 1 on.
        env: variables besides this process's own ones.
        options: of ``subprocess.Popen``.
    """
    # the code says whether it needs PyTorch: then it is not such a module any more
    last = "\nassert 'torch' not in sys.modules"
    command = [sys.executable, "-c", BARE + code + last, *arguments]
    return subprocess.Popen(command, env=os.environ | (env or {}), **options)


def run_bare(code: str, env: dict[str, str] | None = None) -> bytes:
    """Run ``code`` in a process of its own, which must succeed, and return what it prints."""
    process = start_bare(code, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    out, error = process.communicate()
    assert process.returncode == 0, error
    return out
