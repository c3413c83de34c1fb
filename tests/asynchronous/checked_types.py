"""What a type checker knows of awaited methods: what they take, and what they give.

Nobody calls this: mypy checks it with everything else, and refuses an `ignore` of what it would
not have refused.
"""

from typing import assert_type

from shotstore import (
    AsyncExperimentSession,
    AsyncShot,
    DeviceConfiguration,
    ParameterNamespace,
    PureSequencePath,
    ShotId,
    State,
)
from shotstore.model import Data


async def right_uses(session: AsyncExperimentSession) -> None:
    assert_type(await session.get_global_parameters(), ParameterNamespace)
    assert_type(await session.paths.get_children("a"), set[PureSequencePath])
    await session.paths.delete_path("a", delete_sequences=True)
    assert_type(await session.sequences.get_state("a"), State)
    assert_type(await session.sequences.get_shots(path="a"), list[ShotId])
    assert_type(await session.default_device_configurations["camera"], DeviceConfiguration)
    sequence = session.get_sequence("a")
    assert_type(await sequence.get_parameter_names(which="all"), set[str])
    [shot] = await sequence.get_shots()
    assert_type(shot, AsyncShot)
    assert_type(await shot.get_data_by_labels(["atoms"]), dict[str, Data])


async def wrong_uses(session: AsyncExperimentSession) -> None:
    await session.sequences.get_state()  # type: ignore[call-arg]
    await session.sequences.get_state(route="a")  # type: ignore[call-arg]
    await session.sequences.get_state(3)  # type: ignore[arg-type]
    await session.get_sequence("a").get_parameter_names("some")  # type: ignore[arg-type]
    await session.default_device_configurations.set("camera", 3)  # type: ignore[arg-type]
    session.sequences.get_state("a").has_ended()  # type: ignore[attr-defined]
    text: str = await session.sequences.get_state("a")  # type: ignore[assignment]
    del text
