"""Everything that is checked. `nox` runs the tests, the linter and the type checkers."""

import shutil
from pathlib import Path

import nox
from packaging.requirements import Requirement

nox.needs_version = ">=2025.2"
nox.options.default_venv_backend = "virtualenv"
nox.options.error_on_missing_interpreters = False
nox.options.sessions = ["tests", "lint", "types"]

PROJECT = nox.project.load_toml("pyproject.toml")
PARALLEL = ("--numprocesses=auto", "--dist=worksteal")
EXTRAS = "sandbox,cli,trio,speed,aiohttp,http2,archive,parquet"


def install(session: nox.Session, *groups: str) -> None:
    """The package with all its extras, and the tools of some dependency groups."""
    session.install(f".[{EXTRAS}]", *nox.project.dependency_groups(PROJECT, *groups))


@nox.session
def tests(session: nox.Session) -> None:
    """All tests, on all cores; arguments after `--` go to pytest."""
    install(session, "test")
    session.run("pytest", *PARALLEL, *session.posargs)


@nox.session
def kills(session: nox.Session) -> None:
    """2,000 times `kill -9` of a sync, where the tests have 200; takes some minutes."""
    install(session, "test")
    session.run("pytest", "tests/live/kills", *session.posargs, env={"KILLS": "2000"})


@nox.session
def contract(session: nox.Session) -> None:
    """The models and operations against UltraCart's contract."""
    install(session, "test")
    session.run("pytest", "tests/contract", *session.posargs)


@nox.session
def lint(session: nox.Session) -> None:
    """Style and common mistakes."""
    session.install(*nox.project.dependency_groups(PROJECT, "lint"))
    session.run("ruff", "check")
    session.run("ruff", "format", "--check")


@nox.session
def types(session: nox.Session) -> None:
    """Types, as two checkers see them, and as users of the installed package see them."""
    install(session, "test", "lint", "bench")
    python = str(Path(session.bin) / "python")
    session.run("mypy")
    session.run("basedpyright", "--pythonpath", python)
    # From elsewhere, so that it sees the installed package and not the checkout.
    session.chdir(session.create_tmp())
    session.run("basedpyright", "--verifytypes", "ultracart_conversation", "--ignoreexternal")


@nox.session(python=["3.11", "3.12", "3.13"])
def matrix(session: nox.Session) -> None:
    """The tests on every Python that is installed."""
    install(session, "test")
    session.run("pytest", *PARALLEL, *session.posargs)


@nox.session
def lowest(session: nox.Session) -> None:
    """The tests with the oldest versions that `pyproject.toml` allows."""
    constraints = Path(session.create_tmp()) / "lowest.txt"
    constraints.write_text("".join(f"{line}\n" for line in _lower_bounds()))
    session.install(f".[{EXTRAS}]", *nox.project.dependency_groups(PROJECT, "test"), "-c", str(constraints))
    session.run("pytest", *PARALLEL, *session.posargs)


def _lower_bounds() -> list[str]:
    project = PROJECT["project"]
    extras = [line for lines in project["optional-dependencies"].values() for line in lines]
    required = [Requirement(line) for line in [*project["dependencies"], *extras]]
    return [f"{each.name}=={bound.version}" for each in required for bound in each.specifier if bound.operator == ">="]


@nox.session
def benchmarks(session: nox.Session) -> None:
    """Ratios against named peers, measured in the same run; not a test."""
    install(session, "bench")
    for file in sorted(Path("benchmarks").glob("*.py")):
        session.run("python", str(file))


@nox.session
def build(session: nox.Session) -> None:
    """The wheel and the source distribution, as an index would take them."""
    session.install("build", "twine")
    shutil.rmtree("dist", ignore_errors=True)
    session.run("python", "-m", "build")
    session.run("twine", "check", "--strict", *map(str, Path("dist").iterdir()))
