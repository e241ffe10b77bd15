#include "refused_names.hpp"

#include <string>

#include <par/sdk/error.hpp>

namespace postgresql_plugin {
namespace {

// What the stock runner refuses.
constexpr std::string_view k_refused[] = {"current_setting",
                                          "set_config",
                                          "pg_cancel_backend",
                                          "pg_reload_conf",
                                          "pg_rotate_logfile",
                                          "pg_terminate_backend",
                                          "pg_create_restore_point",
                                          "pg_current_xlog_insert_location",
                                          "pg_current_xlog_location",
                                          "pg_start_backup",
                                          "pg_stop_backup",
                                          "pg_switch_xlog",
                                          "pg_xlogfile_name",
                                          "pg_xlogfile_name_offset",
                                          "pg_is_in_recovery",
                                          "pg_last_xlog_receive_location",
                                          "pg_last_xlog_replay_location",
                                          "pg_last_xact_replay_timestamp",
                                          "pg_is_xlog_replay_paused",
                                          "pg_xlog_replay_pause",
                                          "pg_xlog_replay_resume",
                                          "pg_column_size",
                                          "pg_database_size",
                                          "pg_indexes_size",
                                          "pg_relation_size",
                                          "pg_size_pretty",
                                          "pg_table_size",
                                          "pg_tablespace_size",
                                          "pg_total_relation_size",
                                          "pg_relation_filenode",
                                          "pg_relation_filepath",
                                          "pg_ls_dir",
                                          "pg_read_file",
                                          "pg_read_binary_file",
                                          "pg_stat_file",
                                          "pg_advisory_lock",
                                          "pg_advisory_lock_shared",
                                          "pg_advisory_unlock",
                                          "pg_advisory_unlock_all",
                                          "pg_advisory_unlock_shared",
                                          "pg_advisory_xact_lock",
                                          "pg_advisory_xact_lock_shared",
                                          "pg_try_advisory_lock",
                                          "pg_try_advisory_lock_shared",
                                          "pg_try_advisory_xact_lock",
                                          "pg_try_advisory_xact_lock_shared",
                                          "current_catalog",
                                          "current_database",
                                          "current_query",
                                          "current_schema",
                                          "current_schemas",
                                          "inet_client_addr",
                                          "inet_client_port",
                                          "inet_server_addr",
                                          "inet_server_port",
                                          "pg_backend_pid",
                                          "pg_conf_load_time",
                                          "pg_is_other_temp_schema",
                                          "pg_listening_channels",
                                          "pg_my_temp_schema",
                                          "pg_postmaster_start_time",
                                          "has_any_column_privilege",
                                          "has_database_privilege",
                                          "has_foreign_data_wrapper_privilege",
                                          "has_function_privilege",
                                          "has_language_privilege",
                                          "has_schema_privilege",
                                          "has_sequence_privilege",
                                          "has_server_privilege",
                                          "has_table_privilege",
                                          "has_tablespace_privilege",
                                          "pg_has_role",
                                          "pg_collation_is_visible",
                                          "pg_conversion_is_visible",
                                          "pg_function_is_visible",
                                          "pg_opclass_is_visible",
                                          "pg_operator_is_visible",
                                          "pg_table_is_visible",
                                          "pg_ts_config_is_visible",
                                          "pg_ts_dict_is_visible",
                                          "pg_ts_parser_is_visible",
                                          "pg_ts_template_is_visible",
                                          "pg_type_is_visible",
                                          "format_type",
                                          "pg_describe_object",
                                          "pg_get_constraintdef",
                                          "pg_get_expr",
                                          "pg_get_functiondef",
                                          "pg_get_function_arguments",
                                          "pg_get_function_identity_arguments",
                                          "pg_get_function_result",
                                          "pg_get_indexdef",
                                          "pg_get_keywords",
                                          "pg_get_ruledef",
                                          "pg_get_serial_sequence",
                                          "pg_get_triggerdef",
                                          "pg_get_userbyid",
                                          "pg_get_viewdef",
                                          "pg_options_to_table",
                                          "pg_tablespace_databases",
                                          "pg_typeof",
                                          "col_description",
                                          "obj_description",
                                          "shobj_description",
                                          "txid_current",
                                          "txid_current_snapshot",
                                          "txid_snapshot_xip",
                                          "txid_snapshot_xmax",
                                          "txid_snapshot_xmin",
                                          "txid_visible_in_snapshot",
                                          "xmin",
                                          "xmax",
                                          "xip_list",
                                          "pg_stat_activity"};

// Extension of this runner: functions that run SQL given as text, reach other servers, or read and write
// files of the server. They count as whole identifiers only, so that columns such as "payments_status" stay
// usable.
struct RefusedFunctions {
  std::string_view name;
  bool and_longer;  // also identifiers that begin with it
};
constexpr RefusedFunctions k_refused_functions[] = {
    {"query_to_xml", true},  {"cursor_to_xml", true},   {"table_to_xml", true},
    {"schema_to_xml", true}, {"database_to_xml", true}, {"ts_stat", false},
    {"dblink", true},        {"lo_export", false},      {"lo_import", false}};

// An identifier with escapes: U&"pg\005Fread\005Ffile" is pg_read_file.
constexpr std::string_view k_escaped_identifier = "u&\"";

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + ('a' - 'A'));
  }
  return result;
}

bool is_of_identifier(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '$' ||
         static_cast<unsigned char>(c) >= 0x80;
}

bool has_identifier(std::string_view lowered, const RefusedFunctions& functions) {
  const std::string_view name = functions.name;
  for (size_t at = lowered.find(name); at != std::string_view::npos; at = lowered.find(name, at + 1)) {
    const size_t end = at + name.size();
    const bool begins = at == 0 || !is_of_identifier(lowered[at - 1]);
    const bool ends = functions.and_longer || end == lowered.size() || !is_of_identifier(lowered[end]);
    if (begins && ends) return true;
  }
  return false;
}

}  // namespace

void refuse_forbidden_names(std::string_view statement) {
  const std::string lowered = lower(statement);
  for (const std::string_view name : k_refused) {
    if (lowered.find(name) == std::string::npos) continue;
    throw par::Error(
        "the statement contains \"" + std::string(name) +
        "\", which actions of PostgreSQL may not use; take it out (it counts in longer names and in "
        "literals, too)");
  }
  for (const RefusedFunctions& functions : k_refused_functions) {
    if (!has_identifier(lowered, functions)) continue;
    throw par::Error("the statement contains \"" + std::string(functions.name) +
                     "\", which actions of PostgreSQL may not use; take it out (it counts in literals, too)");
  }
  if (lowered.find(k_escaped_identifier) != std::string::npos) {
    throw par::Error("the statement contains an identifier of the form U&\"...\"; write it as \"...\"");
  }
}

}  // namespace postgresql_plugin
