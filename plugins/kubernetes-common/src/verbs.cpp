#include "verbs.hpp"

#include <array>

namespace kubernetes {
namespace {

using namespace std::string_view_literals;

constexpr Input k_name{"name", R"({"type":"string","minLength":1,"description":"Name of the object"})", true};
constexpr Input k_manifest{
    "body",
    R"({"type":"object","description":"The manifest. apiVersion and kind are set for you; the server checks the rest"})",
    true};
constexpr Input k_replacement{
    "body",
    R"({"type":"object","description":"The manifest; metadata.name in it names the object. With metadata.resourceVersion a change meanwhile is a conflict, without it the update is unconditional"})",
    true};
constexpr Input k_json_patch{
    "body",
    R"({"type":"array","items":{"type":"object"},"description":"JSON Patch (RFC 6902): operations with op, path, and value or from"})",
    true};
constexpr Input k_dry_run{
    "dryRun", R"({"type":"string","description":"All: the server checks the request and changes nothing"})"};
constexpr Input k_field_manager{
    "fieldManager",
    R"({"type":"string","description":"Name under which the server records who set which field"})"};
constexpr Input k_field_validation{
    "fieldValidation",
    R"({"type":"string","description":"What the server does with unknown and duplicate fields: Ignore, Warn or Strict"})"};
constexpr Input k_force{
    "force",
    R"({"type":"boolean","description":"Of server-side apply; the server refuses it with a JSON Patch"})"};
constexpr Input k_label_selector{"labelSelector",
                                 R"({"type":"string","description":"Such as app=web,tier!=cache"})"};
constexpr Input k_field_selector{
    "fieldSelector",
    R"({"type":"string","description":"Such as metadata.name=web or status.phase=Running"})"};
constexpr Input k_limit{"limit",
                        R"({"type":"integer","minimum":0,"description":"Most objects; 0: no limit"})"};
constexpr Input k_continue{
    "continue",
    R"({"type":"string","description":"metadata.continue of the same list, cut by limit before: gives what comes after it"})"};
constexpr Input k_grace_period{
    "gracePeriodSeconds",
    R"({"type":"integer","description":"Seconds that the objects get to end; 0: at once. Default: as the object says"})"};
constexpr Input k_propagation{
    "propagationPolicy",
    R"({"type":"string","description":"What happens to dependent objects: Orphan, Background or Foreground"})"};

constexpr std::array k_create{k_manifest, k_dry_run, k_field_manager, k_field_validation};
constexpr std::array k_get{k_name};
constexpr std::array k_list{k_label_selector, k_field_selector, k_limit, k_continue};
constexpr std::array k_update{k_replacement, k_dry_run, k_field_manager, k_field_validation};
constexpr std::array k_patch{k_name, k_json_patch, k_dry_run, k_field_manager, k_field_validation, k_force};
constexpr std::array k_delete{k_name, k_grace_period, k_propagation, k_dry_run};
constexpr std::array k_delete_multiple{k_label_selector, k_field_selector, k_limit,
                                       k_grace_period,   k_propagation,    k_dry_run};
constexpr std::array k_restart{k_name};

constexpr std::array k_may_create{"create"sv};
constexpr std::array k_may_get{"get"sv};
constexpr std::array k_may_list{"list"sv};
constexpr std::array k_may_update{"update"sv};
constexpr std::array k_may_patch{"patch"sv};
constexpr std::array k_may_delete{"delete"sv};
constexpr std::array k_may_list_and_delete{"list"sv, "delete"sv};

constexpr std::array k_verbs{
    VerbRow{.verb = Verb::create,
            .name = "create",
            .method = "POST",
            .output = Output::object,
            .inputs = k_create,
            .rbac_verbs = k_may_create,
            .summary = "Create a"},
    VerbRow{.verb = Verb::get,
            .name = "get",
            .method = "GET",
            .writes = false,
            .output = Output::object,
            .inputs = k_get,
            .rbac_verbs = k_may_get,
            .summary = "Get one"},
    VerbRow{.verb = Verb::list,
            .name = "list",
            .method = "GET",
            .writes = false,
            .output = Output::list,
            .needs_namespace = false,
            .inputs = k_list,
            .rbac_verbs = k_may_list,
            .summary = "List objects of kind"},
    VerbRow{.verb = Verb::update,
            .name = "update",
            .method = "PUT",
            .output = Output::object,
            .inputs = k_update,
            .rbac_verbs = k_may_update,
            .summary = "Replace one"},
    VerbRow{.verb = Verb::patch,
            .name = "patch",
            .method = "PATCH",
            .output = Output::object,
            .inputs = k_patch,
            .rbac_verbs = k_may_patch,
            .summary = "Change parts of one"},
    VerbRow{.verb = Verb::remove,
            .name = "delete",
            .method = "DELETE",
            .output = Output::nothing,
            .inputs = k_delete,
            .rbac_verbs = k_may_delete,
            .summary = "Delete one"},
    VerbRow{.verb = Verb::remove_multiple,
            .name = "deleteMultiple",
            .plural = true,
            .method = "DELETE",
            .output = Output::nothing,
            .inputs = k_delete_multiple,
            .rbac_verbs = k_may_list_and_delete,
            .summary = "Delete the selected objects, or all of them, of kind"},
    VerbRow{.verb = Verb::restart,
            .name = "restart",
            .method = "PATCH",
            .output = Output::object,
            .inputs = k_restart,
            .rbac_verbs = k_may_patch,
            .summary = "Restart the pods of one"},
};

}  // namespace

std::string VerbRow::action_name(const Kind& kind) const {
  return std::string(name) + std::string(plural ? kind.plural : kind.name);
}

std::span<const VerbRow> all_verbs() {
  return k_verbs;
}

}  // namespace kubernetes
