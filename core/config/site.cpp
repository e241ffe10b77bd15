#include "core/config/site.hpp"

#include <algorithm>

#include "core/base/strings.hpp"
#include "core/base/url.hpp"

namespace par::core {
namespace {

struct Domain {
  std::string_view name;
  std::string_view region;  // of the site without a region label
};

constexpr Domain k_domains[] = {{"datadoghq.com", "us1"}, {"datadoghq.eu", "eu1"}, {"ddog-gov.com", "us1"}};

// Two letters and a number: us3, ap1, uk1.
bool is_region(std::string_view label) {
  const auto is_letter = [](char c) { return c >= 'a' && c <= 'z'; };
  return label.size() >= 3 && is_letter(label[0]) && is_letter(label[1]) &&
         label.find_first_not_of("0123456789", 2) == std::string_view::npos;
}

}  // namespace

Result<Site> derive_site(std::string_view base_url) {
  const std::string_view text = trim(base_url);
  const auto url = parse_url(text.find("://") == std::string_view::npos ? "https://" + std::string(text)
                                                                        : std::string(text));
  if (!url) return tl::unexpected(url.error());
  std::string_view host = url->host;
  if (host.starts_with("app.") || host.starts_with("api.")) host.remove_prefix(4);
  if (host.ends_with('.')) host.remove_suffix(1);
  if (host.empty()) return fail("the URL has no site in its host");

  for (const Domain& domain : k_domains) {
    if (host == domain.name) return Site{std::string(host), std::string(domain.region), false, true};
    if (!host.ends_with(domain.name) || host[host.size() - domain.name.size() - 1] != '.') continue;
    std::string_view label = host.substr(0, host.size() - domain.name.size() - 1);
    const size_t dot = label.rfind('.');
    const bool more_labels = dot != std::string_view::npos;
    if (more_labels) label.remove_prefix(dot + 1);
    if (!is_region(label)) return Site{std::string(domain.name), std::string(domain.region), true, true};
    return Site{std::string(label) + "." + std::string(domain.name),
                domain.name == "datadoghq.com" ? std::string(label) : std::string(domain.region), more_labels,
                true};
  }
  return Site{std::string(host), "us1", false};
}

}  // namespace par::core
