"""A version with all that MLflow is to know of it: prompt, entry, run, traces."""

from __future__ import annotations

from typing import NamedTuple

from casper_ray.evals.figures import figures
from casper_ray.evals.runs import decisions_of, log_run, run_of
from casper_ray.evals.traces import log_traces, sampled
from casper_ray.evals.tracking import Tracking
from casper_ray.evals.versions import AgentVersion, prompt_registered, version_registered
from casper_ray.lakehouse.names import Catalog


class Registered(NamedTuple):
    """number, prompt: the registry's, of the version and its prompt. traces: written now."""

    number: int
    prompt: int
    run_id: str
    decisions: int
    traces: int


def register_version(
    tracking: Tracking, declared: AgentVersion, catalog: Catalog, *, rate: float, most: int
) -> Registered:
    """Register a version and log its decisions so far, with traces of a sample.

    Reads:  the catalog's decisions, as they are committed: nothing that decides waits for it.
    Retry:  safe, and how figures are brought up to date: nothing is registered, run or traced twice.
    Raises: LakeError where nothing was decided yet.
    """
    decisions = decisions_of(catalog, declared.agent.name, declared.version)
    prompt = prompt_registered(tracking.client, declared.agent)
    run = run_of(tracking, declared, catalog)
    entry = version_registered(tracking.client, declared, run.info.run_id, run.info.artifact_uri)
    log_run(tracking, declared, catalog, run, figures(decisions, declared.agent.answer_schema))
    sample = sampled(decisions, rate, most)
    traces = log_traces(tracking, declared.agent, catalog, run.info.run_id, declared.version, sample)
    return Registered(int(entry.version), prompt, run.info.run_id, decisions.height, traces)
