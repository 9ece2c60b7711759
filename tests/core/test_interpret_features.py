"""Principal components of patch tokens, and similar images by their features."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from vit_core.interpret.features import cosine_similarities, principal_map


def normal(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def test_directions_are_found_again() -> None:
    """Patches on a plane: two directions hold all that there is."""
    directions = torch.linalg.qr(normal(16, 2).double())[0].T
    places = normal(40, 2, seed=1).double() * torch.tensor([5.0, 1.0])
    found = principal_map(places @ directions + 7, components=3)
    assert found.shares[:2].sum() == pytest.approx(1)
    assert found.shares[2] == pytest.approx(0, abs=1e-12)
    plane = found.directions[:2] @ directions.T  # a rotation within the plane
    assert torch.allclose(plane @ plane.T, torch.eye(2).double(), atol=1e-9)


@settings(max_examples=30)
@given(st.integers(3, 40), st.integers(3, 20), st.integers(0, 1000))
def test_scores_are_the_centred_patches_along_the_directions(
    patches: int, width: int, seed: int
) -> None:
    tokens = normal(patches, width, seed=seed).double()
    found = principal_map(tokens)
    centred = tokens - tokens.mean(dim=0)
    assert torch.allclose(centred @ found.directions.T, found.scores, atol=1e-9)
    assert torch.allclose(found.scores.mean(dim=0), torch.zeros(3).double(), atol=1e-9)
    variances = found.scores.square().sum(dim=0)
    assert torch.allclose(variances / centred.square().sum(), found.shares, atol=1e-9)
    assert (found.shares.diff() <= 1e-12).all()
    assert (found.scores.amax(dim=0) >= -found.scores.amin(dim=0) - 1e-9).all()


def test_patches_that_are_all_the_same_differ_in_no_direction() -> None:
    found = principal_map(torch.full((9, 8), 0.1))
    assert found.shares.tolist() == [0, 0, 0]
    assert found.scores.abs().max() < 1e-6
    assert found.scores.isfinite().all()


@pytest.mark.parametrize("shape", [(2, 8), (8, 2), (4, 4, 4)])
def test_too_few_patches_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="3 components need"):
        principal_map(torch.zeros(shape))


def test_cosines_are_those_of_the_angles() -> None:
    feature = torch.tensor([1.0, 0.0])
    others = torch.tensor([[3.0, 0.0], [1.0, 1.0], [0.0, 2.0], [-1.0, 0.0], [0.0, 0.0]])
    expected = torch.tensor([1.0, 0.5**0.5, 0.0, -1.0, 0.0])
    assert torch.allclose(cosine_similarities(feature, others), expected)
