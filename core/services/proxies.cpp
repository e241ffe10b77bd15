#include "core/services/proxies.hpp"

#include <algorithm>

#include "core/base/encoding.hpp"
#include "core/base/parse_number.hpp"
#include "core/base/strings.hpp"
#include "core/services/http_client.hpp"

namespace par::core {
namespace {

std::string percent_decode(std::string_view text) {
  std::string out;
  for (size_t at = 0; at < text.size(); ++at) {
    if (text[at] == '%' && at + 2 < text.size()) {
      if (const auto byte = hex_decode(text.substr(at + 1, 2))) {
        out += *byte;
        at += 2;
        continue;
      }
    }
    out += text[at];
  }
  return out;
}

std::optional<Result<Proxy>> read_setting(const std::string& text, const char* variable) {
  if (trim(text).empty()) return std::nullopt;
  auto proxy = parse_proxy(trim(text));
  if (!proxy) return fail_in(variable, proxy);
  return proxy;
}

}  // namespace

std::string basic_authorization(const Url& url) {
  if (url.userinfo.empty()) return {};
  const size_t colon = url.userinfo.find(':');
  const std::string user = percent_decode(std::string_view(url.userinfo).substr(0, colon));
  const std::string password =
      colon == std::string::npos ? "" : percent_decode(std::string_view(url.userinfo).substr(colon + 1));
  return "Basic " + base64_encode(user + ":" + password);
}

Result<Proxy> parse_proxy(std::string_view text) {
  const std::string full =
      text.find("://") == std::string_view::npos ? "http://" + std::string(text) : std::string(text);
  auto url = parse_url(full);
  if (!url) return fail_in("the proxy's address", url);
  Proxy proxy{std::move(*url), {}};
  proxy.authorization = basic_authorization(proxy.url);
  return proxy;
}

ProxyRules::ProxyRules(const ProxySettings& settings)
    : http_(read_setting(settings.http_proxy, "HTTP_PROXY")),
      https_(read_setting(settings.https_proxy, "HTTPS_PROXY")) {
  std::string list = settings.no_proxy;
  std::replace_if(
      list.begin(), list.end(), [](char c) { return c == ' ' || c == '\t' || c == '\n'; }, ',');
  for (const std::string_view entry : split(list, ',')) {
    if (entry == "*") never_ = true;
    if (auto exception = parse_exception(entry)) exceptions_.push_back(std::move(*exception));
  }
}

std::optional<ProxyRules::Exception> ProxyRules::parse_exception(std::string_view entry) {
  if (entry.empty() || entry == "*") return std::nullopt;
  Exception out;
  if (const size_t slash = entry.find('/'); slash != std::string_view::npos) {
    out.network = IpAddress::parse(entry.substr(0, slash));
    const auto bits = parse_number<unsigned>(entry.substr(slash + 1));
    if (!out.network || !bits) return std::nullopt;
    out.bits = *bits;
    return out;
  }
  std::string_view host = entry;
  if (entry.starts_with('[')) {
    const size_t end = entry.find(']');
    host = entry.substr(1, end == std::string_view::npos ? end : end - 1);
    if (end != std::string_view::npos && entry.substr(end + 1).starts_with(':')) {
      out.port = parse_number<uint16_t>(entry.substr(end + 2)).value_or(0);
    }
  } else if (std::count(entry.begin(), entry.end(), ':') == 1) {
    const size_t colon = entry.find(':');
    host = entry.substr(0, colon);
    out.port = parse_number<uint16_t>(entry.substr(colon + 1)).value_or(0);
  }
  out.network = IpAddress::parse(host);
  if (out.network) {
    out.network = out.network->normalised();
    out.bits = out.network->ipv6 ? 128 : 32;
    return out;
  }
  if (host.starts_with("*.")) host.remove_prefix(1);
  out.only_below = host.starts_with('.');
  if (out.only_below) host.remove_prefix(1);
  if (host.ends_with('.')) host.remove_suffix(1);
  if (host.empty()) return std::nullopt;
  out.domain = to_lower(host);
  return out;
}

bool ProxyRules::is_exception(const Url& target) const {
  auto address = IpAddress::parse(target.host);
  if (address) address = address->normalised();
  std::string_view host = target.host;
  if (host.ends_with('.')) host.remove_suffix(1);
  return std::any_of(exceptions_.begin(), exceptions_.end(), [&](const Exception& exception) {
    if (exception.port != 0 && exception.port != target.port) return false;
    if (exception.network) return address && address->in_network(*exception.network, exception.bits);
    if (host == exception.domain) return !exception.only_below;
    return host.size() > exception.domain.size() && host.ends_with(exception.domain) &&
           host[host.size() - exception.domain.size() - 1] == '.';
  });
}

Result<const Proxy*> ProxyRules::choose(const Url& target) const {
  const auto& proxy = target.is_https() ? https_ : http_;
  if (!proxy || never_ || is_exception(target)) return nullptr;
  if (!*proxy) return tl::unexpected(proxy->error());
  return &**proxy;
}

}  // namespace par::core
