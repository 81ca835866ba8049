"""The health check of an image: exit 0 if the service of this container says that it is ready."""

import os
import sys
import urllib.error
import urllib.request

PORTS = {"auth": 9101, "core": 9102, "ssx": 9103}
PATIENCE = 3


def main() -> None:
    """Ask the inside port; no more than the standard library, since it runs every few seconds."""
    service = os.environ["SERVICE"]
    listen = os.environ.get(f"ISPYB_{service.upper()}__INSIDE_LISTEN", f":{PORTS.get(service, 0)}")
    url = f"http://127.0.0.1:{listen.rpartition(':')[2]}/health/ready"
    try:
        urllib.request.urlopen(url, timeout=PATIENCE).close()
    except urllib.error.HTTPError as error:
        sys.exit(f"{url}: {error.code} {error.read(2000).decode(errors='replace')}")
    except OSError as error:
        sys.exit(f"{url}: {error}")


if __name__ == "__main__":
    main()
