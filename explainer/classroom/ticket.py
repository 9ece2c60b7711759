"""The ticket by which a page's browser enters the line of a room."""

from explainer.classroom import the_classrooms


def ticket_for(code: str, visitor: str) -> str:
    """Return a visitor's ticket, which any replica takes until the room ends.

    Args:
        visitor: the visitor's secret, which is not in the ticket.

    Raises:
        ClassroomError: the room has ended, or the database cannot be reached.
    """
    return the_classrooms().ticket(code, visitor)
