"""What Prometheus reads of ssx besides what it reads of every service."""

from prometheus_client import Counter

from pyispyb_chassis.nouns.reading import Row

BATCHES = Counter("pyispyb_ssx_batches_total", "Batches taken: stored, repeated", ["outcome"])
IMAGES = Counter("pyispyb_ssx_images_total", "Images stored")
HITS = Counter("pyispyb_ssx_hits_total", "Images stored that are hits")


def count(batch: Row, *, new: bool) -> None:
    """Count a batch that was taken; its images once."""
    BATCHES.labels("stored" if new else "repeated").inc()
    if new:
        IMAGES.inc(batch["images"])
        HITS.inc(batch["hits"])
