"""Settings: where they come from, who wins, and what is said about wrong ones."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from moa_engine.config import Settings
from moa_engine.config_files import LoadedSettings, load_settings
from moa_engine.errors import ConfigError
from tests.moa_engine.sample_kinds import DemoSection, sample_plugins


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty project, which is the working directory."""
    (tmp_path / ".git").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def load(
    start: Path, environ: Mapping[str, str] | None = None, config: Path | None = None, **flags: Any
) -> LoadedSettings:
    return load_settings(
        start=start, config=config, environ=environ or {}, flags=flags, plugins=sample_plugins()
    )


def refused(start: Path, environ: Mapping[str, str] | None = None, **more: Any) -> str:
    with pytest.raises(ConfigError) as caught:
        load(start, environ, **more)
    return str(caught.value)


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def test_nothing_configured_is_all_defaults(project: Path) -> None:
    loaded = load(project)
    assert loaded.settings == Settings()
    assert loaded.sections == {"demo": DemoSection()}
    assert loaded.sources == {}
    assert loaded.files == ()


def test_each_source_overrides_the_weaker_ones_key_by_key(project: Path) -> None:
    write(
        project / "pyproject.toml",
        """
        [tool.moa]
        seed = 1
        attempts = 1
        budget = 1
        record = "pyproject"
        [tool.moa.members.a]
        kind = "talk"
        voice = "low"
        """,
    )
    write(project / "moa.toml", "attempts = 2\nbudget = 2\nrecord = 'moa'\n[members.a]\nvolume = 7\n")
    environ = {"MOA_BUDGET": "3", "MOA_RECORD": "environment", "MOA_MEMBERS__A__SAMPLES": "4"}
    loaded = load(project, environ, record="flag", cache=None)
    got = loaded.settings
    assert (got.seed, got.attempts, got.budget, got.record, got.cache) == (1, 2, 3.0, "flag", True)
    assert got.members == {"a": {"kind": "talk", "voice": "low", "volume": 7, "samples": 4}}
    assert loaded.sources == {
        "seed": "pyproject.toml",
        "attempts": "moa.toml",
        "budget": "MOA_BUDGET",
        "record": "--record",
        "members.a.kind": "pyproject.toml",
        "members.a.voice": "pyproject.toml",
        "members.a.volume": "moa.toml",
        "members.a.samples": "MOA_MEMBERS__A__SAMPLES",
    }
    assert [path.name for path in loaded.files] == ["pyproject.toml", "moa.toml"]


def test_the_nearest_folder_with_settings_counts(project: Path) -> None:
    write(project / "pyproject.toml", "[tool.moa]\nseed = 1\n")
    deep = project / "packages" / "one" / "src"
    deep.mkdir(parents=True)
    write(project / "packages" / "one" / "pyproject.toml", "[project]\nname = 'one'\n")
    assert load(deep).settings.seed == 1
    write(project / "packages" / "moa.toml", "attempts = 5\n")
    assert (load(deep).settings.seed, load(deep).settings.attempts) == (None, 5)


@pytest.mark.parametrize("worktree", [False, True])
def test_the_search_ends_at_the_root_of_the_repository(project: Path, worktree: bool) -> None:
    write(project / "moa.toml", "seed = 1\n")
    inner = project / "inner"
    inner.mkdir()
    if worktree:
        write(inner / ".git", "gitdir: elsewhere\n")
    else:
        (inner / ".git").mkdir()
    assert load(inner).files == ()


def test_moa_toml_may_have_its_keys_in_tool_moa(project: Path) -> None:
    write(project / "moa.toml", "[tool.moa]\nseed = 1\n[tool.moa.stragglers]\nhedge = false\n")
    assert load(project).settings.seed == 1
    assert not load(project).settings.stragglers.hedge
    write(project / "moa.toml", "attempts = 2\n[tool.moa]\nseed = 1\n")
    assert "moa.toml: has both [tool.moa] and keys beside it (attempts)" in refused(project)


def test_a_named_file_replaces_the_projects_own(project: Path) -> None:
    write(project / "moa.toml", "seed = 1\n")
    other = write(project / "other.toml", "attempts = 5\n")
    third = write(project / "third.toml", "attempts = 7\n")
    loaded = load(project, config=other)
    assert (loaded.settings.seed, loaded.settings.attempts) == (None, 5)
    assert load(project, {"MOA_CONFIG": str(third)}).settings.attempts == 7
    assert load(project, {"MOA_CONFIG": str(third)}, config=other).settings.attempts == 5


