"""com.datadoghq.postgresql against the real server: values, statements, limits, what a read-only transaction prevents."""
import base64

from harness import wait_until
from postgresql import NAMESPACE, PostgresqlCase, task

SERVICES = ["postgresql"]

FULL = {
    "c_bool": True, "c_int2": 32767, "c_int4": 2147483647, "c_int8": 9223372036854775807, "c_oid": "4294967295",
    "c_float4": 1.5, "c_float8": 0.1, "c_numeric": "12345678901234567890.123456789", "c_numeric_p": "1234.50",
    "c_money": "$12.34", "c_text": "grüße 😀 \"q\" \\ \t tab", "c_varchar": "varchar", "c_char": "ab   ", "c_char1": "x",
    "c_name": "name", "c_bytea": "AAF//w==", "c_date": "2026-01-02T00:00:00Z", "c_time": "0000-01-01T03:04:05.678901Z",
    "c_timetz": "0000-01-01T03:04:05.678901+02:00", "c_timestamp": "2026-01-02T03:04:05.678901Z",
    "c_timestamptz": "2026-01-02T01:04:05.678901Z", "c_interval": "1 year 2 mons 3 days 04:05:06.7",
    "c_uuid": "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "c_json": {"b": 1, "a": [1, 2, None]},
    "c_jsonb": {"a": [1, 2, None], "b": 1}, "c_xml": "<a>x</a>", "c_inet": "192.168.0.1/24", "c_cidr": "10.0.0.0/8",
    "c_macaddr": "08:00:2b:01:02:03", "c_bit": "1010", "c_varbit": "101", "c_point": "(1.5,-2)", "c_box": "(1,1),(0,0)",
    "c_int4range": "[1,10)", "c_tstzrange": "[\"2026-01-01 00:00:00+00\",\"2026-02-01 00:00:00+00\")",
    "c_int4_arr": "{1,NULL,3}", "c_text_arr": "{a,\"b,c\",\"d\\\"e\",NULL,\"\"}", "c_int4_arr2": "{{1,2},{3,4}}",
    "c_enum": "happy", "c_composite": "(7,\"x \"\"y\"\"\")", "c_domain": 5, "c_tsvector": "'a' 'cat' 'fat'",
    "c_pg_lsn": "16/B374D848"}
EDGES = {
    3: {"c_bool": False, "c_int2": -32768, "c_int4": -2147483648, "c_int8": -9223372036854775808, "c_float4": "NaN",
        "c_float8": "Infinity", "c_numeric": "NaN", "c_text": "", "c_varchar": "", "c_char": "     ", "c_bytea": "",
        "c_date": "infinity", "c_timestamp": "-infinity", "c_timestamptz": "infinity", "c_interval": "-1 days +02:03:04",
        "c_int4_arr": "{}", "c_json": None},
    4: {"c_int2": 0, "c_int4": 0, "c_int8": 0, "c_float4": "-Infinity", "c_float8": 0, "c_numeric": "0.00", "c_char": "abcde",
        "c_date": "0044-03-15 BC", "c_timestamp": "0001-01-01T00:00:00Z", "c_timestamptz": "1900-01-01T00:00:00Z",
        "c_interval": "00:00:00", "c_json": "s", "c_bool": None, "c_text": None}}
# Expressions whose value no table holds, and what becomes of them.
EXPRESSIONS = {
    "1e-320::float8": 1e-320, "1.7976931348623157e308::float8": 1.7976931348623157e308, "0.1::float4": 0.1,
    "0.1::float8 + 0.2::float8": 0.30000000000000004, "'24:00:00'::time": "0000-01-02T00:00:00Z",
    "'03:04:05-03:30'::timetz": "0000-01-01T03:04:05-03:30", "'294276-12-31'::timestamp": "294276-12-31 00:00:00",
    "'0001-02-29 BC'::date": "0000-02-29T00:00:00Z", "'[1e400]'::json": "[1e400]", "'{\"k\": {\"n\": 12345678901234567890}}'::jsonb":
    {"k": {"n": 12345678901234567890}}, "'\"\\ud800\"'::json": "\"\\ud800\"", "repeat('[', 300)::text": "[" * 300,
    "(repeat('[', 300) || repeat(']', 300))::json": "[" * 300 + "]" * 300, "decode('ff00', 'hex')": "/wA=",
    "ARRAY[ARRAY['a', NULL], ARRAY['\"', '']]": "{{a,NULL},{\"\\\"\",\"\"}}", "NULL::int": None, "ROW(1, NULL, 'x')": "(1,,x)"}


