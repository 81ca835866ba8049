"""What only a registry or an index has, made of Debian's packages and kept for the next run."""

import hashlib
import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

from tests.compose.engine import CACHE, CannotRun

Say = Callable[[str], None]
ROOT = Path(__file__).parents[2]
DEBIAN = "bookworm"
# What each image stands in for, and the packages it is made of.
IMAGES = {
    "python:3.11-slim-bookworm": (
        *("python3", "python3-pip", "python3-venv"),
        *("python-is-python3", "ca-certificates"),
    ),
    "pyispyb-stand-in-mariadb": ("mariadb-server",),
}


def archives(say: Say) -> dict[str, Path]:
    """The root of each stand-in image as a file, made where it is not there yet."""
    return {image: _archive(image, packages, say) for image, packages in IMAGES.items()}


def _archive(image: str, packages: tuple[str, ...], say: Say) -> Path:
    digest = hashlib.sha256(" ".join((DEBIAN, *packages)).encode()).hexdigest()[:12]
    kept = CACHE / f"{image.partition(':')[0]}-{digest}.tar"
    if kept.exists():
        return kept
    if shutil.which("mmdebstrap") is None:
        raise CannotRun("needs mmdebstrap")
    say(f"makes a stand-in for {image} of Debian's packages (a minute, once)")
    unfinished = kept.with_suffix(".new.tar")
    made = ["mmdebstrap", "--quiet", "--variant=minbase", f"--include={','.join(packages)}"]
    subprocess.run([*made, DEBIAN, unfinished], check=True)
    unfinished.rename(kept)
    return kept


def wheelhouse(say: Say) -> Path:
    """What the images install, gathered as an operator without an index gathers it."""
    recipes = [ROOT / "constraints.txt", *sorted(ROOT.glob("**/pyproject.toml"))]
    recipes = [recipe for recipe in recipes if ".venv" not in recipe.parts]
    digest = hashlib.sha256(b"".join(recipe.read_bytes() for recipe in recipes)).hexdigest()[:12]
    kept = CACHE / f"wheelhouse-{digest}"
    if not kept.exists():
        say("gathers the packages of the images (half a minute, once)")
        for old in CACHE.glob("wheelhouse-*"):
            shutil.rmtree(old)
        unfinished = kept.with_suffix(".new")
        command = ["make", "--quiet", "wheelhouse", f"WHEELHOUSE={unfinished}"]
        subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
        unfinished.rename(kept)
    return kept


def import_images(files: Mapping[str, Path], environment: Mapping[str, str], say: Say) -> None:
    """Have the engine take the stand-ins for the images, where it has not got them yet."""
    environment = dict(environment)
    for image, file in files.items():
        asked = ["docker", "image", "inspect", image]
        if subprocess.run(asked, env=environment, capture_output=True, check=False).returncode == 0:
            continue
        say(f"imports {image}")
        command = ["docker", "import", "--change", "CMD /bin/bash", str(file), image]
        subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL)
