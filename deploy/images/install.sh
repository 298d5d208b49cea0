#!/bin/sh
# What the images' Dockerfile does, so that it can be done without a container engine too.
#
#   install.sh tools           into $TOOLS: what packages are built and installed with (requirements/image-build.txt)
#   install.sh assets FOLDER   FOLDER/node_modules: the npm packages that a service's pages are made of
#   install.sh packages NAME   into $VENV: an environment with exactly what requirements/NAME.txt lists, hashes checked
#   install.sh ours FOLDER…    into $VENV: our own packages, built from these folders
#
# Runs in the root of the sources. PYTHON is the interpreter that the image has.
set -eu
umask 022

PYTHON=${PYTHON:-python3}
TOOLS=${TOOLS:-/build/tools}
VENV=${VENV:-/opt/leocdp}

tools() {
    "$PYTHON" -m venv "$TOOLS"
    "$TOOLS/bin/pip" --disable-pip-version-check install --quiet --no-deps --require-hashes \
        -r requirements/image-build.txt
}

assets() {
    cd "$1"
    npm ci --no-audit --no-fund --ignore-scripts
}

packages() {
    "$PYTHON" -m venv --without-pip "$VENV"
    "$TOOLS/bin/uv" pip install --python "$VENV/bin/python" --no-deps --require-hashes \
        --only-binary :all: -r "requirements/$1.txt"
}

ours() {
    wheels=$(mktemp -d)
    for folder; do
        if [ -e "$folder/build_assets.py" ]; then
            # Copying from stage to stage keeps no order of times; this file says that the modules are those of the lock.
            touch "$folder/node_modules/.package-lock.json"
            "$TOOLS/bin/python" "$folder/build_assets.py"
        fi
        (cd "$folder" && "$TOOLS/bin/python" -m hatchling build -t wheel -d "$wheels")
    done
    "$TOOLS/bin/uv" pip install --python "$VENV/bin/python" --no-deps --no-index "$wheels"/*.whl
    "$TOOLS/bin/uv" pip check --python "$VENV/bin/python"
    rm -r "$wheels"
}

step=$1
shift
case $step in
    tools | assets | packages | ours) "$step" "$@" ;;
    *) echo "install.sh knows no step $step" >&2; exit 2 ;;
esac
