"""Writing a site: every file whole or not at all, and none left of an earlier one."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath

from pfactor_bench.errors import OutputError
from pfactor_bench.files import ensure_writable, write_atomically

#: Lists the files of a site, and says that a folder is one.
MANIFEST = "site.json"


def write_site(pages: Mapping[str, bytes], folder: Path) -> None:
    """Write a site's files and remove those that an earlier one had and this one has not.

    Parameters
    ----------
    pages
        Address within the site to content.
    folder
        Where it goes: new, empty, or an earlier site.

    Raises
    ------
    OutputError
        If the folder cannot be written or holds something that is no site.
    """
    ensure_writable(folder, option="--site")
    old = _earlier(folder)
    for address in old - set(pages):
        path = folder / address
        if path.resolve().is_relative_to(folder.resolve()):
            path.unlink(missing_ok=True)
    for address, content in pages.items():
        path = folder / PurePosixPath(address)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, content)
    listed = json.dumps({"files": sorted(pages)}, indent=1) + "\n"
    write_atomically(folder / MANIFEST, listed.encode())


def _earlier(folder: Path) -> set[str]:
    """Return the files of the site that stands in `folder`; refuse a folder of anything else."""
    manifest = folder / MANIFEST
    if not manifest.exists():
        if any(folder.iterdir()):
            raise OutputError(
                f"{str(folder)!r} holds files and is no site of pfactor-bench: give --site a new "
                f"or empty folder"
            )
        return set()
    try:
        listed: Iterable[object] = json.loads(manifest.read_text(encoding="utf-8"))["files"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise OutputError(
            f"cannot read {str(manifest)!r} ({error!r}): remove the folder, or give --site another"
        ) from error
    return {address for address in listed if isinstance(address, str)}
