# Cross-compiles for arm64 with the distribution's compiler against the sysroot that packaging/arm64/sysroot makes. Programs that
# the build runs itself (the writer of the Kubernetes manifests) and tests are run by qemu.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_LIBRARY_ARCHITECTURE aarch64-linux-gnu)

execute_process(COMMAND "${CMAKE_CURRENT_LIST_DIR}/../arm64/sysroot" --path
  OUTPUT_VARIABLE CMAKE_SYSROOT OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
find_program(par_arm64_compiler aarch64-linux-gnu-g++ NO_CACHE)
find_program(par_arm64_emulator qemu-aarch64-static NO_CACHE)
if(NOT EXISTS "${CMAKE_SYSROOT}/par-packages" OR NOT par_arm64_compiler OR NOT par_arm64_emulator)
  message(FATAL_ERROR "The arm64 compiler, qemu-aarch64-static or the libraries in ${CMAKE_SYSROOT} are missing: run "
    "packaging/install-dependencies --arm64 && packaging/arm64/sysroot")
endif()

set(CMAKE_C_COMPILER aarch64-linux-gnu-gcc)
set(CMAKE_CXX_COMPILER aarch64-linux-gnu-g++)
set(CMAKE_CROSSCOMPILING_EMULATOR "${par_arm64_emulator};-L;${CMAKE_SYSROOT}")
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)
set(ENV{PKG_CONFIG_SYSROOT_DIR} "${CMAKE_SYSROOT}")
set(ENV{PKG_CONFIG_LIBDIR} "${CMAKE_SYSROOT}/usr/lib/aarch64-linux-gnu/pkgconfig:${CMAKE_SYSROOT}/usr/lib/pkgconfig:${CMAKE_SYSROOT}/usr/share/pkgconfig")
