"""CPU time of a calculation."""

import time
from collections.abc import Callable


def timed[T](calculation: Callable[[], T]) -> tuple[float, T]:
    """Milliseconds of CPU of one call, all threads together, and its value."""
    start = time.process_time()
    value = calculation()
    return 1000 * (time.process_time() - start), value


def shortest(calculation: Callable[[], object], repeats: int = 9) -> float:
    """Milliseconds of CPU of the fastest of several calls, after one call that is not timed."""
    calculation()
    return min(timed(calculation)[0] for _ in range(repeats))
