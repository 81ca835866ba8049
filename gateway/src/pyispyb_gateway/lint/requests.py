"""What happens to every request: its id, who it is from, its log line, other web pages."""

from collections.abc import Iterator

from pyispyb_gateway.document import Document
from pyispyb_gateway.lint.reading import below, configs, global_plugin, rewrite
from pyispyb_gateway.lint.rules import Fault, rule

# What a log line must not get from Kong's own serializer: headers, query strings, whole URLs.
MASKED = ("request", "response", "upstream_uri", "tries")
IDENTITY = ("X-Consumer-ID", "X-Consumer-Username", "X-Credential-Identifier", "X-Forwarded-Prefix")


@rule("id-cleaner", "clear malformed ones in the rewrite phase of a global pre-function")
def _id_cleaner(document: Document) -> Iterator[Fault]:
    plugin = global_plugin(document.tree, "correlation-id")
    if plugin is None:
        yield document.tree.line_of("plugins"), "requests get no id: correlation-id is not global"
    elif 'get_header("x-request-id")' not in rewrite(document.tree).lower():
        yield plugin.line_of("name"), "correlation-id keeps whatever a client sends"


@rule("identity-headers", "clear them in the rewrite phase of a global pre-function")
def _identity_headers(document: Document) -> Iterator[Fault]:
    sent = rewrite(document.tree).lower()
    kept = [name for name in IDENTITY if f'"{name.lower()}"' not in sent]
    if kept or 'gsub("-", "_")' not in sent:
        plugin = global_plugin(document.tree, "pre-function")
        line = plugin.line_of("name") if plugin else document.tree.line_of("plugins")
        yield line, f"clients may send {', '.join(kept) or 'identity headers with underscores'}"


@rule("es256-length", "clear such tokens in the rewrite phase of a global pre-function")
def _es256_length(document: Document) -> Iterator[Fault]:
    if "86" not in rewrite(document.tree):
        plugin = global_plugin(document.tree, "pre-function")
        line = plugin.line_of("name") if plugin else document.tree.line_of("plugins")
        yield line, "an ES256 signature of other than 64 bytes is answered 500"


@rule("log-fields", "set the field to 'return nil', and path to one that masks /links/<token>")
def _log_fields(document: Document) -> Iterator[Fault]:
    plugin = global_plugin(document.tree, "file-log")
    if plugin is None:
        yield document.tree.line_of("plugins"), "requests leave no line: file-log is not global"
        return
    fields = below(plugin, "config", "custom_fields_by_lua")
    for name in MASKED:
        if fields.get(name) != "return nil":
            yield fields.line_of(name), f"the log has {name}: query strings and tokens with it"
    if "/links/" not in str(fields.get("path", "")):
        yield fields.line_of("path"), "the log has the tokens of links"


@rule("cors-origin", "list the origins")
def _cors_origin(document: Document) -> Iterator[Fault]:
    for config in configs(document.tree, "cors"):
        origins = config.get("origins")
        if not origins or "*" in origins:
            yield config.line_of("origins"), "every web page may call"
