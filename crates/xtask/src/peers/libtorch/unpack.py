"""Checks a wheel and takes files from it: unpack.py WHEEL SHA256 FOLDER FROM=TO...

A FROM that ends in a slash is a folder and everything below it. Exits with 3 when the wheel's
SHA-256 is another one, or one of the FROM is not in it.
"""

import hashlib
import pathlib
import shutil
import sys
import zipfile

wheel, expected, folder, *pairs = sys.argv[1:]
digest = hashlib.sha256()
with open(wheel, "rb") as file:
    while block := file.read(1 << 20):
        digest.update(block)
if digest.hexdigest() != expected:
    print(f"{wheel}: expected SHA-256 {expected}, got {digest.hexdigest()}", file=sys.stderr)
    sys.exit(3)

with zipfile.ZipFile(wheel) as archive:
    files = [name for name in archive.namelist() if not name.endswith("/")]
    for source, target in (pair.split("=") for pair in pairs):
        taken = [name for name in files if name == source or (source.endswith("/") and name.startswith(source))]
        if not taken:
            print(f"{wheel}: no {source} in it", file=sys.stderr)
            sys.exit(3)
        for name in taken:
            path = pathlib.Path(folder, target + name[len(source):])
            path.parent.mkdir(parents=True, exist_ok=True)
            with archive.open(name) as member, open(path, "wb") as file:
                shutil.copyfileobj(member, file, 1 << 20)
