"""What was drawn is known to whoever asks, and costs nothing while nobody does."""

from explainer.figures import drawn


def test_collects_in_order_what_is_drawn_inside_only():
    drawn.note("before", "", lambda: 0)
    with drawn.collect() as pictures:
        drawn.note("scores", "Scores", lambda: 1)
        drawn.note("weights", "Weights", lambda: 2)
    drawn.note("after", "", lambda: 3)
    assert [(picture.name, picture.title, picture.make()) for picture in pictures] == [
        ("scores", "Scores", 1),
        ("weights", "Weights", 2),
    ]


def test_inner_collection_keeps_its_own():
    with drawn.collect() as outer:
        drawn.note("a", "", lambda: 0)
        with drawn.collect() as inner:
            drawn.note("b", "", lambda: 0)
    assert [picture.name for picture in outer] == ["a"]
    assert [picture.name for picture in inner] == ["b"]


def test_what_was_collected_can_be_handed_on_as_a_half():
    with drawn.collect() as outer:
        for half in "ab":
            with drawn.collect() as inner:
                drawn.note("scores", "", lambda: 0, links={"query": 3})
            drawn.hand_on(inner, half)
    assert [(one.name, one.half, one.how) for one in outer] == [
        ("scores", half, {"links": {"query": 3}}) for half in "ab"
    ]


def test_nothing_is_made_until_somebody_asks():
    def never():
        raise AssertionError("made too early")

    with drawn.collect() as pictures:
        drawn.note("a", "", never)
    assert len(pictures) == 1
