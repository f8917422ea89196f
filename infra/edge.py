"""Cloud CDN before the public videos: only for `media.access: cdn`, because a load balancer is never free."""

from __future__ import annotations

import pulumi_gcp as gcp

from infra.apis import Apis
from infra.stack_config import StackConfig

DAY, YEAR = 86400, 31_536_000


def make_cdn(config: StackConfig, apis: Apis, media: gcp.storage.Bucket) -> gcp.compute.GlobalAddress:
    """The load balancer in front of the media bucket; its address is what the domain's A record must say."""
    after = apis.after("compute")
    backend = gcp.compute.BackendBucket(
        "media",
        project=config.project,
        name="media",
        bucket_name=media.name,
        enable_cdn=True,
        # Objects carry their own hash as name, so a cached one can never be out of date.
        cdn_policy={"cache_mode": "CACHE_ALL_STATIC", "default_ttl": DAY, "client_ttl": DAY, "max_ttl": YEAR},
        opts=after,
    )
    address = gcp.compute.GlobalAddress("media", project=config.project, name="media", opts=after)
    certificate = gcp.compute.ManagedSslCertificate(
        "media", project=config.project, name="media", managed={"domains": [config.media.domain]}, opts=after
    )
    routes = gcp.compute.URLMap(
        "media", project=config.project, name="media", default_service=backend.self_link, opts=after
    )
    proxy = gcp.compute.TargetHttpsProxy(
        "media",
        project=config.project,
        name="media",
        url_map=routes.self_link,
        ssl_certificates=[certificate.self_link],
        opts=after,
    )
    gcp.compute.GlobalForwardingRule(
        "media",
        project=config.project,
        name="media",
        target=proxy.self_link,
        ip_address=address.address,
        port_range="443",
        load_balancing_scheme="EXTERNAL_MANAGED",
        opts=after,
    )
    return address
