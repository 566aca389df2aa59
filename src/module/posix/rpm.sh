# Managers of RPM packages: dnf, yum, zypper. Uses packages.sh.

rpm_list() { rpm -qa --qf '%{NAME}-%{VERSION}-%{RELEASE}.%{ARCH}\n' 2>/dev/null | sort; }

# rpm_do COMMAND...: one transaction; what it installed and removed is `results`. In check mode the
# command only looks, and rpm_would says whether it found something to do.
rpm_do() {
    temporary
    [ "$check" ] || rpm_list >"$ioms_temporary/before"
    pm "$@"
    if [ "$check" ]; then
        rpm_would
        rpm_diff
        return 0
    fi
    rpm_accept
    rpm_list >"$ioms_temporary/after"
    comm -13 "$ioms_temporary/before" "$ioms_temporary/after" | sed 's/^/Installed: /' >"$ioms_temporary/results"
    comm -23 "$ioms_temporary/before" "$ioms_temporary/after" | sed 's/^/Removed: /' >>"$ioms_temporary/results"
    while IFS= read -r ioms_l; do
        changed=1
        put results/+ "$ioms_l"
    done <"$ioms_temporary/results"
    rpm_diff
}

# rpm_diff: what the manager said that it would do.
rpm_diff() {
    [ -z "$diff" ] || [ -z "$changed" ] || put diff/prepared "$(sed -n '
        /^The following/,/^[0-9]* package/p
        /^\(Install\|Upgrad\|Updat\|Downgrad\|Reinstall\|Remov\)ing.*:$/,/^Transaction Summary/{
            /^Transaction Summary/!p
        }' "$ioms_temporary/out")"
}

# rpm_has NAME: a plain name, with or without version and arch, that is installed.
rpm_has() {
    case $1 in @*|*/*|*[*?\[\<\>=]*) return 1 ;; esac
    rpm -q -- "$1" >/dev/null 2>&1
}

# -- dnf and yum.

dnf_set_up() {
    dnf=
    for ioms_n in dnf dnf5 yum microdnf; do
        ! has "$ioms_n" || { dnf=$ioms_n; break; }
    done
    [ "$dnf" ] || fail "neither dnf nor yum is there"
    if [ "$check" ]; then dnf_options='--assumeno'; else dnf_options='-y'; fi
    dnf_flag() { eval "ioms_w=\${p_$1-unset}"; [ "$ioms_w" != "$2" ] || dnf_options="$dnf_options $3"; }
    dnf_flag disable_gpg_check 1 --nogpgcheck
    dnf_flag allowerasing 1 --allowerasing
    dnf_flag skip_broken 1 --skip-broken
    dnf_flag best 1 --best
    dnf_flag best '' --nobest
    dnf_flag nobest 1 --nobest
    dnf_flag nobest '' --best
    dnf_flag security 1 --security
    dnf_flag bugfix 1 --bugfix
    dnf_flag cacheonly 1 -C
    dnf_flag download_only 1 --downloadonly
    dnf_flag install_weak_deps '' --setopt=install_weak_deps=False
    dnf_flag sslverify '' --setopt=sslverify=False
    dnf_flag validate_certs '' --setopt=sslverify=False
    for ioms_o in enablerepo disablerepo exclude enable_plugin disable_plugin; do
        eval "eval \"set -- \${p_$ioms_o-}\""
        for ioms_n in "$@"; do
            dnf_options="$dnf_options --$(printf %s "$ioms_o" | tr -d _)=$ioms_n"
        done
    done
    [ -z "${p_conf_file-}" ] || dnf_options="$dnf_options -c $p_conf_file"
    [ -z "${p_releasever-}" ] || dnf_options="$dnf_options --releasever=$p_releasever"
    [ -z "${p_disable_excludes-}" ] || dnf_options="$dnf_options --disableexcludes=$p_disable_excludes"
    [ -z "${p_download_dir-}" ] || dnf_options="$dnf_options --downloaddir=$p_download_dir"
    [ "${p_installroot:-/}" = / ] || dnf_options="$dnf_options --installroot=$p_installroot"
    [ -z "${p_update_cache-}" ] || {
        case $dnf in dnf*) dnf_options="$dnf_options --refresh" ;; *) [ "$check" ] || pm yum clean expire-cache ;; esac
    }
}

rpm_would() {
    case ${dnf-} in
        '') zypper_would ;;
        *)
            if grep -qi 'operation aborted\|exiting on user\|user aborted\|^Transaction Summary' "$ioms_temporary/out" "$ioms_temporary/err"; then changed=1
            elif [ "$pm_rc" -ne 0 ]; then dnf_wrong
            fi
            ;;
    esac
}
rpm_accept() {
    if [ "${dnf-}" ]; then [ "$pm_rc" -eq 0 ] || dnf_wrong; else zypper_accept; fi
}
dnf_wrong() {
    ioms_n=$(sed -n 's/^No match for argument: //p; s/^No package \(.*\) available\.*$/\1/p' "$ioms_temporary/out" "$ioms_temporary/err" | head -n 1)
    [ -z "$ioms_n" ] || { put failures/+ "No package $ioms_n available."; pm_fail 'Failed to install some of the specified packages'; }
    pm_fail
}

# dnf_state NAME...
dnf_state() {
    rpm_there= rpm_missing=
    for ioms_p in "$@"; do
        if rpm_has "$ioms_p"; then rpm_there="$rpm_there$(quoted "$ioms_p")"; else rpm_missing="$rpm_missing$(quoted "$ioms_p")"; fi
    done
    case $p_state in
        absent|removed)
            ioms_w=False
            [ -z "${p_autoremove-}" ] || ioms_w=True
            for ioms_p in "$@"; do
                case $ioms_p in @*|*[*?\[]*) rpm_there="$rpm_there$(quoted "$ioms_p")" ;; esac
            done
            [ "$rpm_there" ] || return 0
            eval "set -- $rpm_there"
            rpm_do $dnf $dnf_options --setopt=clean_requirements_on_remove=$ioms_w remove -- "$@"
            ;;
        latest)
            if [ "$*" = '*' ]; then rpm_do $dnf $dnf_options upgrade; return; fi
            eval "set -- $rpm_missing"
            if [ $# -gt 0 ] && [ -z "${p_update_only-}" ]; then rpm_do $dnf $dnf_options install -- "$@"; fi
            eval "set -- $rpm_there"
            [ $# -eq 0 ] || rpm_do $dnf $dnf_options upgrade -- "$@"
            ;;
        *)
            [ "$rpm_missing" ] || return 0
            eval "set -- $rpm_missing"
            rpm_do $dnf $dnf_options install -- "$@"
            ;;
    esac
}

dnf_done() {
    put_int rc 0
    [ "$changed" ] || put msg 'Nothing to do'
    [ "$changed" ] && put msg ''
    exit 0
}

# -- zypper.

zypper_set_up() {
    has zypper || fail "zypper isn't there"
    dnf=
    zypper='zypper --non-interactive'
    [ -z "${p_disable_gpg_check-}" ] || zypper="$zypper --no-gpg-checks"
    [ -z "${p_auto_import_keys-}" ] || zypper="$zypper --gpg-auto-import-keys"
    [ -z "${p_extra_args_precommand-}" ] || zypper="$zypper $p_extra_args_precommand"
    zypper_options=
    [ -z "$check" ] || zypper_options='--dry-run'
    [ "${p_type:-package}" = package ] || zypper_options="$zypper_options --type $p_type"
    [ -z "${p_update_cache-}" ] || [ "$check" ] || { pm $zypper refresh; zypper_accept; }
}
zypper_would() { zypper_accept; grep -qi 'nothing to do' "$ioms_temporary/out" || changed=1; }

# Statuses from 100 on are news, not failures; 107: a script of a package failed.
zypper_accept() {
    case $pm_rc in 0|100|101|102|103|106) return 0 ;; 107) [ -z "${p_skip_post_errors-}" ] || return 0 ;; 104) pm_fail "No provider of '$(sed -n "s/^No provider of '\(.*\)' found.*/\1/p" "$ioms_temporary/out" "$ioms_temporary/err" | head -n 1)' found." ;; esac
    pm_fail
}

