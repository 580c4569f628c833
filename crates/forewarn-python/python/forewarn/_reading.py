"""How a table is understood."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any, Mapping, Optional, Sequence

from forewarn._forewarn import ForewarnError

_UNITS = {"ms": 1, "s": 1_000, "m": 60_000, "min": 60_000, "h": 3_600_000, "d": 86_400_000}


def step_millis(step: str) -> int:
    """Milliseconds of a duration such as ``15s``, ``1m`` or ``1h``."""
    found = re.fullmatch(r"\s*(\d+)\s*([a-z]+)\s*", step)
    if found is None or found[2] not in _UNITS:
        raise ForewarnError(f"step {step!r}: expected a duration such as 15s, 1m or 1h")
    return int(found[1]) * _UNITS[found[2]]


@dataclass(frozen=True)
class Reading:
    """How a table is read. Nothing needs to be said of one with usual names.

    Times, services and metrics are found by the names and types of columns, as ``forewarn check`` finds them in a
    file; whatever has a name of the ten usual metrics has its unit and range.
    """

    time: Sequence[str] = ()
    """Columns of times; several are joined with a blank."""
    service: Sequence[str] = ()
    """Columns of service names; several are joined with ``/``."""
    columns: Sequence[str] = ()
    """Columns that are metrics; empty for all others."""
    drop: Sequence[str] = ()
    """Columns to leave out."""
    rename: Mapping[str, str] = field(default_factory=dict)
    """Other names for columns."""
    units: Mapping[str, str] = field(default_factory=dict)
    """Units in which the table has metrics, such as ``{"p99_latency": "s"}``."""
    counters: Sequence[str] = ()
    """Cumulative counters, which become the increase per step."""
    metrics: Sequence[Mapping[str, Any]] = ()
    """Definitions of metrics: ``name``, and optionally ``column``, ``unit``, ``kind`` and ``range``."""
    failure_column: Optional[str] = None
    """A column that says when the service was failing."""
    failure_value: Optional[str] = None
    """Its value for failing, where that is not a yes."""
    step: Optional[str] = None
    """Time between the rows of a service, such as ``15s`` or ``1m``; found from the rows unless given."""
    timezone: Optional[str] = None
    """Zone of times that have none; UTC unless given."""
    shape: str = "auto"
    """``records`` (a row is a service at a time), ``long`` (one metric of it), ``wide`` (a column is a service)."""
    metric: Optional[str] = None
    """The metric of a wide table."""
    duplicates: str = "error"
    """For two rows of one service and time: ``error``, ``first``, ``last`` or ``mean``."""

    def to_json(self) -> str:
        """The same for the library."""
        return json.dumps(
            {
                "time": list(self.time),
                "service": list(self.service),
                "columns": list(self.columns),
                "drop": list(self.drop),
                "rename": dict(self.rename),
                "units": dict(self.units),
                "counters": list(self.counters),
                "metrics": [dict(metric) for metric in self.metrics],
                "failure_column": self.failure_column,
                "failure_value": self.failure_value,
                "step_millis": None if self.step is None else step_millis(self.step),
                "timezone": self.timezone,
                "shape": self.shape,
                "metric": self.metric,
                "duplicates": self.duplicates,
            },
            sort_keys=True,
        )


@dataclass(frozen=True)
class Window:
    """What a prediction looks at and speaks about, in steps."""

    observation: int = 10
    """Rows that a model sees."""
    lead: int = 0
    """Steps between the last of them and the prediction period."""
    period: int = 5
    """Steps in which a failure may begin."""

    def steps(self) -> tuple[int, int, int]:
        """Observation, lead and period."""
        return (self.observation, self.lead, self.period)
