"""The short catalogue of open models that can be downloaded: `catalogue.toml`, and where files go."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class CatalogueModel:
    """One model file: a GGUF of which size (bytes) and SHA-256 are known."""

    name: str
    about: str
    url: str
    sha256: str
    size: int
    licence: str
    publisher: str
    context_window: int  #: tokens it was trained for

    @property
    def file_name(self) -> str:
        """Under which its file is kept: the start of the digest tells revisions apart."""
        return f"{self.name}-{self.sha256[:12]}.gguf"

    def path(self, folder: Path | None = None) -> Path:
        """Where its file is, once it has been downloaded."""
        return (folder or models_folder()) / self.file_name


@cache
def catalogue() -> Mapping[str, CatalogueModel]:
    """The models by name, the smallest first."""
    text = resources.files("moa_engine").joinpath("catalogue.toml").read_text("utf-8")
    models = [CatalogueModel(**entry) for entry in tomllib.loads(text)["model"]]
    return MappingProxyType({model.name: model for model in sorted(models, key=lambda model: model.size)})


def models_folder() -> Path:
    """The user's folder for downloaded models."""
    from platformdirs import user_data_path

    return user_data_path("pytest-moa", appauthor=False) / "models"
