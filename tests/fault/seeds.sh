#!/usr/bin/env bash
# tests/fault/seeds.sh [NAME...]: negative controls. Each seeds/NAME.patch breaks one
# promise in a copy of the sources, and the suite it names must catch that.
set -uo pipefail
cd "$(dirname "$0")/../.." || exit 1
here=tests/fault
copy=build/seeds/src
build=build/seeds/build
#  A run that was cut short may have left a broken copy, and objects made of it.
[ ! -e build/seeds/broken ] || rm -rf build/seeds
mkdir -p $copy
git ls-files -z --cached --others --exclude-standard | xargs -0 cp -pu --parents -t $copy
make() {
    cmake -S $copy -B $build -DCMAKE_BUILD_TYPE=RelWithDebInfo >build/seeds/log 2>&1 \
        && cmake --build $build -j"$(nproc)" --target artel-cli work step >>build/seeds/log 2>&1
}
# caught PATCH: the case of the suite that fails with it; nothing if none does.
caught() {
    local command
    command=$(sed -n 's/^Caught by: //p' "$1")
    ARTEL_BIN=$PWD/$build/bin timeout 300 bash -c "cd $here && python3 -B $command" 2>&1 \
        | tee build/seeds/output | grep -m1 '^FAIL '
}

make || { cat build/seeds/log; echo "FAIL seeds: the sources do not build"; exit 1; }
patches=("${@/%/.patch}")
[ $# -gt 0 ] || patches=($(cd $here/seeds && ls -- *.patch))
for patch in "${patches[@]}"; do
    name=${patch%.patch}
    file=$here/seeds/$patch
    touch build/seeds/broken
    if ! patch -s -p1 -d $copy <$file; then
        echo "FAIL the seed $name: it does not apply any more"
    elif ! make; then
        echo "FAIL the seed $name: it does not build: $(grep -m1 error build/seeds/log)"
    elif case=$(caught $file); then
        echo "PASS the seed $name is caught: ${case#FAIL }"
    else
        echo "FAIL the seed $name: nothing caught it"
        tail -5 build/seeds/output
    fi
    patch -s -R -p1 -d $copy <$file 2>/dev/null && rm build/seeds/broken
done