class Values(PostgresqlCase):
    def named_row(self, number, tokens=None):
        outputs = self.outputs("select", {"columns": ["*"], "table": "many_types", "whereClause": "id = ?",
                                          "parameters": [number]}, tokens)
        return dict(zip(outputs["columns"], outputs["results"][0]))

    def test_every_type_has_its_form(self):
        row = self.named_row(1)
        self.assertEqual(len(row), 44)
        self.assertEqual(row, {"id": 1, **FULL})
        self.assertEqual(set(self.named_row(2).values()), {2, None})
        for number, expected in EDGES.items():
            row = self.named_row(number)
            for name, value in expected.items():
                with self.subTest(row=number, column=name):
                    self.assertEqual((row[name], type(row[name])), (value, type(value)))

    def test_values_that_no_column_holds(self):
        results = self.rows(list(EXPRESSIONS), "generate_series(1, 1)")
        for (expression, expected), value in zip(EXPRESSIONS.items(), results[0]):
            with self.subTest(expression):
                self.assertEqual(value, expected)

    def test_the_defaults_of_a_role_change_the_zone_and_nothing_else(self):
        tokens = {"user": "par_odd_settings", "password": self.runner.canaries.watch("odd-settings")}
        expected = {"id": 1, **FULL, "c_timestamptz": "2026-01-02T06:34:05.678901+05:30",
                    "c_tstzrange": "[\"2026-01-01 05:30:00+05:30\",\"2026-02-01 05:30:00+05:30\")"}
        self.assertEqual(self.named_row(1, tokens), expected)
        # Local mean time, whose offset has seconds.
        self.assertEqual(self.rows(["'1850-01-01 00:00:00+00'::timestamptz"], "generate_series(1, 1)", tokens), [["1850-01-01T05:53:00+05:53"]])

    def test_other_encodings_of_databases(self):
        latin = {"database": "par_latin1"}
        self.assertEqual(self.rows("t", "texts", latin, whereClause="t = ?", parameters=["grüße ÿ"]), [["grüße ÿ"]])
        self.assertIn("SQLSTATE 22P05", self.select_failure("t", "texts", latin, whereClause="t = ?", parameters=["€"]))
        # Without an encoding the server cannot turn bytes into UTF-8, and says so.
        ascii = {"database": "par_ascii"}
        self.assertIn("SQLSTATE 22021", self.select_failure("t", "texts", ascii))
        self.assertEqual(self.rows("t::bytea", "texts", ascii), [[base64.b64encode("grüße".encode("latin-1")).decode()]])

    def test_names_of_columns_and_tables(self):
        outputs = self.outputs("select", {"columns": ["\"select\"", "\"Änderung\"", "1 AS \"select\""],
                                          "table": "\"Mixed Case \"\"Q\"\"\""})
        self.assertEqual(outputs["columns"], ["select", "Änderung", "select"])
        self.assertEqual(outputs["results"], [[1, "quoted", 1]])


class StrictValues(PostgresqlCase):
    CONFIG = {"plugins": {NAMESPACE: {"strictUpstream": True}}}

    def test_the_values_are_those_of_the_stock_runner(self):
        same = {name for name in FULL if name.removeprefix("c_") in (
            "bool", "int2", "int4", "int8", "float4", "float8", "text", "varchar", "char", "char1", "bytea", "date", "time", "timetz",
            "timestamp", "timestamptz", "bit", "varbit", "domain")}
        outputs = self.outputs("select", {"columns": ["*"], "table": "many_types", "whereClause": "id = 1"})
        row = dict(zip(outputs["columns"], outputs["results"][0]))
        texts = {**FULL, "c_json": '{"b": 1, "a": [1,2, null]}', "c_jsonb": '{"a": [1, 2, null], "b": 1}'}
        for name, value in texts.items():
            with self.subTest(name):
                self.assertEqual(row[name], value if name in same else base64.b64encode(value.encode()).decode())
        for expression in ("'NaN'::float8", "'-Infinity'::float4", "'infinity'::date", "'-infinity'::timestamptz"):
            with self.subTest(expression):
                self.assertIn("strictUpstream", self.select_failure(f"{expression} AS x", "orders"))
        self.assertIsNone(self.rows("id", "empty_table"))


