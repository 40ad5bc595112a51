# tarn_proto(NAME PROTOS tarn/v1/state.proto ... [GRPC tarn/v1/state.proto ...] [ROOT dir])
# Generates C++ for PROTOS, and service code for those also listed under GRPC, into build/<preset>/gen, and makes the
# library NAME. `#include "tarn/v1/state.pb.h"`. Paths are relative to ROOT (default: the calling folder).
function(tarn_proto name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "ROOT" "PROTOS;GRPC")
  if(NOT arg_ROOT)
    set(arg_ROOT "${CMAKE_CURRENT_SOURCE_DIR}")
  endif()
  set(gen "${PROJECT_BINARY_DIR}/gen")
  file(MAKE_DIRECTORY "${gen}")
  set(sources "")

  foreach(proto ${arg_PROTOS})
    string(REGEX REPLACE "\\.proto$" "" stem ${proto})
    set(out "${gen}/${stem}.pb.cc" "${gen}/${stem}.pb.h")
    set(flags "--cpp_out=${gen}")
    if(proto IN_LIST arg_GRPC)
      list(APPEND out "${gen}/${stem}.grpc.pb.cc" "${gen}/${stem}.grpc.pb.h")
      list(APPEND flags "--grpc_out=${gen}" "--plugin=protoc-gen-grpc=$<TARGET_FILE:gRPC::grpc_cpp_plugin>")
    endif()
    # Every file depends on every proto: imports are few, and a missed one costs more than a second.
    list(TRANSFORM arg_PROTOS PREPEND "${arg_ROOT}/" OUTPUT_VARIABLE inputs)
    add_custom_command(
      OUTPUT ${out}
      COMMAND protobuf::protoc "--proto_path=${arg_ROOT}" ${flags} "${proto}"
      WORKING_DIRECTORY "${arg_ROOT}"
      DEPENDS ${inputs}
      COMMENT "protoc ${proto}"
      VERBATIM)
    list(APPEND sources ${out})
  endforeach()

  add_library(${name} STATIC ${sources})
  string(REGEX REPLACE "^tarn_" "" short ${name})
  add_library(tarn::${short} ALIAS ${name})
  # Generated code is not ours to lint: no warnings in it, and none from its headers.
  target_compile_options(${name} PRIVATE -w)
  set_target_properties(${name} PROPERTIES POSITION_INDEPENDENT_CODE ON)  # part of libtarn
  target_include_directories(${name} SYSTEM PUBLIC $<BUILD_INTERFACE:${gen}>)
  target_link_libraries(${name} PUBLIC protobuf::libprotobuf)
  if(arg_GRPC)
    target_link_libraries(${name} PUBLIC gRPC::grpc++)
  endif()
endfunction()
