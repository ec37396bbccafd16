"""Zip and tar archives of pictures, read where they lie: nothing is unpacked to the disk.

An archive may come from anybody. Names that lead out of it and contents out of all proportion to
the file are refused when it is opened, before a picture is read.
"""

import functools
import io
import lzma
import posixpath
import stat
import tarfile
import threading
import zipfile
import zlib
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import NamedTuple

from keras_gans.data.arrays import available_memory
from keras_gans.data.label_table import TABLES
from keras_gans.data.picture_file import FOREIGN, ending, picture_endings
from keras_gans.errors import InputError

ARCHIVE_ENDINGS = (".zip", ".tar", ".tgz", ".tbz2", ".txz", ".gz", ".bz2", ".xz")  # for hints alone
MOST_OF_PICTURE = 2**30  # bytes; photos of 100 megapixels have a third
MOST_OF_OTHERS = 2**28  # bytes of what may be a table; films are never read
# Pictures hardly shrink: what unpacks to so much, and to so many times the file, is no data set.
SUSPICIOUS_BYTES, SUSPICIOUS_RATIO = 2**30, 100
_MEMORY_SHARE = 0.5  # of free memory, for a compressed tar archive, which cannot be read by place
_LONGEST_TARGET = 4096  # bytes of the path that a link of a zip holds
_DAMAGE = (
    OSError, EOFError, ValueError, RuntimeError, NotImplementedError, zipfile.BadZipFile,
    tarfile.TarError, zlib.error, lzma.LZMAError,
)  # fmt: skip


class Archive:
    """The files in a zip or tar archive, by name; of a compressed tar archive held in memory.

    Attributes:
        path: The archive's own path, as text.
        sizes: `{name: bytes when unpacked}` of plain files, and of links to them; hidden ones are
            not there.
        lost_links: How many links lead to none of these.
    """

    def __init__(self, path):
        self.path = str(path)
        self.sizes = {}
        self.lost_links = 0
        self._read = {}  # {name: function that returns the bytes}
        self._unpacked = 0
        try:
            (self._open_tar if _is_tar(path) else self._open_zip)()
        except InputError:
            raise
        except _DAMAGE as error:
            raise InputError(f"the archive {path} is damaged: {_reason(error)}") from error

    @functools.cached_property
    def levels(self):
        """`{parts: ({folder}, {file: bytes})}` of the top folder, `()`, and all below it."""
        found = {(): (set(), {})}
        for name, size in self.sizes.items():
            *folders, file = name.split("/")
            for level, folder in enumerate(folders):
                found.setdefault(tuple(folders[:level]), (set(), {}))[0].add(folder)
            found.setdefault(tuple(folders), (set(), {}))[1][file] = size
        return found

    def read(self, name):
        """Returns the bytes of a file; several threads may read at once.

        Raises:
            OSError: The archive is damaged there, or the file too large for a table.
        """
        if name not in self._read:
            raise OSError(f"it is larger than {MOST_OF_OTHERS / 2**20:.0f} MiB")
        try:
            data = self._read[name]()
        except _DAMAGE as error:
            raise OSError(_reason(error)) from error
        if len(data) != self.sizes[name]:
            raise OSError("the archive ends within it")
        return data

    def _open_zip(self):
        archive = zipfile.ZipFile(self.path)
        packed, links = Path(self.path).stat().st_size, {}
        for info in archive.infolist():
            if info.flag_bits & 1:
                raise InputError(f"the archive {self.path} is encrypted: unpack it to a folder")
            if stat.S_ISLNK(info.external_attr >> 16):
                is_path = info.file_size <= _LONGEST_TARGET
                target = archive.read(info).decode(errors="replace") if is_path else ""
                links[info.filename] = posixpath.join(posixpath.dirname(info.filename), target)
            elif not info.is_dir() and (name := self._add(info.filename, info.file_size)):
                self._refuse_bomb(info.file_size, packed)
                self._read[name] = lambda info=info: archive.read(info)
        self._follow(links)

    def _open_tar(self):
        packed, lock = Path(self.path).stat().st_size, threading.Lock()
        plain = _is_plain_tar(self.path)
        file = Path(self.path).open("rb") if plain else None  # noqa: SIM115 - as long as the archive

        def read_at(place, size):
            with lock:
                file.seek(place)
                return file.read(size)

        links, held, limit = {}, 0, _MEMORY_SHARE * (available_memory() or 2**32)
        with tarfile.open(self.path, "r:" if plain else "r:*") as archive:
            for member in archive:
                if member.islnk():  # the name of a member, and no path from the link's folder
                    links[member.name] = member.linkname
                elif member.issym():
                    folder = posixpath.dirname(member.name)
                    links[member.name] = posixpath.join(folder, member.linkname)
                usable = member.isreg() and not member.issparse()
                if not usable or not (name := self._add(member.name, member.size)):
                    continue
                self._refuse_bomb(member.size, packed)
                if plain:
                    where = member.offset_data, member.size
                    self._read[name] = lambda where=where: read_at(*where)
                    continue
                held += member.size
                if held > limit:
                    raise InputError(
                        f"the compressed archive {self.path} unpacks to more than half of the free "
                        "memory, in which it is held: make a zip or a plain tar of it"
                    )
                data = archive.extractfile(member).read()
                self._read[name] = lambda data=data: data
        self._follow(links)

    def _follow(self, links):
        """Adds what links lead to, `{link: target}`, by the names of the links."""
        paths = {posixpath.normpath(name): posixpath.normpath(to) for name, to in links.items()}
        for name, target in paths.items():
            passed = {name}
            while target in paths and target not in passed:
                passed.add(target)
                target = paths[target]
            if target not in self._read:
                self.lost_links += not _is_hidden(name.split("/"))
            elif added := self._add(name, self.sizes[target]):
                self._read[added] = self._read[target]

    def _add(self, name, size):
        """Notes a file by its checked name, which is returned; None if it is not to be read."""
        plain = PurePosixPath(name.replace("\\", "/"))
        outside = plain.is_absolute() or PureWindowsPath(name).is_absolute() or ".." in plain.parts
        if outside or not plain.parts:
            raise InputError(
                f"the archive {self.path} holds {name!r}, which leads out of its folder: refused, "
                "as no program that packs pictures makes such names"
            )
        if _is_hidden(plain.parts):
            return None
        self.sizes[str(plain)] = size
        if size <= MOST_OF_OTHERS:
            return str(plain)
        if ending(plain.name) not in picture_endings():
            return None
        if size > MOST_OF_PICTURE:
            raise InputError(
                f"the archive {self.path} holds {name!r} of {size / 2**30:.1f} GiB: a picture of "
                f"more than {MOST_OF_PICTURE / 2**30:.0f} GiB is refused"
            )
        return str(plain)

    def _refuse_bomb(self, size, packed):
        self._unpacked += size
        if self._unpacked > max(SUSPICIOUS_BYTES, SUSPICIOUS_RATIO * packed):
            raise InputError(
                f"the archive {self.path} of {packed / 2**20:,.1f} MiB unpacks to more than "
                f"{self._unpacked / 2**30:,.1f} GiB, over {SUSPICIOUS_RATIO} times as much, which "
                "no pictures do: refused; unpack it yourself if you trust it"
            )


