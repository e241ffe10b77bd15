include_guard(GLOBAL)

set(PAR_PLUGIN_CMAKE_DIR "${CMAKE_CURRENT_LIST_DIR}" CACHE INTERNAL "Where par_add_plugin finds its files")

# par_add_plugin(<target> NAMESPACE <namespace> MANIFEST <file.json> SOURCES <file>... [LINK <library>...])
#
# Builds a plugin: the module <namespace>.so in PAR_PLUGIN_OUTPUT_DIRECTORY (default: plugins/ of the build tree),
# which exports par_plugin_v1 and nothing else, is never unloaded, and carries its manifest in the ELF section
# .par_manifest. Code reaches the same bytes between the symbols par_manifest_begin and par_manifest_end
# (PAR_PLUGIN of par/plugin.hpp does). A manifest that is not valid fails the build with the reason.
# Sources may be C or C++; C++ is compiled as C++17 or newer. `cmake --install` puts the module into
# lib/par-runner/plugins, as the component <namespace>.
function(par_add_plugin target)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "NAMESPACE;MANIFEST" "SOURCES;LINK")
  foreach(needed NAMESPACE MANIFEST SOURCES)
    if(NOT arg_${needed})
      message(FATAL_ERROR "par_add_plugin(${target}): ${needed} is missing")
    endif()
  endforeach()
  if(arg_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "par_add_plugin(${target}): unknown argument ${arg_UNPARSED_ARGUMENTS}")
  endif()
  if(NOT PAR_PLUGIN_OUTPUT_DIRECTORY)
    set(PAR_PLUGIN_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/plugins")
  endif()

  # The manifest is checked and shortened at build time, so that an edit needs no new configure run.
  get_filename_component(manifest "${arg_MANIFEST}" ABSOLUTE BASE_DIR "${CMAKE_CURRENT_SOURCE_DIR}")
  set(embedded "${CMAKE_CURRENT_BINARY_DIR}/${target}.manifest.json")
  add_custom_command(OUTPUT "${embedded}"
    COMMAND "${CMAKE_COMMAND}" "-DIN=${manifest}" "-DOUT=${embedded}" "-DNAMESPACE=${arg_NAMESPACE}"
            -P "${PAR_PLUGIN_CMAKE_DIR}/ParEmbedManifest.cmake"
    DEPENDS "${manifest}" "${PAR_PLUGIN_CMAKE_DIR}/ParEmbedManifest.cmake"
    COMMENT "Checking ${arg_MANIFEST} of ${arg_NAMESPACE}" VERBATIM)

  # .incbin, since a string with a section attribute would get padding under sanitizers. The closing NUL is not part
  # of the manifest.
  get_property(languages GLOBAL PROPERTY ENABLED_LANGUAGES)
  set(carrier "${CMAKE_CURRENT_BINARY_DIR}/${target}.manifest.c")
  if(NOT "C" IN_LIST languages)
    set(carrier "${CMAKE_CURRENT_BINARY_DIR}/${target}.manifest.cpp")
  endif()
  file(CONFIGURE OUTPUT "${carrier}" @ONLY CONTENT [=[
__asm__(
    ".pushsection .par_manifest,\"a\",%progbits\n"
    ".globl par_manifest_begin\n.hidden par_manifest_begin\npar_manifest_begin:\n"
    ".incbin \"@embedded@\"\n"
    ".globl par_manifest_end\n.hidden par_manifest_end\npar_manifest_end:\n"
    ".byte 0\n"
    ".popsection\n");
typedef int par_manifest_is_embedded;
]=])
  set_source_files_properties("${carrier}" PROPERTIES OBJECT_DEPENDS "${embedded}" SKIP_LINTING ON)

  add_library(${target} MODULE ${arg_SOURCES} "${carrier}")
  set_target_properties(${target} PROPERTIES
    PREFIX "" OUTPUT_NAME "${arg_NAMESPACE}" SUFFIX ".so"
    LIBRARY_OUTPUT_DIRECTORY "${PAR_PLUGIN_OUTPUT_DIRECTORY}"
    C_VISIBILITY_PRESET hidden CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON
    LINK_DEPENDS "${PAR_PLUGIN_CMAKE_DIR}/plugin.map")
  if("CXX" IN_LIST languages)
    target_compile_features(${target} PRIVATE cxx_std_17)
  endif()
  target_link_libraries(${target} PRIVATE par::plugin_api ${arg_LINK})
  target_link_options(${target} PRIVATE
    "LINKER:--version-script=${PAR_PLUGIN_CMAKE_DIR}/plugin.map" "LINKER:-z,nodelete" "LINKER:-z,relro" "LINKER:-z,now"
    "LINKER:--as-needed")
  # Clang keeps the sanitizers' runtime in the executable, so a module has undefined symbols there.
  if(NOT ("${CMAKE_C_COMPILER_ID}${CMAKE_CXX_COMPILER_ID}" MATCHES "Clang" AND
          "${PAR_SANITIZE}${CMAKE_C_FLAGS}${CMAKE_CXX_FLAGS}${CMAKE_MODULE_LINKER_FLAGS}" MATCHES
          "sanitize|address|thread|undefined"))
    target_link_options(${target} PRIVATE "LINKER:-z,defs")
  endif()
  install(TARGETS ${target} LIBRARY DESTINATION lib/par-runner/plugins COMPONENT "${arg_NAMESPACE}")
endfunction()

# par_add_plugin_check(<target> [SAMPLES <file.json>])
#
# Registers `par-plugin check` of a plugin made by par_add_plugin with CTest, as plugin/<namespace>. SAMPLES are calls that the
# checks make (devkit/par-plugin/README.md); without them inputs are made from the schemas.
function(par_add_plugin_check target)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "SAMPLES" "")
  if(NOT TARGET ${target} OR arg_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "par_add_plugin_check(${target}): expected a target of par_add_plugin and SAMPLES <file>")
  endif()
  if(TARGET par-plugin)
    set(checker "$<TARGET_FILE:par-plugin>")
  else()
    find_program(PAR_PLUGIN_CHECKER par-plugin HINTS "${PAR_PLUGIN_CMAKE_DIR}/../../../bin")
    if(NOT PAR_PLUGIN_CHECKER)
      message(FATAL_ERROR "par_add_plugin_check(${target}): the program par-plugin is not installed (set PAR_PLUGIN_CHECKER)")
    endif()
    set(checker "${PAR_PLUGIN_CHECKER}")
  endif()
  set(samples "")
  if(arg_SAMPLES)
    get_filename_component(file "${arg_SAMPLES}" ABSOLUTE BASE_DIR "${CMAKE_CURRENT_SOURCE_DIR}")
    set(samples --samples "${file}")
  endif()
  get_target_property(namespace ${target} OUTPUT_NAME)
  # CTest runs tests side by side, and sanitizers are slow: the time that a check may take is for hangs only.
  add_test(NAME "plugin/${namespace}" COMMAND "${checker}" check "$<TARGET_FILE:${target}>" --limit 300 ${samples})
  set_tests_properties("plugin/${namespace}" PROPERTIES TIMEOUT 900)
endfunction()