def test_a_named_file_must_hold_settings(project: Path) -> None:
    assert (
        refused(project, config=Path("none.toml")) == "none.toml: there is no such file, which --config names"
    )
    assert "which MOA_CONFIG names" in refused(project, {"MOA_CONFIG": "none.toml"})
    pyproject = write(project / "pyproject.toml", "[project]\nname = 'x'\n")
    assert refused(project, config=pyproject) == "pyproject.toml: has no table [tool.moa]"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"seed = 1\nlayers = = 3\n", "moa.toml:2: is not valid TOML"),
        (b"seed = 1\r\n\r\nlayers = = 3\r\n", "moa.toml:3: is not valid TOML"),
        (b"seed = 1\n[members.x\n", "moa.toml:2: is not valid TOML"),
        (b"seed = 1\nrecord = '''\n", "moa.toml:3: is not valid TOML"),
        (b"seed = 1\nseed = 2\n", "moa.toml:2: is not valid TOML"),
        (b"record = '\xff'\n", "moa.toml: is not UTF-8 (byte 10)"),
    ],
)
def test_a_file_that_cannot_be_read_is_named_with_its_line(project: Path, content: bytes, said: str) -> None:
    (project / "moa.toml").write_bytes(content)
    assert said in refused(project)


def test_a_byte_order_mark_is_no_harm(project: Path) -> None:
    (project / "moa.toml").write_bytes(b"\xef\xbb\xbfseed = 1\n")
    assert load(project).settings.seed == 1


def test_every_problem_is_said_at_once_with_file_line_and_key(project: Path) -> None:
    write(
        project / "pyproject.toml",
        """[project]
name = "x"
[tool.moa]
layres = 3
budget = -1
guidelines = [
    "one.md",
    2.5,
]
stragglers = { hedge = "perhaps", quorum = 2 }
[tool.moa.members.a]
kind = "talk"
voize = "low"
[tool.moa.members.b]
kind = "tlak"
[tool.moa.demo]
mode = "thorow"
""",
    )
    write(project / "moa.toml", '[members.c]\nkind = "talk"\n')
    message = refused(project, {"MOA_SEED": "soon"}, attempts=99)
    assert message.splitlines()[0] == "11 settings are wrong:"
    lines = [line.strip() for line in message.splitlines()[1:]]
    assert lines[0].startswith(
        "pyproject.toml:4: layres: unknown key; did you mean layers? (allowed: layers, "
    )
    assert "demo" in lines[0]
    assert lines[1:] == [
        "pyproject.toml:5: budget: must be 0 or more, not -1",
        "pyproject.toml:10: stragglers.hedge: must be true or false, not 'perhaps'",
        "pyproject.toml:10: stragglers.quorum: must be 1 or less, not 2",
        "pyproject.toml:11: members.a.voice: is missing",
        "pyproject.toml:13: members.a.voize: unknown key; did you mean voice? "
        "(allowed: kind, samples, timeout, family, price, enabled, voice, volume)",
        "pyproject.toml:15: members.b.kind: no kind of member is named 'tlak'; did you mean talk? "
        f"(allowed: {', '.join(kind_names())})",
        "pyproject.toml:17: demo.mode: must be quick or thorough, not 'thorow'; did you mean thorough?",
        "moa.toml:1: members.c.voice: is missing",
        "MOA_SEED: seed: must be a whole number, not 'soon'",
        "--attempts: attempts: must be 10 or less, not 99",
    ]


