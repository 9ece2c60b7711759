"""What README, CONTRIBUTING and docs say of the project is true of it."""

import re
import tomllib
from pathlib import Path

import pytest
import torch
import yaml

import vit_core
from vit_core import PRESETS

PROJECT = Path(__file__).parents[1]
README = PROJECT / "README.md"
PAGES = sorted(
    [*PROJECT.glob("*.md"), *PROJECT.glob("docs/*.md"), *PROJECT.glob("explainer/**/README.md")]
)
MOST_LINES = 130
# the first part of what is a path in this project; other paths are a reader's own
ROOTS = (
    *("vit_core", "explainer", "tests", "benchmarks", "deploy", "docs"),
    *(".github", ".ci", ".streamlit"),
)
ROOT_FILES = {path.name for path in PROJECT.iterdir() if path.is_file()}


def text_of(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def without_blocks(text: str) -> str:
    return re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)


def anchors(text: str) -> set[str]:
    """Return the names by which the headings of a page can be linked, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", without_blocks(text), re.MULTILINE)
    kept = (re.sub(r"[^\w\- ]", "", heading.replace("`", "")) for heading in headings)
    return {heading.strip().lower().replace(" ", "-") for heading in kept}


def links(text: str) -> list[str]:
    """Return the targets of a page's links and pictures that are within the project."""
    found = re.findall(r"\]\(([^)\s]+)\)", without_blocks(text))
    return [target for target in found if "://" not in target]


def paths(text: str) -> list[str]:
    """Return what a page says between backticks that looks like a path of this project."""
    found = []
    for quoted in re.findall(r"`([^`\n]+)`", without_blocks(text)):
        for word in quoted.split():
            first, slash, _ = word.partition("/")
            is_pattern = any(sign in word for sign in "<>*…{}:")
            if not is_pattern and ((first in ROOTS and slash) or word in ROOT_FILES):
                found.append(word)
    return found


def missing(page: Path, text: str) -> list[str]:
    """Return the links and paths of a page that lead nowhere."""
    lost = []
    for target in links(text):
        name, _, anchor = target.partition("#")
        linked = (page.parent / name).resolve() if name else page
        there = anchors(text if linked == page else text_of(linked)) if anchor else {anchor}
        if not linked.exists() or anchor not in there:
            lost.append(target)
    return lost + [name for name in paths(text) if not (PROJECT / name).exists()]


def test_all_pages_are_looked_at() -> None:
    assert {README, PROJECT / "CONTRIBUTING.md", PROJECT / "docs" / "architecture.md"} <= {*PAGES}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(PROJECT)))
def test_every_link_and_path_exists(page: Path) -> None:
    assert missing(page, text_of(page)) == []


@pytest.mark.parametrize(
    ("text", "lost"),
    [
        ("[x](docs/none.md)", ["docs/none.md"]),
        ("[x](docs/hosting.md#privacy) [y](#start)\n## Start\n", []),
        ("[x](docs/hosting.md#none)", ["docs/hosting.md#none"]),
        ("![x](docs/none.webp)", ["docs/none.webp"]),
        ("`vit_core/none.py` and `vit_core/model.py`", ["vit_core/none.py"]),
        ("`python benchmarks/none.py --seeds 0`", ["benchmarks/none.py"]),
        ("`explainer/views/<page>/` `runs/x` `README.md` [w](https://example.org/none)", []),
    ],
)
def test_a_link_or_path_that_leads_nowhere_is_found(text: str, lost: list[str]) -> None:
    assert missing(README, text) == lost


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(PROJECT)))
def test_every_module_that_is_run_by_its_name_exists(page: Path) -> None:
    for name in re.findall(r"-m (vit_core[\w.]*)", text_of(page)):
        path = PROJECT / name.replace(".", "/")
        assert path.with_suffix(".py").exists() or (path / "__main__.py").exists(), name


def test_every_picture_in_docs_is_shown_somewhere() -> None:
    shown = {
        (page.parent / target).resolve()
        for page in PAGES
        for target in re.findall(r"!\[[^\]]*\]\(([^)\s]+)\)", text_of(page))
    }
    pictures = (*PROJECT.glob("docs/*.png"), *PROJECT.glob("docs/*.webp"))
    assert {path.resolve() for path in pictures} <= shown


def is_in_use(path: Path) -> bool:
    """Whether it is a file or has one; a folder that moved away leaves compiled files behind."""
    files = [path] if path.is_file() else path.rglob("*")
    return any(file.is_file() and "__pycache__" not in file.parts for file in files)


@pytest.mark.parametrize("package", ["explainer", "vit_core"])
def test_the_architecture_names_every_room_and_every_loose_module(package: str) -> None:
    named = set(re.findall(r"`([\w./]+)`", text_of(PROJECT / "docs" / "architecture.md")))
    there = {
        path.name + "/" * path.is_dir()
        for path in (PROJECT / package).iterdir()
        if path.suffix in ("", ".py") and path.name[0] != "." and path.name != "__init__.py"
        if is_in_use(path)
    }
    assert there <= named


def test_the_readme_is_short() -> None:
    assert len(text_of(README).splitlines()) <= MOST_LINES


def test_the_readmes_python_runs_and_says_what_comes_out() -> None:
    (block,) = re.findall(r"```python\n(.*?)```", text_of(README), re.DOTALL)
    assert len([line for line in block.splitlines() if line.strip()]) <= 10
    names: dict = {}
    exec(block, names)
    assert names["names"] == list(names["seen"])
    assert names["pattern"].shape == (1, 4, 50, 50)
    assert not torch.equal(names["changed"].logits, names["seen"].logits)


def test_the_python_about_maps_runs_and_its_tables_are_whole() -> None:
    text = text_of(PROJECT / "docs" / "interpret.md")
    (block,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    names: dict = {}
    exec(block, names)
    assert names["found"].patches.shape == (4, 49)
    assert names["found"].error.shape == names["curves"].deletion_area.shape == (4,)
    assert names["found"].passes == 1
    assert names["curves"].deletion.shape == names["curves"].insertion.shape == (4, 15)
    for method in names["METHODS"]:
        # the table of what each assumes, and one of areas for each of three models
        assert len(re.findall(rf"^\| `?{method}`? \|", text, re.MULTILINE)) >= 4, method


def test_the_readmes_table_has_every_preset() -> None:
    rows = re.findall(r"^\| `([\w-]+)` \| ([\d,]+) \|", text_of(README), re.MULTILINE)
    assert {name: int(count.replace(",", "")) for name, count in rows} == {
        name: preset.model.num_parameters for name, preset in PRESETS.items()
    }


def test_one_version_everywhere() -> None:
    citation = yaml.safe_load(text_of(PROJECT / "CITATION.cff"))
    released = re.findall(
        r"^## \[(\d[^\]]*)\] - \d{4}-\d\d-\d\d$", text_of(PROJECT / "CHANGELOG.md"), re.MULTILINE
    )
    project = tomllib.loads(text_of(PROJECT / "pyproject.toml"))["project"]
    version = project.get("version") or vit_core.__version__
    assert released[0] == citation["version"] == version


def test_the_citation_has_what_the_format_demands() -> None:
    citation = yaml.safe_load(text_of(PROJECT / "CITATION.cff"))
    assert {"cff-version", "message", "title", "authors"} <= citation.keys()
    assert citation["type"] == "software"
    assert (
        citation["license"]
        == tomllib.loads(text_of(PROJECT / "pyproject.toml"))["project"]["license"]
    )
