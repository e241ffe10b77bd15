"""The pull channel when the other side misbehaves: each call, each fault, and two runners on one identity."""
import contextlib
import time
import unittest
import urllib.request

from harness import Backend, Runner, free_port, wait_until
from servers import http_server, slow

REQUEST = "com.datadoghq.http.request"
FAULTS = (
    {"status": 500}, {"status": 503}, {"status": 429}, {"status": 401}, {"status": 403}, {"status": 408},
    {"reset": True}, {"close": True}, {"redirect": "https://localhost:1/"},
)


def request(url, **more):
    return {"action": REQUEST, "inputs": {"verb": "GET", "url": url}, **more}


class ChannelCase(unittest.TestCase):
    def assert_runs(self, backend, server):
        done = backend.run(request(server.url))
        self.assertEqual(done["state"], "succeeded", done)


class Outage(ChannelCase):
    def test_dequeue_recovers_from_every_fault(self):
        with Backend() as backend, Runner(backend, allow=[REQUEST]), http_server() as server:
            for fault in (*FAULTS, {"body": "garbage"}, {"status": 404}):
                with self.subTest(fault):
                    backend.fault("dequeue", times=2, **fault)
                    self.assert_runs(backend, server)

    def test_a_task_whose_answer_breaks_off_is_lost_and_the_next_one_runs(self):
        with Backend() as backend, Runner(backend, allow=[REQUEST]), http_server() as server:
            backend.enqueue(request(server.url))
            backend.fault("dequeue", times=1, truncate=20)
            self.assert_runs(backend, server)

    def test_a_dequeue_answer_beyond_its_bound_is_a_failed_call(self):
        with Backend() as backend, Runner(backend, allow=[REQUEST]) as runner, http_server() as server:
            backend.fault("dequeue", times=1, oversize=60_000_000)
            runner.wait_log("dequeue")
            self.assert_runs(backend, server)

    def test_publish_is_repeated_until_it_is_accepted(self):
        with Backend() as backend, Runner(backend, allow=[REQUEST]), http_server() as server:
            for fault in FAULTS[:-1]:
                with self.subTest(fault):
                    backend.fault("publish", times=1, **fault)
                    done = backend.run(request(server.url))
                    self.assertEqual(done["state"], "succeeded")
                    self.assertEqual(done["publishes"], 1)
            self.assertEqual(len(server.requests), len(FAULTS) - 1)

    def test_a_final_answer_to_a_publish_is_not_repeated(self):
        with Backend() as backend, Runner(backend, allow=[REQUEST]) as runner, http_server() as server:
            backend.fault("publish", times=1, status=400)
            backend.enqueue(request(server.url))
            backend.wait_event("publish", where=lambda event: event["status"] == 400)
            self.assert_runs(backend, server)
            self.assertEqual([event["status"] for event in backend.events("publish")], [400, 200])
            self.assertIn("400", runner.text())

    def test_a_result_that_is_too_large_for_datadog_becomes_a_failure(self):
        with Backend() as backend, Runner(backend, allow=[REQUEST]), http_server() as server:
            backend.fault("publish", times=1, status=413)
            done = backend.run(request(server.url))
            self.assertEqual((done["state"], done["outcome"]["error_code"]), ("failed", 2), done)

    def test_the_backend_may_go_away_and_come_back(self):
        with Backend() as backend, Runner(backend, allow=[REQUEST]) as runner, http_server() as server:
            self.assert_runs(backend, server)
            backend.stop()
            time.sleep(0.5)
            self.assertTrue(runner.running())
            backend.start()
            self.assert_runs(backend, server)

    def test_a_dripping_answer_is_read_to_its_end(self):
        with Backend() as backend, Runner(backend, allow=[REQUEST]), http_server() as server:
            backend.fault("dequeue", times=1, drip_ms=1)
            self.assert_runs(backend, server)


class Heartbeats(ChannelCase):
    def test_they_run_while_a_task_runs_and_stop_with_its_publish(self):
        with Backend() as backend, Runner(backend, allow=[REQUEST]), http_server(slow(1.5)) as server:
            done = backend.run(request(server.url))
            self.assertEqual(done["state"], "succeeded")
            self.assertGreaterEqual(done["heartbeats"], 3)
            after = backend.last_event()
            time.sleep(0.6)
            self.assertEqual(backend.events("heartbeat", after), [])

    def test_they_go_on_while_a_publish_is_retried(self):
        with Backend() as backend, Runner(backend, allow=[REQUEST]), http_server() as server:
            backend.fault("publish", times=2, status=503)
            done = backend.run(request(server.url))
            self.assertGreaterEqual(done["heartbeats"], 2)

    def test_after_a_404_there_are_no_more_and_one_last_publish(self):
        with Backend() as backend, Runner(backend, allow=[REQUEST]), http_server(slow(1.5)) as server:
            task = backend.enqueue(request(server.url))
            backend.wait_event("heartbeat")
            backend.forget(task)
            backend.wait_event("heartbeat", where=lambda event: event["status"] == 404)
            backend.wait_event("publish", where=lambda event: event["task_id"] == task)
            self.assertEqual(backend.statistics()["heartbeats_404"], 1)
            time.sleep(0.5)
            self.assertEqual(len([event for event in backend.events("publish") if event["task_id"] == task]), 1)

    def test_faults_of_heartbeats_and_health_checks_leave_tasks_alone(self):
        with Backend() as backend, http_server(slow(1.5)) as server, Runner(backend, allow=[REQUEST]) as runner:
            for route, fault in (("heartbeat", {"status": 503}), ("heartbeat", {"reset": True}),
                                 ("health_check", {"status": 500}), ("health_check", {"close": True})):
                backend.fault(route, times=1, **fault)
            done = backend.run(request(server.url))
            self.assertEqual(done["state"], "succeeded", done)
            self.assertGreaterEqual(done["heartbeats"], 1)
            runner.wait_log("health check failed")
            backend.wait_event("health_check", where=lambda event: event["status"] == 200)

    def test_a_full_pool_delays_neither_heartbeats_nor_probes_nor_health_checks(self):
        port = free_port()
        with Backend() as backend, http_server(slow(2)) as server, \
                Runner(backend, allow=[REQUEST], config={"runnerPoolSize": 3, "port": port}):
            tasks = backend.enqueue(request(server.url, count=3))
            wait_until(lambda: len(server.requests) == 3, "three requests at once")
            checks = backend.statistics()["health_checks"]
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/liveness", timeout=10) as answer:
                self.assertEqual(answer.status, 200)
            wait_until(lambda: backend.statistics()["health_checks"] > checks, "a health check")
            for task in tasks:
                self.assertGreaterEqual(backend.wait(task)["heartbeats"], 2)


