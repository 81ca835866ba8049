"""Serve the small service by gunicorn: folder, port, inside port, workers."""

import sys
from pathlib import Path

from tests.chassis.hello.settings import NAME, configured

from pyispyb_chassis.configuration import Issuer, ServiceSection
from pyispyb_chassis.serve import serve

folder, port, inside, workers = sys.argv[1:]
trusted = Path(folder) / "issuer.json"
issuer = Issuer.model_validate_json(trusted.read_text()) if trusted.exists() else None
configuration = configured(Path(folder), (int(port), int(inside)), issuer, workers=int(workers))
serve(
    "tests.chassis.hello.app:create_app", configuration, configuration.section(ServiceSection), NAME
)
