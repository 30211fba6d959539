from pathlib import Path

from pytest_moa.proof.pair import Live, batch
from pytest_moa.warm import WarmProcess


def test_a_fault_of_a_job_of_ours_is_no_behaviour_of_a_program(tmp_path: Path) -> None:
    live = Live(
        lambda: WarmProcess(
            root=tmp_path,
            preload="pytest_moa.proof.side:imported",
            preload_args={"root": str(tmp_path), "modules": {}},
        )
    )
    good = {"code": "1 + 1", "imports": [], "module": "", "source": "1 + 1"}
    try:
        results = batch(live, "pytest_moa.proof.side:run", [good, {}, good], 0.2, {})
    finally:
        live.close()
    assert [one.get("fault", False) for one in results] == [False, True, False]
    assert not results[1].get("crashed")
    assert "KeyError" in live.faults[0]