class ArchiveFolder(NamedTuple):
    """A folder in an archive; in a `/` it goes on as a `Path` does."""

    archive: Archive
    parts: tuple[str, ...] = ()

    def __truediv__(self, name):
        return ArchiveFolder(self.archive, (*self.parts, *PurePosixPath(name).parts))

    def __str__(self):
        return "/".join((self.archive.path, *self.parts))

    def read(self, name):
        """Returns the bytes of a file below the folder."""
        return self.archive.read("/".join((*self.parts, name)))

    def open(self, name):
        """Opens a file below the folder, as a file in memory."""
        return io.BytesIO(self.read(name))


def open_archive(path):
    """Opens a zip or tar archive at its top folder; None if the file is neither.

    A folder around all pictures, which most programs pack along, is no level of its own, whatever
    lies beside it but pictures and tables of labels.

    Raises:
        InputError: It is damaged, encrypted, out of all proportion, or leads out of its folder.
    """
    if not (_is_tar(path) or zipfile.is_zipfile(path)):
        return None
    archive, parts, endings = Archive(path), (), picture_endings()

    def is_data(name):
        return ending(name) in endings or name in TABLES or FOREIGN.search(name)

    while len(archive.levels[parts][0]) == 1 and not any(map(is_data, archive.levels[parts][1])):
        parts += (*archive.levels[parts][0],)
    return ArchiveFolder(archive, parts)


def _is_tar(path):
    """Whether a file begins as a tar archive, compressed or not, whatever it may end in."""
    try:
        return tarfile.is_tarfile(path)
    except (EOFError, zlib.error, lzma.LZMAError):
        return True  # what is cut off or damaged in its first file, as opening it will say


def _is_plain_tar(path):
    try:
        with tarfile.open(path, "r:"):
            return True
    except tarfile.TarError:
        return False


def _is_hidden(parts):
    return any(part.startswith(".") or part == "__MACOSX" for part in parts)


def _reason(error):
    reason = getattr(error, "strerror", None) or str(error).partition("\n")[0]
    return reason or type(error).__name__
