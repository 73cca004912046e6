# The few functions every CMakeLists.txt of Potok uses.
set(POTOK_GEN_DIR ${CMAKE_BINARY_DIR}/gen)
file(MAKE_DIRECTORY ${POTOK_GEN_DIR})

add_library(potok_warnings INTERFACE)
# A designated initialiser that leaves the rest to its defaults is a habit here, not a mistake.
target_compile_options(potok_warnings INTERFACE -Wall -Wextra -Werror -Wno-missing-field-initializers)
# For every unit alike: some libraries bring it along, and a precompiled header fits only units with the same flags.
target_compile_options(potok_warnings INTERFACE -pthread)

# Seconds after which a test program hangs. Slow builds have longer, and run the same.
set(POTOK_TEST_TIMEOUT 600)

add_library(potok_sanitize INTERFACE)
if(POTOK_SANITIZE)
  set(POTOK_TEST_TIMEOUT 1800)
  # Every finding ends the program: one that is only printed would pass the test. -Wmaybe-uninitialized sees ghosts in
  # instrumented code (GCC bug 71962); the plain build has it.
  target_compile_options(potok_sanitize INTERFACE -fsanitize=${POTOK_SANITIZE} -fno-sanitize-recover=all
                         -fno-omit-frame-pointer -O1 -D_GLIBCXX_ASSERTIONS -Wno-maybe-uninitialized)
  target_link_options(potok_sanitize INTERFACE -fsanitize=${POTOK_SANITIZE})
  if(POTOK_SANITIZE MATCHES undefined)
    # A number too large for its type, as JSON and CSV may bring one; `undefined` does not include it.
    target_compile_options(potok_warnings INTERFACE -fsanitize=float-cast-overflow -fno-sanitize-recover=all)
  endif()
endif()
if(POTOK_SANITIZE STREQUAL thread)
  # Debian's libraries are not instrumented; these files, in every executable in front of them, say what they order.
  add_library(potok_tsan_sync OBJECT ${CMAKE_SOURCE_DIR}/tests/sanitizers/absl_sync_for_tsan.cc
              ${CMAKE_SOURCE_DIR}/tests/sanitizers/grpc_sync_for_tsan.cc)
  target_link_libraries(potok_tsan_sync PRIVATE potok_warnings absl::synchronization absl::time)
  # Headers of protobuf lay out their classes in another way where they see TSan; Debian's library does not.
  target_compile_options(potok_sanitize INTERFACE -U__SANITIZE_THREAD__)
endif()
if(POTOK_FUZZ)
  # Coverage for libFuzzer in all that is ours, without its main(). What a second compiler warns of is no gate.
  target_compile_options(potok_sanitize INTERFACE -fsanitize=fuzzer-no-link)
  target_compile_options(potok_warnings INTERFACE -w)
endif()

# Shared precompiled headers. Without one a unit pays 2 s of parsing for gRPC, 2 s for GoogleTest, 5 s for all
# generated clients; the bound of ten minutes for a cold build on two cores does not allow that.
#   grpc, pqxx   what the name says        test      GoogleTest; the default of tests
#   clients      the generated clients of every service, for programs that call them all
# A header made for one level of optimisation is refused at another, so a test's own has a third argument, QUICK.
function(potok_pch target kind)
  set(variant "${ARGN}")
  set(carrier potok_pch_${kind}${variant})
  if(NOT TARGET ${carrier})
    file(WRITE ${POTOK_GEN_DIR}/${carrier}.cc.in "// Carries the precompiled header of kind ${kind}.\n")
    configure_file(${POTOK_GEN_DIR}/${carrier}.cc.in ${POTOK_GEN_DIR}/${carrier}.cc COPYONLY)
    add_library(${carrier} OBJECT ${POTOK_GEN_DIR}/${carrier}.cc)
    target_link_libraries(${carrier} PRIVATE potok_warnings potok_sanitize absl::status absl::statusor absl::time absl::strings)
    if(variant STREQUAL QUICK)
      target_compile_options(${carrier} PRIVATE -O0)
    endif()
    set(headers <string> <vector> <map> <memory> <functional> <optional>
        <absl/status/statusor.h> <absl/time/time.h> <absl/strings/str_cat.h>)
    if(kind STREQUAL grpc)
      target_link_libraries(${carrier} PRIVATE gRPC::grpc++ protobuf::libprotobuf)
      list(APPEND headers <grpcpp/grpcpp.h> <google/protobuf/message.h> <google/protobuf/descriptor.h>)
    elseif(kind STREQUAL pqxx)
      target_link_libraries(${carrier} PRIVATE PkgConfig::PQXX)
      list(APPEND headers <pqxx/pqxx>)
    elseif(kind STREQUAL test)
      target_link_libraries(${carrier} PRIVATE GTest::gmock)
      list(APPEND headers <gmock/gmock.h> <gtest/gtest.h>)
    elseif(kind STREQUAL clients)
      target_link_libraries(${carrier} PRIVATE potok_protos)
      list(APPEND headers <grpcpp/grpcpp.h>)
      foreach(client admin/v1/admin analytics/v1/analytics intake/v1/directory intake/v1/flow intake/v1/intake
              notifier/v1/notifier router/v1/router router/v1/team sla_timer/v1/calendar sla_timer/v1/sla_policy
              sla_timer/v1/sla_timer)
        list(APPEND headers <potok/${client}.grpc.pb.h>)
      endforeach()
    endif()
    target_precompile_headers(${carrier} PRIVATE ${headers})
  endif()
  target_precompile_headers(${target} REUSE_FROM ${carrier})
