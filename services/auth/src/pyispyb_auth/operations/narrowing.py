"""What a scope, a list of beamlines and an end may be, for who is given less than everything."""

from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field

from pyispyb_chassis.permissions import Permission

# Who holds one of these holds all the others: a scope with them would narrow nothing.
NEVER_IN_A_SCOPE = frozenset(
    {Permission.ACCOUNTS_MANAGE, Permission.EVERYTHING_READ_ALL, Permission.EVERYTHING_WRITE_ALL}
)
GRANTABLE = tuple(one for one in Permission if one not in NEVER_IN_A_SCOPE)
MOST_BEAMLINES = 32
LONGEST_SCOPE = 3500


def _is_grantable(word: str) -> str:
    if word in {str(one) for one in NEVER_IN_A_SCOPE}:
        raise ValueError(f"{word} is for people only, never in a scope")
    if word not in {str(one) for one in GRANTABLE}:
        raise ValueError(f"no such permission; there are: {', '.join(GRANTABLE)}")
    return word


def _fits_a_token(words: list[str]) -> list[str]:
    # A token goes into one header, with beamlines and groups besides.
    if len(" ".join(words)) > LONGEST_SCOPE:
        raise ValueError(f"together at most {LONGEST_SCOPE} characters")
    return words


def _once_each(words: list[str]) -> list[str]:
    return sorted(set(words))


def _ahead(value: object) -> object:
    """A moment with its zone, as the database keeps it."""
    if not isinstance(value, str):
        return value
    try:
        moment = datetime.fromisoformat(value)
    except ValueError as error:
        raise ValueError("not a time; write it as 2027-01-31T12:00:00Z") from error
    if moment.tzinfo is None:
        raise ValueError("a time needs its zone, as 2027-01-31T12:00:00Z")
    try:
        kept = moment.astimezone(UTC).replace(tzinfo=None, microsecond=0)
    except OverflowError as error:
        raise ValueError("no clock will show this time") from error
    if kept <= now():
        raise ValueError("this time is over")
    return kept


Scope = Annotated[
    list[Annotated[str, AfterValidator(_is_grantable)]],
    Field(min_length=1, max_length=len(Permission), description="permissions"),
    AfterValidator(_once_each),
    AfterValidator(_fits_a_token),
]
Beamlines = Annotated[
    list[Annotated[str, Field(pattern=r"^\S(.{0,43}\S)?$")]],
    Field(max_length=MOST_BEAMLINES, description="beamlines by name"),
    AfterValidator(_once_each),
]
Ahead = Annotated[
    datetime,
    BeforeValidator(_ahead),
    Field(description="a time in the future, with its zone"),
]


def now() -> datetime:
    """This second in UTC, as the database keeps it."""
    return datetime.now(UTC).replace(tzinfo=None, microsecond=0)


def told(moment: datetime | None) -> str | None:
    """A moment of the database as it goes over the wire."""
    return None if moment is None else f"{moment.isoformat(timespec='seconds')}Z"
