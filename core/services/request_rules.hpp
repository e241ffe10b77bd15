#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/base/url.hpp"
#include "core/services/http_client.hpp"

namespace par::core {

/// Is this a request that can be sent without doing something else than it says? Refused are a method that is
/// no token (and CONNECT), header names that are no tokens, CR, LF and NUL in values, and headers that frame
/// the message.
Result<void, HttpError> check_request(const HttpRequest& request);

/// The part of a request that changes when a redirect is followed.
struct Hop {
  Url url;
  std::string method;
  std::vector<HttpHeader> headers;
  bool has_body = false;
  bool at_origin = true;    ///< client certificate, server name and proxy of the request apply
  bool credentials = true;  ///< the headers that hold credentials are still there
};

/// Is this an answer that a client follows, and does it say where to?
const HttpHeader* redirect_location(const HttpResponseHead& head);

/// Turns `hop` into the request that an answer with this status and location asks for. `first_host` is the
/// host of the request that began it all. 301, 302 and 303 make anything but GET and HEAD a GET without body;
/// 307 and 308 repeat it. Headers with credentials are dropped when the redirect leaves the first host (hosts
/// below it keep them) or leaves TLS. Errors: an address that cannot be followed.
Result<void, HttpError> follow(Hop& hop, const std::string& first_host, int status,
                               std::string_view location);

/// The value of the first header of that name, without case; null if there is none.
const HttpHeader* find_header(const std::vector<HttpHeader>& headers, std::string_view name);

}  // namespace par::core
