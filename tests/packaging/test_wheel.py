"""One wheel carries Python, the panel and the JupyterLab extension; nothing is built on the user's machine."""

import configparser
import email
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
VERSION = json.loads((ROOT / "package.json").read_text())["version"]
DATA = f"circuitboard-{VERSION}.data/data"
LABEXTENSION = f"{DATA}/share/jupyter/labextensions/circuitboard"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel, built offline by a build that finds no Node: the bundles have to be there already."""
    for built in ("widget/static/widget.js", "labextension/package.json"):
        assert (ROOT / "kernel_side/circuitboard" / built).is_file(), "run `npm run build` first"
    target = tmp_path_factory.mktemp("dist")
    empty = tmp_path_factory.mktemp("empty")
    code = f"from hatchling.build import build_wheel; build_wheel({str(target)!r})"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=os.environ | {"PATH": str(empty)}, check=True)
    (path,) = target.glob("*.whl")
    with zipfile.ZipFile(path) as archive:
        yield archive


@pytest.fixture(scope="module")
def names(wheel):
    return set(wheel.namelist())


def test_the_version_is_that_of_package_json(wheel):
    metadata = email.message_from_bytes(wheel.read(f"circuitboard-{VERSION}.dist-info/METADATA"))
    assert metadata["Name"] == "circuitboard"
    assert metadata["Version"] == VERSION
    assert metadata["Requires-Python"] == ">=3.11"
    assert metadata["License-Expression"] == "MIT"


def test_it_asks_for_what_it_imports_and_no_more_by_default(wheel):
    metadata = email.message_from_bytes(wheel.read(f"circuitboard-{VERSION}.dist-info/METADATA"))
    required = [value for value in metadata.get_all("Requires-Dist") if "extra ==" not in value]
    assert {re.match(r"[\w.-]+", value).group() for value in required} == {
        "anywidget", "fonttools", "ipykernel", "jupyterlab", "msgspec", "numpy", "pandas",
        "platformdirs", "psutil", "safetensors", "torch", "tqdm", "transformer-lens", "transformers",
    }  # fmt: skip
    assert any(value.startswith("gguf") and "smollm2" in value for value in metadata.get_all("Requires-Dist"))


def test_the_console_script_is_the_command_line(wheel):
    scripts = configparser.ConfigParser()
    scripts.read_string(wheel.read(f"circuitboard-{VERSION}.dist-info/entry_points.txt").decode())
    assert scripts["console_scripts"]["circuitboard"] == "circuitboard.cli:main"


def test_every_module_of_the_source_tree_is_inside(names):
    source = ROOT / "kernel_side"
    modules = {path.relative_to(source).as_posix() for path in source.glob("circuitboard/**/*.py")}
    assert modules <= names


def test_the_panel_and_what_the_demo_needs_are_inside(names):
    assert {"circuitboard/widget/static/widget.js", "circuitboard/widget/static/widget.css"} <= names
    assert "circuitboard/py.typed" in names
    notebooks = {f"circuitboard/examples/{path.name}" for path in (ROOT / "examples").glob("*.ipynb")}
    assert "circuitboard/examples/01_first_click.ipynb" in notebooks
    assert notebooks <= names
    embedded = ROOT / "kernel_side/circuitboard/models/embedded"
    weights = {path.relative_to(ROOT / "kernel_side").as_posix() for path in embedded.rglob("*.safetensors")}
    assert weights
    assert weights <= names


def test_the_jupyterlab_extension_lies_where_jupyterlab_looks(wheel, names):
    package = json.loads(wheel.read(f"{LABEXTENSION}/package.json"))
    assert package["name"] == "circuitboard"
    assert package["version"] == VERSION
    assert f"{LABEXTENSION}/{package['jupyterlab']['_build']['load']}" in names
    assert json.loads(wheel.read(f"{LABEXTENSION}/install.json"))["packageName"] == "circuitboard"
    schema = json.loads(wheel.read(f"{LABEXTENSION}/schemas/circuitboard/plugin.json"))
    assert schema["jupyter.lab.toolbars"]["Notebook"][0]["command"] == "circuitboard:open"
    assert not any(name.startswith("circuitboard/labextension/") for name in names), "carried twice"


def test_the_server_extension_is_enabled_by_the_shipped_configuration(wheel):
    config = json.loads(wheel.read(f"{DATA}/etc/jupyter/jupyter_server_config.d/circuitboard.json"))
    assert config == {"ServerApp": {"jpserver_extensions": {"circuitboard.server": True}}}


def test_no_pickle_and_nothing_large_or_private_is_inside(wheel, names):
    assert not [name for name in names if name.endswith((".pt", ".pth", ".bin", ".pkl", ".pickle", ".map"))]
    assert not [name for name in names if "__pycache__" in name or name.startswith("tests/")]
    assert sum(entry.file_size for entry in wheel.infolist()) < 8_000_000
    assert sum(entry.compress_size for entry in wheel.infolist()) < 5_000_000


def test_the_font_of_drawings_is_inside_with_its_licence(wheel, names):
    fonts = "circuitboard/pictures/fonts"
    assert {f"{fonts}/DejaVuSans.ttf", f"{fonts}/DejaVuSans-Bold.ttf"} <= names
    assert "Bitstream Vera Fonts Copyright" in wheel.read(f"{fonts}/LICENSE.txt").decode()


def test_the_licences_of_the_packages_in_the_bundles_are_inside(wheel, names):
    ours = wheel.read("circuitboard/widget/static/THIRD_PARTY_LICENCES.txt").decode()
    assert re.search(r"^preact \d.*\(MIT\)$", ours, re.MULTILINE)
    assert "THE SOFTWARE IS PROVIDED" in ours
    theirs = json.loads(wheel.read(f"{LABEXTENSION}/static/third-party-licenses.json"))
    assert all(package["extractedText"] for package in theirs["packages"])
    assert f"circuitboard-{VERSION}.dist-info/licenses/LICENSE" in names
    for font in (name for name in names if name.endswith((".ttf", ".otf", ".woff", ".woff2"))):
        folder = font.rpartition("/")[0]
        assert any(name.startswith(f"{folder}/LICENSE") for name in names), f"{font} has no licence beside it"


def test_jupyterlab_and_the_server_list_what_an_installation_brings(wheel, tmp_path):
    """Unpacked as pip would lay it out under a prefix, and asked with the very commands a user would type."""
    for name in wheel.namelist():
        if name.startswith(DATA):
            wheel.extract(name, tmp_path)
    prefix = tmp_path / DATA
    env = os.environ | {
        "JUPYTER_PATH": str(prefix / "share/jupyter"),
        "JUPYTER_CONFIG_PATH": str(prefix / "etc/jupyter"),
        "JUPYTER_DATA_DIR": str(tmp_path / "data"),
        "JUPYTER_CONFIG_DIR": str(tmp_path / "config"),
        "HOME": str(tmp_path),
    }
    labextensions = subprocess.run(
        [sys.executable, "-m", "jupyterlab.labextensions", "list"], env=env, cwd=tmp_path,
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    plain = re.sub(r"\x1b\[\d+m", "", labextensions.stdout + labextensions.stderr)
    assert re.search(
        rf"{re.escape(str(prefix))}.*\n\s+circuitboard v{VERSION} enabled OK \(python, circuitboard\)", plain
    )
    extensions = subprocess.run(
        [sys.executable, "-m", "jupyter_server.extension.serverextension", "list"], env=env, cwd=tmp_path,
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    plain = re.sub(r"\x1b\[\d+m", "", extensions.stdout + extensions.stderr)
    assert re.search(r"circuitboard\.server enabled[\s\S]*circuitboard\.server .*OK", plain)


def test_without_bundles_and_without_node_the_build_says_what_to_do(tmp_path):
    for name in ("pyproject.toml", "package.json", "hatch_build.py", "LICENSE"):
        shutil.copy(ROOT / name, tmp_path)
    (tmp_path / "README.md").write_text("# Circuitboard\n")
    (tmp_path / "kernel_side/circuitboard").mkdir(parents=True)
    (tmp_path / "kernel_side/circuitboard/__init__.py").touch()
    code = "from hatchling.build import build_wheel; build_wheel('dist')"
    build = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=os.environ | {"PATH": str(tmp_path)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert build.returncode != 0
    assert "Install Node 20 or newer" in build.stderr
