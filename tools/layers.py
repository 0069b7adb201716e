#!/usr/bin/env python3
"""tools/layers.py [SRC [BUILD]] - the folders of src/ depend downwards only.

Two checks against the total order in src/LAYERS:
  includes: "folder/x.h" names the file's own folder or one before it;
  calls:    no library of a folder needs a symbol that a later folder's defines. In a total
            order every call cycle between folders has such an upward call in it.
            And no name stands for two things.
Also: some system headers belong to one folder (the charters in docs/architecture.md).
A lower layer that must cause something above is given a function pointer or returns a value.
"""
import itertools
import pathlib
import re
import subprocess
import sys

OWN_HEADERS = {  # system header: the folders that may include it
    "openssl/": ("tls", "ca"),
    "sys/epoll.h": ("event",),
    "yaml.h": ("codec",),
}
INCLUDE = re.compile(r'^\s*#\s*include\s+(["<])([^">]+)[">]')


def read_layers(src):
    lines = (src / "LAYERS").read_text().splitlines()
    names = [line.strip() for line in lines if line.strip() and not line.startswith("#")]
    return {name: place for place, name in enumerate(names)}


def check_include(folder, kind, path, place):
    if kind == "<":
        for header, folders in OWN_HEADERS.items():
            if path.startswith(header) and folder not in folders:
                return f"<{path}> belongs to {' and '.join(folders)}"
        return None
    target = path.split("/")[0]
    if "/" not in path:
        return f'include by path from src: "{folder}/.../{path}"'
    if target not in place:
        return f'"{path}": no folder {target} in src/LAYERS'
    if place[target] > place[folder]:
        return f'"{path}": {folder} stands below {target}'
    return None


def check_includes(src, place):
    for file in sorted(src.rglob("*")):
        if file.suffix not in (".c", ".h", ".cc") or file.parent == src:
            continue
        folder = file.relative_to(src).parts[0]
        if folder not in place:
            yield f"{file}: folder {folder} is not in src/LAYERS"
            continue
        for number, line in enumerate(file.read_text(errors="replace").splitlines(), 1):
            found = INCLUDE.match(line)
            fault = found and check_include(folder, found[1], found[2], place)
            if fault:
                yield f"{file}:{number}: {fault}"


def symbols(library, *flags):
    command = ["nm", "-P", "-g", *flags, library]
    out = subprocess.run(command, check=True, text=True, capture_output=True).stdout
    return {line.split()[0] for line in out.splitlines() if line and not line.endswith(":")}


def check_calls(build, place):
    files = {name: build / "src" / name / f"lib{name}.a" for name in place}
    files = {name: file for name, file in files.items() if file.exists()}
    defined = {name: symbols(file, "--defined-only") for name, file in files.items()}
    for one, other in itertools.combinations(files, 2):
        for symbol in sorted(s for s in defined[one] & defined[other] if not s.startswith("_Z")):
            yield f"src/{one} and src/{other} both define {symbol}()"
    for name, file in files.items():
        missing = symbols(file, "--undefined-only") - defined[name]
        for above in (other for other in files if place[other] > place[name]):
            for symbol in sorted(missing & defined[above]):
                yield f"src/{name} calls {symbol}() of src/{above}, which stands above it"


def main():
    src = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else "src")
    build = pathlib.Path(sys.argv[2] if len(sys.argv) > 2 else "build")
    place = read_layers(src)
    faults = [*check_includes(src, place), *check_calls(build, place)]
    print(*faults, sep="\n", end="\n" if faults else "")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
