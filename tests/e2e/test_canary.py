"""The search for leaked secrets finds them in every form that escapes and encodings give them."""
import base64
import json
import unittest
import urllib.parse

from canary import Canaries


class Forms(unittest.TestCase):
    def test_a_secret_is_found_in_every_form(self):
        canaries = Canaries()
        secret = canaries.make()
        leaks = {
            "plain": f"a {secret} b",
            "JSON": json.dumps({"error": secret}),
            "URL": urllib.parse.quote(secret, safe=""),
            "form": urllib.parse.urlencode({"key": secret}),
            **{f"base64 behind {before!r}": base64.b64encode(f"{before}{secret}:".encode()).decode()
               for before in ("", "u:", "user:", "deploy:")},
            "base64url": base64.urlsafe_b64encode(f"x{secret}".encode()).decode(),
            "hex": secret.encode().hex(),
        }
        for name, text in leaks.items():
            with self.subTest(name), self.assertRaises(AssertionError) as raised:
                canaries.assert_none_in("the log", text)
            self.assertNotIn(secret, str(raised.exception))
        canaries.assert_none_in("the log", "nothing of it")
