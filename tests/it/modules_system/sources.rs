//! Where software comes from besides an archive's packages: repositories of git, files of packages, keys,
//! Python's packages.

use super::System;

/// A repository of git with two commits, keys of `gpg`'s, two versions of a package of Debian's, and a
/// package of Python's.
const SOURCES: &str = r#"
set -e
cd /srv
git init -q --bare app.git
git clone -q app.git work 2>/dev/null
cd work
git config user.email a@example.com
git config user.name a
echo 1 >f
git add f
git commit -qm 1
git tag v1
git checkout -q -b old
git checkout -q master
echo 2 >f
git commit -qam 2
git push -q origin master old v1
cd /srv
export GNUPGHOME=/root/keys
mkdir -m 700 $GNUPGHOME /etc/yum.repos.d
for name in one two; do
    gpg --batch -q --passphrase '' --quick-gen-key "$name <$name@example.com>" rsa1024 sign never 2>/dev/null
    gpg --batch -q --armor --export $name@example.com >$name.asc 2>/dev/null
done
mkdir -p deb/DEBIAN
for v in 1.0 2.0; do
    printf 'Package: ours\nVersion: %s\nArchitecture: all\nMaintainer: a <a@example.com>\nDepends: sl\nDescription: x\n' $v >deb/DEBIAN/control
    dpkg-deb -b deb ours-$v.deb >/dev/null