endfunction()

function(potok_library)
  cmake_parse_arguments(A "" "NAME;PCH" "SRCS;DEPS" ${ARGN})
  if(A_SRCS)
    add_library(${A_NAME} STATIC ${A_SRCS})
    set(scope PUBLIC)
    target_link_libraries(${A_NAME} PRIVATE potok_warnings PUBLIC potok_sanitize)
  else()
    add_library(${A_NAME} INTERFACE)
    set(scope INTERFACE)
  endif()
  target_include_directories(${A_NAME} ${scope} ${CMAKE_SOURCE_DIR}/services ${POTOK_GEN_DIR})
  target_link_libraries(${A_NAME} ${scope} ${A_DEPS})
  if(A_PCH)
    potok_pch(${A_NAME} ${A_PCH})
  endif()
endfunction()

function(potok_executable)
  cmake_parse_arguments(A "" "NAME;PCH;VARIANT" "SRCS;DEPS" ${ARGN})
  add_executable(${A_NAME} ${A_SRCS})
  target_include_directories(${A_NAME} PRIVATE ${CMAKE_SOURCE_DIR}/services ${POTOK_GEN_DIR})
  target_link_libraries(${A_NAME} PRIVATE potok_warnings potok_sanitize ${A_DEPS})
  if(TARGET potok_tsan_sync)
    target_link_libraries(${A_NAME} PRIVATE potok_tsan_sync)
    set_target_properties(${A_NAME} PROPERTIES ENABLE_EXPORTS ON)  # The libraries are to come here too.
  endif()
  if(A_VARIANT STREQUAL QUICK)
    target_compile_options(${A_NAME} PRIVATE -O0)
  endif()
  if(A_PCH)
    potok_pch(${A_NAME} ${A_PCH} ${A_VARIANT})
  endif()
endfunction()

# One gtest binary, one ctest entry: tools/dev test counts the gtest cases inside it. Tests are compiled without
# optimisation, which halves the time of a unit full of assertions; what they test is optimised all the same. OPTIMIZED
# is for tests that compute much themselves: oracles, simulations.
function(potok_test)
  cmake_parse_arguments(A "OPTIMIZED" "NAME;PCH" "SRCS;DEPS;LABELS" ${ARGN})
  if(NOT POTOK_TESTS)
    return()
  endif()
  if(NOT A_LABELS)
    set(A_LABELS unit)
  endif()
  if(NOT A_PCH)
    set(A_PCH test)
  endif()
  set(quick "")
  if(NOT A_OPTIMIZED AND NOT POTOK_SANITIZE)
    set(quick VARIANT QUICK)
  endif()
  potok_executable(NAME ${A_NAME} PCH ${A_PCH} ${quick} SRCS ${A_SRCS} DEPS ${A_DEPS} GTest::gmock GTest::gtest_main)
  add_test(NAME ${A_NAME} COMMAND ${A_NAME} --gtest_color=no)
  set_tests_properties(${A_NAME} PROPERTIES LABELS "${A_LABELS}" TIMEOUT ${POTOK_TEST_TIMEOUT})
  add_dependencies(potok_tests ${A_NAME})
endfunction()
add_custom_target(potok_tests)

# Embeds each DIR/*.sql as a named statement: `foo_bar.sql` becomes `kFooBar` whose name is "<dir name>.foo_bar".
function(potok_sql)
  cmake_parse_arguments(A "" "TARGET;DIR;NAMESPACE" "" ${ARGN})
  file(GLOB files CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${A_DIR}/*.sql)
  file(RELATIVE_PATH here ${CMAKE_SOURCE_DIR}/services ${CMAKE_CURRENT_SOURCE_DIR})
  string(REPLACE "::" "_" prefix ${A_NAMESPACE})
  string(REGEX REPLACE "^potok_|_sql$" "" prefix ${prefix})
  set(out ${POTOK_GEN_DIR}/${here}/sql.h)
  add_custom_command(
    OUTPUT ${out}
    COMMAND ${CMAKE_COMMAND} -DOUT=${out} -DNAMESPACE=${A_NAMESPACE} -DPREFIX=${prefix} "-DFILES=${files}"
            -P ${CMAKE_SOURCE_DIR}/tools/cmake/embed_sql.cmake
    DEPENDS ${files} ${CMAKE_SOURCE_DIR}/tools/cmake/embed_sql.cmake VERBATIM)
  add_custom_target(${A_TARGET}_sql DEPENDS ${out})
  add_dependencies(${A_TARGET} ${A_TARGET}_sql)
endfunction()
