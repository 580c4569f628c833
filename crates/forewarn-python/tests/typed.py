"""The module as a type checker sees it: `mypy --strict` passes over this file, and only over what is right in it."""

from __future__ import annotations

from typing import Any

import forewarn


def a_whole_use(table: dict[str, list[Any]]) -> tuple[float, str]:
    reading = forewarn.Reading(step="1m", units={"p99_latency": "ms"})
    window = forewarn.Window(observation=10, lead=0, period=5)
    rule: forewarn.Rule = forewarn.Rule.parse("error_rate >= 0.05 for 2 steps")
    names: list[str] = rule.metrics
    sample: forewarn.Sample = forewarn.label_and_sample(table, rule, window, keep_negatives=0.1, reading=reading)
    sample.write("sample")
    results: forewarn.Results = forewarn.evaluate(table, rule, ["logistic_snapshot"], budget=2.0, reading=reading)
    trained: forewarn.Trained = forewarn.train(table, rule, names)
    model: forewarn.Model = trained.model() if results.chosen is None else results.model()
    threshold: float = model.threshold or 0.5
    found: dict[str, Any] = forewarn.check(table, reading)
    report = forewarn.judge(model.score(table, reading), table=table, rule=model.rule or rule)
    return threshold + len(found) + len(report), model.fingerprint


def what_is_wrong() -> None:
    # Each line has to be refused: mypy complains of a comment that is not needed.
    forewarn.Rule.parse(5)  # type: ignore[arg-type]
    forewarn.Window(observation="ten")  # type: ignore[arg-type]
    forewarn.Reading(spacing="1m")  # type: ignore[call-arg]
    forewarn.train({}, "error_rate > 1", models=3)  # type: ignore[arg-type]
    forewarn.Model.read("a").no_such_thing  # type: ignore[attr-defined]
    forewarn.average_precision(["a"], [True])  # type: ignore[list-item]
