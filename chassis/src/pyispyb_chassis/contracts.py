"""`make contracts`: writes the OpenAPI document of a service from its code."""

import argparse
import sys
from importlib import import_module
from pathlib import Path

import orjson

from pyispyb_chassis.configuration import loaded_or_exit
from pyispyb_chassis.openapi import contract_of

FORM = orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE


def main() -> None:
    """Write one document: `… -m pyispyb_chassis.contracts pyispyb_core.app:create_app FILE`."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("app", help="package.module:create_app")
    parser.add_argument("file", type=Path)
    options = parser.parse_args()
    module, _, create_app = options.app.partition(":")
    app = getattr(import_module(module), create_app)(loaded_or_exit())
    options.file.write_bytes(orjson.dumps(contract_of(app), option=FORM))
    sys.stdout.write(f"{options.file}\n")


if __name__ == "__main__":
    main()
