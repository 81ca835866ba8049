"""Every permission of the suite, with its meaning: `<noun's path>:<what>`."""

from enum import StrEnum


class Permission(StrEnum):
    """A name in one list; docs/permissions.md is tested against it."""

    meaning: str

    def __new__(cls, value: str, meaning: str) -> "Permission":
        member = str.__new__(cls, value)
        member._value_ = value
        member.meaning = meaning
        return member

    CONTAINERS_READ = "containers:read", "read containers that you may see"
    CONTAINERS_WRITE = "containers:write", "create and change containers of your proposals"
    CRYSTALS_READ = "crystals:read", "read crystals that you may see"
    CRYSTALS_WRITE = "crystals:write", "create and change crystals of your proposals"
    DEWARS_READ = "dewars:read", "read dewars that you may see"
    DEWARS_WRITE = "dewars:write", "create and change dewars of your proposals"
    EVERYTHING_READ_ALL = "everything:read-all", "read every row, also those that belong to nobody"
    EVERYTHING_WRITE_ALL = (
        "everything:write-all",
        "write every row, rights-bearing columns included",
    )
    LABCONTACTS_READ = "labcontacts:read", "read lab contacts that you may see"
    LABCONTACTS_WRITE = "labcontacts:write", "create and change lab contacts of your proposals"
    LABORATORIES_READ = "laboratories:read", "read laboratories that you may see"
    LABORATORIES_WRITE = "laboratories:write", "change laboratories that only your proposals use"
    PERSONS_READ = "persons:read", "read yourself whole, co-members by name, lab contacts"
    PERSONS_READ_ALL = "persons:read-all", "read every person and laboratory whole"
    PERSONS_WRITE = "persons:write", "change yourself and lab contacts that only you use"
    PROPOSALS_READ = "proposals:read", "read proposals that you may see"
    PROPOSALS_READ_ALL = "proposals:read-all", "read every proposal and session, and all in them"
    PROPOSALS_WRITE = "proposals:write", "change the title of your proposals"
    PROTEINS_READ = "proteins:read", "read proteins that you may see"
    PROTEINS_WRITE = "proteins:write", "create and change proteins of your proposals"
    RUNS_READ = "runs:read", "read serial-crystallography runs of sessions that you may see"
    RUNS_WRITE = "runs:write", "record runs in sessions that you may write in"
    SAMPLES_READ = "samples:read", "read samples that you may see"
    SAMPLES_WRITE = "samples:write", "create and change samples of your proposals"
    SESSIONS_READ = "sessions:read", "read sessions that you may see"
    SESSIONS_WRITE = "sessions:write", "change sessions of your proposals; create them as staff"
    SHIPPINGS_READ = "shippings:read", "read shipments that you may see"
    SHIPPINGS_WRITE = "shippings:write", "create and change shipments of your proposals"
