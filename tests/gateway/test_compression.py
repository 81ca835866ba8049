"""Kong, as the compose file sets it, and the rendered Envoy compress the same answers."""

import yaml
from tests.gateway.stand import ROOT

from pyispyb_gateway.envoy.filters import COMPRESSED, COMPRESSED_FROM

KONG = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]["gateway"]
UNASKED = {"text/html"}  # nginx compresses it always, and warns where it is said


def test_both_compress_the_same() -> None:
    said = KONG["environment"]
    assert (said["KONG_NGINX_PROXY_GZIP"], said["KONG_NGINX_PROXY_GZIP_PROXIED"]) == ("on", "any")
    assert int(said["KONG_NGINX_PROXY_GZIP_MIN_LENGTH"]) == COMPRESSED_FROM
    assert {*said["KONG_NGINX_PROXY_GZIP_TYPES"].split(), *UNASKED} == set(COMPRESSED)