class Select(PostgresqlCase):
    def test_the_clauses_make_one_statement(self):
        outputs = self.outputs("select", {
            "columns": ["o.id", "s.note"], "table": "orders o", "joinClause": "LEFT JOIN shop.orders s ON s.id = o.id",
            "whereClause": "o.id < ? AND o.customer <> ?", "orderBy": "o.id DESC", "limit": 2, "parameters": [4, "customer 3"]})
        self.assertEqual(outputs, {
            "query": "SELECT o.id, s.note FROM orders o LEFT JOIN shop.orders s ON s.id = o.id "
                     "WHERE o.id < $1 AND o.customer <> $2 ORDER BY o.id DESC LIMIT 2",
            "truncatedResults": False, "columns": ["id", "note"], "results": [[2, None], [1, "in schema shop"]]})
        self.assertEqual(self.outputs("select", {"columns": ["id"], "table": "empty_table"})["results"], [])
        self.assertEqual(len(self.rows("id", "orders")), 1000)

    def test_parameters_are_values_whatever_they_hold(self):
        nasty = "x'; DROP TABLE orders; --"
        for value, kind, expected in (("it's \\ \"ü\" 😀", "text", None), (nasty, "text", None), (1, "int", None), (-0.5, "numeric", "-0.5"),
                                      (1e21, "numeric", "1000000000000000000000"), (True, "bool", None), (None, "text", None),
                                      ("", "text", None), (12345678901, "bigint", None)):
            with self.subTest(value):
                expected = value if expected is None else expected
                self.assertEqual(self.rows(f"?::{kind}", "generate_series(1, 1)", parameters=[value]), [[expected]])
        self.assertEqual(self.rows("'{\"a\": 1}'::jsonb ?? ?", "generate_series(1, 1)", parameters=["a"]), [[True]])
        self.assertEqual(self.rows("$2::text || $1::text", "generate_series(1, 1)", parameters=["a", "b"]), [["ba"]])

    def test_what_does_not_fit_the_placeholders_is_an_error(self):
        for parameters, text in (([], "08P01"), ([1, 2], "08P01"), (["abc"], "22P02")):
            with self.subTest(parameters):
                self.assertIn(text, self.select_failure("id", "orders", whereClause="id = ?", parameters=parameters))
        self.assertIn("NUL", self.select_failure("id", "orders", whereClause="customer = ?", parameters=["a\0b"]))

    def test_bad_inputs_are_refused_before_a_connection_is_made(self):
        good = {"columns": ["id"], "table": "orders"}
        for change, where in (({"columns": []}, "columns"), ({"columns": None}, "columns"), ({"table": None}, "table"), ({"table": ""}, "table"),
                              ({"limit": -1}, "limit"), ({"limit": 1.5}, "limit"), ({"limit": "1"}, "limit"), ({"columns": "id"}, "columns"),
                              ({"parameters": [[1]]}, "parameters[0]"), ({"parameters": [1, {"a": 1}]}, "parameters[1]"),
                              ({"columns": [1]}, "columns[0]")):
            with self.subTest(change):
                self.assertIn(where, self.failure("select", {**good, **change}, {"port": "1"}))

    def test_the_session_is_the_one_of_the_connection(self):
        settings = {"table": "pg_settings", "whereClause": "name = ?"}
        self.assertEqual(self.rows("setting", parameters=["application_name"], **settings), [["par-runner"]])
        self.assertEqual(self.rows("setting", tokens={"applicationName": "o'brien x=\"y\" \\"}, parameters=["application_name"],
                                   **settings), [["o'brien x=\"y\" \\"]])
        self.assertEqual(self.rows("note", "orders", {"searchPath": "shop, public"}), [["in schema shop"]])
        self.assertEqual(self.rows("count(*)", "orders", {"searchPath": "\"it's\", public"}), [[1000]])
        # The statement timeout: of the task, with a margin, unless the role's is shorter.
        self.assertEqual(self.rows("setting", parameters=["statement_timeout"], **settings), [["0"]])
        [[text]] = self.rows("setting", parameters=["statement_timeout"], timeout=90, **settings)
        self.assertTrue(60000 < int(text) <= 91000, text)
        odd = {"user": "par_odd_settings", "password": "odd-settings"}
        self.assertEqual(self.rows("setting", tokens=odd, parameters=["statement_timeout"], timeout=90, **settings), [["1500"]])

    def test_errors_of_the_server_say_what_it_said(self):
        cases = {
            ("nope", "orders"): "column \"nope\" does not exist (SQLSTATE 42703)",
            ("id", "nope"): "relation \"nope\" does not exist (SQLSTATE 42P01)",
            ("1/0", "orders"): "division by zero (SQLSTATE 22012)",
            ("id", "orders WHERE"): "syntax error at end of input (SQLSTATE 42601)",
            ("ammount", "orders"): "hint: Perhaps you meant to reference the column \"orders.amount\".",
            ("id::text::int / (id - 500)", "orders"): "division by zero (SQLSTATE 22012)",
        }
        for (column, table), text in cases.items():
            with self.subTest(text):
                self.assertIn(text, self.select_failure(column, table))
        self.assertIn("permission denied for table secrets (SQLSTATE 42501)", self.select_failure(
            "v", "secrets", {"user": self.server["PG_READER_USER"], "password": self.server["PG_READER_PASSWORD"]}))

    def test_what_functions_say_stays_out_of_the_log(self):
        secret = self.runner.canaries.make("notice", odd=False)
        self.assertEqual(self.rows("shout(?)", "generate_series(1, 1)", parameters=[secret]), [[secret]])


