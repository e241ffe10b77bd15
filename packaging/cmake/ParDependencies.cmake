# Every library that the project takes from the distribution, and nothing else.
# Debian 12 is the oldest that must build; names that differ in newer releases are handled here only.

find_package(Threads REQUIRED)
find_package(PkgConfig REQUIRED)
find_package(Boost 1.74 REQUIRED)
find_package(OpenSSL 3.0 REQUIRED)
find_package(ZLIB REQUIRED)
find_package(Protobuf REQUIRED)
find_package(fmt REQUIRED CONFIG)
find_package(yaml-cpp REQUIRED CONFIG)
find_package(RapidJSON REQUIRED CONFIG)
find_package(tl-expected REQUIRED CONFIG)
pkg_check_modules(CPPHTTPLIB REQUIRED IMPORTED_TARGET cpp-httplib)
pkg_check_modules(LIBPQ REQUIRED IMPORTED_TARGET libpq)

add_library(par_rapidjson INTERFACE)
target_include_directories(par_rapidjson SYSTEM INTERFACE ${RAPIDJSON_INCLUDE_DIRS})
add_library(par_boost INTERFACE)
target_link_libraries(par_boost INTERFACE Boost::headers Threads::Threads)
target_compile_definitions(par_boost INTERFACE BOOST_DLL_USE_STD_FS BOOST_ASIO_NO_DEPRECATED
  BOOST_ALLOW_DEPRECATED_HEADERS)
add_library(par_yaml INTERFACE)
if(TARGET yaml-cpp::yaml-cpp)
  target_link_libraries(par_yaml INTERFACE yaml-cpp::yaml-cpp)
else()
  target_link_libraries(par_yaml INTERFACE yaml-cpp)
endif()

# For the Temporal plugin only.
if(NOT PAR_FUZZ)
  pkg_check_modules(GRPCPP REQUIRED IMPORTED_TARGET grpc++)
  add_library(par_grpc INTERFACE)
  target_link_libraries(par_grpc INTERFACE PkgConfig::GRPCPP)
endif()

if(PAR_TESTS AND NOT PAR_FUZZ)
  find_package(Catch2 3 QUIET CONFIG)
  if(NOT Catch2_FOUND)
    find_package(Catch2 2 REQUIRED CONFIG)
  endif()
  include(Catch)
  find_package(Python3 3.9 REQUIRED COMPONENTS Interpreter)
endif()
