#pragma once

#include <string>
#include <string_view>

namespace par::core {

struct EnrollmentSettings;
struct Url;

// What the operator is told when an enrollment gives no runner. Nothing here holds a secret of the settings;
// where an answer's body repeats one, that is the redactor's business.

/// An answer whose status is not 200. Texts are borrowed.
struct RefusedEnrollment {
  const Url& sent_to;
  std::string_view site;  ///< the configured one, such as datadoghq.eu
  int status = 0;
  std::string_view location;  ///< the header's value; empty if there is none
  std::string_view body;
};

/// What the answer means and what to do. A redirect is told with the origin that it leads to, without path
/// and query, which can hold anything. Only 4xx but 408 is called a refusal: after any other status nobody
/// here knows whether the runner was made, and the text says so. Quotes what Datadog says about it (at most
/// 512 bytes; never for redirects, 401 and 403, since those bodies can repeat links and keys).
std::string explain_refusal(const EnrollmentSettings& settings, const RefusedEnrollment& answer);

/// The request went out and `problem` came instead of a usable answer.
std::string explain_lost_answer(const EnrollmentSettings& settings, std::string_view problem);

}  // namespace par::core
