"""Drives the stand-in for a controller with awxkit's command line and with the modules of the collection awx.awx.

    clients.py BIN COLLECTIONS     as up.sh names them; exit code 0 if both are content
"""
import json
import os
import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
import controller as stand_in  # noqa: E402


def run(words, **environment):
    with tempfile.TemporaryDirectory() as home:
        done = subprocess.run(words, capture_output=True, text=True, timeout=150, stdin=subprocess.DEVNULL,
                              env={"PATH": os.environ["PATH"], "HOME": home, "LANG": "C.UTF-8", "ANSIBLE_NOCOLOR": "1", **environment})
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def main():
    programs, collections = pathlib.Path(sys.argv[1]), sys.argv[2]
    with stand_in.Controller() as controller:
        run([programs / "ansible-playbook", "-i", "localhost,", "-e", f"ansible_python_interpreter={programs / 'python'}",
             HERE / "controller-check.yml", "-e", "template=deploy", "-e", "inv=prod", "-e", "lim=web1"],
            CONTROLLER_HOST=controller.url, CONTROLLER_OAUTH_TOKEN=stand_in.TOKEN, ANSIBLE_COLLECTIONS_PATH=collections)
        template, body = controller.launches[-1]
        assert (template, body["inventory"], body["limit"]) == (7, 3, "web1"), body
        launched = json.loads(run([programs / "awx", "--conf.host", controller.url, "--conf.token", stand_in.TOKEN,
                                   "job_templates", "launch", "7"]))
        assert (launched["id"], launched["status"]) == (319, "pending"), launched
    print("awxkit and awx.awx are content with the stand-in")


if __name__ == "__main__":
    main()
