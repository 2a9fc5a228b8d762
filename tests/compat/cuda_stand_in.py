"""Lets the CPU side of a CUDA build of torch run without CUDA's own packages: `python -m tests.compat.cuda_stand_in`.

An index offers one build of torch for Linux, and it is linked with gigabytes of libraries that a machine without a GPU
never calls. Here each of those that is missing is stood in for by an empty one, in which every function answers
"no CUDA-capable device is detected"; torch then finds no GPU, as on any machine without one. A build of torch without
CUDA, and one whose libraries are installed, are left as they are. It needs readelf and a C compiler.
"""

from __future__ import annotations

import re
import subprocess
import tempfile
from collections import defaultdict
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

NO_DEVICE = 100  # cudaErrorNoDevice, and no success in any of the other libraries
NO_DEVICE_WORDS = "no CUDA-capable device is detected"
_LIBRARY = re.compile(r"lib(cu|nv|nccl)")
_FUNCTION = re.compile(r"(__cuda|cu|nv|nccl)")
_NODES = {"libnvshmem_host.so.3": "NVSHMEM"}
"""Libraries whose functions carry another version than the library's own name."""


@dataclass
class Wanted:
    """What torch's libraries ask of libraries that are not there.

    Parameters
    ----------
    libraries
        Their file names.
    functions
        By the version they are asked for; "" for those without one, wherever they live.
    """

    libraries: set[str] = field(default_factory=set)
    functions: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))


def wanted(folder: Path) -> Wanted:
    """Read what the libraries in torch's folder need."""
    found = Wanted()
    own: set[str] = set()
    for library in sorted(folder.glob("*.so*")):
        names = re.findall(r"\(NEEDED\).*\[(.*)\]", _read("-dW", library))
        found.libraries |= {name for name in names if _LIBRARY.match(name) and not _is_there(name, folder)}
        for line in _read("--dyn-syms", library, "-W").splitlines():
            columns = line.split()
            if len(columns) < 8:
                continue
            function, _, version = columns[7].partition("@")
            if columns[6] != "UND":
                own.add(function)
            elif _FUNCTION.match(function):
                found.functions[version].add(function)
    found.functions[""] -= own
    return found


def build(folder: Path) -> list[str]:
    """Put what is missing beside torch's own libraries; the value is the names of what was put there."""
    missing = wanted(folder)
    unversioned = missing.functions[""]
    for name in sorted(missing.libraries):
        version = _NODES.get(name, name)
        _compile(folder / name, version, missing.functions.get(version, set()), unversioned)
        unversioned = set()
    return sorted(missing.libraries)


def _compile(library: Path, version: str, versioned: set[str], others: set[str]) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        source, script = Path(scratch, "stand_in.c"), Path(scratch, "versions")
        functions = sorted(versioned | others)
        source.write_text("".join(map(_function, functions)))
        command = ["cc", "-shared", "-fPIC", "-w", f"-Wl,-soname,{library.name}", "-o", str(library), str(source)]
        if versioned:
            script.write_text(f"{version} {{ global: {' '.join(f'{name};' for name in sorted(versioned))} }};\n")
            command.append(f"-Wl,--version-script={script}")
        subprocess.run(command, check=True)


def _function(name: str) -> str:
    if re.search(r"GetError(String|Name)$|GetLastErrorString$|GetStatusString$", name):
        return f'const char *{name}(void) {{ return "{NO_DEVICE_WORDS}"; }}\n'
    return f"long {name}(void) {{ return {NO_DEVICE}; }}\n"


def _is_there(name: str, folder: Path) -> bool:
    installed = folder.parents[1] / "nvidia"
    return (folder / name).exists() or any(installed.glob(f"*/lib/{name}"))


def _read(what: str, library: Path, *more: str) -> str:
    return subprocess.run(["readelf", what, *more, str(library)], capture_output=True, text=True, check=True).stdout


def main() -> None:
    """Mend the torch of the Python that runs this."""
    spec = find_spec("torch")
    assert spec is not None, "torch is not installed here"
    assert spec.origin is not None
    folder = Path(spec.origin).parent / "lib"
    if (folder / "libtorch_cuda.so").exists():
        print(f"stood in for {len(build(folder))} libraries of CUDA")


if __name__ == "__main__":
    main()
