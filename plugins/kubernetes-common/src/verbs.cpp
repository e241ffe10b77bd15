#include "verbs.hpp"

#include <array>

namespace kubernetes {
namespace {

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
constexpr Input k_grace_period{
    "gracePeriodSeconds",
    R"({"type":"integer","description":"Seconds that the objects get to end; 0: at once. Default: as the object says"})"};
constexpr Input k_propagation{
    "propagationPolicy",
    R"({"type":"string","description":"What happens to dependent objects: Orphan, Background or Foreground"})"};

constexpr std::array k_create{k_manifest, k_dry_run, k_field_manager, k_field_validation};
constexpr std::array k_get{k_name};
constexpr std::array k_list{k_label_selector, k_field_selector, k_limit};
constexpr std::array k_update{k_replacement, k_dry_run, k_field_manager, k_field_validation};
constexpr std::array k_patch{k_name, k_json_patch, k_dry_run, k_field_manager, k_field_validation, k_force};
constexpr std::array k_delete{k_name, k_grace_period, k_propagation, k_dry_run};
constexpr std::array k_delete_multiple{k_label_selector, k_field_selector, k_limit,
                                       k_grace_period,   k_propagation,    k_dry_run};
constexpr std::array k_restart{k_name};

constexpr std::array k_verbs{
    VerbRow{Verb::create, "create", false, "POST", true, Output::object, true, k_create, "create",
            "Create a"},
    VerbRow{Verb::get, "get", false, "GET", false, Output::object, true, k_get, "get", "Get one"},
    VerbRow{Verb::list, "list", false, "GET", false, Output::list, false, k_list, "list",
            "List objects of kind"},
    VerbRow{Verb::update, "update", false, "PUT", true, Output::object, true, k_update, "update",
            "Replace one"},
    VerbRow{Verb::patch, "patch", false, "PATCH", true, Output::object, true, k_patch, "patch",
            "Change parts of one"},
    VerbRow{Verb::remove, "delete", false, "DELETE", true, Output::nothing, true, k_delete, "delete",
            "Delete one"},
    VerbRow{Verb::remove_multiple, "deleteMultiple", true, "DELETE", true, Output::nothing, true,
            k_delete_multiple, "deletecollection", "Delete the selected objects, or all of them, of kind"},
    VerbRow{Verb::restart, "restart", false, "PATCH", true, Output::object, true, k_restart, "patch",
            "Restart the pods of one"},
};

}  // namespace

std::string VerbRow::action_name(const Kind& kind) const {
  return std::string(name) + std::string(plural ? kind.plural : kind.name);
}

std::span<const VerbRow> all_verbs() {
  return k_verbs;
}

}  // namespace kubernetes
