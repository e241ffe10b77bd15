"""The Temporal plugin when things go wrong on the way, and when a task is cut off. A proxy between runner and real server loses
answers and connections."""
import contextlib
import re
import socket
import threading
import time
import unittest

from harness import Backend, Runner, wait_until
from temporal import FQN, RESULT, RUN, Temporal, plain

SERVICES = ["temporal"]


class FaultyProxy:
    """Passes TCP connections on to a Temporal server, and knows enough of HTTP/2 to tell its answers apart. `modes` says what
    happens to the first, second, ... connection, the last one also to all later ones:

    pass    nothing
    lose    is closed when the server answers the second call on it, which the server has then executed
    hold    answers to the second call and later ones do not arrive
    """

    HEADERS = 1

    def __init__(self, port, *modes):
        self.target = port
        self.modes = modes
        self.accepted = 0
        self.lost = 0
        self.open = []
        self.lock = threading.Lock()

    def __enter__(self):
        self.server = socket.create_server(("127.0.0.1", 0))
        self.address = "127.0.0.1:%d" % self.server.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.stop_listening()
        self.drop_all()

    def stop_listening(self):
        with contextlib.suppress(OSError):
            self.server.shutdown(socket.SHUT_RDWR)
        self.server.close()

    def drop_all(self):
        """Closes every connection that is open now."""
        with self.lock:
            pairs, self.open = self.open, []
        for pair in pairs:
            self._close(pair)

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                client = self.server.accept()[0]
                pair = (client, socket.create_connection(("127.0.0.1", self.target)))
                with self.lock:
                    mode = self.modes[min(self.accepted, len(self.modes) - 1)]
                    self.accepted += 1
                    self.open.append(pair)
                threading.Thread(target=self._pump, args=(pair, client, pair[1], None), daemon=True).start()
                threading.Thread(target=self._pump, args=(pair, pair[1], client, mode), daemon=True).start()

    def _pump(self, pair, source, sink, mode):
        frames = b""
        held = False
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                if mode in ("lose", "hold") and not held:
                    frames, answers_second = self._second_answer(frames + data)
                    if answers_second and mode == "lose":
                        self.lost += 1
                        break
                    held = answers_second
                if not held:
                    sink.sendall(data)
        with self.lock:
            if pair in self.open:
                self.open.remove(pair)
        self._close(pair)

    def _second_answer(self, data):
        """What is left of the last, incomplete frame, and whether there was the head of an answer on a stream after the first."""
        found = False
        while len(data) >= 9:
            size = 9 + int.from_bytes(data[:3], "big")
            if data[3] == self.HEADERS and int.from_bytes(data[5:9], "big") & 0x7FFFFFFF > 1:
                found = True
            if len(data) < size:
                break
            data = data[size:]
        return data, found

    @staticmethod
    def _close(pair):
        for end in pair:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()


