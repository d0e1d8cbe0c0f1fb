# One imported target a library, found by its several names, or an error that
# names the package to install. Run on Debian 12; the names for Debian 13 and
# Ubuntu 22.04 and 24.04 are untested.

# artel_find(NAME target HEADER file LIBRARIES names... PACKAGE debian-package)
function(artel_find)
  cmake_parse_arguments(A "" "NAME;HEADER;PACKAGE" "LIBRARIES" ${ARGN})
  find_path(${A_NAME}_INCLUDE ${A_HEADER})
  find_library(${A_NAME}_LIBRARY NAMES ${A_LIBRARIES})
  if(NOT ${A_NAME}_INCLUDE OR NOT ${A_NAME}_LIBRARY)
    message(FATAL_ERROR "${A_NAME} was not found (header ${A_HEADER}, library ${A_LIBRARIES}).\n"
            "On Debian and Ubuntu: apt-get install ${A_PACKAGE} (or run tools/deps for all of them).")
  endif()
  add_library(artel::${A_NAME} INTERFACE IMPORTED GLOBAL)
  target_include_directories(artel::${A_NAME} SYSTEM INTERFACE ${${A_NAME}_INCLUDE})
  target_link_libraries(artel::${A_NAME} INTERFACE ${${A_NAME}_LIBRARY})
endfunction()

artel_find(NAME zmq HEADER zmq.h LIBRARIES zmq PACKAGE libzmq3-dev)
artel_find(NAME czmq HEADER czmq.h LIBRARIES czmq PACKAGE libczmq-dev)
# msgpack-c: libmsgpackc up to 5, libmsgpack-c from 6 on.
artel_find(NAME msgpack HEADER msgpack/pack.h LIBRARIES msgpack-c msgpackc PACKAGE libmsgpack-dev)
artel_find(NAME xxhash HEADER xxhash.h LIBRARIES xxhash PACKAGE libxxhash-dev)
artel_find(NAME crypto HEADER openssl/evp.h LIBRARIES crypto PACKAGE libssl-dev)
artel_find(NAME sqlite HEADER sqlite3.h LIBRARIES sqlite3 PACKAGE libsqlite3-dev)
artel_find(NAME jansson HEADER jansson.h LIBRARIES jansson PACKAGE libjansson-dev)
# libcurl is not linked but loaded (actors/http/curl.h); only tests link it.
artel_find(NAME curl HEADER curl/curl.h LIBRARIES curl PACKAGE libcurl4-openssl-dev)
if(ARTEL_TOOLS)
  artel_find(NAME smartcols HEADER libsmartcols/libsmartcols.h LIBRARIES smartcols PACKAGE libsmartcols-dev)
  artel_find(NAME inih HEADER ini.h LIBRARIES inih PACKAGE libinih-dev)
endif()
if(ARTEL_TESTS)
  artel_find(NAME criterion HEADER criterion/criterion.h LIBRARIES criterion PACKAGE libcriterion-dev)
endif()
