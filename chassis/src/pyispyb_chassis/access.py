"""Every route says who may call it; silence stops the start."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import wraps
from typing import Any, TypeVar, cast

from flask import Flask, current_app, g, request
from werkzeug.routing import Rule

from pyispyb_chassis.errors import Forbidden
from pyispyb_chassis.permissions import Permission
from pyispyb_chassis.principal import Principal

F = TypeVar("F", bound=Callable[..., Any])
MARK = "who_may_call"
# Where a link puts the caller for whom it asks; no header of a client gets a name like this.
LINKED = "pyispyb.linked"


@dataclass(frozen=True, slots=True)
class Public:
    """Anybody, without a token."""


@dataclass(frozen=True, slots=True)
class Requires:
    """A valid login that holds these permissions (none: any valid login)."""

    permissions: tuple[Permission, ...]


class UnmarkedRoute(Exception):
    """A route does not say who may call it."""


def public(call: F) -> F:
    """Let anybody call this route."""
    setattr(call, MARK, Public())
    return call


def requires(*permissions: Permission) -> Callable[[F], F]:
    """Let only a valid login that holds every one of `permissions` call this route."""

    def mark(call: F) -> F:
        @wraps(call)
        def guarded(*args: Any, **kwargs: Any) -> Any:
            admit(permissions)
            return call(*args, **kwargs)

        setattr(guarded, MARK, Requires(permissions))
        return cast("F", guarded)

    return mark


def admit(permissions: tuple[Permission, ...]) -> Principal:
    """Verify the caller's token and rights; put the principal where `principal()` finds it.

    Who comes by a link was verified there, and has the rights of its maker.

    Raises Unauthenticated, Forbidden, or Unavailable when the issuer's keys cannot be had.
    """
    chassis = current_app.extensions["pyispyb"]
    linked = request.environ.get(LINKED)
    caller: Principal = (
        linked
        if isinstance(linked, Principal)
        else chassis.verifier.verify(request.headers.getlist("Authorization"))
    )
    g.principal = caller
    missing = [wanted for wanted in permissions if wanted not in chassis.rights_of(caller)]
    if missing:
        raise Forbidden(f"this needs the permission {', '.join(missing)}")
    return caller


def marks(app: Flask) -> Iterator[tuple[str, str, Public | Requires | None]]:
    """Every (path, method, mark) of the app; the mark is None where a route says nothing."""
    for rule in app.url_map.iter_rules():
        view = app.view_functions[rule.endpoint]
        resource = getattr(view, "view_class", None)
        for method in sorted((rule.methods or set()) - _answered_by_flask(rule, resource)):
            yield rule.rule, method, mark_of(app, rule, method)


def mark_of(app: Flask, rule: Rule, method: str) -> Public | Requires | None:
    """What a route says of who may call it by this method."""
    view = app.view_functions[rule.endpoint]
    resource = getattr(view, "view_class", None)
    call = getattr(resource, method.lower(), None) if resource else view
    mark: Public | Requires | None = getattr(call, MARK, None)
    return mark


def _answered_by_flask(rule: Rule, resource: type | None) -> set[str]:
    """HEAD where GET answers it, OPTIONS where Flask lists the methods."""
    methods = rule.methods or set()
    by_flask = set()
    if "GET" in methods and not hasattr(resource, "head"):
        by_flask.add("HEAD")
    if getattr(rule, "provide_automatic_options", False) and not hasattr(resource, "options"):
        by_flask.add("OPTIONS")
    return by_flask


def refuse_unmarked_routes(app: Flask) -> None:
    """Stop the start when any route does not say who may call it."""
    silent = [f"{method} {path}" for path, method, mark in marks(app) if mark is None]
    if silent:
        raise UnmarkedRoute("who may call these? " + ", ".join(sorted(silent)))
