"""A breaker: open after a fault, one try after a pause, closed by the first success."""

import threading
import time

import pytest

from pyispyb_chassis.breaker import Breaker
from pyispyb_chassis.errors import Unavailable

PAUSE = 0.5


@pytest.fixture
def breaker() -> Breaker:
    return Breaker("the oven", pause=PAUSE)


def passes(breaker: Breaker) -> bool:
    try:
        breaker.check()
    except Unavailable:
        return False
    return True


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ("", True),
        ("fail", False),
        ("work", True),
        ("fail wait", True),
        ("fail wait pass", False),  # the one try is under way
        ("fail wait pass work", True),
        ("fail wait pass fail", False),
        ("fail work", True),
        ("fail fail wait", True),
    ],
)
def test_what_follows_what(breaker: Breaker, steps: str, expected: object) -> None:
    for step in steps.split():
        match step:
            case "fail":
                assert isinstance(breaker.failed(), Unavailable)
            case "work":
                breaker.worked()
            case "wait":
                time.sleep(PAUSE * 1.2)
            case "pass":
                assert passes(breaker)
    assert passes(breaker) is expected


def test_one_of_many_tries() -> None:
    """Within one pause, which is long enough for twenty threads on a busy machine."""
    breaker = Breaker("the oven", pause=2)
    breaker.failed()
    time.sleep(2.1)
    told: list[bool] = []
    threads = [threading.Thread(target=lambda: told.append(passes(breaker))) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(told) == 1


def test_a_refusal_says_what_does_not_answer_and_when_to_try_again(breaker: Breaker) -> None:
    breaker.failed()
    with pytest.raises(Unavailable, match="the oven does not answer") as refused:
        breaker.check()
    assert int(refused.value.headers["Retry-After"]) > 0
