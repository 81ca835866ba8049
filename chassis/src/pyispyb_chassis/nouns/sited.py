"""A declaration narrowed to the columns that the site's table has."""

from collections.abc import Mapping
from dataclasses import replace

import sqlalchemy as sa

from pyispyb_chassis.nouns.noun import Noun
from pyispyb_chassis.site.fitting import notes_of

NO_COLUMN = "this site's database has no such column"


def columns_named(noun: Noun) -> set[str]:
    """Every column that a declaration names."""
    named: set[str] = {
        *noun.belongs_to, *noun.writable, *noun.rights, *noun.fixed, *noun.required, *noun.search,
        *noun.shared, *noun.nested, *noun.hidden, *noun.defaults, *noun.leads,
        *noun.stamps, *noun.units, *noun.patterns,
        *[name for name in (noun.within, noun.key) if name],
        *[part.removeprefix("-") for part in noun.sort.split(",") if part],
    }  # fmt: skip
    return named | {
        column for name in noun.names.values() if name.via is None for column in name.columns
    }


def sited(noun: Noun, table: sa.Table) -> tuple[Noun, Mapping[str, str]]:
    """The declaration without what the table lacks, and the columns it lacks with why."""
    there = {str(column.name) for column in table.columns}
    missing = dict(notes_of(table).missing)
    if not missing:
        return noun, {}
    names = {
        word: name
        for word, name in noun.names.items()
        if not set(name.columns if name.via is None else (name.via,)) & set(missing)
    }
    missing |= dict.fromkeys(set(noun.names) - set(names), NO_COLUMN)

    def kept(columns: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(column for column in columns if column not in missing)

    sort = (part for part in noun.sort.split(",") if part.removeprefix("-") not in missing)
    narrowed = replace(
        noun,
        belongs_to=kept(noun.belongs_to),
        writable=kept(noun.writable),
        rights=kept(noun.rights),
        fixed=kept(noun.fixed),
        required=kept(noun.required),
        search=kept(noun.search),
        shared=kept(noun.shared),
        nested=kept(noun.nested),
        hidden=kept(noun.hidden),
        leads={name: to for name, to in noun.leads.items() if name in there},
        sort=",".join(sort),
        names=names,
        known_as=noun.known_as if noun.known_as in names else None,
        defaults={name: value for name, value in noun.defaults.items() if name in there},
        stamps={name: when for name, when in noun.stamps.items() if name in there},
    )
    return narrowed, missing