class Safety(PostgresqlCase):
    def test_only_one_statement_runs(self):
        for inputs in ({"columns": ["id"], "table": "orders; DELETE FROM orders"}, {"columns": ["1; DELETE FROM orders; SELECT 2"], "table": "orders"},
                       {"columns": ["id"], "table": "orders", "orderBy": "id; DROP TABLE orders"}):
            self.assertIn("SQLSTATE 42601", self.failure("select", inputs))
        self.assertIn("SQLSTATE 42601", self.failure("explain", {"statement": "SELECT 1; DELETE FROM orders"}))
        self.assertEqual(self.server.psql("SELECT count(*) FROM orders"), "1000")

    def test_nothing_can_be_changed(self):
        for columns, table in (("visit('select')", "orders"), ("id", "orders FOR UPDATE"), ("* INTO copied", "orders"),
                               ("nextval('orders_id_seq')", "orders"), ("run_text('SELECT visit(''xml'')')", "orders"),
                               ("lo_create(0)", "orders, visit('x')")):
            with self.subTest(columns=columns, table=table):
                self.assertIn("SQLSTATE 25006", self.select_failure(columns, table))
        for statement in ("SELECT visit('explain')", "DELETE FROM orders", "INSERT INTO visits (visitor) VALUES ('x')"):
            with self.subTest(statement):
                self.assertIn("SQLSTATE 25006", self.failure("explainAnalyze", {"statement": statement}))
        # The server's own gap: the table is made inside the transaction, and gone with it.
        self.outputs("explainAnalyze", {"statement": "CREATE TABLE copied AS SELECT 1"})
        self.assertEqual(self.server.psql("SELECT (SELECT count(*) FROM visits), to_regclass('copied') IS NULL"), "0|t")

    def test_explain_runs_nothing(self):
        self.assertIn("Seq Scan", self.outputs("explain", {"statement": "SELECT visit('x') FROM empty_table"})["output"])
        for statement in ("ANALYZE SELECT visit('x')", "(ANALYZE) SELECT visit('x')", "(ANALYZE true) SELECT 1"):
            with self.subTest(statement):
                self.assertIn("SQLSTATE 42601", self.failure("explain", {"statement": statement}))
        self.assertIn("Delete on orders", self.outputs("explain", {"statement": "DELETE FROM orders WHERE id = ?",
                                                                   "parameters": [1]})["output"])

    def test_refused_names_never_reach_the_server(self):
        for name in ("pg_read_file('/etc/passwd')", "PG_TERMINATE_BACKEND(1)", "set_config('a.b', 'c', true)", "xmin_total", "query_to_xml('SELECT 1', true, true, '')",
                     "'current_user, current_database'", "U&\"pg_read\\005Ffile\"('/etc/passwd')"):
            with self.subTest(name):
                text = self.select_failure(name, "orders", {"port": "1"})
                self.assertTrue("may not use" in text or "U&" in text, text)
        self.assertIn("pg_stat_activity", self.failure("explain", {"statement": "SELECT * FROM pg_stat_activity"}, {"port": "1"}))
        self.assertIn("txid_current", self.failure(
            "insert", {"table": "visits /* txid_current */", "columns": ["visitor"], "values": [["x"]]}, {"port": "1"}))


