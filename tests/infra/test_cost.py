"""The estimate follows the configuration, takes the free part off, and says where its prices are from."""

from __future__ import annotations

import datetime as dt

import pytest

from infra import cost
from infra.prices import AS_OF, PRICES, QUOTED, REMEMBERED
from infra.stack_config import StackConfig
from infra.stack_file import of_stack
from service.settings import ROOT
from tests.infra.graph import Graph

CONFIG = StackConfig(project="some-project", region="us-central1")


def usd(config: StackConfig, part: str, usage: cost.Usage = cost.SIZES[0].usage) -> float:
    return sum(line.usd for line in cost.estimate(config, usage) if line.what.startswith(part))


def changed(**groups: dict[str, object]) -> StackConfig:
    return cost.sized(CONFIG, cost.Size("", cost.SIZES[0].usage, groups))


def test_the_smallest_database_costs_its_hours() -> None:
    assert usd(CONFIG, "database instance") == pytest.approx(730 * 0.0105)


def test_a_regional_database_costs_twice_and_a_replica_once_more() -> None:
    regional = changed(database={"availability": "regional", "point_in_time_recovery": True})
    assert usd(regional, "database instance") == pytest.approx(2 * usd(CONFIG, "database instance"))
    replicated = changed(database={"read_replicas": 2})
    assert usd(replicated, "database instance") == pytest.approx(3 * usd(CONFIG, "database instance"))


def test_what_is_free_costs_nothing_until_it_is_used_up() -> None:
    free = PRICES["run-requests"].free / cost._Demand.requests_per_learner
    few, many = cost.Usage(learners=int(free * 0.9), courses=0), cost.Usage(learners=int(free * 1.1), courses=0)
    assert usd(CONFIG, "site requests", few) == 0
    assert usd(CONFIG, "site requests", many) > 0


def test_more_learners_never_cost_less() -> None:
    sums = [
        cost.total(cost.estimate(CONFIG, cost.Usage(learners=n, courses=n // 50))) for n in (0, 100, 10_000, 1_000_000)
    ]
    assert sums == sorted(sums)
    assert sums[0] < sums[-1]


def test_a_cdn_costs_a_balancer_even_when_nobody_watches() -> None:
    cdn = changed(media={"access": "cdn", "domain": "media.test"})
    assert usd(cdn, "load balancer", cost.Usage(learners=0, courses=0)) == pytest.approx(18.25)
    assert usd(CONFIG, "load balancer") == 0


def test_outside_the_three_free_regions_storage_is_billed_from_the_first_byte() -> None:
    abroad = CONFIG.model_copy(update={"region": "europe-west1"})
    assert usd(abroad, "content") > usd(CONFIG, "content")


def test_the_images_of_a_free_stack_fit_whatever_a_release_brings() -> None:
    """Even when every version has packages of its own; the sizes are those that docs/deploy.md reports as measured."""
    free = PRICES["images"].free
    assert cost.images_gib(of_stack("dev")) <= free < cost.images_gib(of_stack("prod"))
    one, two = (cost.images_gib(changed(delivery={"image_versions_kept": kept})) for kept in (0, 1))
    assert one == pytest.approx((45 + 113 + 202) * 1e6 / 2**30)
    assert two - one == pytest.approx((113 + 202) * 1e6 / 2**30)
    page = (ROOT / "docs" / "deploy.md").read_text(encoding="utf-8")
    assert f"{cost.SITE_MB} MB and {cost.RENDER_MB} MB" in page
    assert f"about {cost.BASE_MB} MB and shared" in page


def test_models_are_a_bill_of_their_own() -> None:
    talking = changed(models={"llm": "openai:gpt-4o-mini", "speech": "openai:gpt-4o-mini-tts"})
    assert {line.part for line in cost.estimate(talking) if line.what in ("voice", "author, writing")} == {"models"}
    assert cost.total(cost.estimate(talking)) > cost.total(cost.estimate(CONFIG))


def test_a_release_pays_for_the_course_that_it_is_tried_with() -> None:
    """In models too, which are asked for it as for any other."""
    talking = changed(models={"llm": "openai:gpt-4o-mini", "speech": "openai:gpt-4o-mini-tts"})
    idle, busy = (cost.Usage(learners=0, courses=0, releases=n) for n in (0, 30))
    assert usd(talking, "voice", idle) == usd(talking, "author, writing", idle) == 0
    assert usd(talking, "voice", busy) > 0
    assert usd(talking, "author, writing", busy) > 0


def test_each_size_is_a_configuration_that_could_be_deployed() -> None:
    for size in cost.SIZES:
        sized = cost.sized(CONFIG, size)
        assert sized.connections_needed <= sized.database.connections
    assert [round(cost.total(cost.estimate(cost.sized(CONFIG, s), s.usage))) for s in cost.SIZES] == sorted(
        round(cost.total(cost.estimate(cost.sized(CONFIG, s), s.usage))) for s in cost.SIZES
    )


def test_every_alert_condition_is_counted(prod: Graph) -> None:
    conditions = sum(len(node.inputs["conditions"]) for node in prod.of("monitoring:AlertPolicy"))
    assert conditions == cost.CONDITIONS


def test_every_secret_and_schedule_is_counted(prod: Graph) -> None:
    lines = {line.what: line.quantity for line in cost.estimate(prod.config)}
    assert lines["secrets"] == len(prod.of("secretmanager:SecretVersion"))
    assert lines["schedules"] == len(prod.of("cloudscheduler:Job"))


def test_prices_say_their_page_their_source_and_their_day() -> None:
    assert dt.date.fromisoformat(AS_OF) <= dt.datetime.now(tz=dt.UTC).date()
    assert all(price.page and price.source in (QUOTED, REMEMBERED) for price in PRICES.values())
    assert AS_OF in cost.summary(cost.estimate(CONFIG))


def test_the_summary_is_an_output(prod: Graph) -> None:
    assert str(prod.outputs["monthly_estimate"]).startswith("about ")


def test_the_page_prints_the_sizes_as_they_are_computed() -> None:
    """`python -m infra.cost prod` makes the tables; after a change of prices or sizes they must be pasted anew."""
    page = (ROOT / "docs" / "deploy.md").read_text(encoding="utf-8")
    config = of_stack("prod")
    assert cost.sizes_table(config) in page
    assert cost.table(cost.estimate(config)) in page


def test_the_command_and_the_program_estimate_alike(prod: Graph) -> None:
    assert of_stack("prod") == prod.config
