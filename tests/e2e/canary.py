"""Secrets made up for one test, and the search for them where no secret belongs."""
import base64
import json
import secrets
import urllib.parse

# Characters that need an escape in JSON, URLs or shells, so that every escaped form is a text of its own.
ODD = "/+\"{=}' %"


class Canaries:
    """The secrets of one runner. What people read may hold none of them, in no form: its log, the error texts that it
    publishes, and what a test adds. Results are not searched, since the runner never alters them."""

    def __init__(self):
        self._values = []

    def make(self, label="secret", odd=True):
        """A new secret. `odd` adds characters that need escapes; without them it fits a user name, a host or a header."""
        return self.watch(f"canary-{label}-{secrets.token_hex(8)}" + (ODD + "z" if odd else ""))

    def watch(self, value):
        """A secret that is not made up, such as the key of a certificate; returns it. Lines of PEM count one by one."""
        if "-----BEGIN" in value:
            self._values += [line for line in value.splitlines() if len(line) >= 32 and not line.startswith("-----")]
        else:
            self._values.append(value)
        return value

    def __bool__(self):
        return bool(self._values)

    def assert_none_in(self, where, text):
        """`where` names the text in the message, which shows the surroundings but not the secret."""
        for value in self._values:
            for form in forms(value):
                at = text.find(form)
                if at >= 0:
                    around = text[max(0, at - 200):at] + "<SECRET>" + text[at + len(form):at + len(form) + 100]
                    raise AssertionError(f"{where} shows the secret {value[:24]}..., as {form[:12]}...:\n{around}")


def forms(value):
    """The texts under which a secret can appear: as it is, in JSON, percent-encoded, in base64 at each offset, in hex."""
    raw = value.encode()
    found = {value, json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1],
             urllib.parse.quote(value, safe=""), urllib.parse.quote(value), urllib.parse.quote_plus(value), raw.hex()}
    for offset in range(3):
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            # Without the characters at both ends, which also depend on what stands beside the secret.
            text = encode(b"\0" * offset + raw).decode().rstrip("=")
            found.add(text[offset + 1 if offset else 0:-1])
    return found
