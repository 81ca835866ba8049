"""Reads the two hand-written tables, a folder each; a line that does not fit is an error."""

from dataclasses import dataclass
from pathlib import Path

from tests.core.matrix.world import KINDS

HERE = Path(__file__).parent
MARKS = frozenset("mpuslgayncw.-")


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a table: what it speaks of, and a cell for each column."""

    section: str
    what: str
    cells: dict[str, str]


def read(name: str) -> list[Line]:
    """The lines of a table, file by file."""
    lines: list[Line] = []
    section, columns, edge = "", [""], 0
    files = sorted((HERE / name).glob("*.txt"))
    for text in "\n".join(file.read_text(encoding="utf-8") for file in files).splitlines():
        if not text or text.startswith("#"):
            continue
        if text.startswith("["):
            section = text[1 : text.index("]")]
            columns = text[text.index("]") + 1 :].split()
            edge = text.index(columns[0])
            continue
        what, cells = text[:edge].strip(), text[edge:].split()
        lines.append(Line(section, what, dict(zip(columns, cells, strict=True))))
    return lines


def who_sees_what() -> dict[str, dict[str, dict[str, str]]]:
    """Noun → name of a row → column → mark."""
    table: dict[str, dict[str, dict[str, str]]] = {noun: {} for noun in KINDS}
    for line in read("who_sees_what"):
        strange = set(line.cells.values()) - MARKS
        if strange or line.what in table[line.section]:
            raise ValueError(f"{line.section}: {line.what}: {strange or 'stands twice'}")
        table[line.section][line.what] = line.cells
    return table
