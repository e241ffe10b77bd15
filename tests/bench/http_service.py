"""par.http/1 beside a loop over libcurl, both on one kept connection to the same nginx."""
import statistics
import subprocess
import sys

# The distribution's libcurl through ctypes: one call for a whole request, whose body goes to /dev/null inside the library.
CURL_LOOP = """
import ctypes, ctypes.util, sys, time
curl = ctypes.CDLL(ctypes.util.find_library("curl") or "libcurl.so.4")
libc = ctypes.CDLL(None)
curl.curl_easy_init.restype = libc.fopen.restype = ctypes.c_void_p
url, ca, count = sys.argv[1].encode(), sys.argv[2].encode(), int(sys.argv[3])
handle = ctypes.c_void_p(curl.curl_easy_init())
URL, CAINFO, WRITEDATA = 10002, 10065, 10001
for option, value in ((URL, url), (CAINFO, ca), (WRITEDATA, ctypes.c_void_p(libc.fopen(b"/dev/null", b"wb")))):
    curl.curl_easy_setopt(handle, option, value)
perform = curl.curl_easy_perform
if perform(handle) != 0:
    sys.exit("libcurl failed")
cpu, begin = time.process_time(), time.monotonic()
failed = sum(perform(handle) != 0 for _ in range(count))
if failed:
    sys.exit(f"libcurl failed {failed} times")
print(count / (time.monotonic() - begin), (time.process_time() - cpu) * 1e6 / count)
"""


def measure(bench):
    for scheme in ("http", "https"):
        for file, count in (("256.txt", 10000), ("64k.txt", 4000), ("10m.txt", 60)):
            arguments = [f"{bench.nginx.variables['NGINX_' + scheme.upper()]}/quiet/{file}", bench.nginx.variables["NGINX_CA"],
                         str(count // 5 if bench.quick else count)]
            ours, theirs = [], []
            for _ in range(3):  # in turns, so that what else runs here meets both
                ours.append(figures([bench.binaries / "bench_service_loop", *arguments]))
                theirs.append(figures([sys.executable, "-c", CURL_LOOP, *arguments]))
            rate, cpu = (statistics.median(column) for column in zip(*ours))
            curl_rate, curl_cpu = (statistics.median(column) for column in zip(*theirs))
            label = f"par.http/1, {scheme}, {file.removesuffix('.txt')}"
            bench.row(f"{label}: CPU per request", cpu, "us")
            bench.row(f"{label}: CPU, in that of libcurl", cpu / curl_cpu, "times", 1.2)
            bench.row(f"{label}: requests per second, in those of libcurl", rate / curl_rate, "times", 0.8, at_least=True)


def figures(command):
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return [float(word) for word in output.split()]