def kind_names() -> list[str]:
    from moa_engine.plugins import member_kinds

    return list(member_kinds(sample_plugins()))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("layers = 'three'", "moa.toml:1: layers: must be a whole number or a list, not 'three'"),
        ("layers = true", "moa.toml:1: layers: must be a whole number or a list, not true"),
        ("attempts = '3'", "moa.toml:1: attempts: must be a whole number, not '3'"),
        ("budget = true", "moa.toml:1: budget: must be a number, not true"),
        ("[members.a]\nmodel = 'm'\nsamples = true", "moa.toml:3: members.a.samples: must be a whole number"),
        (
            "[members.a]\nmodel = 'm'\nmax_tokens = false",
            "moa.toml:3: members.a.max_tokens: must be a whole number",
        ),
        ("layers = 0", "moa.toml:1: layers: a committee has at least one layer"),
        ("layers = [['a', 'b c']]", "moa.toml:1: layers[0][1]: must be a name: letters"),
        ("members = 3", "moa.toml:1: members: must be a table, not 3"),
        ("members.a = 3", "moa.toml:1: members.a: must be a table, not 3"),
        ("[members.'a b']\nkind = 'talk'\nvoice = 'x'", 'moa.toml:1: members."a b": must be a name'),
        ("demo = 3", "moa.toml:1: demo: must be a table"),
        ("base_url = 'localhost:11434'", "moa.toml:1: base_url: not a usable URL"),
        ("base_url = 'http://h/v1?a=b'", "moa.toml:1: base_url: must end with the path"),
        ("allow_hosts = ['a b']", "moa.toml:1: allow_hosts: 'a b' is not understood"),
        ("api_key_env = 'MY KEY'", "moa.toml:1: api_key_env: must be the name of an environment variable"),
        ("[members.a]\nmodel = 'm'\nenabled = 'off'", "moa.toml:3: members.a.enabled: must be true or false"),
        (
            "committee = 'moa-light'",
            "moa.toml:1: committee: no committee is named 'moa-light'; did you mean moa-lite",
        ),
        ("aggregator = ['a']", "moa.toml:1: aggregator: no member is named 'a'"),
        (
            "layers = [\n  ['one'],\n  ['one', 'wto'],\n]\nmembers.one.model = 'm'\nmembers.two.model = 'm'",
            "moa.toml:1: layers[1][1]: no member is named 'wto'; did you mean two?",
        ),
        (
            "[committees.c]\nlayers = 1\naggregator = 'b'\n[committees.c.members.bb]\nmodel = 'm'",
            "moa.toml:3: committees.c.aggregator: no member is named 'b'",
        ),
        (
            "[committees.c.members.x]\nmodel = 'm'\nsample = 2",
            "moa.toml:3: committees.c.members.x.sample: unknown key; did you mean samples?",
        ),
    ],
)
def test_what_is_said_about_a_wrong_setting(project: Path, text: str, said: str) -> None:
    write(project / "moa.toml", text)
    assert refused(project).startswith(said)


SECRETS = {
    "[members.a]\nmodel = 'm'\napi_key = 'hunter2'": (
        "moa.toml:3: members.a.api_key: holds a key",
        "hunter2",
    ),
    "api_key_env = 'sk-proj-abcdefghijkl0123456789'": (
        "moa.toml:1: api_key_env: holds a key",
        "abcdefghijkl",
    ),
    "[members.a]\nmodel = 'm'\noptions = { headers = { Authorization = 'Bearer abcdefgh12345' } }": (
        "moa.toml:3: members.a.options.headers.Authorization: holds a key",
        "abcdefgh",
    ),
    "[members.a]\nmodel = 'm'\nbase_url = 'https://me:hunter22@example.org/v1'": (
        "moa.toml:3: members.a.base_url: holds a key",
        "hunter22",
    ),
    "[members.a]\nmodel = 'm'\n[members.a.options]\nextra = ['ghp_abcdefghijklmnop0123456789']": (
        "moa.toml:4: members.a.options.extra[0]: holds a key",
        "abcdefghijkl",
    ),
}


@pytest.mark.parametrize("text", SECRETS)
def test_a_literal_key_is_refused_and_not_repeated(project: Path, text: str) -> None:
    write(project / "moa.toml", text)
    message = refused(project)
    said, secret = SECRETS[text]
    assert message.startswith(said)
    assert "\n" not in message
    assert secret not in message


def test_a_variable_can_name_members_whose_names_variables_cannot_spell(project: Path) -> None:
    write(project / "moa.toml", "[members.'Qwen2.5-7b']\nmodel = 'm'\n")
    loaded = load(project, {"MOA_MEMBERS__QWEN2_5_7B__MODEL": "other", "MOA_MEMBERS__NEW__MODEL": "n"})
    assert loaded.settings.members == {"Qwen2.5-7b": {"model": "other"}, "new": {"model": "n"}}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("qwen2.5-coder:7b", "qwen2.5-coder:7b"),
        ('"quoted"', "quoted"),
        ("4", "4"),
        ("2026-11-22", "2026-11-22"),
        ("a\nb = 3", "a\nb = 3"),
    ],
)
def test_a_variables_text_stays_text(project: Path, text: str, value: str) -> None:
    assert load(project, {"MOA_RECORD": text}).settings.record == value


