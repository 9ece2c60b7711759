"""How many questions were answered on each page, and how many correctly."""

from functools import partial

import streamlit as st

from explainer.content import load_texts
from explainer.shell import quiz, routes
from explainer.shell.downloads import download_csv
from explainer.shell.table import show_table

TEXTS = load_texts("home")


def show_score() -> None:
    """How many questions were answered on each page, and how many rightly."""
    answers, scores = tuple(quiz.answers().values()), quiz.scores()
    if not answers:
        st.markdown(TEXTS["score_none"])
        quiz.show_kept()
        return
    right = sum(answer.is_right for answer in answers)
    st.markdown(TEXTS["score_all"].format(right=right, answered=len(answers)))
    views = [view for view in routes.VIEWS if view in scores]
    show_table(
        {
            TEXTS["score_page"]: [routes.TITLES[view] for view in views],
            TEXTS["score_answered"]: [str(scores[view].answered) for view in views],
            TEXTS["score_right"]: [str(scores[view].right) for view in views],
        },
        width="content",
    )
    here = (st.context.url or "").rstrip("/")
    addresses = {view: f"{here}/{routes.address(view)}" for view in views}
    download_csv(
        TEXTS["score_download"],
        partial(quiz.as_csv, answers, routes.TITLES, addresses, quiz.nickname()),
        "predictions.csv",
        key="download-answers",
    )
    quiz.show_kept()