class Faults(unittest.TestCase):
    TOGETHER = True

    @classmethod
    def setUpClass(cls):
        cls.temporal = Temporal()
        cls.backend = cls.enterClassContext(Backend())
        cls.runner = cls.enterClassContext(Runner(cls.backend, allow=[FQN + "*"]))

    def proxy(self, *modes):
        return self.enterContext(FaultyProxy(self.temporal.port(), *modes))

    def enqueue(self, action, inputs, address=None, **more):
        return self.backend.enqueue({"action": action, "inputs": inputs, **more,
                                     "connection": plain(address or self.temporal.address())})

    def outcome(self, *arguments, **more):
        return self.backend.wait(self.enqueue(*arguments, **more))["outcome"]

    def start_inputs(self, name, **more):
        """Of a workflow that nobody runs."""
        return {"workflowType": "Echo", "taskQueue": "par-test-nobody", "workflowId": self.temporal.id(name), **more}

    def waiting(self, name):
        """A workflow that waits for a signal."""
        workflow_id, run_id = self.temporal.start("WaitSignal", name=name)
        return {"workflowId": workflow_id, "runId": run_id}

    def running(self, task):
        """Returns when the task has been at work for a while."""
        self.backend.wait_event("heartbeat", where=lambda event: event.get("task_id") == task)

    def test_a_start_whose_answer_was_lost_is_the_same_start_when_it_is_tried_again(self):
        proxy = self.proxy("lose", "lose", "pass")
        inputs = self.start_inputs("lost-answer")
        outcome = self.outcome(RUN, inputs, proxy.address)
        self.assertIn("outputs", outcome)
        # One connection lost the answer of the first attempt, the next ones brought the answer of another.
        self.assertEqual(proxy.lost, 1)
        self.assertGreaterEqual(proxy.accepted, 2)
        # Another request id would have been refused, since the workflow runs.
        described = self.temporal.client("describe", inputs["workflowId"])
        self.assertEqual(described["workflowExecutionInfo"]["execution"]["runId"], outcome["outputs"]["runId"])

    def test_a_wait_survives_a_lost_connection(self):
        proxy = self.proxy("pass")
        inputs = self.waiting("lost-poll")
        task = self.enqueue(RESULT, inputs, proxy.address)
        self.running(task)
        wait_until(lambda: proxy.open, "the connection")
        proxy.drop_all()
        wait_until(lambda: proxy.accepted == 2, "another connection")
        self.temporal.client("signal", inputs["workflowId"], "go", '"still here"')
        self.assertEqual(self.backend.wait(task)["outcome"].get("outputs"), {"executionResult": "still here"})
        wait_until(lambda: not proxy.open, "the task's connection to be closed")

    def test_a_server_that_stays_away_is_tried_until_the_time_is_over(self):
        proxy = self.proxy("pass")
        task = self.enqueue(RESULT, {**self.waiting("gone"), "timeout": 3}, proxy.address)
        self.running(task)
        wait_until(lambda: proxy.open, "the connection")
        proxy.stop_listening()
        proxy.drop_all()
        outcome = self.backend.wait(task)["outcome"]
        self.assertIn(outcome.get("error_code"), (1, 2), outcome)
        self.assertRegex(outcome["error_details"], r"UNAVAILABLE.*after \d+ attempts|time limit of 3 s exceeded")

    def test_servers_that_accept_and_say_nothing(self):
        with socket.create_server(("127.0.0.1", 0)) as silent:
            unanswered = self.enqueue(RUN, self.start_inputs("silent"), "127.0.0.1:%d" % silent.getsockname()[1])
            cut = self.enqueue(RUN, self.start_inputs("silent-cut", timeout=1), "127.0.0.1:%d" % silent.getsockname()[1])
            # This one hangs later: half of the task's time is the limit of one call.
            held = self.enqueue(RUN, self.start_inputs("held", timeout=6), self.proxy("hold").address)
            outcome = self.backend.wait(held)["outcome"]
            self.assertEqual(outcome.get("error_code"), 2, outcome)
            self.assertRegex(outcome["error_details"], "StartWorkflowExecution failed with DEADLINE_EXCEEDED.* may have been started")
            outcome = self.backend.wait(cut)["outcome"]
            self.assertEqual(outcome.get("error_code"), 1, outcome)
            self.assertRegex(outcome["error_details"], "time limit of 1 s exceeded.*GetSystemInfo was cut off")
            outcome = self.backend.wait(unanswered)["outcome"]
            self.assertEqual(outcome.get("error_code"), 2, outcome)
            self.assertRegex(outcome["error_details"], "GetSystemInfo failed with (DEADLINE_EXCEEDED|UNAVAILABLE)")

    def test_a_wait_ends_at_once_when_the_time_is_over(self):
        inputs = self.waiting("deadline")
        begin = time.monotonic()
        outcome = self.outcome(RESULT, {**inputs, "timeout": 1})
        self.assertLess(time.monotonic() - begin, 15)  # the server itself would have waited for 20 s
        self.assertEqual(outcome.get("error_code"), 1, outcome)
        for text in ("time limit of 1 s exceeded", f"workflow \"{inputs['workflowId']}\" (run {inputs['runId']}) goes on"):
            self.assertIn(text, outcome["error_details"])

    def test_a_start_that_is_cut_off_says_what_it_may_have_done(self):
        inputs = self.start_inputs("cut")
        del inputs["workflowId"]
        outcome = self.outcome(RUN, {**inputs, "timeout": 1}, self.proxy("hold").address)
        self.assertEqual(outcome.get("error_code"), 1, outcome)
        made_up = re.search(r'workflow "([0-9a-f-]{36})" may have been started', outcome["error_details"])
        self.assertTrue(made_up, outcome)
        self.temporal.client("describe", made_up.group(1))  # fails if there is no such workflow

    def test_a_cron_workflow_is_followed_from_run_to_run(self):
        workflow_id, first = self.temporal.start("Cron", name="cron", options=("--cron", "@every 1s"))
        outcome = self.outcome(RESULT, {"workflowId": workflow_id, "runId": first, "timeout": 4})
        self.temporal.client("terminate", workflow_id)
        self.assertEqual(outcome.get("error_code"), 1, outcome)
        self.assertIn(f"workflow \"{workflow_id}\" (run ", outcome["error_details"])
        self.assertNotIn(first, outcome["error_details"])


class Drain(unittest.TestCase):
    def start_waiting(self, backend):
        self.temporal = Temporal()
        self.workflow_id, self.run_id = self.temporal.start("WaitSignal", name="drain")
        task = backend.enqueue({"action": RESULT, "inputs": {"workflowId": self.workflow_id},
                                "connection": plain(self.temporal.address())})
        backend.wait_event("heartbeat")
        return task

    def test_a_wait_goes_on_while_the_runner_drains(self):
        with Backend() as backend, Runner(backend, allow=[RESULT], config={"drainTimeoutSeconds": 60}) as runner:
            task = self.start_waiting(backend)
            after = backend.last_event()
            runner.send_signal()
            backend.wait_event("heartbeat", after)
            self.assertTrue(runner.running())
            self.temporal.client("signal", self.workflow_id, "go", '"in time"')
            self.assertEqual(runner.wait_exit(), 0)
            self.assertEqual(backend.wait(task)["outcome"].get("outputs"), {"executionResult": "in time"})

    def test_and_is_cut_off_at_once_when_the_drain_is_over(self):
        with Backend() as backend, Runner(backend, allow=[RESULT], config={"drainTimeoutSeconds": 1}) as runner:
            task = self.start_waiting(backend)
            begin = time.monotonic()
            self.assertEqual(runner.stop(), 0)
            self.assertLess(time.monotonic() - begin, 15)
            outcome = backend.wait(task)["outcome"]
            self.assertEqual(outcome.get("error_code"), 1, outcome)
            for text in ("stopp", f"workflow \"{self.workflow_id}\" (run {self.run_id}) goes on without the runner"):
                self.assertIn(text, outcome["error_details"])
