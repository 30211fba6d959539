"""One vote per family: which models count as one."""

from __future__ import annotations

import pytest

from moa_engine.families import family_of


@pytest.mark.parametrize(
    ("model", "family"),
    [
        ("Qwen/Qwen1.5-110B-Chat", "qwen"),
        ("qwen2.5-coder:7b", "qwen"),
        ("QwQ-32B", "qwen"),
        ("meta-llama/Llama-3-70b-chat-hf", "llama"),
        ("codellama:13b", "llama"),
        ("mistralai/Mixtral-8x22B-Instruct-v0.1", "mistral"),
        ("devstral-small", "mistral"),
        ("databricks/dbrx-instruct", "dbrx"),
        ("openai/gpt-oss-20b", "gpt"),
        ("o4-mini", "gpt"),
        ("claude-haiku-5-5", "claude"),
        ("gemini-3.8-flash", "gemini"),
        ("gemma3:4b", "gemma"),
        ("deepseek-chat", "deepseek"),
        ("phi4", "phi"),
        ("granite3.3:8b", "granite"),
        ("C:\\models\\SmolLM2-360M-Instruct-Q8_0.gguf", "smollm"),
    ],
)
def test_a_models_family_is_in_its_name(model: str, family: str) -> None:
    assert family_of(model) == family


@pytest.mark.parametrize(
    ("model", "base"),
    [
        ("microsoft/WizardLM-2-8x22B", "mistral"),
        ("deepseek-ai/DeepSeek-R1-Distill-Qwen-7B", "qwen"),
        ("deepseek-ai/DeepSeek-R1-Distill-Llama-70B", "llama"),
        ("nvidia/Llama-3.1-Nemotron-70B-Instruct", "llama"),
        ("dolphin-mixtral:8x7b", "mistral"),
    ],
)
def test_a_fine_tune_is_of_the_family_of_its_base(model: str, base: str) -> None:
    assert family_of(model) == base


def test_a_server_in_front_of_the_name_says_nothing() -> None:
    assert family_of("ollama/qwen3:8b") == "qwen"
    assert family_of("llama.cpp/our-own-model") == "our-own-model"


def test_a_model_of_unknown_base_is_a_family_of_its_own_whatever_its_size() -> None:
    assert family_of("acme/reviewer:7b") == family_of("reviewer:70b") == "reviewer"
    assert family_of("reviewer-2") != family_of("reviewer")
    assert family_of("dolphin-large-GPTQ") == "dolphin-large-gptq"
