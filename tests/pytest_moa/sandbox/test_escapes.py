"""Every attempt to reach something outside of the sandbox is in vain."""

from __future__ import annotations

import pytest

from pytest_moa.sandbox import probe
from pytest_moa.warm import WarmProcess
from tests.pytest_moa.sandbox.outside import SESAME, Outside

#: What the kernel says, in Python's words.
FAILURES = (
    *("OSError", "PermissionError", "FileNotFoundError", "ProcessLookupError", "socket.gaierror"),
    *("ConnectionRefusedError", "TimeoutError", "BlockingIOError", "ValueError: not allowed to raise"),
)

#: What the kernel says, in Python's words.
FAILURES = (
    *("OSError", "PermissionError", "FileNotFoundError", "ProcessLookupError", "socket.gaierror"),
    *("ConnectionRefusedError", "TimeoutError", "BlockingIOError", "ValueError: not allowed to raise"),
)

#: By module of `attempts`.
ATTEMPTS = [
    "network:tcp_by_address",
    "network:tcp_by_name",
    "network:tcp_v6",
    "network:tcp_to_every_own_address",
    "network:tcp_with_fast_open",
    "network:udp",
    "network:internet",
    "network:dns",
    "network:dns_by_hand",
    "network:unix_by_path",
    "network:unix_in_project",
    "network:unix_abstract",
    "network:unix_from_a_pair",
    "network:unix_from_a_connected_pair",
    "network:netlink",
    "network:raw_packets",
    "network:vsock",
    "network:another_program",
    "writes:create_in_project",
    "writes:create_in_folder_of_project",
    "writes:overwrite",
    "writes:append",
    "writes:truncate",
    "writes:open_truncating",
    "writes:unlink",
    "writes:rename",
    "writes:replace_from_scratch",
    "writes:make_folder",
    "writes:make_link",
    "writes:hard_link_and_write",
    "writes:make_device",
    "writes:chmod",
    "writes:fchmod",
    "writes:chown",
    "writes:utime",
    "writes:extended_attribute",
    "writes:in_users_tmp",
    "writes:in_users_home",
    "writes:in_shared_memory",
    "writes:by_root_of_process",
    "writes:remount",
    "writes:another_namespace",
    "writes:another_namespace_by_clone",
    "writes:another_namespace_by_clone3",
    "reads:read_outside",
    "reads:read_from_home",
    "reads:read_from_real_home",
    "reads:read_shadow",
    "reads:read_dotenv",
    "reads:read_dotenv_below",
    "reads:read_git_config",
    "reads:read_pypirc",
    "reads:read_by_link",
    "reads:read_by_own_link",
    "reads:read_by_dotdot",
    "reads:read_by_handle",
    "reads:read_by_another_program",
    "reads:environment",
    "reads:environment_of_processes",
    "reads:command_line_of_client",
    "reads:processes_seen",
    "reads:memory_of_server",
    "reads:memory_of_server_by_call",
    "reads:keyring",
    "writes:through_cached_descriptors",
    "processes:signal_client",
    "processes:signal_group_of_client",
    "processes:signal_server",
    "processes:signal_everybody",
    "processes:queue_signal_to_server",
    "processes:signal_by_descriptor",
    "processes:trace_server",
    "processes:trace_client",
    "processes:starve_server",
    "processes:slow_server",
    "processes:own_limits",
    "processes:become_root",
    "processes:capabilities",
    "processes:type_into_terminal",
]


@pytest.mark.parametrize("attempt", ATTEMPTS)
def test_contained(warm: WarmProcess, outside: Outside, attempt: str) -> None:
    ended = warm.call(f"attempts.{attempt}", outside.arguments())
    assert outside.changes() == []
    assert not ended.value
    assert SESAME not in ended.output
    if ended.status == "raised":  # it was the sandbox that failed it, and no mistake of its own
        assert ended.error.splitlines()[-1].startswith(FAILURES)
    assert warm.call("attempts.bombs:others_running").status in ("returned", "raised")  # the server goes on


def test_attempts_succeed_without_a_sandbox(outside: Outside, unconfined: WarmProcess) -> None:
    """Of those that change nothing of the machine's: the tests above test the sandbox."""
    arguments = outside.arguments()
    heard = ["network:tcp_by_address", "network:udp", "network:unix_by_path", "network:unix_in_project"]
    heard += ["network:unix_abstract", "network:unix_from_a_pair", "network:another_program"]
    changed = ["writes:chmod", "writes:utime", "writes:append", "writes:create_in_project"]
    for attempt in heard + changed:
        unconfined.call(f"attempts.{attempt}", arguments)
        assert outside.changes(), attempt
    for attempt in ("read_outside", "read_from_home", "read_dotenv", "read_git_config", "read_by_link"):
        assert unconfined.call(f"attempts.reads:{attempt}", arguments).value == SESAME, attempt


def test_this_machine_is_strong_enough_to_test() -> None:
    if not probe().strong:
        pytest.skip(f"the sandbox here is {probe().name}: attempts were not made")