zypper_state() {
    rpm_list_of=
    for ioms_p in "$@"; do
        case $p_state in
            present|installed) [ "${p_type:-package}" != package ] || [ "${p_force-}" ] || ! rpm_has "$ioms_p" || continue ;;
            absent|removed) case $ioms_p in *[*?]*) ;; *) [ "${p_type:-package}" != package ] || rpm_has "$ioms_p" || continue ;; esac ;;
        esac
        rpm_list_of="$rpm_list_of$(quoted "$ioms_p")"
    done
    case $p_state in
        dist-upgrade)
            [ -z "${p_allow_vendor_change-}" ] || zypper_options="$zypper_options --allow-vendor-change"
            rpm_do $zypper dist-upgrade --auto-agree-with-licenses $zypper_options
            return
            ;;
        latest)
            [ "$*" != '*' ] || { rpm_do $zypper update --auto-agree-with-licenses $zypper_options; return; }
            ;;
    esac
    [ "$rpm_list_of" ] || return 0
    eval "set -- $rpm_list_of"
    case $p_state in
        absent|removed)
            [ -z "${p_clean_deps-}" ] || zypper_options="$zypper_options --clean-deps"
            rpm_do $zypper remove $zypper_options ${p_extra_args-} -- "$@"
            ;;
        *)
            if [ "${p_disable_recommends-1}" ]; then zypper_options="$zypper_options --no-recommends"; else zypper_options="$zypper_options --recommends"; fi
            [ -z "${p_force-}" ] || zypper_options="$zypper_options --force"
            [ -z "${p_force_resolution-}" ] || zypper_options="$zypper_options --force-resolution"
            [ -z "${p_oldpackage-}" ] || zypper_options="$zypper_options --oldpackage"
            [ -z "${p_replacefiles-}" ] || zypper_options="$zypper_options --replacefiles"
            rpm_do $zypper install --auto-agree-with-licenses $zypper_options ${p_extra_args-} -- "$@"
            ;;
    esac
}
