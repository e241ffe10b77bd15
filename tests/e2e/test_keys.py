"""Verifying keys: from a directory and from Remote Config, rotated, damaged, absent."""
import unittest

from harness import Backend, Runner, wait_until
from servers import http_server

REQUEST = "com.datadoghq.http.request"


def request(url):
    return {"action": REQUEST, "inputs": {"verb": "GET", "url": url}}


class Directory(unittest.TestCase):
    def test_keys_rotate_between_tasks(self):
        with Backend() as backend, Runner(backend, allow=[REQUEST]), http_server() as server:
            old = next(key["id"] for key in backend.call("GET", "/keys")["keys"])
            self.assertEqual(backend.run(request(server.url))["state"], "succeeded")
            backend.rotate_keys("rsa")
            # The new key is seen within 5 s of its file; until then tasks fail with code 4 and nothing else.
            def renewed():
                done = backend.run(request(server.url))
                if done["state"] == "failed":
                    self.assertEqual(done["outcome"]["error_code"], 4, done)
                return done["state"] == "succeeded"

            wait_until(renewed, "a task with the new key", pause=0.3)
            done = backend.run({**request(server.url), "overrides": {"key": old}})
            self.assertEqual(done["outcome"]["error_code"], 4, done)

    def test_without_a_key_nothing_is_asked_for(self):
        with Backend() as backend:
            for key in backend.call("GET", "/keys")["keys"]:
                backend.withdraw_key(key["id"])
            with Runner(backend, allow=[REQUEST]), http_server() as server:
                backend.wait_event("health_check")
                self.assertEqual(backend.statistics()["dequeues"], 0)
                backend.put_key("late", type="ed25519", published=True, signing=True)
                self.assertEqual(backend.run(request(server.url))["state"], "succeeded")

    def test_a_file_that_is_no_key_is_named_and_the_others_count(self):
        with Backend() as backend:
            backend.put_key("broken", type="ed25519", published=True, content="{not json")
            with Runner(backend, allow=[REQUEST]) as runner, http_server() as server:
                runner.wait_log("broken")
                self.assertEqual(backend.run(request(server.url))["state"], "succeeded")


class RemoteConfig(unittest.TestCase):
    def test_keys_come_over_signed_documents_and_survive_a_damaged_update(self):
        with Backend("--remote-config") as backend, http_server() as server, \
                Runner(backend, allow=[REQUEST], remote_config=True) as runner:
            self.assertEqual(backend.run(request(server.url))["state"], "succeeded")
            self.assertGreaterEqual(backend.statistics()["remote_config_polls"], 1)
            self.assertIn("key", runner.text())

    def test_an_outage_at_start_only_delays_the_work(self):
        with Backend("--remote-config") as backend, http_server() as server:
            backend.fault("remote_config", times=1, reset=True)
            with Runner(backend, allow=[REQUEST], remote_config=True) as runner:
                runner.wait_log("Remote Configuration: ")
                self.assertEqual(backend.run(request(server.url))["state"], "succeeded")

    def test_no_update_with_a_defect_gives_a_key(self):
        for damage in ("bad_signature", "expired", "wrong_length", "wrong_hash", "mixed_versions", "missing_role",
                       "file_wrong_hash", "unknown_key", "malformed"):
            with self.subTest(damage), Backend("--remote-config") as backend:
                backend.damage_remote_config(damage)
                with Runner(backend, allow=[REQUEST], remote_config=True) as runner:
                    backend.wait_event("remote_config")
                    wait_until(lambda: any("emote Config" in line.get("message", "") and
                                           line.get("level") in ("warn", "error") for line in runner.log_lines()),
                               "a warning about the update")
                    self.assertEqual(backend.statistics()["dequeues"], 0)

    def test_once_the_update_is_sound_again_work_begins(self):
        with Backend("--remote-config") as backend, http_server() as server:
            backend.damage_remote_config("bad_signature")
            with Runner(backend, allow=[REQUEST], remote_config=True):
                backend.wait_event("remote_config")
                backend.damage_remote_config()
                self.assertEqual(backend.run(request(server.url))["state"], "succeeded")

    def test_without_a_pinned_root_the_first_one_is_kept_beside_the_configuration(self):
        with Backend("--remote-config") as backend, http_server() as server:
            with Runner(backend, allow=[REQUEST], remote_config=True,
                        config={"remoteConfigRoot": None}) as runner:
                self.assertEqual(backend.run(request(server.url))["state"], "succeeded")
                stored = runner.directory / "remote-config-root.json"
                wait_until(stored.exists, "the stored root")
                self.assertEqual(stored.stat().st_mode & 0o777, 0o600)
                # A backend with other roots is not believed after a restart.
                runner.stop()
                with Backend("--remote-config", "--org", str(backend.org_id), "--runner-id", backend.runner_id) as other:
                    runner.config.update(remoteConfigURL=other.url)
                    runner.environment["SSL_CERT_FILE"] = other.ca_file
                    runner.start()
                    runner.wait_log("emote Config")
                    self.assertEqual(other.statistics()["dequeues"], 0)

    def test_a_rotated_root_is_followed(self):
        with Backend("--remote-config") as backend, http_server() as server:
            backend.rotate_root()
            backend.rotate_root()
            with Runner(backend, allow=[REQUEST], remote_config=True):
                self.assertEqual(backend.run(request(server.url))["state"], "succeeded")