class Pacing(ChannelCase):
    def test_as_many_tasks_at_once_as_there_are_slots(self):
        with Backend() as backend, http_server(slow(0.5)) as server, \
                Runner(backend, allow=[REQUEST], config={"runnerPoolSize": 5}):
            backend.enqueue(request(server.url, count=20))
            backend.wait_published(20)
            self.assertLessEqual(backend.statistics()["most_concurrent_dequeues"], 5)

    def test_an_idle_runner_asks_with_one_call_at_a_time(self):
        with Backend() as backend, Runner(backend, allow=[REQUEST], config={"runnerPoolSize": 8}):
            wait_until(lambda: backend.statistics()["dequeues"] >= 5, "five dequeues")
            self.assertEqual(backend.statistics()["most_concurrent_dequeues"], 1)

    def test_an_ordered_wait_is_kept(self):
        with Backend() as backend, Runner(backend, allow=[REQUEST]):
            backend.pacing(3000)
            ordered = backend.wait_event("dequeue", after=backend.last_event())
            following = backend.wait_event("dequeue", after=ordered["seq"])
            self.assertGreaterEqual(following["time_ms"] - ordered["time_ms"], 2500)

    def test_requests_carry_the_headers_of_the_protocol(self):
        with Backend() as backend, Runner(backend, allow=[REQUEST]), http_server() as server:
            backend.run(request(server.url))
            for kind in ("dequeue", "publish", "health_check"):
                headers = backend.wait_event(kind)["headers"]
                self.assertEqual(headers["accept"], "application/json")
                self.assertEqual(headers["content-type"], "application/json")
                self.assertEqual(headers["x-datadog-onprem-version"], "1.21.0")
                self.assertEqual(headers["x-datadog-onprem-modes"], "pull")
                self.assertEqual(headers["x-datadog-onprem-platform"], "linux")
                self.assertIn(headers["x-datadog-onprem-architecture"], ("amd64", "arm64"))
                self.assertIn(headers["x-datadog-onprem-containerized"], ("true", "false"))
            self.assertEqual(backend.statistics()["unauthorized"], 0)

    def test_connections_stay_open(self):
        with Backend() as backend, http_server() as server, \
                Runner(backend, allow=[REQUEST], config={"runnerPoolSize": 1}):
            for _ in range(10):
                backend.run(request(server.url))
            used = {event["connection"] for event in backend.events() if event["kind"] in ("dequeue", "publish")}
            self.assertLessEqual(len(used), 4)


class Modes(ChannelCase):
    def test_a_runner_for_push_alone_is_ready_and_takes_no_tasks(self):
        port = free_port()
        with Backend() as backend, \
                Runner(backend, allow=[REQUEST], config={"modes": ["appBuilder"], "port": port}) as runner:
            task = backend.enqueue(request("http://127.0.0.1:1/"))
            runner.wait_log("takes no tasks; add pull")

            def ready():
                with contextlib.suppress(OSError), \
                        urllib.request.urlopen(f"http://127.0.0.1:{port}/readiness", timeout=10) as answer:
                    return answer.status == 200

            wait_until(ready, "readiness")
            self.assertEqual(backend.task(task)["state"], "queued")
            self.assertEqual(backend.statistics()["dequeues"], 0)
            self.assertEqual(runner.stop(), 0)


class Replicas(ChannelCase):
    def test_two_runners_share_one_identity(self):
        with Backend() as backend, http_server(slow(0.05)) as server, \
                Runner(backend, allow=[REQUEST], config={"runnerPoolSize": 2}), \
                Runner(backend, allow=[REQUEST], config={"runnerPoolSize": 2}):
            backend.enqueue(request(server.url, count=40))
            statistics = backend.wait_published(40)
            self.assertEqual(statistics["succeeded"], 40)
            self.assertEqual(len(server.requests), 40)

    def test_a_changed_allowlist_counts_after_a_restart(self):
        with Backend() as backend, http_server() as server, Runner(backend) as runner:
            self.assertEqual(backend.run(request(server.url))["outcome"]["error_code"], 2)
            self.assertEqual(runner.stop(), 0)
            runner.config["actionsAllowlist"] = [REQUEST]
            runner.start()
            self.assert_runs(backend, server)
