#!/usr/bin/env bash
# The library as a stranger gets it: installed, found by pkg-config and by CMake, its header alone
# in C99 and C++11, and nothing visible but what the header says.
set -uo pipefail
build=$(dirname "$ARTEL_LIB")
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d "${TMPDIR:-/tmp}/artel-XXXXXX")
trap 'rm -rf "$work"' EXIT
status=0

check() {       # NAME COMMAND...: a case, which passes if the command does
    local name=$1
    shift
    if "$@" >"$work/log" 2>&1; then
        echo "PASS $name"
    else
        echo "FAIL $name: $(tail -3 "$work/log" | tr '\n' ' ')"
        status=1
    fi
}

cat >"$work/program.c" <<'C'
#include <artel.h>

int
main(void)
{
    artel_run_t *run = artel_start("demo");
    for (int step = 0; step < 10; step++)
        artel_run_log(run, "loss", step, 1.0 / (step + 1));
    return artel_finish(run);
}
C

cat >"$work/CMakeLists.txt" <<'CMAKE'
cmake_minimum_required(VERSION 3.22)
project(stranger LANGUAGES C)
find_package(artel 0.1 REQUIRED)
add_executable(program program.c)
target_link_libraries(program PRIVATE artel::artel)
CMAKE

header_alone() {    # COMPILER FLAG...: the header compiles as all of a program
    echo '#include <artel.h>' >"$work/alone.${1##*_}"
    "${@:2}" -I"$work/usr/include" -Wall -Wextra -Wpedantic -Wconversion -Werror -fsyntax-only "$work/alone.${1##*_}"
}

by_pkg_config() {
    export PKG_CONFIG_PATH=$(dirname "$(find "$work/usr" -name artel.pc)")
    cc "$work/program.c" -o "$work/by_pkg_config" $(pkg-config --cflags --libs artel) \
        -Wl,-rpath,"$(pkg-config --variable=libdir artel)" $ARTEL_CFLAGS
}

by_cmake() {
    cmake -S "$work" -B "$work/build" -DCMAKE_PREFIX_PATH="$work/usr" -DCMAKE_C_FLAGS="$ARTEL_CFLAGS" \
        && cmake --build "$work/build"
}

only_the_header() { # what is exported is declared in artel.h, and the other way round
    nm -D --defined-only "$ARTEL_LIB/libartel.so" | awk '$2 != "A" { sub(/@.*/, "", $3); print $3 }' | sort >"$work/exported"
    grep -o '\bartel_[a-z_]*(' "$work/usr/include/artel.h" | tr -d '(' | sort -u |
        grep -vxE 'artel_(log_fn|progress_fn)' >"$work/declared"
    diff "$work/exported" "$work/declared"
}

the_unit() {        # systemd's word for it, and the program it starts
    unit=$work/usr/lib/systemd/user/artel.service
    grep -qxF "ExecStart=\"$work/usr/bin/arteld\" --no-restart" "$unit" && [ -x "$work/usr/bin/arteld" ] &&
        grep -qx Restart=always "$unit" && grep -qx RestartSec=0 "$unit" && grep -qx StartLimitIntervalSec=0 "$unit"
}

systemd_takes_it() {        # it says nothing if all is well; some of its complaints leave its exit code 0
    local said
    said=$(XDG_RUNTIME_DIR=$work systemd-analyze --user --man=no verify "$work/usr/lib/systemd/user/artel.service" 2>&1) && [ -z "$said" ] ||
        { echo "$said"; return 1; }
}

check the_library_is_installed cmake --install "$build" --prefix "$work/usr"
check the_header_is_c99 header_alone x_c cc -std=c99 -Wstrict-prototypes
check the_header_is_cpp11 header_alone x_cc c++ -std=c++11
check nothing_is_exported_but_what_the_header_declares only_the_header
check the_unit_starts_the_installed_service_again_and_again the_unit
if command -v systemd-analyze >/dev/null; then
    check systemd_takes_the_unit systemd_takes_it
else
    echo 'SKIP systemd takes the unit: there is no systemd-analyze'
fi
check pkg_config_finds_it by_pkg_config
check cmake_finds_it by_cmake
export ARTEL_DIR=$work/state
check a_program_made_with_pkg_config_runs "$work/by_pkg_config"
check a_program_made_with_cmake_runs "$work/build/program"
exit $status
