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

NOT_INSTALLED = "{}: needs Dramatiq and a client of Redis; install them with `pip install 'dramatiq[redis]>=2.2'`"
broker_option = click.option(
    "--broker",
    metavar="URL",
    envvar="CLINIC_ARCHIVE_BROKER",
    show_envvar=True,
    default="redis://127.0.0.1:6379/0",
    show_default=True,
    help="The Redis database of the frame; one with a password belongs in the environment.",
)
_NO_ADDRESS = (
    "no address of Redis, such as redis://10.0.0.5:6379/0; in a password write each of / ? # [ ] @ : as %2F, %3F, %23,"
    " %5B, %5D, %40, %3A"
)
every_option = click.option(
    "--every",
    type=Duration(least=60),
    default="24h",
    show_default=True,
    help="A clinic is due so long after its last visit began; the same for `enqueue` and `worker`.",
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
        fail(NOT_INSTALLED.format(f"clinic-archive {name}"), ExitCode.UNEXPECTED)


def whole_frame() -> Shard:
    """Return the only shard of a frame that is not divided."""
    return Shard(1, 1)


@contextmanager
def redis_errors(url: str) -> Iterator[None]:
    """End the process where Redis does not do its part; the line names the server, without user and password.

    Raises `click.BadParameter` for what is no address.
    """
    import redis  # noqa: PLC0415

    address, has_password = _address(url)
    try:
        yield
    except redis.AuthenticationError as error:
        if not has_password:
            fail(f"{address}: Redis wants a password; put it into CLINIC_ARCHIVE_BROKER", ExitCode.BAD_CONFIG)
        fail(f"{address}: Redis refused the password: {error}", ExitCode.BAD_CONFIG)
    except (redis.ConnectionError, redis.TimeoutError):
        fail(f"{address}: Redis does not answer; start it, or correct --broker", ExitCode.UNEXPECTED)
    except redis.RedisError as error:
        full = "Redis is full; raise its maxmemory, or remove what other programs store there"
        fail(f"{address}: {full if 'maxmemory' in str(error) else f'Redis refused: {error}'}", ExitCode.UNEXPECTED)


def _address(url: str) -> tuple[str, bool]:
    """Return an address of Redis without user and password, and whether it has a password.

    Raises `click.BadParameter`, in which nothing of the address stands: any part of it may be of the password.
    """
    import redis  # noqa: PLC0415

    try:
        url.encode("utf-8")
        parts = urlsplit(url)
        (parts.hostname or "").encode("idna")
        split = "@" in f"{parts.path}{parts.query}{parts.fragment}"
        pool = redis.ConnectionPool.from_url(url)
        pool.make_connection()  # it connects later, but refuses options that there are not
    except (ValueError, TypeError):
        raise click.BadParameter(_NO_ADDRESS, param_hint="--broker") from None
    if split:
        raise click.BadParameter(_NO_ADDRESS, param_hint="--broker")
    has_password = bool(pool.connection_kwargs.get("password"))
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}", has_password
