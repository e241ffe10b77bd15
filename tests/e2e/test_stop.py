"""Stopping in every phase of a task's way."""
import signal
import time
import unittest

from harness import Backend, Runner, free_port, status, wait_until
from servers import http_server, slow

REQUEST = "com.datadoghq.http.request"


def request(url, **more):
    return {"action": REQUEST, "inputs": {"verb": "GET", "url": url}, **more}


class Stop(unittest.TestCase):
    def test_an_idle_runner_ends_at_once(self):
        with Backend() as backend, Runner(backend, config={"loopIntervalMs": 60000}) as runner:
            backend.wait_event("dequeue")
            begin = time.monotonic()
            self.assertEqual(runner.stop(), 0)
            self.assertLess(time.monotonic() - begin, 20)

    def test_a_runner_in_back_off_ends_at_once(self):
        with Backend() as backend:
            backend.fault("dequeue", status=500)
            with Runner(backend, config={"minBackoffMs": 100000, "maxBackoffMs": 100000}) as runner:
                backend.wait_event("dequeue")
                self.assertEqual(runner.stop(), 0)

    def test_a_running_task_is_finished_and_published(self):
        with Backend() as backend, Runner(backend, allow=[REQUEST]) as runner, http_server(slow(1.0)) as server:
            task = backend.enqueue(request(server.url))
            wait_until(lambda: server.requests, "the request")
            self.assertEqual(runner.stop(), 0)
            self.assertEqual(backend.wait(task)["state"], "succeeded")

    def test_heartbeats_go_on_while_it_drains(self):
        with Backend() as backend, Runner(backend, allow=[REQUEST]) as runner, http_server(slow(1.5)) as server:
            task = backend.enqueue(request(server.url))
            wait_until(lambda: server.requests, "the request")
            after = backend.last_event()
            runner.send_signal()
            backend.wait_event("heartbeat", after)
            self.assertEqual(runner.wait_exit(), 0)
            self.assertEqual(backend.wait(task)["state"], "succeeded")

    def test_nothing_new_is_taken_while_it_drains(self):
        with Backend() as backend, Runner(backend, allow=[REQUEST]) as runner, http_server(slow(1.0)) as server:
            backend.enqueue(request(server.url))
            wait_until(lambda: server.requests, "the request")
            runner.send_signal()
            time.sleep(0.3)
            later = backend.enqueue(request(server.url))
            self.assertEqual(runner.wait_exit(), 0)
            self.assertEqual(backend.task(later)["state"], "queued")

    def test_a_task_that_outlasts_the_drain_is_cancelled_and_published(self):
        with Backend() as backend, http_server(slow(30)) as server, \
                Runner(backend, allow=[REQUEST], config={"drainTimeoutSeconds": 1}) as runner:
            task = backend.enqueue(request(server.url))
            wait_until(lambda: server.requests, "the request")
            begin = time.monotonic()
            self.assertEqual(runner.stop(), 0)
            self.assertLess(time.monotonic() - begin, 20)
            outcome = backend.wait(task)["outcome"]
            self.assertEqual(outcome["error_code"], 1, outcome)
            self.assertIn("stopp", outcome["error_details"])

    def test_a_task_that_a_late_dequeue_brings_is_failed_not_run(self):
        with Backend() as backend, http_server() as server:
            backend.delays(dequeue=1500)
            task = backend.enqueue(request(server.url))
            with Runner(backend, allow=[REQUEST]) as runner:
                wait_until(lambda: backend.task(task)["state"] == "running", "the task to be on its way")
                self.assertEqual(runner.stop(), 0)
                done = backend.task(task)
                self.assertEqual(done["state"], "failed", done)
                self.assertEqual(done["outcome"]["error_code"], 1)
                self.assertIn("not started", done["outcome"]["error_details"])
                self.assertEqual(server.requests, [])

    def test_a_publish_that_is_being_retried_gets_its_last_chance(self):
        with Backend() as backend, Runner(backend, allow=[REQUEST]) as runner, http_server() as server:
            backend.fault("publish", times=1, status=503)
            task = backend.enqueue(request(server.url))
            backend.wait_event("publish", where=lambda event: event["status"] == 503)
            self.assertEqual(runner.stop(), 0)
            self.assertEqual(backend.wait(task)["state"], "succeeded")

    def test_a_second_signal_ends_it_at_once(self):
        with Backend() as backend, Runner(backend, allow=[REQUEST]) as runner, http_server(slow(30)) as server:
            backend.enqueue(request(server.url))
            wait_until(lambda: server.requests, "the request")
            runner.send_signal(signal.SIGTERM)
            runner.wait_log("stop")
            begin = time.monotonic()
            runner.send_signal(signal.SIGTERM)
            runner.wait_exit()
            self.assertLess(time.monotonic() - begin, 15)

    def test_readiness_fails_while_it_drains_and_liveness_does_not(self):
        port = free_port()
        with Backend() as backend, http_server(slow(2)) as server, \
                Runner(backend, allow=[REQUEST], config={"port": port}) as runner:
            wait_until(lambda: status(port, "/readiness") == 200, "readiness")
            backend.enqueue(request(server.url))
            wait_until(lambda: server.requests, "the request")
            runner.send_signal()
            wait_until(lambda: status(port, "/readiness") == 503, "readiness to fail")
            self.assertEqual(status(port, "/liveness"), 200)
            self.assertEqual(runner.wait_exit(), 0)
