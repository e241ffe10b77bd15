"""The Temporal actions against a real server: what they start, list and return."""
import json
import time

from harness import SharedRunner, wait_until
from temporal import LIST, RESULT, RUN, Temporal, plain

SERVICES = ["temporal"]


class TemporalCase(SharedRunner):
    ALLOW = [RUN, LIST, RESULT]

    @classmethod
    def setUpClass(cls):
        cls.temporal = Temporal()
        super().setUpClass()

    def task(self, action, inputs, **more):
        return {"action": action, "inputs": inputs, "connection": plain(self.temporal.address()), **more}

    def succeed(self, action, inputs, **more):
        done = self.backend.run(self.task(action, inputs, **more))
        self.assertEqual(done["state"], "succeeded", done)
        return done["outcome"]["outputs"]

    def fail_with(self, text, action, inputs, code=2, **more):
        """The error text."""
        outcome = self.backend.run(self.task(action, inputs, **more))["outcome"]
        self.assertEqual(outcome.get("error_code"), code, outcome)
        self.assertIn(text, outcome["error_details"])
        return outcome["error_details"]

    def start(self, name, workflow_type, *arguments, queue=None, **inputs):
        """Starts a workflow by the action; returns its id and run id."""
        workflow_id = self.temporal.id(name)
        outputs = self.succeed(RUN, {"workflowType": workflow_type, "taskQueue": queue or self.temporal.queue,
                                     "workflowId": workflow_id, "workflowArgs": list(arguments), **inputs})
        self.assertEqual(list(outputs), ["runId"])
        return workflow_id, outputs["runId"]


