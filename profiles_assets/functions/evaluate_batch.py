"""Runs a batch function over a chunk, inside a worker: one table of many people, one row each back."""

from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa

from profiles_assets.events.masks import masked, told_by
from profiles_assets.events.transforms import ResultError
from profiles_assets.functions.context import BatchContext, PerPerson, Store, Stores
from profiles_assets.functions.contract import Row, json_text
from profiles_assets.functions.evaluate import Evaluation, answered
from profiles_assets.functions.frames import Answer
from profiles_assets.functions.people_rows import PersonRow, people_in
from resources.limits import time_limit

GROUP = "profile_id"


class BatchEvaluation(Evaluation):
    """A loaded batch function. A chunk that fails is halved until only those are left out who make it fail."""

    stores: Stores

    def chunk(self, table: pa.Table) -> list[Answer]:
        """Answers for the people of a chunk, in order; fewer when memory has run out."""
        return self._halved(table, people_in(table), 0)

    def _halved(self, table: pa.Table, people: list[PersonRow], first: int) -> list[Answer]:
        self.on_person(first)
        try:
            with time_limit(self.job.seconds):
                rows = self.rows(table, people)
        except BaseException as error:
            if isinstance(error, KeyboardInterrupt):
                raise
            kind, text = self.failure(error)
            if len(people) == 1:
                told = told_by(
                    people[0].user, table.slice(people[0].at + 1, people[0].end - people[0].at - 1).to_pylist()
                )
                text = masked(text, {*self.job.secrets, *told, people[0].person})
                return [Answer(people[0].person, people[0].fingerprint, kind=kind, error=text)]
            self.out_of_memory = False
            half = len(people) // 2
            before = self._halved(table, people[:half], first)
            if self.out_of_memory:
                return before
            return before + self._halved(table, people[half:], first + half)
        self._keep_lines(lambda line: masked(line, self.job.secrets))
        return [answered(one, rows.get(one.person), self.stores.changes(one.person)) for one in people]

    def rows(self, table: pa.Table, people: list[PersonRow]) -> dict[str, Row]:
        """Rows by person, of people that follow one another in a chunk. Raises ResultError."""
        self.log.lines.clear()
        by_id = {person.person: person for person in people}
        as_of = date.fromisoformat(self.job.as_of)
        self.stores = Stores(lambda who: Store(by_id[who].store, as_of))
        users = PerPerson(lambda who: {**by_id[who].user, "traits": dict(by_id[who].user["traits"])})
        self.context = BatchContext(self.job, self.warehouse, self.log, users, self.stores)
        result = self.called(batch_table(table, people), self.context)
        if isinstance(result, pa.RecordBatch):
            result = pa.Table.from_batches([result])
        if not isinstance(result, pa.Table):
            raise ResultError(f"it returned a {type(result).__name__}; return a pyarrow.Table with {GROUP}")
        if GROUP not in result.column_names:
            raise ResultError(f"the table has no column {GROUP}; it is what the rows are about")
        found: dict[str, Row] = {}
        for traits in result.to_pylist():
            who = traits.pop(GROUP)
            if who not in by_id or who in found:
                raise ResultError(f"the table has {'several rows of a person' if who in found else 'rows of nobody'}")
            merged = {**by_id[who].user["traits"], **traits} if by_id[who].told else traits
            found[who] = Row(json_text(merged, "traits"))
        return found


def batch_table(table: pa.Table, people: list[PersonRow]) -> pa.Table:
    """The events of people who follow one another: profile_id, source, time, event and the columns asked for."""
    first, last = people[0].at, people[-1].end
    part = table.slice(first, last - first)
    of_people = part["source"].is_null().to_numpy()
    codes: Any = (np.cumsum(of_people) - 1)[~of_people]
    names = pa.array([person.person for person in people], pa.string())
    events = part.filter(pa.array(~of_people)).drop_columns(["payload", "timestamp"])
    return events.add_column(0, GROUP, names.take(pa.array(codes, pa.int32())))
