"""Runs one end-to-end case by its name, or lists all of them.

    run_case.py --list                            each with the services that its module names in SERVICES; classes whose cases
                                                  share a runner (TOGETHER) as a whole
    run_case.py test_quick.Allowed.test_runs      exit code 77 and a line "SKIPPED: why" if it cannot run here
"""
import pathlib
import sys
import unittest

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))


def cases(suite):
    for item in suite:
        if isinstance(item, unittest.TestSuite):
            yield from cases(item)
        else:
            yield item


def main():
    if sys.argv[1:] == ["--list"]:
        lines = {}  # a set in order
        for case in cases(unittest.TestLoader().discover(str(HERE), pattern="test_*.py", top_level_dir=str(HERE))):
            if isinstance(case, unittest.loader._FailedTest):
                print(case._exception, file=sys.stderr)
                return 1
            services = getattr(sys.modules[type(case).__module__], "SERVICES", [])
            name = case.id().rpartition(".")[0] if getattr(case, "TOGETHER", False) else case.id()
            lines[" ".join([name, *services])] = None
        print("\n".join(lines))
        return 0
    suite = unittest.TestLoader().loadTestsFromName(sys.argv[1])
    result = unittest.TextTestRunner(verbosity=2).run(suite)
    for _, reason in result.skipped:
        print(f"SKIPPED: {reason}")
    if not result.wasSuccessful():
        return 1
    return 77 if result.skipped or result.testsRun == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
