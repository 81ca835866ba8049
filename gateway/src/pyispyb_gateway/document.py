"""kong.yml in memory: plain mappings and lists that remember on which line each part stands."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml


class Table(dict[str, Any]):
    """A mapping; `line` is where it begins, `lines` where each key stands."""

    def __init__(self, line: int) -> None:
        super().__init__()
        self.line = line
        self.lines: dict[str, int] = {}

    def put(self, key: str, value: Any, line: int) -> None:
        """Set a key and its line."""
        self[key] = value
        self.lines[key] = line

    def line_of(self, key: str) -> int:
        """Where `key` stands; where the mapping begins if it has none."""
        return self.lines.get(key, self.line)


class Row(list[Any]):
    """A list; `line` is where it begins, `lines` where each item stands."""

    def __init__(self, line: int) -> None:
        super().__init__()
        self.line = line
        self.lines: list[int] = []

    def put(self, value: Any, line: int) -> None:
        """Append an item and its line."""
        self.append(value)
        self.lines.append(line)


@dataclass(frozen=True)
class Scalar:
    """A value as it was written."""

    value: Any
    line: int
    style: str | None


@dataclass(frozen=True)
class Document:
    """A file for Kong: its tree, and every scalar with the style it was written in."""

    path: Path
    tree: Table
    scalars: tuple[Scalar, ...]


class NotADocument(Exception):
    """The file cannot be read as one YAML mapping."""


def read(path: Path) -> Document:
    """The file at `path`; raises NotADocument with file, line and reason."""
    try:
        node = yaml.compose(path.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
    except OSError as error:
        raise NotADocument(f"{path}: cannot be read: {error.strerror}") from error
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 0
        raise NotADocument(f"{path}:{line}: not YAML: {error.problem}") from error
    if not isinstance(node, yaml.MappingNode):
        raise NotADocument(f"{path}: holds no mapping")
    builder = _Builder()
    tree = builder.build(node)
    return Document(path, tree, tuple(builder.scalars))


class _Builder:
    """Turns YAML nodes into tables and rows; anchors and merges come out as what they stand for."""

    def __init__(self) -> None:
        self._constructor = yaml.SafeLoader("")
        self._merged: set[int] = set()
        self._seen: set[int] = set()
        self.scalars: list[Scalar] = []

    def build(self, node: yaml.Node, below: int | None = None) -> Any:
        """The node's value; a mapping begins where the key stands that it is `below`."""
        line = below or node.start_mark.line + 1
        if isinstance(node, yaml.MappingNode):
            if id(node) not in self._merged:
                self._constructor.flatten_mapping(node)
                self._merged.add(id(node))
            table = Table(line)
            for key, value in node.value:
                at = key.start_mark.line + 1
                table.put(str(key.value), self.build(value, at), at)
            return table
        if isinstance(node, yaml.SequenceNode):
            row = Row(line)
            for item in node.value:
                row.put(self.build(item), item.start_mark.line + 1)
            return row
        value = self._constructor.construct_object(node)
        if id(node) not in self._seen:
            self._seen.add(id(node))
            written = node.start_mark.line + 1
            self.scalars.append(Scalar(value, written, getattr(node, "style", None)))
        return value


def leaves(value: Any, line: int = 1) -> Iterator[tuple[Any, int]]:
    """Every scalar below `value` with its line."""
    if isinstance(value, Table):
        for key, part in value.items():
            yield from leaves(part, value.line_of(key))
    elif isinstance(value, Row):
        for part, at in zip(value, value.lines, strict=True):
            yield from leaves(part, at)
    else:
        yield value, line


def plain(value: Any) -> Any:
    """The same tree of built-in types, nothing shared."""
    if isinstance(value, dict):
        return {key: plain(part) for key, part in value.items()}
    if isinstance(value, list):
        return [plain(part) for part in value]
    return value
