#!/usr/bin/python3
"""plant.py DIRECTORY DEPFILE FILE... - copies of C files with the faults of plants/*.plant in them, into DIRECTORY.

A plant says what is wrong in lines that begin with #, then names a file, and then gives the lines that are there (-) and
those that are to stand in their place (+), as a diff does but without numbers: they have to be found exactly once, however
they are indented. PLANTED in them is true while this plant is asked for, and else the file has to do what it did.
"""

import os
import pathlib
import sys

HEAD = '/* Made by plant.py. */\n#include <stdbool.h>\nbool plant_is(const char *name);\n#line 1 "%s"\n'


def read(path):
    """The changes of one plant: file, lines that are there, lines in their place."""
    changes = []
    for line in path.read_text().splitlines():
        if line.startswith("#") or not line.strip():
            continue
        if line[0] not in "-+":
            changes.append((line.strip(), [], []))
            continue
        if line[0] == "-" and changes[-1][2]:
            changes.append((changes[-1][0], [], []))
        changes[-1][1 if line[0] == "-" else 2].append(line[1:])
    return changes


def apply(name, lines, old, new):
    wanted = [line.strip() for line in old]
    found = [at for at in range(len(lines))
             if [line.split("\n")[0].strip() for line in lines[at:at + len(wanted)]] == wanted]
    if len(found) != 1:
        sys.exit(f"plant {name}: what it wants to change is found {len(found)} times: {wanted[0]}")
    text = "\n".join(new).replace("PLANTED", f'plant_is("{name}")')
    lines[found[0]:found[0] + len(wanted)] = [text] + [""] * (len(wanted) - 1)


def main():
    directory, depfile, files = pathlib.Path(sys.argv[1]), sys.argv[2], sys.argv[3:]
    root = pathlib.Path(__file__).resolve().parent.parent.parent
    paths = {str(pathlib.Path(os.path.abspath(file)).relative_to(root)): file for file in files}
    texts = {short: pathlib.Path(file).read_text().split("\n") for short, file in paths.items()}
    names = []
    plants = root / "tests/sim/plants"
    for path in sorted(plants.glob("*.plant")):
        names.append(path.stem)
        for file, old, new in read(path):
            if file not in texts:
                sys.exit(f"{path}: {file} is not among the files that can be planted in: see meson.build")
            apply(path.stem, texts[file], old, new)
    for short, lines in texts.items():
        (directory / ("planted-" + short.replace("/", "-"))).write_text(HEAD % short + "\n".join(lines))
    pathlib.Path(depfile).write_text(f"{directory}/planted-names.c: {plants} " + " ".join(map(str, plants.glob("*.plant"))) + "\n")
    rows = "".join(f'    "{name}",\n' for name in names)
    (directory / "planted-names.c").write_text(
        f'#include <stddef.h>\n\n#include "plant.h"\n\nconst char *const plant_names[] = {{\n{rows}    NULL,\n}};\n')


main()
