"""An application that a cluster cannot hold is refused with who asks for what."""

from __future__ import annotations

import pytest

from casper_ray.errors import UserError
from casper_ray.serve.capacity import Ask, asks_of, check_capacity

ASKS = [Ask("Door", 2, {"CPU": 0.5}), Ask("model", 1, {"CPU": 1.0, "GPU": 2.0})]


def test_what_fits_is_let_through() -> None:
    check_capacity(ASKS, {"CPU": 2.0, "GPU": 2.0})


def test_too_few_cpus_are_told_by_deployment() -> None:
    with pytest.raises(
        UserError, match=r"CPUs: 2 are asked for and 1 are there \(Door 2 × 0.5, model 1 × 1\)"
    ) as told:
        check_capacity(ASKS, {"CPU": 1.0, "GPU": 2.0})
    assert "CASPER_CPUS" in told.value.hint


def test_no_gpu_at_all_is_told() -> None:
    with pytest.raises(UserError, match=r"GPUs: 2 are asked for and 0 are there \(model 1 × 2\)"):
        check_capacity(ASKS, {"CPU": 8.0})


@pytest.mark.ray
@pytest.mark.usefixtures("local_ray")
def test_deployments_are_counted_with_their_fewest_replicas_and_bundles() -> None:
    from ray import serve

    class Nothing:
        pass

    scaled = serve.deployment(Nothing, name="scaled").options(
        autoscaling_config={"min_replicas": 2, "max_replicas": 5}, ray_actor_options={"num_cpus": 0.25}
    )
    bundled = serve.deployment(Nothing, name="bundled").options(
        placement_group_bundles=[{"CPU": 1}, {"CPU": 2, "GPU": 1}], ray_actor_options={"num_cpus": 0}
    )
    asks = {ask.deployment: ask for ask in asks_of(scaled.bind(bundled.bind()))}
    assert (asks["scaled"].replicas, dict(asks["scaled"].each)) == (2, {"CPU": 0.25, "GPU": 0.0})
    assert (asks["bundled"].replicas, dict(asks["bundled"].each)) == (1, {"CPU": 3.0, "GPU": 1.0})
