"""What a choice is called outside of the app: on paper, and beside a saved picture.

Each is a line of plain letters, no markup, in which strangers' words may stand.
"""

from explainer.content import load_texts
from explainer.content.strangers_words import StrangersWord, plain_format, strangers_word
from explainer.inputs.models import pretrained, saved_epochs
from explainer.inputs.models.load import source_of
from explainer.inputs.pictures.galleries import CIFAR, DIGITS, PHOTOGRAPHS, Sample, samples
from explainer.inputs.pictures.galleries.of_models import is_of_model
from explainer.state.choice import Choice, read_by_others
from vit_core.data.kept import OWN_PICTURES, OWN_SYMBOLS

TEXTS = load_texts("naming")
OF_DATA = (OWN_SYMBOLS, OWN_PICTURES, "fashion-mnist")  # whose terms are known


def model_line(choice: Choice) -> StrangersWord:
    """Name the model of a choice: which one, its epoch, or the seed of its weights."""
    if choice.is_shaped:
        return StrangersWord(TEXTS["untrained"].format(seed=choice.seed))
    if choice.is_saved:
        run, epoch = saved_epochs.saved_run(choice.source)
        return StrangersWord(plain_format(TEXTS["run"], title=run.title, epoch=epoch))
    if name := read_by_others(choice.source):
        offer = pretrained.find(name)
        return strangers_word(offer.title if offer else name)
    return StrangersWord(load_texts("sidebar")["sources"][choice.source])


def picture_line(choice: Choice) -> StrangersWord:
    """Name the picture of a choice, and say if it was changed."""
    name = unchanged_picture(choice)
    if choice.edits.changes_picture:
        name = plain_format(TEXTS["changed"], picture=name)
    return StrangersWord(name)


def unchanged_picture(choice: Choice) -> str:
    if choice.picture:
        return str(TEXTS["drawing"])
    if choice.gallery == DIGITS:
        return TEXTS["digit"].format(digit=choice.digit, index=choice.index)
    if choice.photo:
        return str(TEXTS["photograph"])
    return sample_name(samples(choice.gallery)[choice.sample])


def sample_name(sample: Sample) -> str:
    """Return what a picture of a gallery is called."""
    texts = load_texts("picker")["samples"]
    if not is_of_model(sample.gallery):
        return str(texts[sample.gallery][sample.name])
    template = texts["of_model" if sample.name else "of_model_nameless"]
    return plain_format(template, number=sample.place + 1, name=strangers_word(sample.name))


def licence_line(choice: Choice) -> str:
    """Say where the picture of a choice comes from, and its terms."""
    texts = TEXTS["licences"]
    if choice.gallery == DIGITS and not choice.picture:
        return str(texts[DIGITS])
    if choice.is_own:
        return str(texts["own"])
    if choice.gallery == PHOTOGRAPHS:
        return str(texts[samples(PHOTOGRAPHS)[choice.sample].name])
    if choice.gallery == CIFAR or brings_no_pictures(choice):
        return str(texts[CIFAR])
    name = source_of(choice).info.name
    return str(texts[name if name in OF_DATA else "of_model"])


def brings_no_pictures(choice: Choice) -> bool:
    """Whether shipped pictures stand for those of the model's data, which its file lacks."""
    checkpoint = source_of(choice).checkpoint
    return checkpoint is not None and checkpoint.pictures is None
