"""A Charta of our own on loopback, with a store that goes away with it."""

import contextlib
import subprocess
import tempfile
import time
from pathlib import Path

VERSIONS = ("DSTU2", "STU3", "R4", "R4B", "R5")
START_SECONDS_MAX = 30
END_SECONDS_MAX = 15

TENANTS = '[[tenant]]\nid = "default"\n\n[[tenant]]\nid = "other"\n\n'
ENDPOINT = '[[endpoint]]\npath = "{path}"\nfhir = "{fhir}"\nauth = "open"\ntenant = "{tenant}"\nwritable = true\n\n'


class Charta:
    """The program, a configuration and a data directory; `url` while it serves."""

    def __init__(self, program: Path, folder: Path):
        self.program, self.folder, self.url = program, folder, ""
        self.config = folder / "charta.toml"
        self.config.write_text(configuration())

    def place(self) -> list[str]:
        return ["--config", str(self.config), "--data", str(self.folder / "data")]

    def load(self, fhir: str, path: Path, tenant: str = "default") -> str:
        """Takes in a file or folder before it serves; gives the summary line. What it refuses is the data's fault."""
        command = [self.program, "import", *self.place(), "--tenant", tenant, "--fhir", fhir, path]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode not in (0, 1) or not done.stdout.strip():
            raise RuntimeError(f"charta import {path}: {done.stderr[-500:]}")
        return done.stdout.splitlines()[-1]

    @contextlib.contextmanager
    def serving(self):
        """Serves until the block is left; then ends it by its own process id."""
        command = [self.program, "serve", *self.place(), "--listen", "127.0.0.1:0"]
        log = self.folder / "log"
        with log.open("w") as errors:
            process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True)
        try:
            self.url = listening_on(process, log)
            yield self
        finally:
            process.terminate()
            try:
                process.wait(END_SECONDS_MAX)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def listening_on(process: subprocess.Popen, log: Path) -> str:
    deadline = time.monotonic() + START_SECONDS_MAX
    while time.monotonic() < deadline:
        line = process.stdout.readline()  # ends with the process
        if line.startswith("listening on "):
            return line.removeprefix("listening on ").strip()
        if not line:
            break
    raise RuntimeError(f"the server does not start: {log.read_text()[-500:]}")


def configuration() -> str:
    """Open endpoints of all versions; and R4B on records of its own, which come as files of R4."""
    own = "".join(ENDPOINT.format(path=f"/{fhir.lower()}", fhir=fhir, tenant="default") for fhir in VERSIONS)
    return TENANTS + own + ENDPOINT.format(path="/other/r4b", fhir="R4B", tenant="other")


@contextlib.contextmanager
def charta(program: Path):
    with tempfile.TemporaryDirectory(prefix="charta-clients-") as folder:
        yield Charta(program.resolve(), Path(folder))
