"""Runs: the time in which one serial experiment records images."""

from pyispyb_chassis.nouns.noun import READS, Noun
from pyispyb_chassis.permissions import Permission

runs = Noun(
    table="Run",
    path="runs",
    area="serial crystallography",
    doc="A serial-crystallography run: opened in a session, fed with batches of images, closed",
    level="session",
    read=Permission.RUNS_READ,
    write=Permission.RUNS_WRITE,
    actions=READS,
    search=("name", "comments", "imagePrefix"),
    sort="-runId",
    units={
        "exposureTime": "seconds an image",
        "wavelength": "Å",
        "detectorDistance": "mm",
        "transmission": "percent",
    },
)
