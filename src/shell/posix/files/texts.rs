//! The texts in `sh/`, each as one line: hosts read a script with one `read`.

use std::sync::LazyLock;

/// One line of a text whose lines end where a blank may stand. Comments are lines of their own.
fn one_line(text: &str) -> String {
    let lines = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.starts_with('#'));
    let mut joined = lines.collect::<Vec<_>>().join(" ");
    joined.push(' ');
    joined
}

macro_rules! texts {
    ($($name:ident = $file:literal;)*) => {
        $(pub(super) static $name: LazyLock<String> =
            LazyLock::new(|| one_line(include_str!(concat!("../sh/", $file))));)*
    };
}

texts! {
    PRELUDE = "prelude.sh";
    STAT = "stat.sh";
    DIGEST = "digest.sh";
    IDENTIFY = "identify.sh";
    HASH = "hash.sh";
    ATTRIBUTES = "attributes.sh";
    SWEEP = "sweep.sh";
    RECEIVE = "receive.sh";
    UNPACK = "unpack.sh";
    PLACE = "place.sh";
}
