"""Readers that go on while something happens to the suite."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import requests

READERS, PAUSE = 4, 0.02


class Load:
    """What became of the requests so far: how many of each status, or fault."""

    def __init__(self) -> None:
        self.counted: Counter[int | str] = Counter()
        self.failed: list[str] = []
        self.over = threading.Event()

    def read(self, url: str, headers: Callable[[], dict[str, str]]) -> None:
        """Ask again and again, on one connection as long as it holds."""
        with requests.Session() as session:
            while not self.over.is_set():
                try:
                    answer = session.get(url, headers=headers(), timeout=20)
                except requests.RequestException as error:
                    self._fault(type(error).__name__, str(error))
                else:
                    self.counted[answer.status_code] += 1
                    if answer.status_code != requests.codes.ok:
                        self.failed.append(f"{answer.status_code} {answer.text[:200]}")
                time.sleep(PAUSE)

    def _fault(self, name: str, told: str) -> None:
        self.counted[name] += 1
        self.failed.append(told)


@contextmanager
def under_load(url: str, headers: Callable[[], dict[str, str]]) -> Iterator[Load]:
    """Readers while the block runs, and a second before and after it."""
    load = Load()
    readers = [threading.Thread(target=load.read, args=(url, headers)) for _ in range(READERS)]
    for reader in readers:
        reader.start()
    try:
        time.sleep(1)
        yield load
        time.sleep(1)
    finally:
        load.over.set()
        for reader in readers:
            reader.join()