def test_a_variable_can_hold_numbers_booleans_lists_and_tables(project: Path) -> None:
    environ = {
        "MOA_LAYERS": "[['a'], ['a']]",
        "MOA_AGGREGATOR": '["a"]',
        "MOA_CACHE": "false",
        "MOA_BUDGET": "0.5",
        "MOA_ATTEMPTS": "4",
        "MOA_STRAGGLERS__HEDGE": "false",
        "MOA_STRAGGLERS__QUORUM": "0.5",
        "MOA_MEMBERS__A__MODEL": "m",
        "MOA_MEMBERS__A__PRICE": "{ input = 1, output = 2 }",
        "MOA_MEMBERS__A__OPTIONS__TOP_P": "0.90",
        "MOA_DEMO__DEPTH": "9",
        "MOA_SEED": "",
        "MOA_NO_PLUGINS": "1",
        "OTHER_TOOL": "x",
    }
    loaded = load(project, environ)
    got = loaded.settings
    assert (got.layers, got.aggregator, got.cache, got.budget) == ([["a"], ["a"]], ["a"], False, 0.5)
    assert got.attempts == 4
    assert (got.stragglers.hedge, got.stragglers.quorum, got.seed) == (False, 0.5, None)
    assert got.members["a"] == {"model": "m", "price": {"input": 1, "output": 2}, "options": {"top_p": 0.9}}
    assert loaded.sections["demo"] == DemoSection(depth=9)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("MOA_LOCALONLY", "MOA_LOCALONLY: localonly: unknown key; did you mean MOA_LOCAL_ONLY?"),
        (
            "MOA_STRAGGLERS__HEGDE",
            "MOA_STRAGGLERS__HEGDE: stragglers.hegde: unknown key; did you mean MOA_STRAGGLERS__HEDGE?",
        ),
        ("MOA_XYZZY", "MOA_XYZZY: xyzzy: unknown key (allowed: "),
    ],
)
def test_an_unknown_variable_is_an_error_that_names_it_and_near_ones(
    project: Path, name: str, said: str
) -> None:
    assert refused(project, {name: "1"}).startswith(said)


def test_variables_that_cannot_both_hold_are_an_error(project: Path) -> None:
    message = refused(project, {"MOA_STRAGGLERS": "x", "MOA_STRAGGLERS__HEDGE": "true"})
    assert message.startswith("MOA_STRAGGLERS__HEDGE: stragglers has a value already")


def test_flags_are_dotted_and_reach_sections(project: Path) -> None:
    loaded = load(project, **{"demo.mode": "thorough", "stragglers.hedge": False})
    assert loaded.sections["demo"] == DemoSection(mode="thorough")
    assert not loaded.settings.stragglers.hedge
    said = refused(project, **{"demo.mode": "slow"})
    assert said == "--mode: demo.mode: must be quick or thorough, not 'slow'"


def test_a_preset_chosen_later_sets_aside_layers_and_aggregator_of_weaker_sources(project: Path) -> None:
    write(project / "moa.toml", "layers = 3\naggregator = 'a'\n[members.a]\nmodel = 'm'\n")
    assert load(project).settings.layers == 3
    assert "layers" not in load(project, committee="moa").settings.model_fields_set
    assert load(project, {"MOA_COMMITTEE": "moa"}, layers=2).settings.layers == 2
    write(project / "moa.toml", "layers = 3\ncommittee = 'moa'\n")
    assert load(project).settings.layers == 3


def test_a_committee_of_ones_own_is_no_preset(project: Path) -> None:
    write(project / "moa.toml", "layers = 3\n[members.a]\nmodel = 'm'\n[committees.moa.members.a]\n")
    assert load(project, committee="moa").settings.layers == 3


def test_a_member_of_a_preset_needs_only_what_changes(project: Path) -> None:
    write(project / "moa.toml", "committee = 'moa'\n[members.dbrx]\ntemperature = 0\n")
    assert load(project).settings.members == {"dbrx": {"temperature": 0}}
    write(project / "moa.toml", "committee = 'moa'\n[members.dbrx]\ntemperatur = 0\n")
    assert "members.dbrx.temperatur: unknown key; did you mean temperature?" in refused(project)


def test_a_deterministic_member_needs_only_its_name(project: Path) -> None:
    write(project / "moa.toml", "[members.lint]\nenabled = false\nignore = ['X']\n")
    assert load(project).settings.members == {"lint": {"enabled": False, "ignore": ["X"]}}


def test_a_file_outside_of_the_working_directory_is_named_in_full(project: Path, tmp_path: Path) -> None:
    inner = tmp_path / "inner"
    inner.mkdir()
    os.chdir(inner)
    path = write(project / "moa.toml", "sed = 1\n")
    assert refused(inner).startswith(f"{path}:1: sed: unknown key")


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=150, deadline=None)
@given(
    st.dictionaries(st.sampled_from([*Settings.model_fields, "demo", "members.a", "nonsense"]), json_values)
)
def test_any_value_anywhere_is_taken_or_refused_in_words(flags: dict[str, Any]) -> None:
    with contextlib.suppress(ConfigError):  # any other error fails the test
        load(Path("/"), **flags)
