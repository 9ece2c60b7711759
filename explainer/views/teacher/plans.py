"""How many minutes of a lesson each screen of the story has; 0 leaves it out."""

from collections.abc import Mapping

from explainer.shell.story_screens import ORDER

#        draw patches numbers extra_row position attention heads blocks answer cover loss step
#        learn where truth alike map end
_15 = (2, 1, 0, 2, 0, 3, 0, 2, 2, 2, 0, 0, 0, 0, 0, 0, 0, 1)
_30 = (2, 1, 1, 2, 2, 3, 2, 2, 2, 2, 1, 2, 1, 2, 2, 1, 1, 1)
_45 = (3, 2, 3, 3, 3, 4, 2, 3, 3, 3, 2, 3, 2, 2, 3, 1, 2, 1)
# length of the lesson in minutes → minutes for each screen, in the screens' order
PLANS: Mapping[str, tuple[int, ...]] = {str(sum(minutes)): minutes for minutes in (_15, _30, _45)}
assert all(len(minutes) == len(ORDER) for minutes in PLANS.values())
