from typing import Any, Optional, Sequence, final

__all__ = [
    "ForewarnError",
    "__version__",
    "Rule",
    "Model",
    "Results",
    "Trained",
    "summary",
    "fingerprint",
    "labels",
    "episodes",
    "verdicts",
    "features",
    "windows",
    "label_and_sample",
    "join_samples",
    "evaluate",
    "train",
    "judge",
    "average_precision",
]

__version__: str

class ForewarnError(Exception):
    """What forewarn cannot work with: what was found, where, what was expected, and what to do."""

@final
class Rule:
    """What counts as failing."""

    @staticmethod
    def parse(text: str) -> Rule:
        """Reads the sentence of a comparison, such as ``error_rate >= 0.05 for 2 steps``."""
    @staticmethod
    def from_toml(text: str) -> Rule:
        """Reads a rule of more than a line."""
    @staticmethod
    def from_json(text: str) -> Rule:
        """Reads what :meth:`to_json` gives."""
    @staticmethod
    def v1() -> Rule:
        """An error rate of at least 5 % for two steps."""
    @staticmethod
    def outcome(column: str) -> Rule:
        """Failing where a column says so."""
    def to_json(self) -> str:
        """The rule as data."""
    @property
    def metrics(self) -> list[str]:
        """Metrics that it asks for, in order of name."""
    def __eq__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...

@final
class Model:
    @staticmethod
    def from_bytes(file: bytes) -> Model: ...
    def to_bytes(self) -> bytes: ...
    @property
    def metrics(self) -> list[str]: ...
    @property
    def reads_other_services(self) -> bool: ...
    @property
    def step_millis(self) -> int: ...
    @property
    def window(self) -> tuple[int, int, int]: ...
    @property
    def fingerprint(self) -> str: ...
    @property
    def rule(self) -> Optional[str]: ...
    @property
    def threshold(self) -> Optional[float]: ...
    @property
    def metadata(self) -> str: ...
    def score(self, rows: Any, reading: str) -> Any: ...

@final
class Results:
    def report(self) -> str: ...
    def table(self) -> str: ...
    def chosen(self) -> Optional[str]: ...
    def model(self, name: str) -> bytes: ...
    def write(self, folder: str) -> None: ...

@final
class Trained:
    def summary(self) -> str: ...
    def chosen(self) -> Optional[str]: ...
    def model(self, name: str) -> bytes: ...

def summary(table: Any, reading: str) -> str: ...
def fingerprint(table: Any, reading: str) -> str: ...
def episodes(rows: Any, reading: str, rule: Rule) -> Any: ...
def verdicts(rows: Any, reading: str, rule: Rule) -> Any: ...
def labels(rows: Any, reading: str, rule: Rule, spec: tuple[int, int, int], target: str) -> Any: ...
def features(rows: Any, reading: str, fill_steps: int) -> Any: ...
def windows(
    rows: Any, reading: str, rule: Rule, spec: tuple[int, int, int], target: str, fill_steps: int
) -> tuple[Any, list[str]]: ...
def label_and_sample(
    rows: Any, reading: str, rule: Rule, spec: tuple[int, int, int], target_of: str, choice: tuple[float, float, int]
) -> tuple[Any, str]: ...
def join_samples(parts: list[str]) -> str: ...
def evaluate(rows: Any, reading: str, rule: Rule, question: str, name: str) -> Results: ...
def train(rows: Any, reading: str, rule: Rule, question: str, name: str) -> Trained: ...
def judge(
    predictors: Sequence[tuple[str, Any, str]],
    failures: tuple[Any, ...],
    spec: tuple[int, int, int],
    validation_share: float,
) -> tuple[str, str]: ...
def average_precision(scores: Sequence[float], positive: Sequence[bool]) -> float: ...
