"""Find models of Hugging Face's hub in its cache, or download them into it."""

import io
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from tqdm import tqdm

from vit_core.pretrained.errors import Cancelled, PretrainedError
from vit_core.pretrained.folder import CONFIG, INDEX, WEIGHTS, shards_of, weight_files

Progress = Callable[[int, int], None]
NEEDED = (CONFIG, WEIGHTS)
OPTIONAL = ("preprocessor_config.json",)
FOLDER = "VIT_EXPLAINER_PRETRAINED"


def cache_folder() -> Path:
    """Return the folder in which huggingface_hub keeps its files."""
    home = Path(os.environ.get("HF_HOME") or Path.home() / ".cache" / "huggingface")
    return Path(os.environ.get("HF_HUB_CACHE") or home / "hub")


def snapshot_of(repository: str) -> Path | None:
    """Return the newest complete copy of a model in the cache, None if there is none.

    The layout of the cache is huggingface_hub's. The package itself is not asked, because importing
    it takes seconds.
    """
    folder = cache_folder() / f"models--{repository.replace('/', '--')}" / "snapshots"
    try:
        complete = [one for one in folder.iterdir() if is_complete(one)]
    except OSError:
        return None
    return max(complete, key=lambda one: one.stat().st_mtime, default=None)


def is_complete(folder: Path) -> bool:
    """Whether all files of a model are there. Whether one is damaged shows when it is read."""
    if not (folder / CONFIG).is_file():
        return False
    try:
        return bool(weight_files(folder))
    except PretrainedError:
        return False


def download(
    repository: str,
    progress: Progress = lambda done, total: None,
    cancelled: Callable[[], bool] = lambda: False,
    endpoint: str | None = None,
) -> Path:
    """Download a model into the cache and return the folder of its files.

    Args:
        progress: called with the bytes downloaded so far and the bytes of the whole file.
        cancelled: asked again and again; True stops. An incomplete file is never used.
        endpoint: the address of another hub.

    Raises:
        Cancelled: ``cancelled`` returned True.
        PretrainedError: the hub cannot be reached or has no such model; it says what to do.
    """
    # the hub's other protocol reports no progress and cannot be stopped
    os.environ.setdefault("HF_HUB_DISABLE_XET", "1")
    try:
        from huggingface_hub import errors, hf_hub_download
    except ImportError:
        raise PretrainedError(
            f"downloading needs the package huggingface_hub (pip install huggingface_hub); "
            f"{by_hand(repository)}"
        ) from None

    # tqdm takes a type only in its stubs, not when it runs
    class Report(tqdm):  # type: ignore[type-arg]
        """A progress bar that calls ``progress`` and stops when ``cancelled``."""

        def __init__(self, *args: Any, **options: Any) -> None:
            options.pop("name", None)
            super().__init__(*args, **options | {"file": io.StringIO(), "disable": False})

        def update(self, n: float | None = 1) -> bool | None:
            if cancelled():
                raise Cancelled(f"the download of {repository} was cancelled")
            shown = super().update(n)
            progress(int(self.n), int(self.total or 0))
            return shown

    def get(name: str) -> Path:
        if cancelled():
            raise Cancelled(f"the download of {repository} was cancelled")
        file = hf_hub_download(
            repository, name, cache_dir=cache_folder(), tqdm_class=Report, endpoint=endpoint
        )
        return Path(file)

    try:
        folder = get(NEEDED[0]).parent
        for name in OPTIONAL:
            try:
                get(name)
            except errors.RemoteEntryNotFoundError:
                continue
        try:
            get(WEIGHTS)
        except errors.RemoteEntryNotFoundError:  # a large model is split into several files
            for name in shards_of(get(INDEX).parent):
                get(name)
    except PretrainedError:
        raise
    except errors.RepositoryNotFoundError:
        raise PretrainedError(
            f"the hub has no model {repository} that everybody may read"
        ) from None
    except errors.RemoteEntryNotFoundError:
        raise PretrainedError(
            f"{repository} has no {' and '.join(NEEDED)}, the files that are read here"
        ) from None
    except Exception as error:  # several libraries take part, with errors of their own
        raise PretrainedError(
            f"{repository} could not be downloaded ({first_line(error)}); {by_hand(repository)}"
        ) from None
    return folder


def by_hand(repository: str, files: Sequence[str] = NEEDED) -> str:
    """Say how to put the files there by hand, without a network."""
    return (
        f"without a network, put {' and '.join(files)} of {repository} into a folder of their own "
        f"below the one that {FOLDER} names"
    )


def first_line(error: Exception) -> str:
    """Return the first line of an error, without the folder that an ``OSError`` names."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    text = (str(error).splitlines() or [""])[0].strip().rstrip(".")
    return text[:120] or type(error).__name__