done
mkdir wheels
python3 - <<'END'
import zipfile
for v in "1.0", "2.0":
    with zipfile.ZipFile(f"/srv/wheels/our_own-{v}-py3-none-any.whl", "w") as z:
        i = f"our_own-{v}.dist-info/"
        z.writestr("our_own.py", f"v = '{v}'\n")
        z.writestr(i + "METADATA", f"Metadata-Version: 2.1\nName: our-own\nVersion: {v}\n")
        z.writestr(i + "WHEEL", "Wheel-Version: 1.0\nGenerator: x\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        z.writestr(i + "RECORD", f"our_own.py,,\n{i}METADATA,,\n{i}WHEEL,,\n{i}RECORD,,\n")
END
"#;

#[test]
fn software_comes_from_repositories_files_and_trusted_keys() {
    let system = System::start();
    system.install("git gnupg rpm python3-venv");
    system.sh(SOURCES);
    working_copies(&system);
    keys(&system);
    files_of_packages(&system);
    packages_of_python(&system);
}

fn working_copies(system: &System) {
    let watch = "cd /srv; for d in wc bare; do git -C $d log --format=%H -1; git -C $d status -s; done 2>&1; ls; true";
    let repo = "repo=/srv/app.git";
    let wc = [repo, "dest=/srv/wc"];
    let with = |more: &[&'static str]| [&wc[..], more].concat();
    system.changes_once("git", &with(&["version=v1"]), watch);
    system.changes_once("git", &with(&[]), watch);
    let back = with(&["version=old"]);
    let went = system.changes_once("git", &back, watch);
    let lines = went["foretold"]["diff"]["prepared"].as_str().unwrap();
    assert!(lines.ends_with("\n-2\n+1\n"), "{went:#}");
    system.sh("echo mine >/srv/wc/f");
    system.fails("git", &back, "Local modifications exist in the destination");
    system.changes_once("git", &with(&["version=old", "force=yes"]), watch);
    let archive = with(&["version=old", "archive=/srv/app.tar.gz"]);
    system.done("git", &archive);
    assert_eq!(system.sh("tar tzf /srv/app.tar.gz"), "f\n");
    system.changes_once("git", &[repo, "dest=/srv/bare", "bare=yes"], watch);
    system.changes_once(
        "git",
        &[repo, "dest=/srv/flat", "depth=1", "version=master"],
        watch,
    );
    let brought = [
        repo,
        "dest=/srv/brought",
        "refspec=+refs/heads/*:refs/brought/*",
        "version=refs/brought/master",
    ];
    system.changes_once("git", &brought, watch);
    system.fails("git", &with(&["version=nosuch"]), "Failed to fetch nosuch");
    system.fails(
        "git",
        &["repo=/srv/none", "dest=/srv/none.wc"],
        "does not appear to be a git repository",
    );
}

fn keys(system: &System) {
    let id = system.sh("gpg --show-keys --with-colons /srv/one.asc 2>/dev/null | awk -F: '/^fpr/ { printf \"%s\", $10 }'");
    let (by_id, wrong) = (format!("id={id}"), "id=DEADBEEFDEADBEEF");
    let apt = "ls /etc/apt/trusted.gpg.d; cat /etc/apt/trusted.gpg.d/ours.gpg | cksum; true";
    system.changes_once("apt_key", &["file=/srv/one.asc"], apt);
    system.changes_once("apt_key", &[&by_id, "state=absent"], apt);
    let ring = "keyring=/etc/apt/trusted.gpg.d/ours.gpg";
    system.changes_once("apt_key", &["file=/srv/one.asc", ring], apt);
    system.changes_once("apt_key", &["file=/srv/two.asc", ring], apt);
    system.changes_once("apt_key", &[&by_id, ring, "state=absent"], apt);
    system.changes_not("apt_key", &["file=/srv/two.asc", ring]);
    system.fails("apt_key", &["file=/etc/passwd"], "no key was found");
    system.fails(
        "apt_key",
        &["file=/srv/two.asc", wrong],
        "is not in what was given",
    );

    let rpm = "rpm -q gpg-pubkey; true";
    system.changes_once("rpm_key", &["key=/srv/one.asc"], rpm);
    system.changes_once("rpm_key", &[&format!("key={id}"), "state=absent"], rpm);
    system.fails("rpm_key", &["key=/etc/passwd"], "Not a public key");
    system.fails(
        "rpm_key",
        &["key=/srv/two.asc", &format!("fingerprint={id}")],
        "does not match any key fingerprints",
    );

    let repositories = "grep -r . /etc/yum.repos.d; true";
    let ours = [
        "name=ours",
        "description=Our own",
        "baseurl=file:///srv/rpm",
        "gpgcheck=no",
    ];
    system.changes_once("yum_repository", &ours, repositories);
    system.changes_once(
        "yum_repository",
        &[&ours[..], &["enabled=no"]].concat(),
        repositories,
    );
    system.changes_once(
        "yum_repository",
        &["name=ours", "state=absent"],
        repositories,
    );
    system.fails(
        "yum_repository",
        &[&ours[..], &["reposdir=/nosuch"]].concat(),
        "Repo directory '/nosuch' does not exist.",
    );
}

fn files_of_packages(system: &System) {
    let watch =
        "dpkg-query -W -f '${Package} ${Version} ${db:Status-Status}\\n' ours sl 2>/dev/null; true";
    system.changes_once("apt", &["deb=/srv/ours-1.0.deb"], watch);
    system.changes_once("apt", &["deb=/srv/ours-2.0.deb"], watch);
    system.fails(
        "apt",
        &["deb=/srv/ours-1.0.deb"],
        "Packages were downgraded",
    );
    let older = ["deb=/srv/ours-1.0.deb", "allow_downgrade=yes"];
    system.changes_once("apt", &older, watch);
    system.fails(
        "apt",
        &["deb=/srv/none.deb"],
        "could not find /srv/none.deb",
    );
    system.fails(
        "apt",
        &["deb=/etc/passwd"],
        "is not a Debian format archive",
    );

    // From a web server, which is the host itself: no other one has its address.
    let address = format!("{}:8080", system.fleet.host(0).address());
    let (ip, port) = address.split_once(':').unwrap();
    system.sh(&format!(
        "systemd-run -q python3 -m http.server {port} --bind {ip} -d /srv
         until ss -Hltn sport = {port} | grep -q {ip}; do sleep 0.1; done"
    ));
    let url = |file: &str| format!("deb=http://{address}/{file}");
    system.changes_once("apt", &[&url("ours-2.0.deb")], watch);
    system.fails(
        "apt",
        &[&url("none.deb")],
        &format!("Failed to download http://{address}/none.deb"),
    );
}

fn packages_of_python(system: &System) {
    let watch = "/srv/env/bin/pip list --format=freeze 2>/dev/null; cat /srv/env/pyvenv.cfg; true";
    let args = |more: &[&'static str]| {
        let all = [
            "virtualenv=/srv/env",
            "virtualenv_command=python3 -m venv",
            "extra_args=--no-index --find-links /srv/wheels",
        ];
        [more, &all[..]].concat()
    };
    system.changes_once("pip", &args(&["name=our_own==1.0"]), watch);
    system.changes_not("pip", &args(&["name=Our.Own"]));
    system.done("pip", &args(&["name=our_own", "state=latest"]));
    assert!(
        system.sh(watch).contains("our-own==2.0"),
        "{}",
        system.sh(watch)
    );
    system.changes_once("pip", &args(&["name=our_own", "version=1.0"]), watch);
    let gone = ["name=our_own", "state=absent", "virtualenv=/srv/env"];
    system.changes_once("pip", &gone, watch);
    system.fails(
        "pip",
        &args(&["name=nosuch"]),
        "No matching distribution found for nosuch",
    );
}
