"""The page that looks inside: which patches an answer relied on, and whether that is true.

A new part is one line in ``PARTS``, in the order where, truth, many, sanity, pointing, alike, unit,
map, queries, confusions, with its title in ``content/en/look_inside.toml``.
"""

from collections.abc import Callable, Mapping

from explainer.observation.observe import Observation
from explainer.shell.code_panel import Snippet
from explainer.state.choice import Choice
from explainer.state.place import Place
from explainer.views.look_inside.alike import show_alike
from explainer.views.look_inside.confusions import matrix_shapes, show_confusions
from explainer.views.look_inside.many import show_many
from explainer.views.look_inside.map import show_map
from explainer.views.look_inside.pointing import show_pointing
from explainer.views.look_inside.queries import show_queries
from explainer.views.look_inside.questions import questions
from explainer.views.look_inside.sanity import show_sanity
from explainer.views.look_inside.truth import show_truth
from explainer.views.look_inside.unit import show_unit
from explainer.views.look_inside.where import show_where
from explainer.views.look_inside.wording import facts
from vit_core.interpret import deletion_insertion
from vit_core.interpret.alike import best_matches, directions
from vit_core.interpret.attribution.rollout import half_residual, rollout
from vit_core.interpret.embedding_map import principal_plane, probe_accuracy, turned
from vit_core.interpret.pointing import quarter_shares
from vit_core.interpret.query_key_map import query_key_plane
from vit_core.interpret.sanity import rank_correlation, stages
from vit_core.interpret.units import examine, most_excited

__all__ = ["CODE", "PARTS", "facts", "matrix_shapes", "questions"]

PARTS: Mapping[str, Callable[[Choice, Observation, Place], None]] = {
    "where": show_where,
    "truth": show_truth,
    "many": show_many,
    "sanity": show_sanity,
    "pointing": show_pointing,
    "alike": show_alike,
    "unit": show_unit,
    "map": show_map,
    "queries": show_queries,
    "confusions": show_confusions,
}
CODE = (
    Snippet("where", rollout, ("mixed_BNN =", "rolled[:] =")),
    Snippet("where", half_residual, ("return",)),
    Snippet("truth", deletion_insertion, ("order_BP =", "deletion =", "insertion =")),
    Snippet("sanity", stages, ("parameter.copy_", "yield stage_of(name")),
    Snippet("sanity", rank_correlation, ("ranks =", "centred =", "correlation: Tensor =")),
    Snippet("pointing", quarter_shares, ("positive_BP =", "shares: Tensor =")),
    Snippet("alike", directions, ("lengths =", "return")),
    Snippet("alike", best_matches, ("best, patches =", "back =", "return")),
    Snippet("map", principal_plane, ("centred_ND =", "values, vectors =")),
    Snippet("map", turned, ("product +=", "left, _, right =")),
    Snippet("map", probe_accuracy, ("weight, bias = minimum", "predicted =")),
    Snippet("queries", query_key_plane, ("queries, keys = factor", "keys = keys +", "plane =")),
    Snippet("unit", examine, ("values.append", "unit.values(tensor).zero_")),
    Snippet("unit", most_excited, ("strongest_B", "order =")),
)
