"""How the state machines of these tests choose a charge, and how they are run.

A step on PostgreSQL takes about five times as long, and proves only that its engine does what the
same statements do on SQLite. It takes a part of the examples; what they must reach is the same.
"""

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine

Choice = tuple[bool, bool, int, int]
CHOICES: st.SearchStrategy[Choice] = st.tuples(
    st.sampled_from([True, True, True, False]),
    st.booleans(),
    st.integers(0, 3),
    st.integers(0, 9),
)
"""Whether it should fit, whether one of an erased person is preferred, which state, which one."""
ON_POSTGRESQL = 3
"""PostgreSQL takes one example of so many."""


def examples_on(engine: str, examples: int) -> int:
    """Return how many examples `engine` takes of those that SQLite takes."""
    return examples if engine == "sqlite" else -(-examples // ON_POSTGRESQL)


def run_machine(
    machine: type[RuleBasedStateMachine], engine: str, *, examples: int, steps: int
) -> None:
    """Run a machine on `engine`; `examples` is how many SQLite takes."""
    case = machine.TestCase
    case.settings = settings(
        max_examples=examples_on(engine, examples),
        stateful_step_count=steps,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    case().runTest()
