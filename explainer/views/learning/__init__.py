"""The page on learning: the loss of one picture, its way back, and what a step changes."""

from collections.abc import Callable, Mapping

from explainer.observation.observe import Observation
from explainer.shell.code_panel import Snippet
from explainer.state.choice import Choice
from explainer.state.place import Place
from explainer.views.learning.backwards import show_backwards
from explainer.views.learning.batch import show_batch
from explainer.views.learning.data import show_data
from explainer.views.learning.loss import show_loss
from explainer.views.learning.questions import questions
from explainer.views.learning.schedule import show_schedule
from explainer.views.learning.shapes import matrix_shapes
from explainer.views.learning.step import show_step
from explainer.views.learning.weight import show_weight
from explainer.views.learning.wording import facts
from vit_core.learning.batch import by_heart, together
from vit_core.learning.gradients import gradients_of
from vit_core.learning.loss import cross_entropy, loss_gradient
from vit_core.learning.nudge import nudge
from vit_core.learning.step import moved, walk
from vit_core.training.optimizers import lr_factor

__all__ = ["CODE", "PARTS", "facts", "matrix_shapes", "questions"]

# in the order loss, backwards, weight, step, batch, schedule, data
PARTS: Mapping[str, Callable[[Choice, Observation, Place], None]] = {
    "loss": show_loss,
    "backwards": show_backwards,
    "weight": show_weight,
    "step": show_step,
    "batch": show_batch,
    "schedule": show_schedule,
    "data": show_data,
}
CODE = (
    Snippet("loss", cross_entropy, ("log_p_BC =", "return -log_p_BC")),
    Snippet("loss", loss_gradient, ("return p_BC - t_BC",)),
    Snippet("backwards", gradients_of, ("loss =", "found =")),
    Snippet("weight", nudge, ("(gradients,) =", "above, below =", "(above - below)")),
    Snippet("step", moved, ("parameter.copy_",)),
    Snippet("step", walk, ("torch.autograd.backward", "optimizer.step()")),
    Snippet("batch", together, ("flat =", "products +=")),
    Snippet("batch", by_heart, ("for own in walk", "answers =")),
    Snippet("schedule", lr_factor, ("warmup_steps =", "progress =", "return 1 - progress")),
)
