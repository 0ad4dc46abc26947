# Sourced by the scripts: makes a virtual environment and installs what is pinned. Safe to run again.
# Nothing is installed that has not the hash in the compiled requirements (scripts/lock), and nothing is built here: what
# builds a package is pinned by nobody.

find_python() {
    local name
    for name in python3.11 python3.12 python3.13 python3.14 python3; do
        if command -v "$name" >/dev/null && "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            echo "$name"
            return
        fi
    done
    echo "Python 3.11 or newer is needed and was not found." >&2
    return 1
}

# make_venv FOLDER REQUIREMENTS
make_venv() {
    local folder="$1" requirements="$2" python wanted stamp part
    stamp="$folder/installed-$(basename "$requirements" .txt)"
    wanted="$(cat requirements*.txt | cksum)"
    if [ -x "$folder/bin/python" ] && [ "$(cat "$stamp" 2>/dev/null)" = "$wanted" ]; then
        return
    fi
    python="$(find_python)"
    if ! [ -x "$folder/bin/pip" ]; then
        if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
            echo "Python's venv module is missing. Install the package python3-venv:" >&2
            echo "    sudo apt-get install python3-venv" >&2
            return 1
        fi
        echo "Making a virtual environment in $folder ($("$python" --version)) …"
        "$python" -m venv "$folder"
    fi
    echo "Installing $requirements …"
    "$folder/bin/python" -m pip install --quiet --disable-pip-version-check \
        --require-hashes --only-binary :all: -r "$requirements"
    echo "$wanted" >"$stamp"
    # The tools for tests include what the product and the sandbox run on.
    if [ "$requirements" = requirements-dev.txt ]; then
        for part in requirements requirements-sandbox; do echo "$wanted" >"$folder/installed-$part"; done
    fi
}
