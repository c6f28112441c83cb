#!/usr/bin/env python3
"""Packs a function for Lambda: zip-bootstrap.py BINARY ZIP. The same binary gives the same bytes, for nothing of this
machine goes into the zip: no time but SOURCE_DATE_EPOCH, no owner, no umask."""

import os
import sys
import time
import zipfile

binary, path = sys.argv[1:]
entry = zipfile.ZipInfo("bootstrap", time.gmtime(int(os.environ["SOURCE_DATE_EPOCH"]))[:6])
entry.compress_type = zipfile.ZIP_DEFLATED
entry.create_system = 3  # Unix: Lambda needs the mode.
entry.external_attr = 0o100755 << 16
with open(binary, "rb") as file, zipfile.ZipFile(path, "w") as archive:
    archive.writestr(entry, file.read(), compresslevel=9)