class Writes(PostgresqlCase):
    def insert(self, values, table="pairs", columns=("a", "b"), **more):
        return self.run_action("insert", {"table": table, "columns": list(columns), "values": values}, **more)

    def tearDown(self):
        self.server.psql("DELETE FROM pairs; DELETE FROM visits")
        super().tearDown()

    def test_rows_are_inserted_as_they_are(self):
        values = [["it's \\ \"ü\" 😀"], ["x'); DELETE FROM orders; --"], [""]]
        done = self.insert(values, "visits", ["visitor"])
        self.assertEqual(done["outcome"]["outputs"], {"commandTag": "INSERT 0 3"})
        self.assertEqual(self.rows("visitor", "visits", orderBy="id"), values)
        self.assertEqual(self.insert([[1, None], [2, 2.0], [None, 3]])["outcome"]["outputs"], {"commandTag": "INSERT 0 3"})
        self.assertEqual(self.rows(["a", "b"], "pairs", orderBy="a"), [[1, None], [2, 2], [None, 3]])

    def test_many_rows_are_inserted_and_a_late_error_undoes_them(self):
        values = [[number, number] for number in range(2000)]
        self.assertEqual(self.insert(values)["outcome"]["outputs"], {"commandTag": "INSERT 0 2000"})
        self.assertEqual(self.server.psql("SELECT count(*), sum(a), count(DISTINCT b) FROM pairs"), "2000|1999000|2000")
        values[1234] = ["not a number", 1]
        details = self.insert(values)["outcome"]["error_details"]
        self.assertIn("values[1234]: invalid input syntax for type integer: \"not a number\" (SQLSTATE 22P02)", details)
        self.assertEqual(self.server.psql("SELECT count(*) FROM pairs"), "2000")

    def test_all_rows_or_none(self):
        reader = {"user": self.server["PG_READER_USER"], "password": self.server["PG_READER_PASSWORD"]}
        for values, table, columns, tokens, text in (
                ([["customer 1001", 1], ["customer 1", 1]], "orders", ["customer", "amount"], None,
                 "values[1]: duplicate key value violates unique constraint \"orders_customer_key\" (SQLSTATE 23505); detail: "
                 "Key (customer)=(customer 1) already exists.; no row was inserted"),
                ([[1]], "nosuch", ["a"], None, "relation \"nosuch\" does not exist (SQLSTATE 42P01)"),
                ([["c", -1]], "orders", ["customer", "amount"], None, "SQLSTATE 23514"),
                ([["c", "abc"]], "orders", ["customer", "amount"], None, "SQLSTATE 22P02"),
                ([[1, 7], [2, 7]], "pairs", ["a", "b"], None, "SQLSTATE 23505"),  # deferred to COMMIT
                ([[1, 1], [2]], "pairs", ["a", "b"], None, "values[1] has 1 entries; expected 2"),
                ([[1, [1]]], "pairs", ["a", "b"], None, "values[0][1]"),
                ([], "pairs", ["a", "b"], None, "values"),
                ([["x"]], "visits", ["visitor"], reader, "SQLSTATE 25006"),
                ([["x"]], "visits (visitor) VALUES ('a'); DELETE FROM orders --", ["visitor"], None, "SQLSTATE 42601")):
            with self.subTest(text):
                self.assertIn(text, self.failure("insert", {"table": table, "columns": columns, "values": values}, tokens))
        counts = "SELECT (SELECT count(*) FROM orders), (SELECT count(*) FROM pairs), (SELECT count(*) FROM visits)"
        self.assertEqual(self.server.psql(counts), "1000|0|0")

    def test_explain_analyze_measures(self):
        output = self.outputs("explainAnalyze", {"statement": "SELECT * FROM orders WHERE id < ?", "parameters": [10]})["output"]
        self.assertIn("actual time=", output)
        self.assertIn("Execution Time:", output.splitlines()[-1])

    def test_cancel_query_ends_the_query_that_it_names(self):
        sleeping = self.backend.enqueue(task("select", {"columns": ["sleep_then(60, 'named')"], "table": "generate_series(1, 1)"}, self.plain))
        find = ("SELECT pid, datname, query_start FROM pg_stat_activity WHERE state = 'active' AND query LIKE 'SELECT sleep_then(60, ''named%'")
        pid, database, start = wait_until(lambda: self.server.psql(find), "the query is active").split("|")
        right = {"pid": int(pid), "databaseName": database, "queryStart": start}
        for change in ({"pid": int(pid) + 1}, {"databaseName": "other"}, {"queryStart": "2020-01-01T00:00:00Z"}):
            with self.subTest(change):
                self.assertEqual(self.outputs("cancelQuery", {**right, **change}), {"cancelled": False})
        self.assertIn("SQLSTATE 22007", self.failure("cancelQuery", {**right, "queryStart": "yesterdays"}))
        self.assertIn("pid", self.failure("cancelQuery", {**right, "pid": "x"}))
        seconds, _, fraction = start.removesuffix("+00").partition(".")
        self.assertEqual(self.outputs("cancelQuery", {**right, "queryStart": f"{seconds}.{fraction.ljust(3, '0')[:3]}Z"}), {"cancelled": True})
        ended = self.backend.wait(sleeping)
        self.assertEqual(ended["outcome"]["error_code"], 2)
        self.assertIn("canceling statement due to user request (SQLSTATE 57014)", ended["outcome"]["error_details"])


