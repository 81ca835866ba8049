"""In the place of VictoriaLogs: keeps the lines that it is sent, and answers what the page asks.

Of LogsQL it knows what docs/deploy.md uses: field:=value, field:~"regular expression",
field:>=number, field:in(query | fields name), _time:1d, `or`, brackets, | sort by (_time).
"""

import json
import re
import sys
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import parse_qs, urlsplit

Line = dict[str, Any]
Test = Callable[[Line], bool]
WORD = re.compile(
    r"\s*(?:(?P<mark>[()])|(?P<either>or\b)|(?P<name>\w+):(?P<how>in\(|=|~|>=|)"
    r'(?:(?<=in\()(?P<query>.*?) \| fields (?P<of>\w+)\)|(?P<value>"[^"]*"|[^\s()]+)))'
)
SECONDS = {"m": 60, "h": 3600, "d": 86400}


class Query:
    """A query, read from left to right; side by side is `and`, which binds more than `or`."""

    def __init__(self, text: str, lines: list[Line]) -> None:
        self._lines = lines
        text = text.removesuffix("| sort by (_time)").strip()
        self._words: list[re.Match[str]] = []
        at = 0
        while at < len(text):
            word = WORD.match(text, at)
            if word is None:
                raise ValueError(f"not understood: {text[at:]}")
            self._words.append(word)
            at = word.end()

    def found(self) -> list[Line]:
        """The lines that it asks for, the oldest first."""
        test = self._either()
        if self._words:
            raise ValueError(f"not understood: {self._words[0][0]}")
        return sorted(filter(test, self._lines), key=lambda line: str(line["ts"]))

    def _either(self) -> Test:
        tests = [self._all()]
        while self._words and self._words[0]["either"]:
            self._words.pop(0)
            tests.append(self._all())
        return lambda line: any(test(line) for test in tests)

    def _all(self) -> Test:
        tests = []
        while self._words and not self._words[0]["either"] and self._words[0]["mark"] != ")":
            tests.append(self._one())
        if not tests:
            raise ValueError("nothing is asked for")
        return lambda line: all(test(line) for test in tests)

    def _one(self) -> Test:
        word = self._words.pop(0)
        if word["mark"]:
            inner = self._either()
            if not self._words or self._words.pop(0)["mark"] != ")":
                raise ValueError("a bracket is open")
            return inner
        name, value = word["name"], (word["value"] or "").strip('"')
        if word["query"]:
            inside = Query(word["query"], self._lines).found()
            wanted = {str(line[word["of"]]) for line in inside if word["of"] in line}
            return lambda line: str(line.get(name)) in wanted
        if name == "_time":
            since = time.time() - int(value[:-1]) * SECONDS[value[-1]]
            return lambda line: datetime.fromisoformat(str(line["ts"])).timestamp() >= since
        if word["how"] == "~":
            return lambda line: re.search(value, str(line.get(name, ""))) is not None
        if word["how"] == ">=":
            return lambda line: float(line.get(name) or 0) >= float(value)
        return lambda line: name in line and str(line[name]) == value


class Receiver(BaseHTTPRequestHandler):
    """POST /insert/jsonline adds lines, GET or POST /select/logsql/query gives them."""

    kept: ClassVar[Path]

    def do_POST(self) -> None:
        """Keep what is sent, or answer the query in the body."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path.startswith("/insert/"):
            with self.kept.open("ab") as file:
                file.write(body)
            self._answer(b"")
        else:
            self._query(body.decode())

    def do_GET(self) -> None:
        """Answer the query in the URL; without one say that all is well."""
        asked = urlsplit(self.path)
        if asked.path == "/health":
            self._answer(b"OK")
        else:
            self._query(asked.query)

    def _query(self, form: str) -> None:
        try:
            found = Query(parse_qs(form)["query"][0], list(self._lines())).found()
        except (KeyError, ValueError) as error:
            self._answer(str(error).encode(), 400)
        else:
            self._answer("".join(json.dumps(shown(line)) + "\n" for line in found).encode())

    def _lines(self) -> Iterator[Line]:
        if self.kept.exists():
            yield from map(json.loads, self.kept.read_bytes().splitlines())

    def _answer(self, body: bytes, status: int = 200) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def shown(line: Line) -> Line:
    """A line as VictoriaLogs gives it: all values are texts, time and message have its names."""
    texts = {
        name: value if isinstance(value, str) else json.dumps(value)
        for name, value in line.items()
        if value is not None
    }
    return {"_time": texts.pop("ts", ""), "_msg": texts.pop("message", ""), **texts}


if __name__ == "__main__":
    Receiver.kept = Path(sys.argv[1]) / "lines.jsonl"
    ThreadingHTTPServer(("", 9428), Receiver).serve_forever()
