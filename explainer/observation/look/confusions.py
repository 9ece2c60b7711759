"""Which class a model takes for which, over its test pictures."""

from collections.abc import Callable, Hashable
from dataclasses import dataclass

import numpy as np
import streamlit as st
import torch

from explainer.caching import BytesCache, size_of
from explainer.inputs.models import memory
from explainer.inputs.models.load import source_of
from explainer.inputs.pictures.test_pictures import UNKNOWN, TestPictures
from explainer.observation import tasks
from explainer.observation.compute import read_only
from explainer.observation.look import units
from explainer.observation.tasks import Report
from explainer.state.choice import Choice

LIMIT = 4 * 1024**2  # bytes


@dataclass(frozen=True)
class Confusions:
    """A model's answers on its test pictures of known class.

    Attributes:
        pictures: (n,) index of each among the test pictures.
        labels: (n,) true classes.
        answers: (n,) the classes with the highest probability.
        of_answer, of_label: (n,) the probabilities of both.
    """

    pictures: np.ndarray
    labels: np.ndarray
    answers: np.ndarray
    of_answer: np.ndarray
    of_label: np.ndarray

    @property
    def right(self) -> int:
        """Number of pictures whose answer is right."""
        return int((self.answers == self.labels).sum())

    def counts(self, classes: int) -> np.ndarray:
        """Return how often each class was taken for each, (C, C); index 0 is the true class."""
        counts = np.zeros((classes, classes), np.int64)
        np.add.at(counts, (self.labels, self.answers), 1)
        return counts

    def of_cell(self, truth: int, answer: int) -> np.ndarray:
        """Return which pictures of this class got this answer, (k,) indices into the arrays.

        Right answers begin with the least sure one, wrong ones with the surest.
        """
        (found,) = np.nonzero((self.labels == truth) & (self.answers == answer))
        sure = self.of_answer[found]
        return found[np.argsort(sure if truth == answer else -sure, kind="stable")]


def labelled(choice: Choice, pictures: TestPictures) -> np.ndarray:
    """Return which pictures show a class that the model has, (n,) indices."""
    labels = pictures.labels
    (found,) = np.nonzero((labels != UNKNOWN) & (labels < choice.config.num_classes))
    return found


def key_of(choice: Choice) -> Hashable:
    return "confusions", choice.model_key, choice.gallery


def prepared(choice: Choice) -> Callable[[Report], Confusions]:
    """Return what asks the model in a task, where nothing of Streamlit's is there."""
    pictures = units.pictures_of(choice)
    known = labelled(choice, pictures)
    surveyed = tasks.known(units.survey_key(choice), units.kept())
    if surveyed is not None:  # the part on units has asked the same pictures already
        return lambda report: confusions(known, pictures, surveyed.outputs)
    model, chunks = source_of(choice).model, units.chunks_of(choice, pictures)

    def make(report: Report) -> Confusions:
        logits = []
        with memory.forward_lock(model.config), torch.no_grad():
            for done, chunk in enumerate(chunks):
                logits.append(model(chunk))
                report(done + 1, len(chunks))
        return confusions(known, pictures, torch.cat(logits).numpy())

    return make


def confusions(known: np.ndarray, pictures: TestPictures, logits: np.ndarray) -> Confusions:
    """Return the answers on some of the pictures.

    Args:
        known: (k,) indices of those whose class is known.
        logits: (n, C) of all.
    """
    labels, shares = pictures.labels[known], units.softmax(logits[known])
    answers, rows = shares.argmax(axis=1), np.arange(len(known))
    arrays = (known, labels, answers, shares[rows, answers], shares[rows, labels])
    return Confusions(*(read_only(one) for one in arrays))


def most_confused(counts: np.ndarray, most: int) -> np.ndarray:
    """Return up to ``most`` classes in their order: those with the most mistakes, in and out.

    Args:
        counts: (C, C), index 0 is the true class.
    """
    wrong = counts - np.diag(np.diag(counts))
    mistakes, seen = wrong.sum(axis=0) + wrong.sum(axis=1), counts.sum(axis=1)
    order = np.lexsort((-seen, -mistakes))  # by mistakes, then by how many pictures there are
    return np.sort(order[:most])


def worst_cell(counts: np.ndarray) -> tuple[int, int] | None:
    """Return the most frequent mistake, (true class, answer); None where there is none.

    Args:
        counts: (C, C), index 0 is the true class.
    """
    wrong = counts - np.diag(np.diag(counts))
    if not wrong.any():
        return None
    truth, answer = np.unravel_index(int(wrong.argmax()), wrong.shape)
    return int(truth), int(answer)


@st.cache_resource
def kept() -> BytesCache[Confusions]:
    return BytesCache(LIMIT, size_of)
