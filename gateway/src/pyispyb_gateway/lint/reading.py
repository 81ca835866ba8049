"""The parts of a kong.yml that rules look at: its tables, routes, plugins, credentials."""

from collections.abc import Iterator

from pyispyb_gateway.document import Document, Row, Table
from pyispyb_gateway.router import Route, routes


def tables(table: Table, key: str) -> list[Table]:
    """The tables listed below `key`; none while a placeholder stands there."""
    rows = table.get(key)
    return [row for row in rows if isinstance(row, Table)] if isinstance(rows, Row) else []


def below(table: Table, *keys: str) -> Table:
    for key in keys:
        inner = table.get(key)
        table = inner if isinstance(inner, Table) else Table(table.line_of(key))
    return table


def all_routes(tree: Table) -> list[Table]:
    inner = [route for service in tables(tree, "services") for route in tables(service, "routes")]
    return inner + tables(tree, "routes")


def lines_of_routes(tree: Table) -> Iterator[tuple[str, int]]:
    for route in all_routes(tree):
        yield str(route.get("name")), route.line_of("name")


def routes_of(document: Document) -> list[Route]:
    """The routes with their plugins; none if the file lacks names (another rule's finding)."""
    named = all("name" in route for route in all_routes(document.tree))
    return list(routes(document.tree)) if named else []


def paths(tree: Table) -> Iterator[tuple[str, int]]:
    for route in all_routes(tree):
        paths = route.get("paths")
        if isinstance(paths, Row):
            yield from zip(map(str, paths), paths.lines, strict=True)


def plugins_of(owner: Table) -> list[Table]:
    of_routes = [plugin for route in tables(owner, "routes") for plugin in tables(route, "plugins")]
    return tables(owner, "plugins") + of_routes


def all_plugins(tree: Table) -> list[Table]:
    """Every plugin of the file; one that is written once and used by an alias comes once a use."""
    owners = [*tables(tree, "services"), *tables(tree, "routes"), *tables(tree, "consumers")]
    return [plugin for owner in owners for plugin in plugins_of(owner)] + tables(tree, "plugins")


def config_of(plugin: Table) -> Table:
    return below(plugin, "config")


def configs(tree: Table, name: str) -> Iterator[Table]:
    for plugin in all_plugins(tree):
        if plugin.get("name") == name:
            yield config_of(plugin)


def global_plugin(tree: Table, name: str) -> Table | None:
    return next((one for one in tables(tree, "plugins") if one.get("name") == name), None)


def rewrite(tree: Table) -> str:
    """All Lua of the one phase that runs before everything else and cannot be displaced."""
    plugin = global_plugin(tree, "pre-function")
    return "\n".join(map(str, config_of(plugin).get("rewrite", []))) if plugin else ""


def lua(tree: Table) -> Iterator[str]:
    for config in configs(tree, "pre-function"):
        for chunks in config.values():
            yield from map(str, chunks)
    for config in configs(tree, "file-log"):
        yield from map(str, below(config, "custom_fields_by_lua").values())


def credentials(tree: Table) -> Iterator[Table]:
    for consumer in tables(tree, "consumers"):
        yield from tables(consumer, "jwt_secrets")
