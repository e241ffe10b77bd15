#include "core/enrollment/refusals.hpp"

#include <initializer_list>

#include <fmt/format.h>

#include "core/base/strings.hpp"
#include "core/base/url.hpp"
#include "core/config/site.hpp"
#include "core/enrollment/settings.hpp"

namespace par::core {
namespace {

constexpr size_t k_quoted_body = 512;
constexpr size_t k_quoted_name = 100;
constexpr size_t k_quoted_origin = 300;

bool mentions(std::string_view body, std::initializer_list<std::string_view> words) {
  const std::string text = to_lower(body);
  for (const std::string_view word : words) {
    if (text.find(word) != std::string::npos) return true;
  }
  return false;
}

std::string explain_token_refusal(int status, std::string_view site) {
  if (status == 429) return "too many requests; the token is not spent by that: try again later";
  return fmt::format(
      "the one-time token is not accepted: it is used, expired, cut off or of another site than {}. Take a "
      "new token from the page of the runner in Datadog and set DD_BASE_URL to your site. If an earlier "
      "start of this runner was broken off while it enrolled, the runner in Datadog has no working "
      "identity: delete it there",
      site);
}

std::string explain_key_refusal(const EnrollmentSettings& settings, int status, std::string_view body,
                                std::string_view site) {
  switch (status) {
    case 401:
      return fmt::format(
          "DD_API_KEY or DD_APP_KEY is not valid at {}: are both of this site (DD_BASE_URL), of one "
          "organisation and not revoked?",
          site);
    case 403:
      if (mentions(body, {"quota", "limit", "maximum", "too many"})) {
        return "the organisation has as many runners as it may have: delete unused ones in Datadog, under "
               "Private Action Runners, or ask Datadog's support for more";
      }
      return "the application key may not enroll runners: it needs the scope on_prem_runner_write and "
             "Actions API access, and its owner the permissions Connections Write and Private Action Runner "
             "Write";
    case 404:
      return fmt::format("{} knows no such request: is DD_BASE_URL your Datadog site?", site);
    case 429:
      return "too many requests: try again later";
    default:
      if (mentions(body, {"already exists", "already taken", "already in use", "duplicate", "not unique"})) {
        return fmt::format(
            "there is a runner called \"{}\" already: choose another RUNNER_NAME, or, if it is what an "
            "earlier start left that was broken off while it enrolled, delete it in Datadog",
            cut_utf8(settings.name, k_quoted_name));
      }
      return fmt::format("Datadog does not accept the request; is RUNNER_NAME (\"{}\") a name that it takes?",
                         cut_utf8(settings.name, k_quoted_name));
  }
}

// Where a redirect leads and what that says about the configuration.
std::string explain_redirect(const RefusedEnrollment& answer) {
  const std::string from = answer.sent_to.origin();
  constexpr std::string_view k_what_is_there =
      "no Datadog site does that. Is DD_BASE_URL your site, and does a proxy or gateway on the way answer in "
      "Datadog's place?";
  if (trim(answer.location).empty())
    return fmt::format("{} redirects without saying where to (no Location header); {}", from,
                       k_what_is_there);
  const auto target = resolve_reference(answer.sent_to, trim(answer.location));
  if (!target) return fmt::format("{} redirects to what is no http or https URL; {}", from, k_what_is_there);
  const std::string to(cut_utf8(target->origin(), k_quoted_origin));
  if (to == from) return fmt::format("{} redirects to another path of its own; {}", from, k_what_is_there);
  if (target->host == answer.sent_to.host && target->is_https() && !answer.sent_to.is_https())
    return fmt::format("{} redirects to {}: set DD_BASE_URL (or PAR_API_URL, if it is set) to https", from,
                       to);
  const auto site = derive_site(to);
  if (site && site->known && site->host != answer.site) {
    return fmt::format(
        "{} redirects to {}, which is the Datadog site {}, while this runner is set to {}. If your "
        "organisation is at {}, set DD_BASE_URL to https://{}",
        from, to, site->host, answer.site, site->host, site->host);
  }
  return fmt::format(
      "{} redirects to {}. Set DD_BASE_URL to your Datadog site; if it is, a proxy or gateway on the way "
      "wants "
      "to be passed first (a login page?)",
      from, to);
}

}  // namespace

std::string explain_refusal(const EnrollmentSettings& settings, const RefusedEnrollment& answer) {
  const bool by_token = settings.kind == EnrollmentKind::token;
  const int status = answer.status;
  if (status >= 300 && status < 400) {
    return fmt::format(
        "the enrollment was answered with a redirect (HTTP {}), which is not followed: {}. A redirect hardly "
        "makes a runner, but that is not known: {}",
        status, explain_redirect(answer),
        by_token ? "if the token is refused at the next start, take a new one"
                 : "look in Datadog, under Private Action Runners, and delete a runner without an identity");
  }
  const std::string_view body = cut_utf8(trim(answer.body), k_quoted_body);
  const std::string quoted = body.empty() ? std::string() : fmt::format(". Its answer: {}", body);
  if (status < 400 || status >= 500 || status == 408)
    return explain_lost_answer(settings, fmt::format("HTTP {}", status)) + quoted;
  return fmt::format("Datadog refuses the enrollment (HTTP {}): {}{}", status,
                     by_token ? explain_token_refusal(status, answer.site)
                              : explain_key_refusal(settings, status, answer.body, answer.site),
                     status == 401 || status == 403 ? std::string_view() : quoted);
}

std::string explain_lost_answer(const EnrollmentSettings& settings, std::string_view problem) {
  return fmt::format(
      "the enrollment was sent, but no usable answer came back: {}. It is not sent again, since Datadog may "
      "have made the runner: look there, under Private Action Runners, delete it if it is there without an "
      "identity{}, and start again",
      problem, settings.kind == EnrollmentKind::token ? ", take a new one-time token" : "");
}

}  // namespace par::core
