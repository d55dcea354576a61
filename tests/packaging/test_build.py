"""What a user gets: both wheels, the sdist and an editable install carry the whole library.

The project is copied without its twin, so each artefact has what the build hook made, not what
happens to be committed.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
import venv
import zipfile
from pathlib import Path, PurePosixPath

import pytest

ROOT = Path(__file__).parents[2]
TWINS = {"src/zenoo_rpc/_async": "src/zenoo_rpc/_sync", "tests/_async": "tests/_sync"}

pytestmark = pytest.mark.slow
pytest.importorskip("build", reason="the package `build` is not installed")


def run(*command: str | Path, cwd: Path) -> str:
    """Run *command* without our settings; what it printed is in the failure."""
    environment = {name: value for name, value in os.environ.items() if name[:6] != "PYTHON"}
    done = subprocess.run(
        command, cwd=cwd, env=environment, capture_output=True, text=True, check=False
    )
    assert 0 == done.returncode, done.stdout + done.stderr
    return done.stdout.strip()


def files(folder: Path) -> set[str]:
    return {
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A copy of the project without generated files."""
    copy = tmp_path_factory.mktemp("project")
    for path in [*ROOT.glob("*.py"), *ROOT.glob("*.toml"), *ROOT.glob("*.md"), ROOT / "LICENSE"]:
        shutil.copy(path, copy)
    for folder in ("src", "tests", "scripts"):
        ignore = shutil.ignore_patterns("__pycache__", "_sync")
        shutil.copytree(ROOT / folder, copy / folder, ignore=ignore)
    return copy


@pytest.fixture(scope="module")
def package(project):
    """Every file of the package and of its twin, as paths below `src`."""
    written = files(project / "src")
    return written | {path.replace("/_async/", "/_sync/") for path in written}


@pytest.fixture(scope="module")
def built(project, package, tmp_path_factory):
    """A folder with an sdist and the wheel that was built from it."""
    folder = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "build", "--outdir", folder, cwd=project)
    return folder


def content(wheel: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_the_sdist_has_sources_twins_and_generator(built, project):
    """Whoever packages us again can build and test with nothing else."""
    [sdist] = built.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        names = {str(PurePosixPath(*PurePosixPath(n).parts[1:])) for n in archive.getnames()}

    for source, twin in TWINS.items():
        wanted = files(project / source)
        assert wanted
        assert {f"{tree}/{name}" for tree in (source, twin) for name in wanted} <= names
    assert {"PKG-INFO", "LICENSE", "hatch_build.py", "scripts/generate_twin.py"} <= names
    assert not {name for name in names if name.endswith(".pyc") or "/." in name}


def test_the_wheel_has_the_package_and_nothing_else(built, package):
    """Both colours and `py.typed`; no tests, no scripts."""
    [wheel] = built.glob("*.whl")
    names = {name for name in content(wheel) if ".dist-info/" not in name}

    assert "zenoo_rpc/py.typed" in package
    assert package == names


def test_a_wheel_from_the_checkout_is_the_one_from_the_sdist(built, project, tmp_path):
    run(sys.executable, "-m", "build", "--wheel", "--outdir", tmp_path, cwd=project)
    [direct], [from_sdist] = tmp_path.glob("*.whl"), built.glob("*.whl")

    assert content(from_sdist) == content(direct)


def test_wheel_and_editable_install_import_both_twins(built, project, tmp_path):
    """Without our checkout and our tools; the editable one finds the twin in the source tree."""
    [wheel] = built.glob("*.whl")
    venv.create(tmp_path / "venv", with_pip=True)
    python = tmp_path / "venv" / ("Scripts" if os.name == "nt" else "bin") / "python"
    where = "import zenoo_rpc, zenoo_rpc.sync, zenoo_rpc._sync as twin; print(twin.__file__)"

    run(python, "-m", "pip", "install", wheel, cwd=tmp_path)
    assert Path(run(python, "-c", where, cwd=tmp_path)).is_relative_to(tmp_path / "venv")

    shutil.rmtree(project / "src/zenoo_rpc/_sync")
    run(python, "-m", "pip", "install", "--no-deps", "--editable", project, cwd=tmp_path)
    assert Path(run(python, "-c", where, cwd=tmp_path)).is_relative_to(project)
