"""What the verbs of a cluster share: their options, and the extra that they need."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import click

from pipelines.commands._options import Duration
from pipelines.commands._output import fail
from pipelines.exit_codes import ExitCode
from scraper.config.shard import Shard

MISSING = "{}: needs Dramatiq and a client of Redis; install them with `pip install 'dramatiq[redis]>=2.2'`"
broker_option = click.option(
    "--broker",
    metavar="URL",
    envvar="CLINIC_ARCHIVE_BROKER",
    show_envvar=True,
    default="redis://127.0.0.1:6379/0",
    show_default=True,
    help="The Redis database of the frame; one with a password belongs in the environment.",
)
every_option = click.option(
    "--every",
    type=Duration(least=60),
    default="24h",
    show_default=True,
    help="A clinic is due so long after its last visit began.",
)


@contextmanager
def cluster_extra() -> Iterator[None]:
    """End the process with what to install where the block imports what is not there."""
    try:
        yield
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in ("dramatiq", "redis"):
            raise
        name = click.get_current_context().info_name
        fail(MISSING.format(f"clinic-archive {name}"), ExitCode.UNEXPECTED)


def whole_frame() -> Shard:
    """Return the only shard of a frame that is not divided."""
    return Shard(1, 1)


@contextmanager
def redis_errors(url: str) -> Iterator[None]:
    """End the process where Redis does not do its part; the line names the server, without user and password."""
    import redis  # noqa: PLC0415

    parts = urlsplit(url)
    address = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
    try:
        yield
    except ValueError as error:
        raise click.BadParameter(
            "no address of Redis, such as redis://10.0.0.5:6379/0", param_hint="--broker"
        ) from error
    except redis.AuthenticationError as error:
        fail(f"{address}: Redis refused the password: {error}", ExitCode.BAD_CONFIG)
    except (redis.ConnectionError, redis.TimeoutError):
        fail(f"{address}: Redis does not answer; start it, or correct --broker", ExitCode.UNEXPECTED)
    except redis.RedisError as error:
        full = "Redis is full; raise its maxmemory, or remove what other programs store there"
        fail(f"{address}: {full if 'maxmemory' in str(error) else f'Redis refused: {error}'}", ExitCode.UNEXPECTED)