class Actions(TemporalCase):
    def check_outcomes(self, namespace):
        rows = [row for row in self.temporal.seed(namespace) if not row["name"].startswith("running")]
        for row in rows:
            if row["name"] == "completed-null":  # this SDK sends no payload for it
                row.update(expect="", isError=False)
        self.assertEqual(len(rows), 18)
        for latest in (False, True):
            tasks = [self.backend.enqueue(self.task(RESULT, {
                "workflowId": row["workflowId"], "namespace": namespace, **({} if latest else {"runId": row["runId"]})}))
                for row in rows]
            for row, task in zip(rows, tasks):
                with self.subTest(row["name"], latest=latest):
                    outcome = self.backend.wait(task)["outcome"]
                    if row["isError"]:
                        self.assertEqual(outcome.get("error_code"), 2, outcome)
                        expected = {"completed-object": "is an object",
                                    "completed-number": "is a number", "completed-bytes": "binary/plain",
                                    "failed": "failed: no stock: inner cause",
                                    "failed-activity": "failed: activity error: card declined",
                                    "terminated": "was terminated: by the operator"}.get(row["name"], row["expect"])
                        self.assertIn(expected, outcome["error_details"])
                        if not row["name"].startswith("completed"):
                            self.assertIn(row["workflowId"], outcome["error_details"])
                            self.assertIn(row["runId"], outcome["error_details"])
                    else:
                        self.assertEqual(outcome.get("outputs"), {"executionResult": row["expect"]}, outcome)

    def test_every_outcome_of_a_workflow_with_its_successors(self):
        self.check_outcomes("default")

    def test_every_outcome_from_raw_history(self):
        self.check_outcomes("raw-history")

    def test_a_long_poll_that_ends_empty_is_asked_again(self):
        workflow_id, run_id = self.temporal.start("Sleeper", 4.5, name="short-poll", namespace="short-poll")
        begin = time.monotonic()
        outputs = self.succeed(RESULT, {"workflowId": workflow_id, "runId": run_id, "namespace": "short-poll"})
        self.assertEqual(outputs, {"executionResult": "slept"})
        self.assertGreater(time.monotonic() - begin, 2.5)  # longer than one poll of that namespace

    def test_a_waiting_result_comes_when_the_workflow_closes(self):
        workflow_id, _ = self.start("signalled", "WaitSignal")
        task = self.backend.enqueue(self.task(RESULT, {"workflowId": workflow_id}))
        self.backend.wait_event("heartbeat", where=lambda event: event.get("task_id") == task)
        self.temporal.client("signal", workflow_id, "go", '"now"')
        self.assertEqual(self.backend.wait(task)["outcome"].get("outputs"), {"executionResult": "now"})

    def test_a_result_of_almost_two_megabytes(self):
        size = 1_900_000
        workflow_id, _ = self.start("big", "ReturnsBig", size)
        result = self.succeed(RESULT, {"workflowId": workflow_id})["executionResult"]
        self.assertEqual((len(result), result[:27]), (size, "abcdefghijklmnopqrstuvwxyza"))

    def test_arguments_arrive_in_their_types(self):
        workflow_id, run_id = self.start("concat", "Concat", "a", 3, True)
        self.assertEqual(self.succeed(RESULT, {"workflowId": workflow_id, "runId": run_id}), {"executionResult": "a!!!"})
        value = {"s": "grüße \u2028 \U0001F600 \"q\" \\", "n": [0, -1, 2.5, 1e300, 9007199254740991], "t": [True, None, {}, []]}
        for name, argument in {"object": value, "list": [1, "a"], "string": "x", "number": 12.5, "null": None, "false": False}.items():
            with self.subTest(name):
                workflow_id, _ = self.start("any-" + name, "EchoAny", argument)
                self.assertEqual(self.temporal.client("result", workflow_id), {"result": argument})

    def test_a_workflow_without_an_id_gets_a_random_one(self):
        inputs = {"workflowType": "Sleeper", "taskQueue": "par-test-nobody-" + self.temporal.prefix, "workflowArgs": [1]}
        runs = {self.succeed(RUN, inputs)["runId"] for _ in range(2)}
        self.assertEqual(len(runs), 2)
        query = f'TaskQueue = "{inputs["taskQueue"]}"'
        listed = wait_until(lambda: len(self.succeed(LIST, {"query": query})["workflows"]) == 2 and
                            self.succeed(LIST, {"query": query})["workflows"], "both in the list")
        self.assertEqual({item["execution"]["run_id"] for item in listed}, runs)
        for item in listed:
            self.assertRegex(item["execution"]["workflow_id"], r"^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$")

    def test_the_id_of_a_running_workflow_is_refused_and_that_of_a_closed_one_is_not(self):
        workflow_id, run_id = self.start("twice", "WaitSignal")
        inputs = {"workflowType": "WaitSignal", "taskQueue": self.temporal.queue, "workflowId": workflow_id}
        self.fail_with("StartWorkflowExecution failed with ALREADY_EXISTS: Workflow execution is already running", RUN, inputs)
        self.temporal.client("terminate", workflow_id)
        again = self.succeed(RUN, inputs)["runId"]
        self.assertNotEqual(again, run_id)
        self.fail_with("was terminated", RESULT, {"workflowId": workflow_id, "runId": run_id})

    def test_a_list_has_what_the_api_has(self):
        workflow_id, run_id = self.temporal.start("Memo", name="memo", options=("--run-timeout", "600"))
        query = f'WorkflowId = "{workflow_id}"'
        item = wait_until(lambda: next((item for item in self.succeed(LIST, {"query": query})["workflows"]
                                        if "note" in item["memo"].get("fields", {})), None), "the memo in the list")
        self.assertEqual(item["execution"], {"workflow_id": workflow_id, "run_id": run_id})
        self.assertEqual(item["root_execution"], item["execution"])
        self.assertEqual(item["type"], {"name": "Memo"})
        self.assertEqual((item["status"], item["task_queue"]), (1, self.temporal.queue))
        self.assertEqual(item["memo"]["fields"]["note"]["data"], "ImZyb20gdGhlIHdvcmtmbG93Ig==")
        self.assertEqual(item["memo"]["fields"]["note"]["metadata"]["encoding"], "anNvbi9wbGFpbg==")
        self.assertGreater(item["start_time"]["seconds"], 1_700_000_000)
        self.assertNotIn("close_time", item)
        # Everything that the server's own client sees, in this action's spelling.
        theirs = self.temporal.client("list", query)["executions"][0]
        snake = {"".join("_" + c.lower() if c.isupper() else c for c in key) for key in theirs}
        self.assertLessEqual(snake - {"memo", "search_attributes"}, set(item))

    def test_a_list_is_one_page_of_the_server(self):
        for number in range(5):
            self.temporal.start("Echo", "x", name=f"page-{number}", namespace="small-pages")
        wait_until(lambda: len(self.succeed(LIST, {"namespace": "small-pages"})["workflows"]) == 3, "a page of three")
        self.assertEqual(self.succeed(LIST, {"namespace": "small-pages", "query": "WorkflowId = 'nothing'"}), {"workflows": []})

    def test_a_rate_limit_is_waited_for(self):
        tasks = [self.backend.enqueue(self.task(LIST, {"namespace": "rate-limited"})) for _ in range(3)]
        for task in tasks:
            self.assertEqual(self.backend.wait(task)["state"], "succeeded", self.backend.task(task))

    def test_errors_of_the_server_are_shown(self):
        start = {"workflowType": "Echo", "taskQueue": self.temporal.queue}
        for action, inputs, text in (
                (RUN, {**start, "namespace": "nosuch"}, "NOT_FOUND: Namespace nosuch is not found"),
                (LIST, {"namespace": "nosuch"}, "NOT_FOUND: Namespace nosuch is not found"),
                (LIST, {"query": "Bogus = 1"}, "INVALID_ARGUMENT: invalid query"),
                (LIST, {"query": "("}, "INVALID_ARGUMENT"),
                (RESULT, {"workflowId": self.temporal.id("absent")}, "NOT_FOUND: workflow not found"),
                (RESULT, {"workflowId": "a", "namespace": "nosuch"}, "Namespace nosuch is not found"),
                (RESULT, {"workflowId": "a", "runId": "no-uuid"}, "INVALID_ARGUMENT: Invalid RunId"),
                (RUN, {**start, "workflowArgs": ["x" * 5_000_000]}, "RESOURCE_EXHAUSTED: grpc: received message larger than max"),
                (RUN, {**start, "workflowId": "x" * 2000}, "INVALID_ARGUMENT")):
            with self.subTest(text, action=action):
                message = self.fail_with(text, action, inputs)
                self.assertIn(self.temporal.address(), message)
                self.assertNotIn("attempts", message)

    def test_bad_inputs_are_refused_before_anything_is_sent(self):
        start = {"workflowType": "Echo", "taskQueue": self.temporal.queue}
        for action, inputs, text in (
                (RUN, {"taskQueue": "q"}, "workflowType"),
                (RUN, {"workflowType": "Echo"}, "taskQueue"),
                (RUN, {**start, "workflowType": ""}, "workflowType"),
                (RUN, {**start, "taskQueue": ""}, "taskQueue"),
                (RUN, {**start, "workflowType": 1}, "workflowType"),
                (RUN, {**start, "workflowArgs": "a"}, "workflowArgs"),
                (RUN, {**start, "workflowArgs": {"a": 1}}, "workflowArgs"),
                (RUN, {**start, "workflowId": 17}, "workflowId"),
                (RUN, {**start, "namespace": ["default"]}, "namespace"),
                (RUN, {**start, "namespace": "gruß"}, "namespace"),
                (LIST, {"namespace": "two\nlines"}, "namespace"),
                (LIST, {"query": True}, "query"),
                (RESULT, {}, "workflowId"),
                (RESULT, {"workflowId": ""}, "workflowId"),
                (RESULT, {"workflowId": "a", "runId": 1.5}, "runId")):
            with self.subTest(json.dumps(inputs), action=action):
                self.fail_with(text, action, inputs)

    def test_null_and_misspelt_and_unknown_inputs(self):
        workflow_id = self.temporal.id("odd")
        outputs = self.succeed(RUN, {"WorkflowType": "Echo", "taskqueue": self.temporal.queue, "workflowId": workflow_id,
                                     "workflowArgs": ["ok"], "namespace": None, "other": 1})
        self.assertEqual(self.succeed(RESULT, {"workflowId": workflow_id, "runId": outputs["runId"], "namespace": ""}),
                         {"executionResult": "ok"})
        self.succeed(LIST, {"query": None, "namespace": None})


class Settings(TemporalCase):
    CONFIG = {"plugins": {"com.datadoghq.temporal": {"reuseRunning": True, "jsonResult": True}}}

    def test_reuse_running_returns_the_run_that_is_there(self):
        workflow_id, run_id = self.start("reused", "WaitSignal")
        self.assertEqual(self.start("reused", "WaitSignal"), (workflow_id, run_id))

    def test_json_result_gives_other_values_as_json_text(self):
        for name, argument, expected in (("object", {"b": [1, 2.5, True, None]}, '{"b":[1,2.5,true,null]}'), ("number", 42, "42"),
                                         ("string", "plain", "plain")):
            with self.subTest(name):
                workflow_id, _ = self.start(name, "EchoAny", argument)
                self.assertEqual(self.succeed(RESULT, {"workflowId": workflow_id}), {"executionResult": expected})
        workflow_id, _ = self.start("bytes", "ReturnsBytes")
        self.fail_with("binary/plain", RESULT, {"workflowId": workflow_id})
