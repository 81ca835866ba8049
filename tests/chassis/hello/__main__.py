"""Serve the small service by gunicorn: folder, port, inside port, workers."""

import sys
from pathlib import Path

from tests.chassis.hello.settings import NAME, configured

from pyispyb_chassis.configuration import ServiceSection
from pyispyb_chassis.serve import serve

folder, port, inside, workers = sys.argv[1:]
configuration = configured(Path(folder), (int(port), int(inside)), None, workers=int(workers))
serve(
    "tests.chassis.hello.app:create_app", configuration, configuration.section(ServiceSection), NAME
)
