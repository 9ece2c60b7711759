"""Why wishes are refused: a few kinds, which are counted and never say whose wish it was."""

from typing import Literal, get_args

from explainer.measuring import happened

Kind = Literal[
    "address_limit",  # what one network address may have or try
    "class_full",  # a class has all its pupils, drawings or questions
    "disk",  # no room on it, or it cannot be written
    "hostile",  # a file that could do harm when it is read
    "memory",  # it would need more than there is
    "not_allowed",  # only somebody else may do it
    "not_now",  # not in the state in which a run or a class is
    "not_there",  # a run or a thing that is gone
    "queue_full",
    "server_full",  # what all visitors together may have at once
    "too_fast",  # more messages than one visitor may send
    "too_large",
    "too_many_tries",  # wrong codes of classes
    "too_slow",  # a file that did not arrive in time
    "unavailable",  # the database, the cluster or the lines of classes
    "unusable",  # a file, a drawing or a message that cannot be read
    "visitor_limit",  # what one visitor may have at once
    "wrong_code",  # of a class
    "wrong_link",  # a part of a link that says what is not allowed or not there
]
KINDS: tuple[Kind, ...] = get_args(Kind)


def refused(kind: Kind) -> None:
    """Count a wish that was refused, and write a line of the log about it."""
    happened("refused", kind)
