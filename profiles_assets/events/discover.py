"""Which landing files a source has, and whether one of them has changed."""

import hashlib
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from glob import glob
from pathlib import Path
from stat import S_ISREG
from tempfile import NamedTemporaryFile
from typing import Any

import fsspec

from profiles_assets.project.project import Project

BLOCK = 1 << 20
TABLES = "tables"
DAY_FORMS = {"*": r"\d{4}-\d{2}-\d{2}|\d{8}", "*/*/*": r"\d{4}/\d{2}/\d{2}"}
WILDCARDS = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
CHANGE_KEYS = ("mtime", "LastModified", "last_modified", "updated", "created", "ETag", "etag")


@dataclass(frozen=True)
class LandingFile:
    """One file of a source; `path` is relative to the project, absolute outside of it, or a URL."""

    path: str
    day: date | None
    bytes: int
    modified: str
    location: str

    @property
    def signature(self) -> str:
        """Cheap text that changes when the file does: its size and time of modification."""
        return f"{self.bytes}-{self.modified}"


def landing_files(project: Project, source_name: str, lake_root: str = "") -> list[LandingFile]:
    """All files of a source, sorted by path; those whose path has no valid `{day}` are not among them.

    The files of a source made from a model or a table are in the lake's folder; it has none where that is not told.
    """
    pattern = project.sources[source_name].files
    if project.sources[source_name].model:
        return model_files(lake_root, source_name) if lake_root else []
    if project.sources[source_name].table:
        return table_files(lake_root, source_name) if lake_root else []
    globs = [pattern.replace("{day}", form) for form in DAY_FORMS] if "{day}" in pattern else [pattern]
    list_files = _list_remote if is_url(pattern) else _list_local
    matches = re.compile(pattern_regex(without_scheme(pattern) if is_url(pattern) else pattern))
    found = {file.path: file for one in globs for file in list_files(project.root, one, matches)}
    return [found[path] for path in sorted(found)]


def model_files(lake_root: str, source_name: str) -> list[LandingFile]:
    """Files with the rows of a source made from a model, by load day; their paths are relative to the lake."""
    found = []
    for path in sorted((Path(lake_root) / "models" / source_name).glob("*/rows.parquet")):
        stat = path.stat()
        name = f"models/{source_name}/{path.parent.name}/{path.name}"
        day = date.fromisoformat(path.parent.name)
        found.append(LandingFile(name, day, stat.st_size, str(stat.st_mtime_ns), str(path)))
    return found


def table_files(lake_root: str, source_name: str) -> list[LandingFile]:
    """Files with rows of a table that are being applied; their paths are relative to the lake."""
    paths = sorted((Path(lake_root) / TABLES / source_name).glob("*.jsonl"))
    named = [(path, f"{TABLES}/{source_name}/{path.name}", stat) for path in paths if (stat := _stat(path))]
    return [LandingFile(name, None, stat.st_size, str(stat.st_mtime_ns), str(path)) for path, name, stat in named]


def signature_of(file: LandingFile) -> str | None:
    """Signature of the file as it is now; None when it is gone."""
    if not is_url(file.path):
        stat = _stat(Path(file.location))
        return f"{stat.st_size}-{stat.st_mtime_ns}" if stat else None
    fs, name = fsspec.core.url_to_fs(file.path)
    fs.invalidate_cache()
    try:
        return _described(fs.info(name))
    except OSError:
        return None


def content_hash(path: str | Path) -> str:
    """Hash of the bytes of a local file."""
    digest = hashlib.blake2b(digest_size=16)
    with Path(path).open("rb") as file:
        while block := file.read(BLOCK):
            digest.update(block)
    return digest.hexdigest()


@contextmanager
def local_copy(file: LandingFile, folder: str) -> Iterator[str]:
    """Path of a local file with the content: the file itself, or a temporary copy in `folder` of a remote one."""
    if not is_url(file.path):
        yield file.location
        return
    Path(folder).mkdir(parents=True, exist_ok=True)
    with NamedTemporaryFile(dir=folder, prefix="landing-") as copy:
        with fsspec.open(file.path, "rb") as remote:
            while block := remote.read(BLOCK):
                copy.write(block)
        copy.flush()
        yield copy.name


def is_url(path: str) -> bool:
    """True for paths with a protocol, which fsspec opens."""
    return "://" in path


def without_scheme(path: str) -> str:
    """Path without the protocol of a URL and without leading slashes."""
    return (path.partition("://")[2] or path).lstrip("/")


def pattern_regex(pattern: str) -> str:
    """Regular expression of a glob in which `{day}` stands for a day; all its days must agree."""
    day = f"(?P<day>{'|'.join(DAY_FORMS.values())})"
    parts = re.split(r"(\{day\}|\*\*/|\*\*|\*|\?|\[[^\]]+\])", pattern)
    text = "".join(WILDCARDS.get(p) or _escaped(p) for p in parts)
    first, *others = text.split("{day}")
    return f"^{first}{day + '(?P=day)'.join(others) if others else ''}$"


def _escaped(part: str) -> str:
    if part.startswith("["):
        return part.replace("[!", "[^")
    return part if part == "{day}" else re.escape(part)


def _list_local(root: Path, pattern: str, matches: re.Pattern[str]) -> Iterator[LandingFile]:
    for name in glob(pattern, root_dir=root, recursive=True):  # noqa: PTH207
        day, fits = _day(matches, name)
        if fits and (stat := _stat(root / name)):
            modified = str(stat.st_mtime_ns)
            yield LandingFile(_relative(name, root), day, stat.st_size, modified, str(root / name))


def _list_remote(_: Path, pattern: str, matches: re.Pattern[str]) -> Iterator[LandingFile]:
    fs, remote = fsspec.core.url_to_fs(pattern)
    fs.invalidate_cache()
    for name, info in fs.glob(remote, detail=True).items():
        day, fits = _day(matches, without_scheme(name))
        if fits and info["type"] == "file":
            url, modified = fs.unstrip_protocol(name), _described(info).partition("-")[2]
            yield LandingFile(url, day, int(info["size"]), modified, url)


def _stat(path: Path) -> os.stat_result | None:
    try:
        stat = path.stat()
    except OSError:
        return None
    return stat if S_ISREG(stat.st_mode) else None


def _described(info: dict[str, Any]) -> str:
    return f"{info['size']}-{'/'.join(str(info[key]) for key in CHANGE_KEYS if key in info)}"


def _day(matches: re.Pattern[str], name: str) -> tuple[date | None, bool]:
    match = matches.match(name)
    if match is None or "day" not in match.groupdict():
        return None, match is not None
    digits = re.sub(r"\D", "", match["day"])
    try:
        return date(int(digits[:4]), int(digits[4:6]), int(digits[6:])), True
    except ValueError:
        return None, False


def _relative(name: str, root: Path) -> str:
    path = Path(name)
    shown = path.relative_to(root) if path.is_absolute() and path.is_relative_to(root) else path
    return os.fsencode(shown.as_posix()).decode("utf-8", "backslashreplace")
