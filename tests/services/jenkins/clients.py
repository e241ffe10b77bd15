"""Drives the stand-in with client libraries of others, so that its shapes are not of our own making.

    clients.py     exit code 0 if both are content; 77 and a line "SKIPPED: why" if they cannot be had

python-jenkins and api4jenkins come from PyPI into a folder of their own, once per machine.
"""
import os
import pathlib
import subprocess
import sys
import venv

HERE = pathlib.Path(__file__).resolve().parent
CACHE = pathlib.Path(os.environ.get("PAR_TEST_SERVERS") or
                     pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "par-test-servers")
FOLDER = CACHE / "jenkins-clients-2"
PACKAGES = ["python-jenkins==1.8.3", "api4jenkins==2.1.0"]


def interpreter():
    """The Python of the folder, which is made if it is not there whole."""
    python = FOLDER / "bin" / "python"
    if (FOLDER / "complete").exists():
        return python
    venv.create(FOLDER, with_pip=True, clear=True)
    made = subprocess.run([python, "-m", "pip", "install", "-q", *PACKAGES], capture_output=True, text=True)
    if made.returncode != 0:
        print(made.stderr[-2000:])
        print(f"SKIPPED: {' and '.join(PACKAGES)} cannot be installed from PyPI here")
        sys.exit(77)
    (FOLDER / "complete").touch()
    return python


def check():
    import api4jenkins
    import jenkins
    import requests
    import stand_in

    def refused(body, kind, text):
        try:
            body()
        except kind as error:
            assert text in str(error), error
        else:
            raise AssertionError(f"expected {kind.__name__}: {text}")

    with stand_in.StandIn() as server:
        one = jenkins.Jenkins(server.url, username=stand_in.USER, password=stand_in.TOKEN)
        assert one.build_job("params", {"GREETING": "grüße +", "COUNT": "2"}) == 1
        assert server.jobs["params"].started == [{"GREETING": "grüße +", "COUNT": "2"}], server.jobs["params"].started
        assert one.get_job_info("team/app")["fullName"] == "team/app"
        assert one.get_build_info("app", "lastBuild")["result"] == "SUCCESS"
        assert one.get_build_info("running", "lastBuild")["result"] is None
        refused(lambda: one.build_job("disabled"), requests.HTTPError, "409")
        refused(lambda: one.build_job("nowhere"), jenkins.NotFoundException, "could not be found")
        one.delete_job("gone")
        assert "gone" not in server.jobs
        wrong = jenkins.Jenkins(server.url, username=stand_in.USER, password="wrong")
        refused(lambda: wrong.get_job_info("app"), jenkins.JenkinsException, "401")

        two = api4jenkins.Jenkins(server.url, auth=(stand_in.USER, stand_in.TOKEN))
        assert two.exists()
        item = two.build_job("team/app")
        assert item.url == f"{server.url}/queue/item/2/", item.url
        assert server.jobs["team/app"].started == [{}]
        job = two.get_job("team/app")
        assert job.full_name == "team/app", job.full_name
        two.get_job("gone204").delete()
        assert "gone204" not in server.jobs
    print("python-jenkins and api4jenkins are content with the stand-in")


if __name__ == "__main__":
    if "--check" in sys.argv:
        sys.path.insert(0, str(HERE))
        check()
    else:
        sys.exit(subprocess.run([interpreter(), __file__, "--check"]).returncode)
