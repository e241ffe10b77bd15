#pragma once

#include <filesystem>
#include <string>

#include "core/base/json.hpp"
#include "core/base/result.hpp"
#include "core/verify/verified_task.hpp"

namespace par::core {

/// Reads a connection that is written by hand, with what a signed one can have:
///
///   {"id": "...", "auth": "token", "tokens": [{"name": "root_tokens.apiKey", "file": "credentials.json"},
///                                             {"name": ["headers", "X-Team"], "plain_text": "payments"}]}
///
/// All members may be left out: `id` is the given one then, `auth` (token, basic, oauth2, unspecified, or its
/// number) is token. A name given as one text is split at its dots. A token's value is `plain_text`, a
/// credential `file`, or a `yaml_file` that is wholly the value. Errors name the member and what was
/// expected. Whether the runner can do anything with the connection is CredentialResolver's to say.
Result<ConnectionInfo> parse_connection(const json::Value& value, std::string id);

/// Reads a file that holds either such a connection or the credentials of one. The latter stands for a
/// connection with all that is in it: every token, or the one user. Paths are meant from the file's
/// directory, so that is CredentialResolver's directory for it. Tokens that resolution would pass over
/// without a word are errors here: a part that connections do not have, a setting whose value is in a file.
/// Errors name the file and never a value.
Result<ConnectionInfo> read_connection_file(const std::filesystem::path& file, std::string id);

}  // namespace par::core
