"""Which models are of one family: members of a family share one vote.

Models with common weights make common mistakes: two that err, err alike far more often than chance
would have it when they share a provider or a base model ("Correlated Errors in Large Language
Models", arXiv 2506.07962). So the family is the *base* model's, not the publisher's: a fine-tune or
a distillation that names its base belongs to it, and one that does not is a family of its own.
"""

from __future__ import annotations

import re

#: Families and how the names of their models look, lower case. The first match counts. Bases that
#: others build upon come first, so that "deepseek-r1-distill-qwen-7b" is a qwen.
_FAMILIES: tuple[tuple[str, str], ...] = (
    ("qwen", r"qwen|qwq|qvq|tongyi"),
    # WizardLM-2 is trained on Mixtral 8x22B (and Mistral 7B); only its 70B is not.
    ("mistral", r"mi[sx]tral|mathstral|codestral|devstral|ministral|magistral|pixtral|voxtral"
                r"|8x7b|8x22b|wizardlm-2-7b|zephyr"),
    ("llama", r"llama|vicuna|alpaca|wizardlm-2-70b"),
    ("gemma", r"gemma"),
    ("phi", r"\bphi\b|phi-?\d"),
    ("yi", r"\byi\b"),
    ("gpt", r"gpt(?!q)|\bo[134]\b|davinci|codex"),
    ("claude", r"claude"),
    ("gemini", r"gemini"),
    ("deepseek", r"deepseek"),
    ("granite", r"granite"),
    ("dbrx", r"dbrx"),
    ("smollm", r"smollm"),
    ("wizardlm", r"wizard(lm|coder|math)"),
    ("grok", r"grok"),
    ("cohere", r"command-|\baya\b"),
    ("glm", r"glm"),
    ("kimi", r"kimi|moonshot"),
    ("minimax", r"minimax"),
    ("nemotron", r"nemotron"),
    ("olmo", r"olmo"),
    ("falcon", r"falcon"),
    ("starcoder", r"starcoder"),
    ("internlm", r"internlm"),
    ("hunyuan", r"hunyuan"),
    ("ernie", r"ernie"),
    ("nova", r"\bnova\b"),
    ("jamba", r"jamba"),
    ("exaone", r"exaone"),
    ("stablelm", r"stablelm|stable-?code"),
)  # fmt: skip

_PATTERNS = tuple((family, re.compile(pattern)) for family, pattern in _FAMILIES)
_FILE = re.compile(r"\.gguf$")


def family_of(model: str) -> str:
    """The family of a model, from its name as endpoints write it, or from the path of its file.

    Only the last part of the name counts ("ollama/qwen3" is no llama), without the tag after a
    colon. A name that says nothing about its base is its own family.
    """
    name = _FILE.sub("", re.split(r"[/\\]", model.strip().lower())[-1])
    for family, pattern in _PATTERNS:
        if pattern.search(name):
            return family
    return name.partition(":")[0]
