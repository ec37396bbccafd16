"""Zip and tar archives of pictures, read where they lie: nothing is unpacked to the disk.

An archive may come from anybody. Names that lead out of it and contents out of all proportion to
the file are refused when it is opened, before a picture is read.
"""

import io
import lzma
import stat
import tarfile
import threading
import zipfile
import zlib
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import NamedTuple

from keras_gans.data.arrays import available_memory
from keras_gans.errors import InputError

MOST_OF_MEMBER = 2**30  # bytes of one picture; photos of 100 megapixels have a third
# Pictures hardly shrink: what unpacks to so much, and to so many times the file, is no data set.
SUSPICIOUS_BYTES, SUSPICIOUS_RATIO = 2**30, 100
_MEMORY_SHARE = 0.5  # of free memory, for a compressed tar archive, which cannot be read by place
_DAMAGE = (
    OSError, EOFError, ValueError, RuntimeError, NotImplementedError, zipfile.BadZipFile,
    tarfile.TarError, zlib.error, lzma.LZMAError,
)  # fmt: skip


class Archive:
    """The files in a zip or tar archive, by name; of a compressed tar archive held in memory.

    Attributes:
        path: The archive's own path, as text.
        sizes: `{name: bytes when unpacked}` of plain files; hidden ones and links are not there.
    """

    def __init__(self, path):
        self.path = str(path)
        self.sizes = {}
        self._read = {}  # {name: function that returns the bytes}
        self._unpacked = 0
        try:
            (self._open_zip if zipfile.is_zipfile(path) else self._open_tar)()
        except InputError:
            raise
        except _DAMAGE as error:
            reason = str(error).partition("\n")[0] or type(error).__name__
            raise InputError(f"the archive {path} is damaged: {reason}") from error

    def read(self, name):
        """Returns the bytes of a file; raises one of many errors if the archive is damaged there.

        Several threads may read at once.
        """
        data = self._read[name]()
        if len(data) != self.sizes[name]:
            raise OSError("the archive ends within it")
        return data

    def _open_zip(self):
        archive = zipfile.ZipFile(self.path)
        packed = Path(self.path).stat().st_size
        for info in archive.infolist():
            link = stat.S_ISLNK(info.external_attr >> 16)
            if info.is_dir() or link or not (name := self._add(info.filename, info.file_size)):
                continue
            if info.flag_bits & 1:
                raise InputError(f"the archive {self.path} is encrypted: unpack it to a folder")
            self._refuse_bomb(info.file_size, packed)
            self._read[name] = lambda info=info: archive.read(info)

    def _open_tar(self):
        packed, lock = Path(self.path).stat().st_size, threading.Lock()
        plain = _is_plain_tar(self.path)
        file = Path(self.path).open("rb") if plain else None  # noqa: SIM115 - as long as the archive

        def read_at(place, size):
            with lock:
                file.seek(place)
                return file.read(size)

        held, limit = 0, _MEMORY_SHARE * (available_memory() or 2**32)
        with tarfile.open(self.path, "r:" if plain else "r:*") as archive:
            for member in archive:
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

    def _add(self, name, size):
        """Notes a file by its checked name, which is returned; None for a hidden one."""
        plain = PurePosixPath(name.replace("\\", "/"))
        outside = plain.is_absolute() or PureWindowsPath(name).drive or ".." in plain.parts
        if outside or not plain.parts:
            raise InputError(
                f"the archive {self.path} holds {name!r}, which leads out of its folder: refused, "
                "as no program that packs pictures makes such names"
            )
        if any(part[0] == "." or part == "__MACOSX" for part in plain.parts):
            return None
        if size > MOST_OF_MEMBER:
            raise InputError(
                f"the archive {self.path} holds {name!r} of {size / 2**30:.1f} GiB: a picture of "
                f"more than {MOST_OF_MEMBER / 2**30:.0f} GiB is refused"
            )
        self.sizes[str(plain)] = size
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

    def levels(self):
        """Returns `{parts: ({folder}, {file: bytes})}` of the folder and all below it."""
        found, depth = {(): (set(), {})}, len(self.parts)
        for name, size in self.archive.sizes.items():
            whole = tuple(name.split("/"))
            if whole[:depth] != self.parts:
                continue
            *folders, file = whole[depth:]
            for level, folder in enumerate(folders):
                found.setdefault(tuple(folders[:level]), (set(), {}))[0].add(folder)
            found.setdefault(tuple(folders), (set(), {}))[1][file] = size
        return found


def open_archive(path):
    """Opens a zip or tar archive at its top folder; None if the file is neither.

    Folders around everything else, which most programs pack along, are no level of their own.

    Raises:
        InputError: It is damaged, encrypted, out of all proportion, or leads out of its folder.
    """
    try:
        is_archive = zipfile.is_zipfile(path) or tarfile.is_tarfile(path)
    except EOFError:
        is_archive = True  # what is cut off within its first file, as opening it will say
    if not is_archive:
        return None
    folder = ArchiveFolder(Archive(path))
    levels, parts = folder.levels(), ()
    while len(levels[parts][0]) == 1 and not levels[parts][1]:
        parts += (*levels[parts][0],)
    return ArchiveFolder(folder.archive, parts)


def _is_plain_tar(path):
    try:
        with tarfile.open(path, "r:"):
            return True
    except tarfile.TarError:
        return False
