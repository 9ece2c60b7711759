"""Keeps a page whole when requests of one browser overtake each other.

A browser asks for parts of a page at any time (``components/sight``): also while the whole page is
drawn, and when its visitor has just followed a link to another page. On a busy machine the answer
to one request is still on the server when the next is dealt with. Streamlit then

- drops what it has not sent yet of the parts that are drawn again, but sends what stands behind
  them, which a browser can put nowhere ("Bad delta path index"): the page dies;
- draws parts of a page that was left, and says that this is the page now: the browser clears what
  it has of the new one, and the page stays empty;
- makes one request of parts of the page that was left and of the link that was followed: the link
  leads nowhere.

So nothing is dropped before parts are drawn, and who asks for parts of a page that was left gets
the new page only, which is on its way.
"""

import logging
from functools import cache
from typing import Any

from explainer.content import load_texts


@cache
def keep_pages_whole() -> None:
    """Change these three places of Streamlit; called before pages are drawn."""
    try:
        from streamlit.runtime.forward_msg_queue import ForwardMsgQueue
        from streamlit.runtime.scriptrunner.script_runner import ScriptRunner
        from streamlit.runtime.scriptrunner_utils.script_requests import (
            ScriptRequests,
            ScriptRequestType,
        )

        clear, request = ForwardMsgQueue.clear, ScriptRequests.request_rerun
        run = ScriptRunner._run_script
    except (ImportError, AttributeError):
        logging.getLogger(__name__).warning(load_texts("frame")["unknown_streamlit"])
        return

    def clear_for_pages(
        queue: ForwardMsgQueue,
        retain_lifecycle_msgs: bool = False,
        fragment_ids_this_run: list[str] | None = None,
    ) -> None:
        """Drop what is not sent before a whole page is drawn; before parts of it are, nothing."""
        parts: list[str] | None = None if fragment_ids_this_run is None else []
        clear(queue, retain_lifecycle_msgs, parts)

    def request_of_this_page(requests: ScriptRequests, asked: Any) -> bool:
        """Put a request in line, unless it is for parts of the page that the next run leaves."""
        with requests._lock:
            is_waiting = requests._state == ScriptRequestType.RERUN
            next_run = requests._rerun_data
        if is_waiting and not is_of_parts(next_run) and is_of_other_page(asked, next_run):
            return True  # it is dealt with
        return request(requests, asked)

    def run_this_page(runner: ScriptRunner, asked: Any) -> None:
        """Run what was asked for, unless these are parts of a page that was left meanwhile."""
        shown = runner._pages_manager.current_page_script_hash
        if not is_of_parts(asked) or asked.page_script_hash in ("", shown):
            run(runner, asked)

    for owner, name, instead in (
        (ForwardMsgQueue, "clear", clear_for_pages),
        (ScriptRequests, "request_rerun", request_of_this_page),
        (ScriptRunner, "_run_script", run_this_page),
    ):
        setattr(owner, name, instead)


def is_of_parts(asked: Any) -> bool:
    """Whether some parts of a page were asked for, and not the whole page."""
    return bool(asked.fragment_id or asked.fragment_id_queue)


def is_of_other_page(asked: Any, next_run: Any) -> bool:
    """Whether parts were asked for of another page than the one that runs next."""
    page = next_run.page_script_hash
    return is_of_parts(asked) and bool(page) and asked.page_script_hash != page
