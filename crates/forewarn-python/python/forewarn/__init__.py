"""Predicts microservice failures minutes before they begin, from the metrics that services already export.

Every function takes a table: whatever has the Arrow capsule interface (pyarrow, polars, pandas 2.2 or later, DuckDB),
or a dict of NumPy arrays. A row is one service at one time, a column a metric. Results are ``pyarrow.Table``; call
``.to_pandas()`` on them, or ``polars.from_arrow``.

>>> import forewarn
>>> table = {
...     "timestamp": ["2024-01-01T00:00:00Z", "2024-01-01T00:01:00Z", "2024-01-01T00:02:00Z"],
...     "service": ["shop", "shop", "shop"],
...     "error_rate": [0.01, 0.2, 0.3],
... }
>>> rule = forewarn.Rule.parse("error_rate >= 0.05 for 2 steps")
>>> forewarn.episodes(table, rule).num_rows
1
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, Mapping, Optional, Sequence, Union

import pyarrow as pa

from forewarn import _forewarn
from forewarn._forewarn import ForewarnError, Rule, __version__
from forewarn._reading import Reading, Window, step_millis
from forewarn._sample import Sample

__all__ = [
    "ForewarnError",
    "Model",
    "Reading",
    "Results",
    "Rule",
    "Sample",
    "Trained",
    "Window",
    "__version__",
    "average_precision",
    "check",
    "episodes",
    "evaluate",
    "features",
    "fingerprint",
    "judge",
    "label_and_sample",
    "labels",
    "train",
    "verdicts",
    "windows",
]

_USUAL = Reading()
_WINDOW = Window()


def _table(rows: Any) -> Any:
    """What the library can read of ``rows``."""
    if isinstance(rows, Mapping):
        return pa.table({name: pa.array(values, from_pandas=True) for name, values in rows.items()})
    if hasattr(rows, "__arrow_c_stream__"):
        return rows
    if hasattr(rows, "__dataframe__"):
        # pandas before 2.2.
        return pa.Table.from_pandas(rows, preserve_index=False)
    raise ForewarnError(
        f"a table of type {type(rows).__name__} cannot be read: expected pyarrow, polars, pandas, anything else with "
        "the Arrow capsule interface, or a dict of arrays"
    )


def _rule(rule: Union[Rule, str]) -> Rule:
    return Rule.parse(rule) if isinstance(rule, str) else rule


def _rule_from_json(text: str) -> Rule:
    """What pickle calls for a rule."""
    return Rule.from_json(text)


def check(table: Any, reading: Reading = _USUAL) -> dict[str, Any]:
    """What a table is understood to hold: step, metrics, services, what is missing, and notes worth reading.

    :raises ForewarnError: for a table that cannot be read, with row and column.
    """
    return json.loads(_forewarn.summary(_table(table), reading.to_json()))


def fingerprint(table: Any, reading: Reading = _USUAL) -> str:
    """Which metrics in which units and order, and which step: 16 hexadecimal digits.

    It equals :attr:`Model.fingerprint` of models that were fitted on such tables.
    """
    return _forewarn.fingerprint(_table(table), reading.to_json())


def episodes(table: Any, rule: Union[Rule, str], reading: Reading = _USUAL) -> pa.Table:
    """Failure episodes: ``service``, ``onset``, ``confirmed_at`` and ``end``, the first minute after it."""
    return pa.table(_forewarn.episodes(_table(table), reading.to_json(), _rule(rule)))


def labels(
    table: Any,
    rule: Union[Rule, str],
    window: Window = _WINDOW,
    target: str = "onset",
    reading: Reading = _USUAL,
) -> pa.Table:
    """The label of every row as the last one of a window: ``service``, ``timestamp`` and ``label``.

    A label is ``positive`` or ``negative``, or says why there is none: ``ongoing``, ``censored`` or ``missing``.

    :param target: ``onset`` (a failure begins in the period) or ``active`` (the rule is satisfied in it).
    """
    found = _forewarn.labels(_table(table), reading.to_json(), _rule(rule), window.steps(), target)
    return pa.table(found)


def verdicts(table: Any, rule: Union[Rule, str], reading: Reading = _USUAL) -> pa.Table:
    """What each condition of a rule says of every row: true, false, or null where it cannot be decided."""
    return pa.table(_forewarn.verdicts(_table(table), reading.to_json(), _rule(rule)))


def features(table: Any, fill_steps: int = 5, reading: Reading = _USUAL) -> pa.Table:
    """The features that models are fitted on, of every row, before they are normalised.

    :param fill_steps: steps for which a gap takes the last value before it.
    """
    return pa.table(_forewarn.features(_table(table), reading.to_json(), fill_steps))


def windows(
    table: Any,
    rule: Union[Rule, str],
    window: Window = _WINDOW,
    target: str = "onset",
    fill_steps: int = 5,
    reading: Reading = _USUAL,
) -> tuple[pa.Table, list[str]]:
    """The windows that have a label, and the names of their features: what a model of your own is fitted on.

    Columns: ``service`` and ``timestamp`` of the last row, ``positive``, ``steps_to_failure`` (null where none is in
    the period) and ``features``, the features of all rows of the window, the oldest first. Windows that are excluded
    are not among them; :func:`labels` says why.
    """
    asked = (_rule(rule), window.steps(), target, fill_steps)
    found, names = _forewarn.windows(_table(table), reading.to_json(), *asked)
    return pa.table(found), names


def label_and_sample(
    table: Any,
    rule: Union[Rule, str],
    window: Window = _WINDOW,
    target: str = "onset",
    keep_quiet: float = 1.0,
    keep_negatives: float = 1.0,
    seed: int = 7,
    reading: Reading = _USUAL,
) -> Sample:
    """Labels every service and keeps the rows of some, with what a training needs to know of them.

    Services with a failure are all kept, others with a probability of ``keep_quiet``; a service is kept or left out
    whole. Of a kept service models learn from every positive window and from a negative one with a probability of
    ``keep_negatives``. What was left out is counted in :attr:`Sample.about`. ``forewarn train --sample FOLDER`` fits on
    the rows, and checks every label and weight first. On a cluster use ``forewarn.spark.label_and_sample``, which gives
    the same bytes.

    The column ``forewarn_weight`` says how many windows the one that ends in a row stands for: weighted by it, models
    give the probabilities of all services and windows. Only services without a failure that ``keep_quiet=0.0`` leaves
    out are represented by none.
    """
    asked = (_rule(rule), window.steps(), target, (keep_quiet, keep_negatives, seed))
    rows, about = _forewarn.label_and_sample(_table(table), reading.to_json(), *asked)
    return Sample(pa.table(rows), about)


class Model:
    """A fitted model with all that makes its rows: the file that ``forewarn train`` writes.

    It can be pickled, so that it goes to other processes.
    """

    def __init__(self, native: _forewarn.Model) -> None:
        self._native = native

    @classmethod
    def read(cls, path: Union[str, "os.PathLike[str]"]) -> "Model":
        """Reads a model file."""
        return cls.from_bytes(Path(path).read_bytes())

    @classmethod
    def from_bytes(cls, file: bytes) -> "Model":
        """Reads the bytes of a model file."""
        return cls(_forewarn.Model.from_bytes(file))

    def to_bytes(self) -> bytes:
        """The bytes of its file."""
        return self._native.to_bytes()

    def save(self, path: Union[str, "os.PathLike[str]"]) -> None:
        """Writes the file that ``forewarn replay`` and ``forewarn watch`` serve."""
        Path(path).write_bytes(self.to_bytes())

    @property
    def metrics(self) -> list[str]:
        """The metrics that it reads, in order."""
        return self._native.metrics

    @property
    def window(self) -> Window:
        """What a score looks at and speaks about."""
        return Window(*self._native.window)

    @property
    def step_millis(self) -> int:
        """Milliseconds between rows."""
        return self._native.step_millis

    @property
    def reads_other_services(self) -> bool:
        """Whether a score is made of the rows of other services too, by a service graph."""
        return self._native.reads_other_services

    @property
    def rule(self) -> Optional[Rule]:
        """The failure rule that it was fitted for, where the file has it."""
        rule = self._native.rule
        return None if rule is None else Rule.from_json(rule)

    @property
    def threshold(self) -> Optional[float]:
        """The score from which on alarms are raised, where the file has one."""
        return self._native.threshold

    @property
    def fingerprint(self) -> str:
        """Which metrics in which units and order, and which step it reads; see :func:`forewarn.fingerprint`."""
        return self._native.fingerprint

    @property
    def metadata(self) -> dict[str, Any]:
        """What else the file says: where the model comes from, and for what it was fitted."""
        return json.loads(self._native.metadata)

    def score(self, table: Any, reading: Reading = _USUAL) -> pa.Table:
        """The probability that a failure begins in the period after each row.

        Columns: ``service``, ``timestamp``, ``probability``, and ``cannot_tell`` with the reason where there is none:
        ``too_few_rows``, ``missing_row``, ``no_traffic`` or ``far_from_training``. They are the scores that a live
        service gives.

        :raises ForewarnError: for a table of another step, or without one of the metrics.
        """
        return pa.table(self._native.score(_table(table), reading.to_json()))

    def __reduce__(self) -> tuple[Any, tuple[bytes]]:
        return (Model.from_bytes, (self.to_bytes(),))

    def __repr__(self) -> str:
        return f"Model({self.metadata.get('model', '')!r}, metrics={self.metrics!r})"


class Results:
    """What :func:`evaluate` found."""

    def __init__(self, native: _forewarn.Results) -> None:
        self._native = native

    @property
    def report(self) -> dict[str, Any]:
        """Every figure: the content of ``report.json``."""
        return json.loads(self._native.report())

    @property
    def chosen(self) -> Optional[str]:
        """The name of the model to use."""
        return self._native.chosen()

    def model(self, name: Optional[str] = None) -> Model:
        """A model as it was fitted: the one to use, or the one called ``name``."""
        return Model.from_bytes(self._native.model(_chosen(name, self.chosen)))

    def write(self, folder: Union[str, "os.PathLike[str]"]) -> None:
        """Writes ``report.json``, ``report.html`` and ``predictions.csv``, as ``forewarn evaluate`` does."""
        self._native.write(os.fspath(folder))

    def __str__(self) -> str:
        return self._native.table()


class Trained:
    """What :func:`train` gave."""

    def __init__(self, native: _forewarn.Trained) -> None:
        self._native = native

    @property
    def summary(self) -> dict[str, Any]:
        """What was used, and how the models did on validation, which flatters them."""
        return json.loads(self._native.summary())

    @property
    def chosen(self) -> Optional[str]:
        """The name of the model to use."""
        return self._native.chosen()

    def model(self, name: Optional[str] = None) -> Model:
        """A model as it was fitted: the one to use, or the one called ``name``."""
        return Model.from_bytes(self._native.model(_chosen(name, self.chosen)))


def _chosen(name: Optional[str], chosen: Optional[str]) -> str:
    found = name or chosen
    if found is None:
        raise ForewarnError("no model could be chosen on validation")
    return found


def _question(
    window: Window,
    target: str,
    models: Sequence[str],
    members: int,
    seed: int,
    split: Sequence[float],
    budget: float,
    walk_forward_days: Optional[int],
) -> str:
    return json.dumps(
        {
            "window": window.steps(),
            "target": target,
            "models": list(models),
            "members": members,
            "seed": seed,
            "split": list(split),
            "budget_per_week": budget,
            "walk_forward_days": walk_forward_days,
        }
    )


def evaluate(
    table: Any,
    rule: Union[Rule, str],
    models: Sequence[str] = (),
    *,
    window: Window = _WINDOW,
    target: str = "onset",
    split: Sequence[float] = (0.70, 0.15, 0.15),
    budget: float = 1.0,
    members: int = 3,
    seed: int = 7,
    walk_forward_days: Optional[int] = None,
    name: str = "table",
    reading: Reading = _USUAL,
) -> Results:
    """Fits models on the first part of the time and reports how well they predict the last: ``forewarn evaluate``.

    :param models: names such as ``boosted_trees`` and ``logistic_window``; those of ``forewarn evaluate`` unless given.
    :param split: shares of the time for train, validation and test.
    :param budget: false alarms per service and week that are accepted.
    :param members: networks of each recurrent model.
    :param name: what the report calls the table.
    """
    question = _question(window, target, models, members, seed, split, budget, walk_forward_days)
    return Results(_forewarn.evaluate(_table(table), reading.to_json(), _rule(rule), question, name))


def train(
    table: Any,
    rule: Union[Rule, str],
    models: Sequence[str] = (),
    *,
    window: Window = _WINDOW,
    target: str = "onset",
    split: Sequence[float] = (0.70, 0.15, 0.15),
    budget: float = 1.0,
    members: int = 3,
    seed: int = 7,
    name: str = "table",
    reading: Reading = _USUAL,
) -> Trained:
    """Fits models on all of the time but a part for validation: ``forewarn train``. Parameters as :func:`evaluate`."""
    question = _question(window, target, models, members, seed, split, budget, None)
    return Trained(_forewarn.train(_table(table), reading.to_json(), _rule(rule), question, name))


class Report(dict):  # type: ignore[type-arg]
    """A report as a dict; as text it is the table that ``forewarn judge`` prints."""

    def __init__(self, figures: dict[str, Any], text: str) -> None:
        super().__init__(figures)
        self._text = text

    def __str__(self) -> str:
        return self._text


def judge(
    scores: Union[Any, Mapping[str, Any]],
    *,
    episodes: Any = None,
    labels: Any = None,
    table: Any = None,
    rule: Union[Rule, str, None] = None,
    window: Window = _WINDOW,
    step: Optional[str] = None,
    validation: float = 0.5,
    column: str = "probability",
    reading: Reading = _USUAL,
) -> Report:
    """Judges scores of any predictor against episodes, or against metrics and a rule: ``forewarn judge``.

    The first share of the time chooses thresholds, the rest is reported: PR-AUC beside the no-skill baseline, what a
    budget of false alarms buys, and intervals of both.

    :param scores: a table with ``service``, ``timestamp`` and ``column``, as :meth:`Model.score` gives it; for several
        predictors of the same windows a dict of such tables, each by its predictor's name.
    :param episodes: a table with ``service``, ``onset`` and ``end``; or give ``table`` and ``rule``.
    :param labels: what :func:`labels` found, beside what :func:`episodes` did, with the ``rule`` and the ``step`` of
        both: as ``table`` and ``rule``, without the metrics.
    :param step: time between two scores of a service, where the scores do not show it.
    :param validation: the share.
    """
    predictors = scores if isinstance(scores, Mapping) and "service" not in scores else {"scores": scores}
    given = [(name, _table(found), column) for name, found in predictors.items()]
    if (episodes is None) == (table is None):
        raise ForewarnError("judge: give episodes, or a table of metrics and a rule")
    failures: tuple[Any, ...]
    if rule is None and (table is not None or labels is not None):
        raise ForewarnError("judge: a table of metrics, or of labels, needs a rule")
    millis = None if step is None else step_millis(step)
    if labels is not None:
        failures = (_table(labels), _table(episodes), 60_000 if millis is None else millis, _rule(rule or ""))
    elif episodes is not None:
        failures = (_table(episodes), millis)
    else:
        failures = (_table(table), reading.to_json(), _rule(rule or ""))
    figures, text = _forewarn.judge(given, failures, window.steps(), validation)
    return Report(json.loads(figures), text)


def average_precision(scores: Sequence[float], positive: Sequence[bool]) -> float:
    """Area under the precision-recall curve, as average precision; equal scores are one threshold."""
    return _forewarn.average_precision([float(score) for score in scores], [bool(one) for one in positive])
