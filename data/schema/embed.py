#!/usr/bin/env python3
"""embed.py OUT FILE.sql... - the migrations as a C array, numbered by their names, without a gap."""
import os
import re
import sys

out, files = sys.argv[1], sorted(sys.argv[2:], key=os.path.basename)
rows = []
for number, path in enumerate(files, 1):
    name = os.path.basename(path)
    if not re.fullmatch(r"%04d-[a-z0-9-]+\.sql" % number, name):
        sys.exit(f"{path}: expected the name of migration {number}: {number:04d}-WHAT.sql")
    with open(path, encoding="utf-8") as f:
        lines = f.read().splitlines()
    text = "\n".join('        "%s\\n"' % l.replace("\\", "\\\\").replace('"', '\\"') for l in lines if l)
    rows.append('    {\n        "%s",\n%s\n    },\n' % (name, text))
with open(out, "w", encoding="utf-8") as f:
    f.write('#include "store/migration.h"\n\nconst Migration migrations[] = {\n%s};\n' % "".join(rows))
    f.write("const unsigned n_migrations = %d;\n" % len(rows))
