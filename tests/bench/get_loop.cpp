// What a plain client needs for the requests of the benchmark:
//   bench_get_loop HOST PORT CA TOKEN_FILE COUNT THREADS TARGET
// sends COUNT GET requests over THREADS kept connections and reads the answers. Prints requests per second,
// microseconds of CPU per request, and bytes per answer.
#include <atomic>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <fstream>
#include <iterator>
#include <string>
#include <thread>
#include <vector>

#include <httplib.h>

namespace {

double cpu_microseconds() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e6 + static_cast<double>(now.tv_nsec) / 1e3;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 8) {
    std::fputs("usage: bench_get_loop HOST PORT CA TOKEN_FILE COUNT THREADS TARGET\n", stderr);
    return 2;
  }
  std::ifstream file(argv[4]);
  const std::string token{std::istreambuf_iterator<char>(file), {}};
  const int count = std::stoi(argv[5]);
  const int threads = std::stoi(argv[6]);
  std::atomic<int> left = count;
  std::atomic<size_t> bytes = 0;
  std::atomic<int> failed = 0;
  const double cpu_before = cpu_microseconds();
  const auto begin = std::chrono::steady_clock::now();
  std::vector<std::thread> workers;
  for (int worker = 0; worker < threads; ++worker) {
    workers.emplace_back([&] {
      httplib::SSLClient client(argv[1], std::stoi(argv[2]));
      client.set_ca_cert_path(argv[3]);
      client.set_keep_alive(true);
      client.set_default_headers({{"Accept-Encoding", "gzip"}});
      client.set_bearer_token_auth(token.c_str());
      while (left.fetch_sub(1) > 0) {
        const auto answer = client.Get(argv[7]);
        if (!answer || answer->status != 200) {
          ++failed;
          continue;
        }
        bytes = answer->body.size();
      }
    });
  }
  for (std::thread& worker : workers) worker.join();
  const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - begin;
  if (failed != 0) {
    std::fprintf(stderr, "bench_get_loop: %d of %d requests failed\n", failed.load(), count);
    return 1;
  }
  std::printf("%.1f %.1f %zu\n", count / passed.count(), (cpu_microseconds() - cpu_before) / count,
              bytes.load());
  return 0;
}
