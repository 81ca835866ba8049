"""One request across all programs in time order; what is no JSON line is kept."""

from pathlib import Path

import orjson
import pytest

from pyispyb_local.journal import follow, lines_of, newest, read_line, shown


def line(second: int, service: str, request_id: str | None, **more: object) -> bytes:
    """A log line as the programs write it."""
    head = {"ts": f"2026-01-01T00:00:{second:02}.000Z", "level": "INFO", "service": service}
    return orjson.dumps({**head, "request_id": request_id, "message": "request", **more}) + b"\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Logs of three programs, one of them rotated, with noise."""
    (tmp_path / "gateway.log").write_bytes(line(3, "gateway", "a", status=201) + b"[warn] envoy\n")
    (tmp_path / "ssx.log").write_bytes(line(2, "ssx", "a") + line(4, "ssx", "b"))
    (tmp_path / "core.log.1").write_bytes(line(1, "core", "a"))
    (tmp_path / "core.log").write_bytes(
        line(5, "core", "ab") + line(6, "core", None, note="a") + b'"a"\n{"request_id": "a"\n'
    )
    return tmp_path


@pytest.mark.parametrize(
    ("request_id", "services"),
    [("a", ["core", "ssx", "gateway"]), ("b", ["ssx"]), ("ab", ["core"]), ("c", []), ("", [])],
)
def test_one_request_in_time_order(folder: Path, request_id: str, services: list[str]) -> None:
    assert [one["service"] for one in lines_of(request_id, folder)] == services


def test_times_of_other_zones_are_put_in_order(tmp_path: Path) -> None:
    (tmp_path / "one.log").write_bytes(
        b'{"ts": "2026-01-01T02:00:00+02:00", "request_id": "a", "service": "first"}\n'
        b'{"ts": "2026-01-01T00:30:00Z", "request_id": "a", "service": "last"}\n'
        b'{"ts": "2026-01-01T00:10:00.5Z", "request_id": "a", "service": "second"}\n'
    )
    assert [one["service"] for one in lines_of("a", tmp_path)] == ["first", "second", "last"]


def test_the_newest_lines_of_all_programs(folder: Path) -> None:
    assert [one["service"] for one in newest(folder, 2)] == ["core", "core"]
    assert len(newest(folder, 100)) == 9


@pytest.mark.parametrize(
    ("raw", "service", "message"),
    [
        (b"Traceback (most recent call last):\n", "auth", "Traceback (most recent call last):"),
        (b"[1, 2]\n", "auth", "[1, 2]"),
        (b"\xff\xfe\n", "auth", "��"),
        (b'{"service": "gateway", "message": "m"}\n', "gateway", "m"),
    ],
)
def test_a_line_is_read_whatever_it_is(raw: bytes, service: str, message: str) -> None:
    read = read_line(raw, "auth.log.1")
    assert (read["service"], read["message"]) == (service, message)


def test_a_line_for_people() -> None:
    read = read_line(line(1, "core", "a", status=200, path="/core/x", upstream=None, n=2), "core")
    assert shown(read) == "2026-01-01T00:00:01.000Z INFO core a /core/x 200 request n=2"


def test_following_goes_on_through_rotation(folder: Path) -> None:
    lines = follow(folder, pause=0.01)
    log = folder / "ssx.log"
    with log.open("ab") as file:
        file.write(b"half a l")
    (folder / "new.log").write_bytes(line(7, "new", "n"))
    first = next(lines)
    with log.open("ab") as file:
        file.write(b"ine\n")
    second = next(lines)
    log.rename(folder / "ssx.log.1")
    log.write_bytes(line(8, "ssx", "after"))
    third = next(lines)
    assert [first["service"], second["message"], third["request_id"]] == [
        "new",
        "half a line",
        "after",
    ]
