"""Write uv.lock anew: every package as requirements.txt pins it, and what those need.

``python deploy/lock.py`` after a change of pyproject.toml or requirements.txt; it asks PyPI.
"""

import subprocess
from pathlib import Path

PROJECT = Path(__file__).parents[1]


def main() -> None:
    lines = (PROJECT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    pins = [line for line in lines if "==" in line]
    options = [option for pin in pins for option in ("--upgrade-package", pin)]
    index = "https://pypi.org/simple"  # not what this machine may be set to
    subprocess.run(
        ["uv", "lock", "--default-index", index, *options], cwd=PROJECT, check=True, timeout=600
    )


if __name__ == "__main__":
    main()
