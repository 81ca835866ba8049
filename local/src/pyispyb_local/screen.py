"""What the person at the terminal sees: plain lines, and the seconds of a long step."""

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager


class Refusal(Exception):
    """The suite cannot run here; the message is the one line that says why and what to do."""


def say(text: str = "") -> None:
    """Print one line at once."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


@contextmanager
def step(what: str) -> Iterator[None]:
    """Show a step while it lasts, and how long it took."""
    begun = time.monotonic()
    over = threading.Event()
    watcher = threading.Thread(target=_tick, args=(what, begun, over), daemon=True)
    watcher.start()
    word = "failed"
    try:
        yield
        word = "done"
    finally:
        over.set()
        watcher.join()
        start = "\r\033[K" if sys.stdout.isatty() else ""
        say(f"{start}  {what:<44} {word:>6}  {time.monotonic() - begun:5.1f} s")


def _tick(what: str, begun: float, over: threading.Event) -> None:
    """On a terminal the line counts seconds; in a file a long step says so now and then."""
    on_terminal = sys.stdout.isatty()
    while not over.wait(0.2 if on_terminal else 10):
        seconds = time.monotonic() - begun
        if on_terminal:
            sys.stdout.write(f"\r\033[K  {what:<44} {'…':>6}  {seconds:5.1f} s")
        else:
            sys.stdout.write(f"  {what} … {seconds:.0f} s\n")
        sys.stdout.flush()
