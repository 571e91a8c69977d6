"""Visitor tokens: issued to anybody, signed, short-lived (reference 3.1)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from typing import Any

from .chrome import BLOG_APP, BLOG_APP_INTERNAL, META_SITE
from .model import digest, stable_uuid

LIFETIME = 2 * 3600


def pack(value: object) -> str:
    """JSON in URL-safe base64."""
    return base64.urlsafe_b64encode(json.dumps(value, separators=(",", ":")).encode()).decode().rstrip("=")


def unpack(text: str) -> Any:
    """The value, or nothing when the text is no such packing."""
    try:
        return json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except (ValueError, UnicodeDecodeError):
        return None


class Signer:
    """Signs and checks tokens and cursors with a secret of this clinic."""

    def __init__(self, secret: str) -> None:
        self._secret = secret.encode()

    def signature(self, payload: str) -> str:
        """The signature of a payload."""
        mac = hmac.new(self._secret, payload.encode(), hashlib.sha256).digest()
        return base64.urlsafe_b64encode(mac).decode().rstrip("=")

    def sign(self, value: object) -> str:
        """A signed, opaque text that holds the value."""
        payload = pack(value)
        return f"{self.signature(payload)}.{payload}"

    def read(self, signed: str) -> Any:
        """The value of a text that was signed here, or nothing."""
        signature, _, payload = signed.partition(".")
        if not hmac.compare_digest(signature.encode(), self.signature(payload).encode()):
            return None
        return unpack(payload)

    def instance(self, app: str, age: int, visitor: str) -> str:
        """A visitor's token for one app."""
        return self.sign(
            {
                "instanceId": stable_uuid("instance", app),
                "appDefId": app,
                "metaSiteId": META_SITE,
                "signDate": time.time(),
                "uid": None,
                "aid": visitor,
                "generation": age,
            }
        )

    def accepts(self, header: str, age: int) -> bool:
        """Whether an Authorization header carries a token of ours that is still good."""
        value = self.read(header.removeprefix("wixcode-pub.").removeprefix("OauthNG.JWS."))
        if not isinstance(value, dict) or value.get("appDefId") not in (BLOG_APP, BLOG_APP_INTERNAL):
            return False
        fresh: bool = time.time() - value["signDate"] < LIFETIME
        return fresh and value["generation"] == age

    def access_tokens(self, age: int) -> dict[str, Any]:
        """The answer of the token address."""
        visitor = stable_uuid("visitor", time.time_ns())
        apps = {}
        for number, app in enumerate((BLOG_APP, BLOG_APP_INTERNAL)):
            instance = self.instance(app, age, visitor)
            apps[app] = {"instance": instance, "accessToken": f"OauthNG.JWS.{instance}", "intId": 1400 + number}
        return {
            "hs": -1_000_000,
            "visitorId": visitor,
            "svSession": digest("session", visitor),
            "ctToken": digest("ct", visitor),
            "mediaAuthToken": digest("media", visitor),
            "apps": apps,
        }