class Limits(PostgresqlCase):
    def select(self, column, count):
        return self.outputs("select", {"columns": [column], "table": f"generate_series(1, {count}) i"})

    def test_the_byte_limit_cuts_off_between_rows(self):
        outputs = self.select("repeat('x', 1024)", 20000)
        self.assertTrue(outputs["truncatedResults"])
        # 1029 bytes with the comma, and the rest of the result around them.
        self.assertEqual(len(outputs["results"]), (15 * 1024 * 1024 - 140) // 1029)
        self.assertEqual(set(map(len, (row[0] for row in outputs["results"]))), {1024})
        wait_until(lambda: self.server.psql(
            "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'SELECT repeat(%' AND pid <> pg_backend_pid()") == "0", "the session has ended")

    def test_the_row_limit_is_reported_only_when_rows_were_cut_off(self):
        self.assertFalse(self.select("1", 655360)["truncatedResults"])
        outputs = self.select("1", 655361)
        self.assertTrue(outputs["truncatedResults"])
        self.assertEqual(len(outputs["results"]), 655360)

    def test_a_row_that_can_never_fit_is_cut_off_with_its_columns_known(self):
        outputs = self.select("repeat('x', 100 * 1024 * 1024) AS monster", 1)
        self.assertEqual((outputs["truncatedResults"], outputs["columns"], outputs["results"]), (True, ["monster"], []))

    def test_many_tasks_at_once(self):
        ids = self.backend.enqueue({**task("select", {"columns": ["count(*)"], "table": "orders"}, self.plain), "count": 30})
        for task_id in ids:
            self.assertEqual(self.backend.wait(task_id)["outcome"]["outputs"]["results"], [[1000]])
