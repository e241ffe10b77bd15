#pragma once

#include <par/json.hpp>
#include <par/plugin.hpp>

#include "login.hpp"

namespace postgresql_plugin {

/// The actions that talk to a server. Each opens one connection, works in one transaction, and hands its
/// result to `call`. `inputs` are valid against the manifest. They throw par::Error.

/// `strict`: values are mapped as the stock runner does.
void select(const par::json::Value& inputs, const Login& login, bool strict, par::Call& call);
void insert(const par::json::Value& inputs, const Login& login, par::Call& call);
/// `analyze`: the statement is run, too, in a transaction that changes nothing.
void explain(const par::json::Value& inputs, const Login& login, bool analyze, par::Call& call);
void cancel_query(const par::json::Value& inputs, const Login& login, par::Call& call);

/// Hands over the tokens of the connection, the password masked. Asks no server.
void test_connection(const Login& login, par::Call& call);

}  // namespace postgresql_plugin
