# Shared by the scripts of this folder; sourced, not run.

# say TEXT...: a headline on standard error.
say() { printf '\n== %s\n' "$*" >&2; }

# need_rust: ends with advice unless a Rust that is new enough is in the PATH.
need_rust() {
    local want have
    want=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
    if ! command -v cargo >/dev/null || ! have=$(rustc --version 2>/dev/null); then
        printf 'error: no Rust found; ioms needs %s or newer\nhint: install it from https://rustup.rs, open a new shell, and run this again\n' "$want" >&2
        exit 1
    fi
    have=$(printf '%s' "$have" | sed 's/^rustc \([0-9.]*\).*/\1/')
    if [ "$(printf '%s\n%s\n' "$want" "$have" | sort -V | head -n 1)" != "$want" ]; then
        printf 'error: Rust %s is too old; ioms needs %s or newer\nhint: `rustup update stable`, or install from https://rustup.rs (a distribution'"'"'s own Rust is often older)\n' "$have" "$want" >&2
        exit 1
    fi
}

# apt_install PACKAGE...: installs what is missing, as root, without starting any service.
apt_install() {
    local missing=() package policy=/usr/sbin/policy-rc.d made=''
    for package in "$@"; do
        dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed || missing+=("$package")
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    if [ "$(id -u)" != 0 ]; then
        printf 'error: these Debian packages are missing: %s\nhint: sudo apt-get install %s\n' "${missing[*]}" "${missing[*]}" >&2
        exit 1
    fi
    say "installing Debian packages: ${missing[*]}"
    if [ ! -e "$policy" ]; then # 101: "action forbidden": the package's service stays off
        printf '#!/bin/sh\nexit 101\n' >"$policy"
        chmod 755 "$policy"
        made=yes
        trap 'rm -f /usr/sbin/policy-rc.d' EXIT
    fi
    local status=0
    { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}"; } >&2 || status=$?
    if [ -n "$made" ]; then
        rm -f "$policy"
        trap - EXIT
    fi
    return "$status"
}

# made_of FOLDER FILE...: whether a virtual environment was made of these requirements.
made_of() { [ "$(cat "$1/.made-of" 2>/dev/null)" = "$(cat "${@:2}")" ]; }

# make_venv FOLDER FILE: a Python of our own with what a file of requirements names, made anew when that changes.
make_venv() {
    made_of "$@" && return 0
    say "making $1"
    rm -rf "$1"
    python3 -m venv "$1"
    "$1/bin/python" -m pip install --quiet --disable-pip-version-check -r "$2" >&2
    cat "$2" >"$1/.made-of"
}

# make_winrm_venv FOLDER: the same for the WinRM server of the tests.
make_winrm_venv() {
    local folder=$1 files=(tests/winrm/requirements.txt tests/winrm/requirements-kerberos.txt)
    made_of "$folder" "${files[@]}" && return 0
    make_venv "$folder" "${files[0]}"
    # Built here, against the Kerberos library.
    "$folder/bin/python" -m pip install --quiet --disable-pip-version-check -r "${files[1]}" >&2 ||
        printf 'warning: no Kerberos in %s\n' "$folder" >&2
    cat "${files[@]}" >"$folder/.made-of"
}
