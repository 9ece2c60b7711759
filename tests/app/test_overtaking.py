"""Requests of one browser that overtake each other leave its page whole."""

import pytest
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.runtime.forward_msg_queue import ForwardMsgQueue
from streamlit.runtime.scriptrunner import RerunData
from streamlit.runtime.scriptrunner.script_runner import ScriptRunner
from streamlit.runtime.scriptrunner_utils.script_requests import ScriptRequests

from explainer.shell.overtaking import keep_pages_whole

keep_pages_whole()


def delta(*path: int, part: str = "", text: str = "") -> ForwardMsg:
    """Return a message that puts a text, or without one a container, at a place of the page."""
    message = ForwardMsg()
    message.metadata.delta_path.extend(path)
    message.delta.fragment_id = part
    if text:
        message.delta.new_element.markdown.body = text
    else:
        message.delta.add_block.allow_empty = True
    return message


def put(children: list, path: list[int]) -> None:
    """Put something at a place, as the browser does: only where its neighbours are."""
    index, *rest = path
    assert index <= len(children), f"Bad delta path index {index}"
    if index == len(children):
        assert not rest, "Cannot set a node at a delta path"
        children.append([])
    if rest:
        put(children[index], rest)


def test_what_is_not_sent_yet_of_a_part_is_sent_before_it_is_drawn_again() -> None:
    queue, page = ForwardMsgQueue(), []
    known = ForwardMsg(ref_hash="a text that the browser has")
    known.metadata.delta_path.extend([0, 0, 1])
    before = [
        delta(0),
        delta(0, 0, part="sight"),
        delta(0, 0, 0, part="sight", text="old"),
        known,
        delta(0, 0, 2, part="sight"),
        delta(0, 0, 2, 0, part="a part of it", text="old"),
        delta(0, 1, text="a neighbour"),
    ]
    after = [delta(0, 0, part="sight"), delta(0, 0, 0, part="sight", text="new")]
    for message in before:
        queue.enqueue(message)
    queue.clear(retain_lifecycle_msgs=True, fragment_ids_this_run=["sight"])
    for message in after:
        queue.enqueue(message)
    sent = queue.flush()
    assert sent == before + after
    for message in sent:
        put(page, list(message.metadata.delta_path))


def test_a_whole_page_is_sent_instead_of_what_is_not_sent_yet() -> None:
    queue = ForwardMsgQueue()
    for message in (delta(0), ForwardMsg(script_finished=0), delta(0, 0, text="old")):
        queue.enqueue(message)
    queue.clear(retain_lifecycle_msgs=True)
    assert [message.WhichOneof("type") for message in queue.flush()] == ["script_finished"]


@pytest.mark.parametrize(
    ("then", "page", "parts"),
    [
        (RerunData(page_script_hash="left", fragment_id="sight"), "next", []),
        (RerunData(page_script_hash="left", fragment_id_queue=["sight"]), "next", []),
        (RerunData(page_script_hash="another"), "another", []),
        (RerunData(page_script_hash="next", fragment_id="sight"), "next", []),
    ],
)
def test_a_link_leads_to_its_page_whatever_is_asked_of_the_one_before(
    then: RerunData, page: str, parts: list[str]
) -> None:
    requests = ScriptRequests()
    assert requests.request_rerun(RerunData(page_script_hash="next"))
    assert requests.request_rerun(then)
    found = requests.on_scriptrunner_ready().rerun_data
    assert (found.page_script_hash, found.fragment_id_queue) == (page, parts)


class Runner:
    """Stands in for the runner of a session that shows a page."""

    def __init__(self, shown: str) -> None:
        self._pages_manager = self
        self.current_page_script_hash = shown

    def _is_in_script_thread(self) -> bool:
        raise KeyError("it ran")


@pytest.mark.parametrize(
    ("asked", "runs"),
    [
        (RerunData(page_script_hash="left", fragment_id_queue=["sight"]), False),
        (RerunData(page_script_hash="shown", fragment_id_queue=["sight"]), True),
        (RerunData(fragment_id_queue=["sight"]), True),
        (RerunData(page_script_hash="left"), True),
    ],
)
def test_parts_of_a_page_that_was_left_are_not_drawn(asked: RerunData, runs: bool) -> None:
    if runs:
        with pytest.raises(KeyError):
            ScriptRunner._run_script(Runner("shown"), asked)
    else:
        ScriptRunner._run_script(Runner("shown"), asked)
