"""All answers of a class as a file for a table."""

import csv
import io

from sqlalchemy import Connection, select

from explainer.classroom.reading import read_polls
from explainer.classroom.snapshot import Asked
from explainer.classroom.tables import answers, pupils
from explainer.content import load_texts
from explainer.content.strangers_words import in_csv


def write_csv(connection: Connection, code: str) -> str:
    """Return a line for each answer: who, what was asked, what was chosen, if that is right."""
    texts = load_texts("room")["csv"]
    polls = read_polls(connection, code)
    order = {name: number for number, name in enumerate(polls)}
    query = (
        select(pupils.c.number, pupils.c.nickname, answers.c.name, answers.c.choice)
        .join(pupils, (pupils.c.code == answers.c.code) & (pupils.c.pupil == answers.c.pupil))
        .where(answers.c.code == code)
    )
    rows = sorted(connection.execute(query), key=lambda row: (order[row.name], row.number))
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\r\n")
    writer.writerow(texts["columns"])
    for row in rows:
        asked = polls[row.name].asked
        right = ""
        if asked.right is not None:
            right = texts["right" if asked.right == row.choice else "wrong"]
        cells = (row.nickname, asked.question or asked.name, chosen(asked, row.choice))
        writer.writerow([row.number, *map(in_csv, cells), right])
    return file.getvalue()


def chosen(asked: Asked, choice: int) -> str:
    """Return an answer in words: the option, or the row and the column of the patch."""
    if asked.options:
        return asked.options[choice]
    row, column = divmod(choice, asked.columns)
    return load_texts("room")["csv"]["patch"].format(row=row + 1, column=column + 1)
