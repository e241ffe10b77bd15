// Prints the manifest of a bundle: the build embeds it into the bundle's plugin.
#include <cstdio>

#include "manifest.hpp"

int main(int argc, char** argv) {
  const kubernetes::Bundle* const bundle = argc == 2 ? kubernetes::find_bundle(argv[1]) : nullptr;
  if (bundle == nullptr) {
    std::fputs("usage: kubernetes_manifest BUNDLE\n", stderr);
    return 2;
  }
  const std::string text = kubernetes::manifest_json(*bundle);
  return std::fwrite(text.data(), 1, text.size(), stdout) == text.size() && std::fclose(stdout) == 0 ? 0 : 1;
}
