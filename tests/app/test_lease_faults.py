"""Three real servers on one folder: one dies, one freezes, clocks are wrong, and no run is lost."""

import os
import random
from collections.abc import Iterator

import pytest
from lease_faults import CLOCKS, Farm, measure


@pytest.fixture(scope="module")
def farm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Farm]:
    """Return three servers whose clocks are an hour off."""
    farm = Farm(tmp_path_factory.mktemp("farm") / "runs", random.Random(1), CLOCKS)
    yield farm
    farm.close()


@pytest.mark.parametrize("kind", ["clock", "freeze", "kill", "storm"])
def test_no_run_is_lost_or_trained_twice(farm: Farm, kind: str) -> None:
    if kind == "freeze" and os.name == "nt":
        pytest.skip("no process can be stopped and continued there")
    row, lost = measure(farm, kind, rounds=1)
    assert lost == 0, row
